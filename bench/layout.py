"""Umap beside umap-learn on one file of vectors: time and trustworthiness.

layout.py VECTORS.npy [--bench build/release/bench/umap_bench] [--python PYTHON] [--threads 2] [--repeat 3]
        [--picture OUT.png]
Each runs in a process of its own, by turns. Trustworthiness at 15 (Venna and Kaski 2001; cosine ranks in the
source space) is computed for both by the same code, on 5,000 fixed rows against all rows.
"""
import json
import statistics

import numpy as np

from umap_turns import by_turns, options

K = 15


def nearest_in_layout(y, rows, block=100):
    """The K nearest other points of each of `rows`, exactly."""
    out = []
    for first in range(0, len(rows), block):
        some = rows[first : first + block]
        squares = ((y[some, None, :] - y[None, :, :]) ** 2).sum(axis=2)
        squares[np.arange(len(some)), some] = np.inf
        out.append(np.argpartition(squares, K, axis=1)[:, :K])
    return np.concatenate(out)


def judge(x, layouts, sample=5000, block=500):
    """Trustworthiness and the share of true neighbours kept, for each layout, on the same rows."""
    n = len(x)
    rows = np.sort(np.random.RandomState(0).choice(n, min(sample, n), replace=False))
    near = {name: nearest_in_layout(y.astype(np.float64), rows) for name, y in layouts.items()}
    penalty, kept = dict.fromkeys(layouts, 0), dict.fromkeys(layouts, 0)
    for first in range(0, len(rows), block):
        some = rows[first : first + block]
        cosines = x[some] @ x.T
        cosines[np.arange(len(some)), some] = -np.inf
        for r in range(len(some)):
            for name in layouts:
                own = cosines[r, near[name][first + r]]
                ranks = 1 + (cosines[r][None, :] > own[:, None]).sum(axis=1)
                penalty[name] += np.maximum(ranks - K, 0).sum()
                kept[name] += (ranks <= K).sum()
    scale = 2 / (len(rows) * K * (2 * n - 3 * K - 1))
    return {
        name: {"trustworthiness": 1 - scale * float(penalty[name]), "kept": float(kept[name]) / (len(rows) * K)}
        for name in layouts
    }


def picture(x, layouts, path):
    """Both layouts, coloured by 20 groups of the vectors."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from sklearn.cluster import MiniBatchKMeans

    groups = MiniBatchKMeans(20, random_state=0, n_init=1).fit_predict(x)
    _, axes = plt.subplots(1, len(layouts), figsize=(9 * len(layouts), 9))
    for axis, (name, y) in zip(axes, layouts.items()):
        centre = np.median(y, axis=0)
        reach = 1.05 * np.percentile(np.abs(y - centre), 99.8)
        axis.scatter(y[:, 0], y[:, 1], c=groups, s=0.4, cmap="tab20", linewidths=0)
        axis.set(title=name, xlim=(centre[0] - reach, centre[0] + reach), ylim=(centre[1] - reach, centre[1] + reach))
    plt.tight_layout()
    plt.savefig(path, dpi=70)


def main():
    parser = options(__doc__)
    parser.add_argument("--peer-repeat", type=int, default=1)
    parser.add_argument("--picture")
    args = parser.parse_args()

    (ours, our_runs), (peer, peer_runs) = by_turns("layout", args, args.peer_repeat)
    layouts = {"shoal": ours, "umap-learn": peer}
    x = np.load(args.vectors).astype(np.float32)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
    result = judge(x, layouts)
    for name, runs in (("shoal", our_runs), ("umap-learn", peer_runs)):
        result[name]["seconds"] = statistics.median(r["seconds"] for r in runs)
        print(
            f"{name:10}  {result[name]['seconds']:8.2f} s   trustworthiness@15 {result[name]['trustworthiness']:.4f}"
            f"   neighbours kept {result[name]['kept']:.4f}"
        )
    result["shoal"]["neighbours_seconds"] = statistics.median(r["neighbours"] for r in our_runs)
    result["rows"], result["speedup"] = len(x), result["umap-learn"]["seconds"] / result["shoal"]["seconds"]
    print(json.dumps(result))
    if args.picture:
        picture(x, layouts, args.picture)


if __name__ == "__main__":
    main()
