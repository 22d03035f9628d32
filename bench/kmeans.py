#!/usr/bin/env python3
"""k-means beside faiss and scikit-learn: same vectors, same start, same rounds, same threads.

    kmeans.py --vectors X.npy [--bench build/release/bench/kmeans_bench] [--clusters 100 1000]
              [--rounds 25] [--threads 2] [--repeats 3] [--euclidean] [--json OUT]

Every fit runs in a process of its own, the methods take turns, and the median time counts. The objective is the
sum of the cosines of all rows to the mean direction of their cluster, or with --euclidean the sum of squared
distances to the mean of their cluster, computed here from everybody's labels.
Needs numpy, faiss-cpu and scikit-learn (run it with a Python that has them).
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
METHODS = ("shoal", "faiss", "lloyd", "elkan")


def objective(x, labels, k, euclidean):
    sums = np.zeros((k, x.shape[1]))
    np.add.at(sums, labels, x)
    if euclidean:
        means = sums / np.maximum(1, np.bincount(labels, minlength=k))[:, None]
        return float(((x - means[labels]) ** 2).sum())
    return float(np.linalg.norm(sums, axis=1).sum())


def run(method, args, start, folder):
    labels = folder / "labels.txt"
    tail = [str(args.vectors), str(start), str(args.rounds), str(args.threads), str(labels)] + ["euclidean"] * args.euclidean
    command = [str(args.bench)] if method == "shoal" else [sys.executable, str(HERE / "kmeans_peers.py"), method]
    done = subprocess.run(command + tail, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])["seconds"], np.loadtxt(labels, dtype=int)


def compare(k, args, x, folder):
    start = folder / f"start-{k}.npy"
    np.save(start, x[np.random.default_rng(0).choice(len(x), k, replace=False)])
    seconds, value = {m: [] for m in args.methods}, {}
    for _ in range(args.repeats):
        for method in args.methods:
            took, labels = run(method, args, start, folder)
            seconds[method].append(took)
            value[method] = objective(x, labels, k, args.euclidean)
    rows = [{"clusters": k, "method": m, "seconds": statistics.median(seconds[m]), "all": seconds[m],
             "objective": value[m]} for m in args.methods]
    ours = rows[0]
    print(f"\n{len(x)} x {x.shape[1]}, k = {k}, {args.rounds} rounds, {args.threads} threads")
    for row in rows:
        print(f"  {row['method']:6}  {row['seconds']:8.3f} s   {row['seconds'] / ours['seconds']:5.2f} x   "
              f"objective {row['objective']:.2f}   (from {min(row['all']):.3f} to {max(row['all']):.3f})", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/kmeans_bench", type=pathlib.Path)
    parser.add_argument("--clusters", nargs="+", type=int, default=[100, 1000])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, help="the first is the measure")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--euclidean", action="store_true", help="plain k-means, not spherical")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    x = np.load(args.vectors).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        results = [row for k in args.clusters for row in compare(k, args, x, pathlib.Path(folder))]
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
