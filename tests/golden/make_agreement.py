#!/usr/bin/env python3
"""Writes what scikit-learn makes of pairs of labellings: tests/golden/agreement.json.

    python3 tests/golden/make_agreement.py          # refuses to replace the file
    python3 tests/golden/make_agreement.py --force

Needs numpy and scikit-learn 1.9; the file names the versions. Labels are small, so that scikit-learn's own
rounding (logarithms of factorials) stays below 1e-12.
"""
import json
import pathlib
import sys

import numpy as np
import sklearn
from sklearn import metrics

OUT = pathlib.Path(__file__).resolve().parent / "agreement.json"
MEASURES = {
    "rand": metrics.rand_score,
    "adjusted_rand": metrics.adjusted_rand_score,
    "fowlkes_mallows": metrics.fowlkes_mallows_score,
    "normalized_mutual_information": metrics.normalized_mutual_info_score,
    "adjusted_mutual_information": metrics.adjusted_mutual_info_score,
    "homogeneity": metrics.homogeneity_score,
    "completeness": metrics.completeness_score,
    "v_measure": metrics.v_measure_score,
}


def cases():
    draw = np.random.default_rng(3)
    yield "empty", [], []
    yield "one row", [0], [3]
    yield "one cluster each", [0] * 7, [5] * 7
    yield "one class, many clusters", [0] * 8, list(range(8))
    yield "many classes, one cluster", [0, 1, 2, 2], [1, 1, 1, 1]
    yield "all alone", list(range(9)), list(range(9))
    yield "all alone, turned", list(range(9)), [4, 2, 7, 1, 0, 8, 3, 5, 6]
    yield "all alone, pairs", [0, 0, 1, 1, 2, 2], list(range(6))
    yield "the same, renamed", [0, 0, 1, 1, 2, 2], [2, 2, 0, 0, 1, 1]
    yield "two against two", [0, 0, 1, 1], [0, 1, 0, 1]
    yield "independent", [0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]
    yield "noise is a label", [-1, -1, 0, 0, 1, 1, -1], [-1, 0, 0, 0, 1, -1, -1]
    yield "two rows, apart", [0, 1], [0, 0]
    for n, a, b in [(10, 3, 3), (50, 4, 9), (120, 2, 30), (200, 13, 7), (300, 40, 40), (300, 2, 2)]:
        truth = draw.integers(-1, a, n)
        yield f"by chance, {n} rows", truth.tolist(), draw.integers(0, b, n).tolist()
        near = np.where(draw.random(n) < 0.8, truth, draw.integers(-1, a, n))
        yield f"mostly the same, {n} rows", truth.tolist(), near.tolist()
        yield f"a few large, {n} rows", (truth // 3).tolist(), (draw.random(n) ** 4 * b).astype(int).tolist()


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    lines = []
    for name, truth, found in cases():
        case = {"name": name, "truth": truth, "found": found}
        case.update({measure: float(f(truth, found)) for measure, f in MEASURES.items()})
        lines.append(json.dumps(case, separators=(",", ":")))
    made_by = f"tests/golden/make_agreement.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}"
    OUT.write_text(f'{{"made_by": "{made_by}", "cases": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
