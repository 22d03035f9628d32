#!/usr/bin/env python3
"""Streaming PCA beside scikit-learn's IncrementalPCA: same vectors, same number of components, same threads.

    pca.py --vectors X.npy [--bench build/release/bench/pca_bench] [--components 80] [--files 20]
           [--threads 2] [--repeats 3] [--json OUT]

shoal reads the vectors from a folder of batch files, the peer from memory. Both run in processes of their own and
take turns; the median time counts. The loss is the share of the variance that the exact PCA's first components keep
and the method's do not, computed here in double. Needs numpy and scikit-learn (run it with a Python that has them).
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


def call(command):
    done = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/pca_bench", type=pathlib.Path)
    parser.add_argument("--components", type=int, default=80)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    x = np.load(args.vectors).astype(np.float32)
    centred = x - x.mean(0, dtype=np.float64)
    covariance = centred.T @ centred
    best = np.linalg.eigvalsh(covariance)[::-1][: args.components].sum()
    ours, peer = [], []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "batches").mkdir()
        for i, part in enumerate(np.array_split(x, args.files)):
            np.save(work / "batches" / f"part{i}.npy", part)
        for _ in range(args.repeats):
            ours.append(call([args.bench, work / "batches", args.components, args.threads, work / "reduced.npy"]))
            peer.append(call([sys.executable, HERE / "classify_peers.py", "ipca", args.vectors, args.components, 0,
                              args.threads, work / "components.npy"]))
        reduced, components = np.load(work / "reduced.npy"), np.load(work / "components.npy")
    kept = {"shoal": (reduced.astype(np.float64) ** 2).sum(), "sklearn": np.trace(components @ covariance @ components.T)}
    rows = [{"method": name, "seconds": statistics.median(r["seconds"] for r in runs),
             "all": [r["seconds"] for r in runs], "loss": float(1 - kept[name] / best)}
            for name, runs in (("shoal", ours), ("sklearn", peer))]
    print(f"{len(x)} x {x.shape[1]} -> {args.components}, {args.files} files, {args.threads} threads; "
          f"largest difference to the batch PCA {max(r['off_batch'] for r in ours):.2g}")
    for row in rows:
        print(f"  {row['method']:8} {row['seconds']:8.3f} s  {row['seconds'] / rows[0]['seconds']:6.1f} x   "
              f"loss {row['loss']:.2e}   (from {min(row['all']):.3f} to {max(row['all']):.3f})")
    if args.json:
        args.json.write_text(json.dumps({"rows": rows, "off_batch": max(r["off_batch"] for r in ours)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
