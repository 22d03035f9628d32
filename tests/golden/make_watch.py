#!/usr/bin/env python3
"""Writes what scikit-learn and scipy make of strange rows and of two groups: tests/golden/watch.json.

    python3 tests/golden/make_watch.py          # refuses to replace the file
    python3 tests/golden/make_watch.py --force

Needs numpy, scipy and scikit-learn; the file names the versions. The width of the kernel is the program's own, so
the discrepancy is written for many widths.
"""
import json
import pathlib
import sys

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.spatial.distance import cdist, pdist
from sklearn.covariance import shrunk_covariance
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

OUT = pathlib.Path(__file__).resolve().parent / "watch.json"


def strange_rows(rng):
    """150 rows in three clumps of different width, and five elsewhere."""
    centres = rng.normal(size=(3, 8)) * 2
    x = centres[np.arange(150) % 3] + rng.normal(size=(150, 8)) * np.array([0.3, 0.6, 1.0])[np.arange(150) % 3, None]
    x = np.concatenate([x, rng.normal(size=(5, 8)) * 2]).astype(np.float32)
    exact = x.astype(np.float64)
    unit = exact / np.linalg.norm(exact, axis=1, keepdims=True)
    lof = LocalOutlierFactor(n_neighbors=20, metric="cosine", algorithm="brute").fit(exact)
    distance, _ = NearestNeighbors(n_neighbors=7, metric="cosine", algorithm="brute").fit(exact).kneighbors()
    inverse = np.linalg.inv(shrunk_covariance(np.cov(unit.T, bias=True), 0.01))
    centred = unit - unit.mean(0)
    pca = PCA(svd_solver="full").fit(unit)
    kept = int(np.searchsorted(np.cumsum(pca.explained_variance_ratio_), 0.5)) + 1
    off = centred - centred @ pca.components_[:kept].T @ pca.components_[:kept]
    coarse = np.round(distance.mean(1), 2)  # with ties
    truth = np.arange(len(x)) >= 150
    return {"rows": len(x), "cols": 8, "x": x.ravel().tolist(), "n_neighbors": 7, "lof_neighbors": 20, "planted": 5,
            "knn": distance.mean(1).tolist(), "lof": (-lof.negative_outlier_factor_).tolist(),
            "mahalanobis": np.einsum("ij,jk,ik->i", centred, inverse, centred).tolist(),
            "reconstruction": (off**2).sum(1).tolist(), "coarse": coarse.tolist(),
            "average_precision": average_precision_score(truth, coarse), "auroc": roc_auc_score(truth, coarse)}  # fmt: skip


def unbiased(between, a, b):
    return 2 * between.mean() - a.mean() - b.mean()


def two_groups(rng):
    """70 old rows and 50 new ones, which lie and spread a little otherwise."""
    old, new = rng.normal(size=(70, 6)), rng.normal(size=(50, 6)) * 1.2 + np.array([0.5, 0, 0, -0.3, 0, 0])
    x = np.concatenate([old, new]).astype(np.float32)
    exact = x.astype(np.float64)
    a, b = exact[:70], exact[70:]
    clusters = np.digitize(exact[:, 0], [-0.8, 0.2, 0.9])
    table = np.stack([np.bincount(clusters[:70], minlength=4), np.bincount(clusters[70:], minlength=4)])
    shift = a.mean(0) - b.mean(0)
    covariance = shrunk_covariance(np.cov(exact.T, bias=True), 0.1)
    smooth = (table + 0.5) / (table + 0.5).sum(1, keepdims=True)
    widths = np.arange(1.5, 6, 0.01)
    pairs = [m[~np.eye(len(m), dtype=bool)] for m in (cdist(a, a), cdist(b, b))]
    mmd = []
    for width in widths:
        kernel = rbf_kernel(exact, gamma=1 / (2 * width * width))
        within = [k[~np.eye(len(k), dtype=bool)].mean() for k in (kernel[:70, :70], kernel[70:, 70:])]
        mmd.append(sum(within) - 2 * kernel[:70, 70:].mean())
    assert np.isclose(pairs[0].mean(), pdist(a).mean())
    return {"rows": 120, "old": 70, "cols": 6, "x": x.ravel().tolist(), "clusters": clusters.tolist(),
            "g-test": stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic,
            "kl-clusters": 0.5 * (stats.entropy(smooth[0], smooth[1]) + stats.entropy(smooth[1], smooth[0])),
            "hotelling": 70 * 50 / 120 * shift @ np.linalg.solve(covariance, shift),
            "mean-shift": float(np.linalg.norm(shift)),
            "energy": unbiased(cdist(a, b), pdist(a), pdist(b)),
            "widths": widths.tolist(), "mmd": mmd}  # fmt: skip


def all_deals(rng):
    """Nine numbers, of which four are old: the p-value of the difference of means over all 126 deals."""
    x = np.concatenate([rng.normal(size=4), rng.normal(size=5) + 1.3]).astype(np.float32)
    test = stats.permutation_test((x[:4].astype(np.float64), x[4:].astype(np.float64)), lambda p, q: abs(p.mean() - q.mean()),
                                  n_resamples=np.inf, alternative="greater", vectorized=False)  # fmt: skip
    return {"x": x.tolist(), "old": 4, "p_val": test.pvalue}


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    rng = np.random.default_rng(12)
    made_by = f"make_watch.py, scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}"
    OUT.write_text(json.dumps({"made_by": made_by, "anomalies": strange_rows(rng), "groups": two_groups(rng),
                               "deals": all_deals(rng)}) + "\n")  # fmt: skip


if __name__ == "__main__":
    main()
