"""One peer's agglomerative clustering, in a process of its own (started by agglomerative.py).

    agglomerative_peers.py scikit-learn|fastcluster|scipy VECTORS LINKAGE METRIC THREADS HEIGHTS_OUT

Prints one line of JSON with the seconds and the most memory used; HEIGHTS_OUT gets the heights, one a line.
"""
import json
import os
import resource
import sys
import time

peer, vectors, linkage, metric, threads, heights_out = sys.argv[1:]
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = threads  # read when the libraries load

import numpy as np  # noqa: E402

x = np.load(vectors)
if peer == "scikit-learn":
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(n_clusters=20, linkage=linkage, metric=metric, compute_distances=True)
    begin = time.perf_counter()
    model.fit(x)
    heights = model.distances_
elif peer == "fastcluster":
    import fastcluster

    begin = time.perf_counter()
    heights = fastcluster.linkage(x, method=linkage, metric=metric)[:, 2]
else:
    from scipy.cluster.hierarchy import linkage as scipy_linkage

    begin = time.perf_counter()
    heights = scipy_linkage(x.astype(np.float64), linkage, metric)[:, 2]
seconds = time.perf_counter() - begin
np.savetxt(heights_out, heights, fmt="%.17g")
print(json.dumps({"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
