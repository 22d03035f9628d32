"""Tsne beside openTSNE on one file of vectors: time, Kullback-Leibler divergence and trustworthiness.

tsne.py VECTORS.npy [--bench build/release/bench/tsne_bench] [--python PYTHON] [--threads 2] [--repeat 3]
      [--picture OUT.png]
Each runs in a process of its own, by turns. The divergences are computed for both by the same code, in double, over
all pairs: to exact affinities, which shoal minimises, and to openTSNE's, whose neighbours are approximate.
Trustworthiness as in layout.py.
"""
import argparse
import json
import pathlib
import statistics
import sys
import tempfile

import numpy as np
import scipy.sparse
from layout import judge, picture
from tsne_quality import affinities, divergences
from umap_turns import run

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/tsne_bench")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer-repeat", type=int, default=1)
    parser.add_argument("--picture")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        ours, peer, kept = f"{folder}/ours.npy", f"{folder}/peer.npy", f"{folder}/affinities.npz"
        our_runs, peer_runs = [], []
        for turn in range(args.repeat):
            our_runs.append(run([args.bench, args.vectors, args.threads, ours], {}))
            if turn < args.peer_repeat:
                peer_runs.append(run([args.python, HERE / "tsne_peers.py", args.vectors, peer, args.threads, kept], {}))
        layouts = {"shoal": np.load(ours), "openTSNE": np.load(peer)}
        peers_p = scipy.sparse.load_npz(kept)

    x = np.load(args.vectors).astype(np.float32)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
    result = judge(x, layouts)
    exact_p = affinities(x)
    for name, runs in (("shoal", our_runs), ("openTSNE", peer_runs)):
        result[name]["seconds"] = statistics.median(r["seconds"] for r in runs)
        result[name]["kl"], result[name]["kl_to_peers"] = divergences(layouts[name], [exact_p, peers_p])
        result[name]["own_kl"] = runs[-1]["kl"]
        print(
            f"{name:10}  {result[name]['seconds']:8.2f} s   KL {result[name]['kl']:.4f}, to openTSNE's "
            f"affinities {result[name]['kl_to_peers']:.4f} (by itself {runs[-1]['kl']:.4f})"
            f"   trustworthiness@15 {result[name]['trustworthiness']:.4f}   neighbours kept {result[name]['kept']:.4f}"
        )
    result["shoal"]["neighbours_seconds"] = statistics.median(r["neighbours"] for r in our_runs)
    result["rows"], result["speedup"] = len(x), result["openTSNE"]["seconds"] / result["shoal"]["seconds"]
    print(json.dumps(result))
    if args.picture:
        picture(x, layouts, args.picture)


if __name__ == "__main__":
    main()
