#!/usr/bin/env python3
"""Writes tests/golden/dbscan.safetensors: rows and what scikit-learn's DBSCAN makes of them.

Run it by hand after a change (needs numpy, scikit-learn 1.9.1, safetensors); it refuses to overwrite the file unless --force is given.
"""
import pathlib
import sys

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.cluster import DBSCAN

OUT = pathlib.Path(__file__).resolve().parent / "dbscan.safetensors"
CASES = {"euclidean": (0.9, 6), "cosine": (0.03, 5)}


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(9, 4)) * 2.5
    x = (centres[rng.integers(9, size=700)] + rng.normal(size=(700, 4)) * 0.55).astype(np.float32)
    tensors = {"rows": x}
    for metric, (eps, min_samples) in CASES.items():
        model = DBSCAN(eps=eps, min_samples=min_samples, metric=metric).fit(x.astype(np.float64))
        tensors[f"{metric}.labels"] = model.labels_.astype(np.int64)
        tensors[f"{metric}.core"] = model.core_sample_indices_.astype(np.int64)
        tensors[f"{metric}.options"] = np.array([eps, min_samples], dtype=np.float32)
        print(metric, model.labels_.max() + 1, (model.labels_ < 0).sum(), len(model.core_sample_indices_))
    save_file(tensors, OUT, metadata={"made_by": f"make_dbscan.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}"})


if __name__ == "__main__":
    main()
