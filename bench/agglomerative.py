#!/usr/bin/env python3
"""Agglomerative clustering beside scikit-learn and fastcluster: same vectors, same threads, heights compared.

    agglomerative.py VECTORS.npy [--bench build/release/bench/agglomerative_bench] [--rows 20000]
                     [--linkage average] [--metric cosine] [--large 100000] [--threads 2] [--repeats 1] [--json OUT]

Every fit runs in a process of its own, by turns, and the median time counts; memory is the most that the process
held. Heights are compared in order of height with the first peer's. --large: then shoal alone on so many rows
(the vectors, then copies of them turned a little), which no peer can hold. 0: not.
Needs numpy, scikit-learn, fastcluster (run it with a Python that has them).
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
METHODS = ("shoal", "scikit-learn", "fastcluster", "scipy")


def run(method, args, vectors, folder):
    heights = folder / "heights.txt"
    tail = [str(vectors), args.linkage, args.metric, str(args.threads), str(heights)]
    peer = [sys.executable, str(HERE / "agglomerative_peers.py"), method]
    done = subprocess.run(([str(args.bench)] if method == "shoal" else peer) + tail, check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1]), np.sort(np.loadtxt(heights))


def compare(args, x, folder):
    vectors = folder / "vectors.npy"
    np.save(vectors, x)
    runs, heights = {m: [] for m in args.methods}, {}
    for _ in range(args.repeats):
        for method in args.methods:
            result, heights[method] = run(method, args, vectors, folder)
            runs[method].append(result)
    ours = statistics.median(r["seconds"] for r in runs[args.methods[0]])
    print(f"{len(x)} x {x.shape[1]}, {args.linkage} {args.metric}, {args.threads} threads")
    rows = []
    for method in args.methods:
        seconds = statistics.median(r["seconds"] for r in runs[method])
        mib = max(r["mib"] for r in runs[method])
        apart = float(np.abs(heights[method] - heights[args.methods[0]]).max())
        rows.append({"rows": len(x), "method": method, "seconds": seconds, "mib": mib, "heights_apart": apart})
        print(f"  {method:12}  {seconds:8.2f} s  {seconds / ours:6.2f} x  {mib:7.0f} MiB   "
              f"heights apart by {apart:.1e}", flush=True)
    return rows


def enlarged(x, rows):
    """The vectors, then copies turned by about 20 degrees, each its own way."""
    rng = np.random.default_rng(0)
    more = x[np.arange(len(x), rows) % len(x)]
    more += rng.normal(size=more.shape).astype(np.float32) * np.float32(0.35 / np.sqrt(x.shape[1]))
    return np.concatenate([x, more / np.linalg.norm(more, axis=1, keepdims=True)])[:rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=pathlib.Path)
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/agglomerative_bench", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--linkage", default="average")
    parser.add_argument("--metric", default="cosine")
    parser.add_argument("--large", type=int, default=100000)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS[:3], help="the first is the measure")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    x = np.load(args.vectors).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        results = compare(args, x[: args.rows], pathlib.Path(folder))
        if args.large:
            args.methods = ["shoal"]
            results += compare(args, enlarged(x, args.large), pathlib.Path(folder))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
