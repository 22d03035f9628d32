#!/usr/bin/env python3
"""Writes tests/golden/logistic.safetensors: rows, labels, and scikit-learn's logistic regressions and scaler of them.

Run it by hand after a change (needs numpy, scikit-learn, safetensors); it refuses to overwrite the file unless --force is given.
"""
import pathlib
import sys

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

OUT = pathlib.Path(__file__).resolve().parent / "logistic.safetensors"


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    rng = np.random.default_rng(4)
    sizes = [90, 60, 35, 15]  # uneven, so that balanced weights matter
    labels = np.repeat(np.arange(4), sizes)
    rng.shuffle(labels)
    centres = rng.normal(size=(4, 6)) + 2  # overlapping, and away from the origin
    x = (centres[labels] + rng.normal(size=(200, 6)) * rng.uniform(0.5, 2, size=6)).astype(np.float32)
    exact = x.astype(np.float64)
    tensors = {"x": x, "labels": labels.astype(np.int32)}
    for name, options in {"plain": {"C": 1.0}, "balanced": {"C": 0.05, "class_weight": "balanced"},
                          "loose": {"C": 100.0}}.items():
        fit = LogisticRegression(tol=1e-12, max_iter=100_000, **options).fit(exact, labels)
        tensors[f"{name}_coefficients"] = fit.coef_
        tensors[f"{name}_intercepts"] = fit.intercept_
        tensors[f"{name}_probabilities"] = fit.predict_proba(exact)
    two = LogisticRegression(tol=1e-12, max_iter=100_000).fit(exact, labels == 0)
    tensors["two_probabilities"] = two.predict_proba(exact)
    scaler = StandardScaler().fit(exact)
    tensors |= {"mean": scaler.mean_, "variance": scaler.var_, "scaled": scaler.transform(exact)}
    save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, OUT,
              metadata={"made_by": f"make_logistic.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}"})


if __name__ == "__main__":
    main()
