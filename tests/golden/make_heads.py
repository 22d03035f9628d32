#!/usr/bin/env python3
"""Writes tests/golden/heads.safetensors: what scikit-learn and numpy say of calibration, thresholds, p-values,
relative Mahalanobis distances and weighted regressions of drawn rows.

Run it by hand after a change (needs numpy, scipy, scikit-learn, safetensors); it refuses to overwrite the file unless
--force is given.
"""
import pathlib
import sys

import numpy as np
import scipy.optimize
import scipy.special
import sklearn
from safetensors.numpy import save_file
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, precision_recall_curve

OUT = pathlib.Path(__file__).resolve().parent / "heads.safetensors"


def temperature(loss, rows):
    """Of the loss and half the squared logarithm of the temperature, shared among the rows, as shoal has it."""
    found = scipy.optimize.minimize_scalar(lambda log: loss(np.exp(log)) + log * log / (2 * rows),
                                           bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-8})
    return np.exp(found.x)


def calibration(rng):
    logits = rng.normal(size=(300, 4)).astype(np.float32)
    truth = np.array([rng.choice(4, p=p) for p in scipy.special.softmax(logits / 1.7, axis=1)])
    said = logits.astype(np.float64)
    one = temperature(lambda t: log_loss(truth, scipy.special.softmax(said / t, axis=1), labels=range(4)), 300)
    sets = rng.uniform(size=(300, 4)) < scipy.special.expit(logits / 0.6)
    several = temperature(
        lambda t: np.mean([log_loss(sets[:, c], scipy.special.expit(said[:, c] / t), labels=[0, 1]) for c in range(4)]), 300)
    x = np.round(rng.uniform(size=120), 2)  # with ties
    y = (rng.uniform(size=120) < x**2).astype(np.float64)
    at = np.linspace(-0.1, 1.1, 97)
    curve = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    return {"logits": logits, "classes": truth.astype(np.int32), "sets": sets.astype(np.int32),
            "temperatures": np.array([one, several]), "isotonic_x": x, "isotonic_y": y, "isotonic_at": at,
            "isotonic": curve.predict(at)}


def thresholds(rng):
    p = rng.uniform(size=(250, 5)).astype(np.float32)
    sets = rng.uniform(size=(250, 5)) < p * np.array([1, 0.5, 0.3, 0.1, 0.8])
    best = []
    for c in range(5):
        precision, recall, at = precision_recall_curve(sets[:, c], p[:, c])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-30)
        best.append([at[np.argmax(f1[:-1])], f1[:-1].max()])
    said = p >= 0.35
    return {"said": p, "true": sets.astype(np.int32), "best": np.array(best),
            "f1": np.array([f1_score(sets, said, average=kind, zero_division=0) for kind in ("macro", "micro")])}


def open_set(rng):
    scores = np.round(rng.normal(size=(80, 6)), 1).astype(np.float32)  # with ties
    at = np.linspace(-3, 3, 41).astype(np.float32)
    p = [[(np.sum(scores[:, s] <= v) + 1) / 81 for v in at] for s in range(5)]
    x = rng.normal(size=(90, 7)) @ rng.normal(size=(7, 7))
    labels = np.arange(90) % 3
    x[labels == 1] += 3
    x[labels == 2] -= 2
    x = x.astype(np.float32)
    exact = x.astype(np.float64)

    def shrunk(s):
        return 0.99 * s + 0.01 * np.trace(s) / 7 * np.eye(7)

    mean, centres = exact.mean(0), np.array([exact[labels == c].mean(0) for c in range(3)])
    whole = np.linalg.inv(shrunk(np.cov(exact.T, bias=True)))
    own = np.linalg.inv(shrunk(np.cov((exact - centres[labels]).T, bias=True)))
    far = np.einsum("id,de,ie->i", exact - mean, whole, exact - mean)
    near = np.min([np.einsum("id,de,ie->i", exact - c, own, exact - c) for c in centres], axis=0)
    return {"scores": scores, "score_at": at, "p_values": np.array(p), "shape_x": x,
            "shape_labels": labels.astype(np.int32), "mahalanobis": far - near}


def regressions(rng):
    labels = np.repeat(np.arange(3), [80, 40, 20])
    x = (rng.normal(size=(3, 5))[labels] + rng.normal(size=(140, 5))).astype(np.float32)
    weights = {0: 1.0, 1: 3.0, 2: 0.5}
    how = {"C": 2.0, "tol": 1e-12, "max_iter": 100_000}
    fit = LogisticRegression(class_weight=weights, **how).fit(x.astype(np.float64), labels)
    sets = np.stack([labels != 0, labels == 2, (labels == 1) & (x[:, 0] > 0)], axis=1)
    each = [LogisticRegression(class_weight={0: 1.0, 1: weights[c]}, **how).fit(x.astype(np.float64), sets[:, c])
            for c in range(3)]
    return {"weighted_x": x, "weighted_labels": labels.astype(np.int32), "weighted_sets": sets.astype(np.int32),
            "weights": np.array(list(weights.values())), "weighted_softmax": fit.predict_proba(x.astype(np.float64)),
            "weighted_several": np.stack([e.predict_proba(x.astype(np.float64))[:, 1] for e in each], axis=1)}


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    rng = np.random.default_rng(7)
    tensors = calibration(rng) | thresholds(rng) | open_set(rng) | regressions(rng)
    save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, OUT,
              metadata={"made_by": f"make_heads.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}"})


if __name__ == "__main__":
    main()
