"""How well Tsne and openTSNE minimise the same divergence, from several seeds.

tsne_quality.py VECTORS.npy... [--rows 1000 2000] [--seeds 3] [--bench build/release/bench/tsne_bench]
Affinities are computed here, exactly and in double: Gaussians of perplexity 30 over the distance of rows of length 1.
openTSNE is given these; shoal makes its own of the same definition. Both start from principal components with a
jitter that the seed decides and go 250 + 500 iterations with their defaults. The divergence of both maps is computed
here, in double, over all pairs. --rows: so many of each file, evenly taken.
"""
import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import openTSNE
import scipy.sparse

HERE = pathlib.Path(__file__).resolve().parent
PERPLEXITY = 30


def affinities(x, block=500):
    """Joint, symmetric, of sum 1: rows x rows, from 3 x perplexity neighbours of each."""
    x = x.astype(np.float64)
    n = len(x)
    k = min(3 * PERPLEXITY, n - 1)
    near, square = np.empty((n, k), dtype=np.int64), np.empty((n, k))
    for first in range(0, n, block):
        some = 1 - x[first : first + block] @ x.T  # half the squared distance: in any unit
        some[np.arange(len(some)), np.arange(first, first + len(some))] = np.inf
        near[first : first + block] = np.argpartition(some, k - 1, axis=1)[:, :k]
        square[first : first + block] = np.take_along_axis(some, near[first : first + block], axis=1)
    square -= square.min(axis=1, keepdims=True)
    square /= np.maximum(square.mean(axis=1, keepdims=True), 1e-300)
    low, high, beta = np.zeros((n, 1)), np.full((n, 1), np.inf), np.ones((n, 1))
    for _ in range(100):
        p = np.exp(-beta * square)
        p /= p.sum(axis=1, keepdims=True)
        wide = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1, keepdims=True) > np.log(min(PERPLEXITY, (n - 1) / 3))
        low, high = np.where(wide, beta, low), np.where(wide, high, beta)
        beta = np.where(np.isinf(high), 2 * beta, (low + high) / 2)
    p = scipy.sparse.csr_matrix((p.ravel(), near.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    return ((p + p.T) / (2 * n)).tocsr()


def divergences(y, many_p, block=200):
    """For each p: sum of p log(p / q), q_ij = 1 / (1 + |y_i - y_j|^2) over the sum of all."""
    y = y.astype(np.float64)
    total = -float(len(y))
    for first in range(0, len(y), block):
        some = y[first : first + block]
        squares = (some[:, None, 0] - y[None, :, 0]) ** 2 + (some[:, None, 1] - y[None, :, 1]) ** 2
        total += (1 / (1 + squares)).sum()
    found = []
    for p in many_p:
        p = p.tocoo()
        keep = p.data > 0
        row, column, weight = p.row[keep], p.col[keep], p.data[keep] / p.data.sum()
        log_q = -np.log1p(((y[row] - y[column]) ** 2).sum(axis=1)) - np.log(total)
        found.append(float((weight * (np.log(weight) - log_q)).sum()))
    return found


def shoal(x, seed, args, folder):
    np.save(f"{folder}/x.npy", x)
    subprocess.run([args.bench, f"{folder}/x.npy", "2", f"{folder}/y.npy", str(seed)], check=True, capture_output=True)
    return np.load(f"{folder}/y.npy")


def peer(x, p, seed):
    start = openTSNE.initialization.pca(x, random_state=seed)
    given = openTSNE.affinity.PrecomputedAffinities(p.copy())
    return np.asarray(openTSNE.TSNE(n_jobs=2, random_state=seed).fit(affinities=given, initialization=start))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", nargs="+")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 2000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bench", default=str(HERE.parent / "build/release/bench/tsne_bench"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for path in args.vectors:
            for rows in args.rows:
                x = np.load(path, mmap_mode="r")
                x = np.asarray(x[np.arange(min(rows, len(x))) * len(x) // min(rows, len(x))], dtype=np.float32)
                x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
                p = affinities(x)
                found = {"shoal": [], "openTSNE": []}
                for seed in range(args.seeds):
                    found["shoal"].extend(divergences(shoal(x, seed, args, folder), [p]))
                    found["openTSNE"].extend(divergences(peer(x, p, seed), [p]))
                words = "   ".join(f"{name} {np.mean(kl):.4f} ({min(kl):.4f} to {max(kl):.4f})" for name, kl in found.items())
                print(f"{pathlib.Path(path).stem:20} {len(x):6} rows   KL {words}", flush=True)


if __name__ == "__main__":
    main()
