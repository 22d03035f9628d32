"""One peer's fit in a process of its own (started by pca.py and logistic.py).

    classify_peers.py ipca VECTORS COMPONENTS BATCH THREADS OUT
    classify_peers.py logistic VECTORS LABELS C TOL THREADS OUT

Prints one line of JSON. OUT gets the components, or classes x (columns + 1) weights, as .npy.
"""
import json
import os
import sys
import time

method, vectors, *rest = sys.argv[1:]
threads, out = rest[-2:]
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = threads  # read when the libraries load

import numpy as np  # noqa: E402
import sklearn  # noqa: E402

x = np.ascontiguousarray(np.load(vectors), dtype=np.float32)
if method == "ipca":
    from sklearn.decomposition import IncrementalPCA

    components, batch = map(int, rest[:2])
    peer = IncrementalPCA(components, batch_size=batch or None)  # None: 5 x columns, its default
    begin = time.perf_counter()
    peer.fit(x)
    seconds = time.perf_counter() - begin
    np.save(out, peer.components_)
    more = {}
else:
    from sklearn.linear_model import LogisticRegression

    labels = np.loadtxt(rest[0], dtype=int)
    peer = LogisticRegression(C=float(rest[1]), tol=float(rest[2]))
    begin = time.perf_counter()
    peer.fit(x, labels)
    seconds = time.perf_counter() - begin
    np.save(out, np.hstack([peer.coef_, peer.intercept_[:, None]]))
    more = {"iterations": int(peer.n_iter_[0])}
print(json.dumps({"seconds": seconds, "version": sklearn.__version__} | more))
