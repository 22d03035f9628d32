"""One peer's k-means on unit vectors (faiss: spherical unless told otherwise), in a process of its own (started by kmeans.py).

    kmeans_peers.py faiss|lloyd|elkan VECTORS START ROUNDS THREADS LABELS_OUT [euclidean]

Prints one line of JSON; LABELS_OUT gets one label a line.
"""
import json
import os
import sys
import time

method, vectors, start, rounds, threads, labels_out, *metric = sys.argv[1:]
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = threads  # read when the libraries load

import numpy as np  # noqa: E402

x = np.ascontiguousarray(np.load(vectors), dtype=np.float32)
x /= np.linalg.norm(x, axis=1, keepdims=True)
centers = np.ascontiguousarray(np.load(start), dtype=np.float32)
k, rounds, threads = len(centers), int(rounds), int(threads)

if method == "faiss":
    import faiss

    faiss.omp_set_num_threads(threads)
    peer = faiss.Kmeans(x.shape[1], k, niter=rounds, spherical=not metric, verbose=False,
                        min_points_per_centroid=1, max_points_per_centroid=len(x))  # else it takes a sample
    begin = time.perf_counter()
    peer.train(x, init_centroids=centers)
    seconds = time.perf_counter() - begin
    labels = peer.index.search(x, 1)[1][:, 0]
    version = faiss.__version__
else:
    import sklearn
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads):
        peer = KMeans(k, init=centers, n_init=1, algorithm=method, max_iter=rounds, tol=0)
        begin = time.perf_counter()
        peer.fit(x)
        seconds = time.perf_counter() - begin
    labels = peer.labels_
    version = sklearn.__version__

np.savetxt(labels_out, labels, fmt="%d")
print(json.dumps({"seconds": seconds, "version": version}))
