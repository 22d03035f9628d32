#!/usr/bin/env python3
"""Writes tests/golden/hdbscan.safetensors: rows and what the Python package hdbscan makes of them.

Run it by hand after a change (needs hdbscan 0.8.44, scikit-learn 1.9.1, numpy, safetensors); it refuses to overwrite the file
unless --force is given. What hangs on which of two equal edges comes first is marked: see `fit_surely`.
"""
import importlib.metadata
import pathlib
import sys

import hdbscan
import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.metrics import pairwise_distances

UNSURE = -2
OUT = pathlib.Path(__file__).resolve().parent / "hdbscan.safetensors"
CASES = {
    "eom": ("blobs", "euclidean", {"min_cluster_size": 10}),
    "leaf": ("blobs", "euclidean", {"min_cluster_size": 10, "cluster_selection_method": "leaf"}),
    "samples": ("blobs", "euclidean", {"min_cluster_size": 8, "min_samples": 3}),
    "epsilon": ("blobs", "euclidean", {"min_cluster_size": 5, "cluster_selection_epsilon": 2.0}),
    "leaf_epsilon": ("blobs", "euclidean", {"min_cluster_size": 5, "cluster_selection_method": "leaf",
                                           "cluster_selection_epsilon": 1.5}),
    "single": ("one", "euclidean", {"min_cluster_size": 20, "allow_single_cluster": True}),
    "not_single": ("one", "euclidean", {"min_cluster_size": 20}),
    "most": ("blobs", "euclidean", {"min_cluster_size": 10, "max_cluster_size": 80}),
    "cosine": ("blobs", "cosine", {"min_cluster_size": 10}),
}


def make_rows():
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(6, 5)) * 4
    blobs = [c + rng.normal(size=(n, 5)) * s for c, n, s in zip(centres, (120, 90, 60, 40, 100, 50), (1, .6, .4, 1.2, .5, .8))]
    return {"blobs": np.vstack(blobs + [rng.uniform(-12, 12, size=(60, 5))]).astype(np.float32),
            "one": rng.normal(size=(200, 3)).astype(np.float32)}


def fit(x, metric, options, order):
    x = x[order].astype(np.float64)
    model = hdbscan.HDBSCAN(metric="precomputed", **options).fit(pairwise_distances(x, metric=metric))
    back = np.argsort(order)
    return {"labels": model.labels_[back].astype(np.int64), "probabilities": model.probabilities_[back],
            "outlier_scores": model.outlier_scores_[back], "persistence": np.array(model.cluster_persistence_),
            "heights": np.sort(model.single_linkage_tree_.to_numpy()[:, 2])}


def matched(labels, to):
    """`labels` renumbered: each cluster takes the number of the cluster of `to` that it shares most rows with."""
    out = np.full_like(labels, -1)
    for k in range(labels.max() + 1):
        values, counts = np.unique(to[labels == k], return_counts=True)
        out[labels == k] = values[counts.argmax()]
    return out


def fit_surely(x, metric, options):
    """The answer, with UNSURE or NaN where it hangs on the order of the rows, that is on how ties are broken."""
    answer = fit(x, metric, options, np.arange(len(x)))
    labels = answer["labels"].copy()
    for seed in range(12):
        other = fit(x, metric, options, np.random.default_rng(seed).permutation(len(x)))
        answer["labels"][matched(other["labels"], labels) != labels] = UNSURE
        for name in ("probabilities", "outlier_scores"):
            answer[name][np.abs(other[name] - answer[name]) > 1e-9] = np.nan
        if len(other["persistence"]) != len(answer["persistence"]):
            sys.exit(f"{metric} {options}: the number of clusters hangs on the order of the rows")
    return answer


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    tensors = {f"rows.{name}": x for name, x in make_rows().items()}
    for case, (rows, metric, options) in CASES.items():
        answer = fit_surely(tensors[f"rows.{rows}"], metric, options)
        tensors |= {f"{case}.{name}": value for name, value in answer.items()}
        print(case, "clusters:", answer["labels"].max() + 1, "noise:", (answer["labels"] == -1).sum(),
              "unsure:", (answer["labels"] == UNSURE).sum(), np.isnan(answer["probabilities"]).sum(),
              np.isnan(answer["outlier_scores"]).sum())
    made_by = f"make_hdbscan.py, hdbscan {importlib.metadata.version('hdbscan')}"
    save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, OUT,
              metadata={"made_by": f"{made_by}, scikit-learn {sklearn.__version__}, numpy {np.__version__}"})


if __name__ == "__main__":
    main()
