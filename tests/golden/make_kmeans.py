#!/usr/bin/env python3
"""Writes tests/golden/kmeans.safetensors: rows, a start, and what scikit-learn's KMeans makes of them.

Run it by hand after a change (needs numpy, scikit-learn 1.9.1, safetensors); it refuses to overwrite the file unless --force is given.
"""
import pathlib
import sys

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.cluster import KMeans

OUT = pathlib.Path(__file__).resolve().parent / "kmeans.safetensors"


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    rng = np.random.default_rng(4)
    heaps = rng.normal(size=(7, 10))
    x = (heaps[rng.integers(0, 7, 600)] + 0.8 * rng.normal(size=(600, 10)) + 3).astype(np.float32)
    start = x[rng.choice(600, 9, replace=False)]
    weights = rng.uniform(0, 2, 600).astype(np.float32) * (rng.uniform(size=600) < 0.9)

    def fit(w):
        return KMeans(9, init=start.astype(np.float64), n_init=1, tol=0, max_iter=300).fit(x.astype(np.float64), sample_weight=w)

    plain, weighted = fit(None), fit(weights.astype(np.float64))
    tensors = {
        "x": x, "start": start, "weights": weights.astype(np.float32),
        "labels": plain.labels_, "centers": plain.cluster_centers_, "inertia": np.array([plain.inertia_]),
        "weighted_labels": weighted.labels_, "weighted_centers": weighted.cluster_centers_,
        "weighted_inertia": np.array([weighted.inertia_]),
    }
    save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, OUT,
              metadata={"made_by": f"make_kmeans.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}"})


if __name__ == "__main__":
    main()
