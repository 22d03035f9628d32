"""Does spherical k-means start well? Its objective beside that of scikit-learn's KMeans, over seeds.

    python bench/kmeans_quality.py [--sets trec banking77 ...] [--seeds 20] [--earlier PROGRAM] [--json FILE]

Texts are embedded as bench/clustering_quality.py does it (or read from --vectors FOLDER/NAME.npy) and put into as many clusters as there
are true classes. Every labelling is judged alike: the objective is the sum of the cosines of all rows to the mean direction of their cluster,
and the V-measure compares it with the truth; mean and 95% interval over the seeds (Student's t).

    one plain start      spherical k-means of an earlier shoal (--earlier, a program before greedy starts; left out without it)
    one start            shoal with --n-init 1
    shoal                shoal with its defaults: n_init by the size
    ten starts           shoal with --n-init 10
    scikit-learn, 1      KMeans on the same unit rows with its defaults: n_init="auto" is one greedy k-means++ start
    scikit-learn, 10     KMeans with n_init=10

FILE keeps every run, and a run that it has is not made again: an evaluation that was broken off goes on.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from clustering_quality import DATA, SETS, SHOAL, interval, truth, vectors
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.metrics import v_measure_score

NAMES = ["banking77", "clinc150", "stackoverflow20", "twentynewsgroups", "trec", "tgnews"]
SETS["tgnews"] = ["en_categories.jsonl"]


def objective(x, labels):
    rows = np.arange(len(labels))
    members = sparse.csr_matrix((np.ones(len(labels)), (labels, rows)))
    return float(np.linalg.norm(members @ x, axis=1).sum())


def by_shoal(program, flags):
    def labels(path, x, k, seed):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "found"
            subprocess.run([str(program), "cluster", str(path), "--out", str(out), "--layout", "none", "--classifier", "none", "--quiet",
                            "--seed", str(seed), "--clusters", str(k), *flags], check=True, stdout=subprocess.DEVNULL)
            return np.loadtxt(out / "labels.csv", delimiter=",", skiprows=1, usecols=1, dtype=int)
    return labels


def by_peer(n_init):
    return lambda path, x, k, seed: KMeans(k, n_init=n_init, random_state=seed).fit(x.astype(np.float32)).labels_


def methods(earlier):
    plain = {"one plain start": by_shoal(earlier, [])} if earlier else {}
    return plain | {"one start": by_shoal(SHOAL, ["--n-init", "1"]), "shoal": by_shoal(SHOAL, []), "ten starts": by_shoal(SHOAL, ["--n-init", "10"]),
                    "scikit-learn, 1": by_peer("auto"), "scikit-learn, 10": by_peer(10)}


def measure(name, path, method, find, seeds, kept, save):
    """Fills kept[set][method] with one run a seed."""
    runs = kept.setdefault(name, {}).setdefault(method, [])
    if len(runs) >= seeds:
        return
    classes = truth(name)
    x = np.load(path).astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    for seed in range(len(runs), seeds):
        start = time.monotonic()
        labels = find(path, x, len(np.unique(classes)), seed)
        runs.append({"objective": objective(x, labels), "v_measure": 100 * v_measure_score(classes, labels), "seconds": time.monotonic() - start})
        save()


def spoken(values, digits):
    ci = interval(values)
    return f"{np.mean(values):,.{digits}f}" + (f" ± {ci:.{digits}f}" if ci is not None else "")


def table(kept, seeds):
    for name, runs_of in kept.items():
        print(f"\n{name}\n| start | objective | V-measure |\n|---|---|---|")
        for method, runs in runs_of.items():
            runs = runs[:seeds]
            print(f"| {method} | {spoken([r['objective'] for r in runs], 1)} | {spoken([r['v_measure'] for r in runs], 1)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--earlier", type=pathlib.Path)
    parser.add_argument("--methods", nargs="+", help="some of those above")
    parser.add_argument("--vectors", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"no labelled sets in {DATA}: set SHOAL_DATA")
    kept = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}

    def save():
        if options.json:
            part = options.json.with_suffix(".part")
            part.write_text(json.dumps(kept, indent=1) + "\n")
            os.replace(part, options.json)

    for name in options.sets:
        path = options.vectors / f"{name}.npy" if options.vectors else vectors(name)
        for method, find in methods(options.earlier).items():
            if not options.methods or method in options.methods:
                measure(name, path, method, find, options.seeds, kept, save)
    table(kept, options.seeds)


if __name__ == "__main__":
    main()
