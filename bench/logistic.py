#!/usr/bin/env python3
"""Multinomial logistic regression beside scikit-learn: same vectors, labels, C, tolerance, threads.

    logistic.py --vectors X.npy [--bench build/release/bench/logistic_bench] [--classes 50] [--c 1] [--tol 1e-4]
                [--threads 2] [--repeats 3] [--json OUT]

Labels are scikit-learn's k-means of the unit vectors with one start. Both fits run in processes of their own and take
turns; the median time counts. The loss (mean -log p and penalty) is computed here in double from everybody's
weights. Needs numpy and scikit-learn (run it with a Python that has them).
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


def loss_of(weights, x, labels, c):
    coefficients, intercepts = weights[:, :-1].astype(np.float64), weights[:, -1].astype(np.float64)
    total = 0.0
    for first in range(0, len(x), 8192):
        z = x[first : first + 8192].astype(np.float64) @ coefficients.T + intercepts
        z -= z.max(1, keepdims=True)
        own = z[np.arange(len(z)), labels[first : first + 8192]]
        total += (np.log(np.exp(z).sum(1)) - own).sum()
    return (total + (coefficients**2).sum() / (2 * c)) / len(x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/logistic_bench", type=pathlib.Path)
    parser.add_argument("--classes", type=int, default=50)
    parser.add_argument("--c", type=float, default=1.0)
    parser.add_argument("--tol", type=float, default=1e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    from sklearn.cluster import KMeans

    x = np.load(args.vectors).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    labels = KMeans(args.classes, n_init=1, max_iter=10, random_state=0).fit_predict(x)
    runs, loss = {"shoal": [], "sklearn": []}, {}
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        np.save(work / "x.npy", x)
        np.savetxt(work / "labels.txt", labels, fmt="%d")
        tail = [work / "x.npy", work / "labels.txt", args.c, args.tol, args.threads]
        for _ in range(args.repeats):
            runs["shoal"].append(call([args.bench, *tail, work / "shoal.npy"]))
            runs["sklearn"].append(call([sys.executable, HERE / "classify_peers.py", "logistic", *tail, work / "sklearn.npy"]))
        for name in runs:
            loss[name] = loss_of(np.load(work / f"{name}.npy"), x, labels, args.c)
    rows = [{"method": name, "seconds": statistics.median(r["seconds"] for r in of), "all": [r["seconds"] for r in of],
             "loss": loss[name], "rounds": of[0].get("evaluations", of[0].get("iterations"))} for name, of in runs.items()]
    print(f"{len(x)} x {x.shape[1]}, {args.classes} classes, C {args.c:g}, tol {args.tol:g}, {args.threads} threads")
    for row in rows:
        print(f"  {row['method']:8} {row['seconds']:8.3f} s  {row['seconds'] / rows[0]['seconds']:6.2f} x   "
              f"loss {row['loss']:.6f}   {row['rounds']} rounds   (from {min(row['all']):.3f} to {max(row['all']):.3f})")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
