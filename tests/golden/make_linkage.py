#!/usr/bin/env python3
"""Writes tests/golden/linkage.safetensors: rows and SciPy's linkage matrix of them for every linkage and metric.

Made with scipy 1.17.1. Run it by hand after a change (needs numpy, scipy, safetensors); it refuses to overwrite
the file unless --force is given.
"""
import pathlib
import sys

import numpy as np
import scipy
from safetensors.numpy import save_file
from scipy.cluster.hierarchy import linkage

OUT = pathlib.Path(__file__).resolve().parent / "linkage.safetensors"
WAYS = [("average", "cosine"), ("average", "euclidean"), ("ward", "euclidean"), ("centroid", "euclidean"),
        ("single", "cosine"), ("single", "euclidean"), ("complete", "cosine"), ("complete", "euclidean")]


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    rng = np.random.default_rng(21)
    groups = rng.normal(size=(9, 24)) * 0.8
    x = (groups[rng.integers(0, 9, 300)] + rng.normal(size=(300, 24)) * 0.6 + 0.2).astype(np.float32)
    tensors = {"x": x}
    for method, metric in WAYS:
        tensors[f"{method}_{metric}"] = linkage(x.astype(np.float64), method, metric)
    save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, OUT,
              metadata={"made_by": f"make_linkage.py, scipy {scipy.__version__}, numpy {np.__version__}"})


if __name__ == "__main__":
    main()
