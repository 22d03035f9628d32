#!/usr/bin/env python3
"""Writes tests/golden/association.json: tests of groups against outcomes as SciPy and statsmodels answer them.

Run it by hand after a change, with scipy 1.17.1, statsmodels 0.15.0 and numpy 2.4.6; it refuses to overwrite the file
unless --force is given.
"""
import json
import pathlib
import sys

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.multitest import multipletests

OUT = pathlib.Path(__file__).resolve().parent / "association.json"
VERSIONS = {"numpy": "2.4.6", "scipy": "1.17.1", "statsmodels": "0.15.0"}


def four(counts, i, j):
    a, first, second = counts[i, j], counts[i].sum(), counts[:, j].sum()
    return np.array([[a, first - a], [second - a, counts.sum() - first - second + a]])


def table(counts):
    """counts: groups x categories."""
    counts = np.array(counts)
    overall = stats.chi2_contingency(counts, correction=False)
    cells = []
    for i in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            n = four(counts, i, j)
            # Haldane and Anscombe's 0.5 goes to all counts; shift_zeros of statsmodels gives it to the zeros alone.
            odds = Table2x2(n + 0.5 if n.min() == 0 else n, shift_zeros=False)
            low, high = odds.oddsratio_confint()
            first, second = np.repeat([1, 1, 0, 0], n.ravel()), np.repeat([1, 0, 1, 0], n.ravel())
            cells.append({"counts": n.ravel().tolist(), "p": stats.fisher_exact(n).pvalue, "ratio": odds.oddsratio,
                          "low": low, "high": high, "phi": stats.pearsonr(first, second).statistic})
    return {"counts": counts.tolist(), "chi_square": overall.statistic, "df": overall.dof, "p": overall.pvalue,
            "cramers_v": stats.contingency.association(counts, method="cramer"),
            "smallest_expected": overall.expected_freq.min(), "cells": cells}


def numbers(groups, offset=0):
    """The answers are those without the offset, where SciPy loses no digits."""
    groups = [np.array(g, dtype=float) for g in groups]
    everything = np.concatenate(groups)
    overall = stats.f_oneway(*groups)
    between = sum(len(g) * (g.mean() - everything.mean()) ** 2 for g in groups)
    tests = []
    for i, here in enumerate(groups):
        rest = np.concatenate(groups[:i] + groups[i + 1 :])
        welch = stats.ttest_ind(here, rest, equal_var=False)
        low, high = welch.confidence_interval(0.95)
        pooled = np.sqrt((here.var() * len(here) + rest.var() * len(rest)) / (len(everything) - 2))
        g, _ = effectsize_smd(here.mean(), here.std(ddof=1), len(here), rest.mean(), rest.std(ddof=1), len(rest))
        indicator = np.concatenate([np.full(len(x), float(j == i)) for j, x in enumerate(groups)])
        tests.append({"difference": here.mean() - rest.mean(), "low": low, "high": high, "t": welch.statistic, "df": welch.df,
                      "p": welch.pvalue, "cohens_d": (here.mean() - rest.mean()) / pooled, "hedges_g": g,
                      "r": stats.pearsonr(indicator, everything).statistic})
    return {"groups": [(g + offset).tolist() for g in groups], "f": overall.statistic, "p": overall.pvalue,
            "eta_squared": between / ((everything - everything.mean()) ** 2).sum(), "tests": tests}


def correction(p):
    methods = {"bonferroni": "bonferroni", "holm": "holm", "benjamini_hochberg": "fdr_bh"}
    return {"p": list(p), **{name: multipletests(p, method=method)[1].tolist() for name, method in methods.items()}}


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    found = {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__}
    if found != VERSIONS:
        sys.exit(f"needs {VERSIONS}, found {found}")
    rng = np.random.default_rng(4)
    tables = [table(c) for c in (
        [[8, 2], [1, 5]], [[3, 0], [0, 3]], [[12, 7], [5, 7], [0, 9]], [[10, 10], [10, 10]], [[1, 99], [2, 198], [30, 70]],
        [[700, 300], [40, 960], [500, 500], [3, 2]], [[20000, 1200], [31000, 900]], rng.integers(1, 60, (6, 4)),
        rng.integers(0, 4, (5, 7)) + np.eye(5, 7, dtype=int))]
    far = [rng.integers(-2048, 2048, 30) / 1024 + m for m in range(4)]  # still exact with the offset
    samples = [numbers(far, 1e9)] + [numbers(g) for g in (
        [[1, 2, 3], [2, 3, 4, 9]], [rng.normal(m, s, n) for m, s, n in ((0, 1, 40), (0.4, 2, 25), (-1, 0.5, 60))],
        [rng.exponential(3, 100), rng.normal(9, 0.1, 30)],
        [rng.integers(1, 6, 50) for _ in range(3)])]
    corrections = [correction(p) for p in ([0.01, 0.04, 0.03, 0.005], [0.5], [0.02, 0.02, 0.9, 1e-12, 0.049, 1], rng.uniform(0, 0.2, 30))]
    answers = {"made_by": f"make_association.py, {found}", "tables": tables, "numbers": samples, "corrections": corrections}
    OUT.write_text(json.dumps(answers, indent=None, default=float, separators=(",", ":")).replace("},{", "},\n{") + "\n")


if __name__ == "__main__":
    main()
