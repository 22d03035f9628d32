#!/usr/bin/env python3
"""Writes tests/golden/pca.safetensors: rows and what scikit-learn's PCA makes of them.

Run it by hand after a change (needs numpy, scikit-learn, safetensors); it refuses to overwrite the file unless --force is given.
"""
import pathlib
import sys

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.decomposition import PCA

OUT = pathlib.Path(__file__).resolve().parent / "pca.safetensors"


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    rng = np.random.default_rng(20)
    scales = 3.0 * 0.7 ** np.arange(12)  # well separated variances: each component has one answer
    turn, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    x = (rng.normal(size=(200, 12)) * scales @ turn + rng.normal(size=12) * 5).astype(np.float32)
    pca = PCA(n_components=0.95, svd_solver="full").fit(x.astype(np.float64))
    sign = np.sign(pca.components_[np.arange(pca.n_components_), np.abs(pca.components_).argmax(1)])
    components = pca.components_ * sign[:, None]
    tensors = {
        "x": x,
        "components": components,
        "explained_variance": pca.explained_variance_,
        "ratio": np.array([pca.explained_variance_ratio_.sum()]),
        "transformed": pca.transform(x.astype(np.float64)) * sign,
    }
    save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, OUT,
              metadata={"made_by": f"make_pca.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}"})


if __name__ == "__main__":
    main()
