#!/usr/bin/env python3
"""DBSCAN, HDBSCAN and the self-organising map beside scikit-learn, hdbscan, fast_hdbscan and MiniSom.

    density.py --vectors X.npy [--bench build/release/bench/density_bench] [--parts dbscan hdbscan som]
               [--threads 2] [--repeats 1] [--som-rows 5000] [--json OUT]

Every fit runs in a process of its own on the same rows; the methods take turns, and the median time counts. DBSCAN: 20,000 rows
drawn, cosine. HDBSCAN: all rows, their first 20 principal components, Euclidean. The map: 10 x 10 units, the first --som-rows rows;
MiniSom is given ever more epochs until it comes within 1% of shoal's quantisation error, and the time of that run counts.
Agreement is the adjusted Rand index of the labels, noise counted as one more cluster; value is the length of the minimum spanning
tree (hdbscan's own is approximate by default, hence longer) or the map's quantisation error.
Needs numpy, scikit-learn, hdbscan, fast_hdbscan and minisom (run it with a Python that has them).
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
EPS, MIN_SAMPLES, MIN_CLUSTER_SIZE, SIDE, EPOCHS = "0.3", "5", "15", "10", "30"


def run(method, what, rows, args, folder, options):
    labels = folder / f"{method}.txt"
    command = [str(args.bench), what] if method == "shoal" else [sys.executable, str(HERE / "density_peers.py"), method]
    done = subprocess.run(command + [str(rows), str(args.threads), str(labels), *options], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{method} {what}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1]) | {"labels": np.loadtxt(labels, dtype=int)}


def compare(what, methods, rows, args, folder, options):
    from sklearn.metrics import adjusted_rand_score
    runs = {m: [] for m in methods}
    for _ in range(args.repeats):
        for m in methods:
            runs[m].append(run(m, what, rows, args, folder, options))
    ours, found = runs[methods[0]][0]["labels"], []
    for m in methods:
        labels = runs[m][0]["labels"]
        found.append({"what": what, "method": m, "seconds": statistics.median(r["seconds"] for r in runs[m]),
                      "all": [r["seconds"] for r in runs[m]], "peak_mib": max(r["peak_mib"] for r in runs[m]),
                      "added_mib": max(r["peak_mib"] - r["before_mib"] for r in runs[m]), "value": runs[m][0]["value"],
                      "clusters": int(labels.max() + 1), "noise": int((labels < 0).sum()),
                      "ari": adjusted_rand_score(ours, labels)})
    return found


def show(title, found):
    print(f"\n{title}", flush=True)
    for r in found:
        print(f"  {r['method']:12} {r['seconds']:9.2f} s  {r['seconds'] / found[0]['seconds']:6.1f} x   peak {r['peak_mib']:7.0f} MiB, "
              f"fit adds {r['added_mib']:7.0f}   clusters {r['clusters']:5}  noise {r['noise']:6}  ari {r['ari']:.4f}  "
              f"value {r['value']:.5f}", flush=True)


def som(x, args, folder):
    rows = folder / "som.npy"
    np.save(rows, x[: args.som_rows])
    found = compare("som", ["shoal"], rows, args, folder, [SIDE, SIDE, EPOCHS])
    epochs = 1
    while True:
        peer = compare("som", ["minisom"], rows, args, folder, [SIDE, SIDE, str(epochs)])[0] | {"epochs": epochs}
        found.append(peer)
        if peer["value"] <= 1.01 * found[0]["value"] or epochs >= args.most_epochs:
            return found
        epochs *= 4


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/density_bench", type=pathlib.Path)
    parser.add_argument("--parts", nargs="+", choices=("dbscan", "hdbscan", "som"), default=("dbscan", "hdbscan", "som"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--som-rows", type=int, default=5000)
    parser.add_argument("--most-epochs", type=int, default=64)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    x = np.load(args.vectors).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if "dbscan" in args.parts:
            few = x[np.random.default_rng(0).choice(len(x), min(20000, len(x)), replace=False)]
            np.save(folder / "few.npy", few)
            found += compare("dbscan", ["shoal", "sklearn"], folder / "few.npy", args, folder, [EPS, MIN_SAMPLES, "cosine"])
            show(f"DBSCAN, cosine, eps {EPS}, {len(few)} x {x.shape[1]}, {args.threads} threads", found)
        if "hdbscan" in args.parts:
            centred = x - x.mean(0)
            _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
            np.save(folder / "reduced.npy", (centred @ axes[:, :-21:-1].astype(np.float32)).astype(np.float32))
            new = compare("hdbscan", ["shoal", "hdbscan", "fast_hdbscan"], folder / "reduced.npy", args, folder,
                          [MIN_CLUSTER_SIZE, "euclidean"])
            show(f"HDBSCAN, euclidean, min_cluster_size {MIN_CLUSTER_SIZE}, {len(x)} x 20, {args.threads} threads", new)
            found += new
        if "som" in args.parts:
            new = som(x, args, folder)
            show(f"Map of {SIDE} x {SIDE} units, {min(args.som_rows, len(x))} x {x.shape[1]}, {EPOCHS} epochs", new)
            found += new
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
