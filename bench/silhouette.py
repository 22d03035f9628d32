#!/usr/bin/env python3
"""The exact cosine silhouette beside scikit-learn's: same vectors, same labels, same threads.

    silhouette.py --vectors X.npy [--bench build/release/bench/silhouette_bench] [--clusters 100]
                  [--threads 2] [--repeats 1] [--json OUT]

Each runs in a process of its own, they take turns, the median time counts, and the values of all rows are
compared. Labels are the nearest of `clusters` rows drawn at random. Needs numpy and scikit-learn.
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


def run(command):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/silhouette_bench", type=pathlib.Path)
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    x = np.load(args.vectors).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    starts = x[np.random.default_rng(0).choice(len(x), args.clusters, replace=False)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        labels = folder / "labels.txt"
        np.savetxt(labels, (x @ starts.T).argmax(1), fmt="%d")
        commands = {"shoal": [str(args.bench)], "scikit-learn": [sys.executable, str(HERE / "silhouette_peers.py")]}
        found = {method: [] for method in commands}
        for _ in range(args.repeats):
            for method, command in commands.items():
                tail = [str(args.vectors), str(labels), str(args.threads), str(folder / method)]
                found[method].append(run(command + tail))
        ours, theirs = (np.loadtxt(folder / method) for method in commands)
    seconds = {method: statistics.median(r["seconds"] for r in runs) for method, runs in found.items()}
    print(f"{len(x)} x {x.shape[1]}, {args.clusters} clusters, {args.threads} threads: silhouette of every row, cosine")
    for method, runs in found.items():
        print(f"  {method:12}  {seconds[method]:8.3f} s   {seconds[method] / seconds['shoal']:6.1f} x   "
              f"{statistics.median(r['cpu'] for r in runs):8.3f} s of processors   "
              f"{runs[-1]['mib']:7.0f} MiB more   mean {runs[-1]['mean']:.9f}")
    print(f"  all measures of the labels (shoal): {found['shoal'][-1]['all_measures']:.3f} s")
    print(f"  largest difference of a row: {np.abs(ours - theirs).max():.2e}")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
