#!/usr/bin/env python3
"""Writes what scikit-learn makes of rows and labels: tests/golden/separation.json.

    python3 tests/golden/make_separation.py          # refuses to replace the file
    python3 tests/golden/make_separation.py --force

Needs numpy and scikit-learn 1.9; the file names the versions. Noise (-1) is left out before scikit-learn sees
the rows. What it does not have (inertia, the cosine Davies-Bouldin index) is written out in numpy.
"""
import json
import pathlib
import sys

import numpy as np
import sklearn
from sklearn import metrics

OUT = pathlib.Path(__file__).resolve().parent / "separation.json"


def davies_bouldin_cosine(x, labels):
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    x = np.divide(x, lengths, out=np.zeros_like(x), where=lengths > 0)
    groups = [x[labels == c] for c in np.unique(labels)]
    centres = np.array([g.sum(0) / np.linalg.norm(g.sum(0)) for g in groups])
    spread = np.array([(1 - g @ c).mean() for g, c in zip(groups, centres)])
    apart = 1 - centres @ centres.T
    np.fill_diagonal(apart, np.inf)
    return ((spread[:, None] + spread) / apart).max(1).mean()


def inertia(x, labels):
    return sum(((g - g.mean(0)) ** 2).sum() for g in (x[labels == c] for c in np.unique(labels)))


def case(name, x, labels):
    x, labels = x.astype(np.float32), np.asarray(labels)
    kept, its = x[labels >= 0].astype(np.float64), labels[labels >= 0]
    of_row = {m: np.full(len(x), None, object) for m in ("cosine", "euclidean")}
    for metric, values in of_row.items():
        values[labels >= 0] = metrics.silhouette_samples(kept, its, metric=metric)
    return {
        "name": name, "cols": x.shape[1], "x": x.astype(float).ravel().tolist(), "labels": labels.tolist(),
        "of_row_cosine": of_row["cosine"].tolist(), "of_row_euclidean": of_row["euclidean"].tolist(),
        "silhouette_cosine": float(metrics.silhouette_score(kept, its, metric="cosine")),
        "silhouette_euclidean": float(metrics.silhouette_score(kept, its, metric="euclidean")),
        "davies_bouldin": float(metrics.davies_bouldin_score(kept, its)),
        "davies_bouldin_cosine": float(davies_bouldin_cosine(kept, its)),
        "calinski_harabasz": float(metrics.calinski_harabasz_score(kept, its)),
        "inertia": float(inertia(kept, its)),
    }


def cases():
    draw = np.random.default_rng(4)
    yield "five rows", np.array([[1, 0], [0.9, 0.1], [0, 1], [0.2, 1], [-1, 0.1]]), [0, 0, 1, 1, 2]
    x = draw.normal(size=(60, 5))
    yield "by chance", x, draw.integers(0, 4, 60)
    x = np.repeat(draw.normal(size=(5, 8)) * 3, 16, axis=0) + draw.normal(size=(80, 8))
    labels = np.repeat(np.arange(5), 16)
    yield "blobs", x, labels
    labels = np.where(draw.random(80) < 0.2, -1, labels * 2)  # gaps in the numbers, and noise
    yield "noise and gaps", x + 50, labels  # far from the origin
    x[7] = 0
    x[20:24] = x[20]
    labels[5] = 9  # alone in its cluster
    yield "a row of zeros, equal rows, one alone", x, labels


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    lines = [json.dumps(case(*c), separators=(",", ":")) for c in cases()]
    made_by = f"tests/golden/make_separation.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}"
    OUT.write_text(f'{{"made_by": "{made_by}", "cases": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
