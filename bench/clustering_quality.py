"""Is spherical k-means better? Each method on labelled texts, against the truth, over seeds.

    python bench/clustering_quality.py [--sets clinc150 trec ...] [--seeds 10] [--json OUT]

Texts are embedded by `shoal embed` (all-MiniLM-L6-v2; kept in build/bench/sets), clustered by `shoal cluster` with as many
clusters as there are true classes (HDBSCAN finds its own), and compared with the truth by scikit-learn: V-measure and
adjusted Rand index, mean and 95% interval over the seeds (Student's t). For methods with randomness also their stability: the
mean adjusted Rand index between the labels of different seeds. Time and peak memory are of the whole command. Data: the labelled sets in $SHOAL_DATA.
"""

import argparse
import csv
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from scipy import stats
from sklearn.metrics import adjusted_rand_score, v_measure_score

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("SHOAL_DATA", ROOT.parent / "shared" / "data"))
SHOAL = pathlib.Path(os.environ.get("SHOAL", ROOT / "build" / "release" / "shoal"))
VECTORS = ROOT / "build" / "bench" / "sets"

SETS = {
    "clinc150": ["train.csv", "dev.csv", "test.csv"],
    "banking77": ["train.csv", "test.csv"],
    "stackoverflow20": ["data.csv"],
    "twentynewsgroups": ["train.jsonl", "test.jsonl"],
    "sib200": ["eng_Latn_train.csv", "eng_Latn_dev.csv", "eng_Latn_test.csv"],
    "trec": ["train.csv", "test.csv"],
}
# Name, options, and whether the seed matters.
METHODS = [
    ("spherical_kmeans", ["--method", "spherical_kmeans"], True),
    ("spherical_kmeans, best of 10 starts", ["--method", "spherical_kmeans", "--n-init", "10"], True),
    ("kmeans", ["--method", "kmeans"], True),
    ("minibatch_kmeans", ["--method", "minibatch_kmeans", "--metric", "cosine"], True),
    ("vmf_mixture", ["--method", "vmf_mixture"], True),
    ("agglomerative, average cosine", ["--method", "agglomerative"], False),
    ("agglomerative, ward", ["--method", "agglomerative", "--linkage", "ward", "--metric", "euclidean"], False),
    ("hdbscan after PCA to 20", ["--method", "hdbscan", "--pca", "20", "--min-cluster-size", "15"], False),
]


def truth(name):
    labels = []
    for file in SETS[name]:
        path = DATA / name / file
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines) if path.suffix == ".csv" else map(json.loads, lines)
            labels += [row["label"] for row in rows]
    return np.unique(labels, return_inverse=True)[1]


def vectors(name):
    path = VECTORS / f"{name}.npy"
    if not path.exists():
        VECTORS.mkdir(parents=True, exist_ok=True)
        files = [str(DATA / name / file) for file in SETS[name]]
        subprocess.run([SHOAL, "embed", *files, "--text", "text", "--out", str(path)], check=True)
    return path


def high_water(pid):
    """Most memory that a living process has held so far, in MB."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) / 1024 if found else 0


def run(path, options, n_clusters, seed):
    """Labels, seconds and peak memory in MB of one `shoal cluster`."""
    out = VECTORS / "found"
    command = [str(SHOAL), "cluster", str(path), "--out", str(out), "--overwrite", "--layout", "none", "--classifier", "none",
               "--quiet", "--seed", str(seed), *options]
    if "hdbscan" not in options:
        command += ["--clusters", str(n_clusters)]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:  # what wait4 says would hold this process's own memory, from before the exec
        peak = max(peak, high_water(process.pid))
        time.sleep(0.005)
    seconds = time.monotonic() - start
    if process.returncode != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return np.loadtxt(out / "labels.csv", delimiter=",", skiprows=1, usecols=1, dtype=int), seconds, peak


def interval(values):
    if len(values) < 2:
        return None
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def evaluate(name, method, options, random, seeds):
    path, classes = vectors(name), truth(name)
    runs = [run(path, options, len(np.unique(classes)), seed) for seed in range(seeds if random else 1)]
    v = [100 * v_measure_score(classes, labels) for labels, _, _ in runs]
    ari = [100 * adjusted_rand_score(classes, labels) for labels, _, _ in runs]
    pairs = list(itertools.combinations([labels for labels, _, _ in runs], 2))
    return {
        "set": name, "method": method, "rows": len(classes), "classes": int(len(np.unique(classes))),
        "clusters": int(len(np.unique(runs[0][0][runs[0][0] >= 0]))), "noise": float(np.mean(runs[0][0] < 0)),
        "seeds": len(runs), "v_measure": float(np.mean(v)), "v_measure_ci": interval(v),
        "adjusted_rand": float(np.mean(ari)), "adjusted_rand_ci": interval(ari),
        "stability": float(np.mean([adjusted_rand_score(a, b) for a, b in pairs])) if pairs else None,
        "seconds": float(np.median([seconds for _, seconds, _ in runs])), "megabytes": float(max(mb for _, _, mb in runs)),
    }


def spoken(value, ci):
    return f"{value:5.1f}" + (f" ± {ci:.1f}" if ci is not None else "      ")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json")
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"no labelled sets in {DATA}: set SHOAL_DATA")
    results = []
    for name in options.sets:
        print(f"\n{name}\n| method | V-measure | adjusted Rand | stability | clusters | seconds | MB |\n|---|---|---|---|---|---|---|")
        for method, flags, random in METHODS:
            r = evaluate(name, method, flags, random, options.seeds)
            results.append(r)
            stability = f"{r['stability']:.2f}" if r["stability"] is not None else "1"
            print(f"| {method} | {spoken(r['v_measure'], r['v_measure_ci'])} | {spoken(r['adjusted_rand'], r['adjusted_rand_ci'])} | "
                  f"{stability} | {r['clusters']} | {r['seconds']:.2f} | {r['megabytes']:.0f} |", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
