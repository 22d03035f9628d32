"""One peer's clusters by density or self-organising map, in a process of its own (started by density.py).

    density_peers.py sklearn VECTORS THREADS OUT EPS MIN_SAMPLES METRIC
    density_peers.py hdbscan|fast_hdbscan VECTORS THREADS OUT MIN_CLUSTER_SIZE METRIC
    density_peers.py minisom VECTORS THREADS OUT GRID_ROWS GRID_COLS N_EPOCHS

Prints one line of JSON; OUT gets one label a line.
"""
import json
import os
import pathlib
import sys
import time

method, vectors, threads, out, *options = sys.argv[1:]
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = threads  # read when the libraries load

import numpy as np  # noqa: E402


def peak_mib():
    """The most memory that this program has held; getrusage would count what its parent held when it forked."""
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmHWM:")).split()[1]) / 1024


def start_sklearn(x, eps, min_samples, metric):
    from sklearn.cluster import DBSCAN
    model = DBSCAN(eps=float(eps), min_samples=int(min_samples), metric=metric, n_jobs=int(threads))
    return lambda: (model.fit(x).labels_, 0.0)


def start_hdbscan(x, min_cluster_size, metric):
    import hdbscan
    model = hdbscan.HDBSCAN(min_cluster_size=int(min_cluster_size), metric=metric, core_dist_n_jobs=int(threads))
    return lambda: (model.fit(x).labels_, float(model.single_linkage_tree_.to_numpy()[:, 2].sum()))


def start_fast_hdbscan(x, min_cluster_size, _):
    import fast_hdbscan
    fast_hdbscan.HDBSCAN(min_cluster_size=int(min_cluster_size)).fit(x[:2000])  # compiles
    model = fast_hdbscan.HDBSCAN(min_cluster_size=int(min_cluster_size))
    return lambda: (model.fit(x).labels_, 0.0)


def start_minisom(x, rows, cols, epochs):
    from minisom import MiniSom
    rows, cols = int(rows), int(cols)
    # Its radius falls to a third: to 0.5, where shoal's ends. With its default it ends wide and far from the rows.
    model = MiniSom(rows, cols, x.shape[1], sigma=1.5, learning_rate=0.5, random_seed=0)

    def fit():
        model.pca_weights_init(x)
        model.train(x, int(epochs), use_epochs=True)
        units = model.get_weights().reshape(rows * cols, -1)
        best = np.concatenate([np.argmin((units ** 2).sum(1) - 2 * part @ units.T, 1)
                               for part in np.array_split(x, max(1, len(x) // 4096))])
        return best, float(np.linalg.norm(x - units[best], axis=1).mean())
    return fit


x = np.ascontiguousarray(np.load(vectors), dtype=np.float32)
fit = globals()["start_" + method](x, *options)
before = peak_mib()
begin = time.perf_counter()
labels, value = fit()  # value: the length of the spanning tree, the quantisation error
seconds = time.perf_counter() - begin
np.savetxt(out, labels, fmt="%d")
print(json.dumps({"seconds": seconds, "before_mib": before, "peak_mib": peak_mib(), "value": value}))
