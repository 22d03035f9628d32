"""Umap's additions beside umap-learn's on one file of vectors: new rows on an old map, densities, aligned maps.

umap_deepened.py VECTORS.npy [--shoal build/release/shoal] [--rows 4000]
Cosine, defaults of both, two threads of shoal. Every fifth row is new to the first map; the aligned maps are of three
tables that each have a third of their rows in common with the next. Trustworthiness is scikit-learn's, of 15 neighbours; for new
rows, of all rows on one map. Prints one line of JSON a comparison.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import umap
from scipy.spatial import procrustes
from scipy.stats import pearsonr
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors


def trust(x, y):
    return round(float(trustworthiness(x, y, n_neighbors=15, metric="cosine")), 4)


def log_radii(x, metric, k=15):
    """Mean squared distance to the k nearest others, in logarithms: a measure that neither program optimises."""
    distance = NearestNeighbors(n_neighbors=k + 1, metric=metric).fit(x).kneighbors(x)[0][:, 1:]
    return np.log(1e-8 + (distance**2).mean(axis=1))


def timed(call):
    begin = time.perf_counter()
    result = call()
    return result, round(time.perf_counter() - begin, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("--shoal", default="build/release/shoal")
    parser.add_argument("--rows", type=int, default=4000)
    options = parser.parse_args()
    x = np.load(options.vectors).astype(np.float32)
    x = x[np.random.default_rng(1).permutation(len(x))[: options.rows]]
    x /= np.linalg.norm(x, axis=1, keepdims=True)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def shoal(name, *arguments):
            subprocess.run([options.shoal, "layout", *map(str, arguments), "--threads", "2", "--quiet", "--out", folder / name],
                           check=True, stdout=subprocess.DEVNULL)
            return np.load(folder / name / "points.npy")

        def file(name, rows):
            np.save(folder / name, rows)
            return folder / name

        def say(**fields):
            print(json.dumps(fields), flush=True)

        fresh = np.arange(len(x)) % 5 == 4
        both = np.concatenate([x[~fresh], x[fresh]])
        old, new = file("old.npy", x[~fresh]), file("new.npy", x[fresh])
        y, seconds = timed(lambda: shoal("old", old))
        placed, more = timed(lambda: shoal("placed", new, "--on", folder / "old"))
        again = shoal("again", old, "--on", folder / "old")
        say(what="new rows", who="shoal", fit_seconds=seconds, place_seconds=more, old_trust=trust(x[~fresh], y),
            trust=trust(both, np.concatenate([y, placed])), old_again=float(np.abs(again - y).max()))
        fitted, seconds = timed(lambda: umap.UMAP(metric="cosine", random_state=1).fit(x[~fresh]))
        placed, more = timed(lambda: fitted.transform(x[fresh]))
        say(what="new rows", who="umap-learn", fit_seconds=seconds, place_seconds=more,
            old_trust=trust(x[~fresh], fitted.embedding_), trust=trust(both, np.concatenate([fitted.embedding_, placed])))

        radii, all_rows = log_radii(x, "cosine"), file("all.npy", x)
        for who, draw in {"shoal": lambda: shoal("plain", all_rows), "shoal, density": lambda: shoal("dense", all_rows, "--density"),
                          "umap-learn": lambda: umap.UMAP(metric="cosine", random_state=1).fit_transform(x),
                          "umap-learn, densmap": lambda: umap.UMAP(metric="cosine", densmap=True, random_state=1).fit_transform(x)}.items():
            y, seconds = timed(draw)
            say(what="densities", who=who, seconds=seconds, radius_correlation=round(pearsonr(radii, log_radii(y, "euclidean"))[0], 3),
                trust=trust(x, y))

        step, common = len(x) // 4, len(x) // 8
        tables = [x[step * t : step * (t + 1) + common] for t in range(3)]
        relations = [{step + i: i for i in range(common)}] * 2

        def aligned_report(who, maps, seconds):
            apart = [np.linalg.norm(a[step:] - b[:common], axis=1).mean() / b.std() for a, b in zip(maps, maps[1:])]
            say(what="aligned", who=who, seconds=seconds, related_apart=[round(float(v), 3) for v in apart],
                trust=[trust(table, y) for table, y in zip(tables, maps)])

        paths = [file(f"t{t}.npy", table) for t, table in enumerate(tables)]
        maps, seconds = timed(lambda: shoal("aligned", *paths, "--aligned", "--similarity", "0.9999"))
        aligned_report("shoal", np.split(maps, 3), seconds)
        maps, seconds = timed(lambda: umap.AlignedUMAP(metric="cosine", random_state=1).fit(tables, relations=relations).embeddings_)
        aligned_report("umap-learn", list(maps), seconds)
        alone = [shoal(f"alone{t}", path) for t, path in enumerate(paths)]
        for t in range(2):  # the best that turning, moving and scaling can do
            a, b, _ = procrustes(alone[t][step:], alone[t + 1][:common])
            say(what="aligned", who="shoal, each alone, after Procrustes", related_apart=round(float(np.linalg.norm(a - b, axis=1).mean() / b.std()), 3))


if __name__ == "__main__":
    main()
