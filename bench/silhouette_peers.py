"""scikit-learn's cosine silhouette, in a process of its own (started by silhouette.py).

    silhouette_peers.py VECTORS LABELS THREADS OUT

Prints one line of JSON; OUT gets each row's silhouette, one a line.
"""
import json
import os
import resource
import sys
import time

vectors, labels, threads, out = sys.argv[1:]
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = threads  # read when the libraries load

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.metrics import silhouette_samples  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

x = np.ascontiguousarray(np.load(vectors), dtype=np.float32)
groups = np.loadtxt(labels, dtype=int)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with threadpool_limits(int(threads)):
    begin, cpu = time.perf_counter(), time.process_time()
    rows = silhouette_samples(x, groups, metric="cosine")  # silhouette_score is their mean
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
np.savetxt(out, rows)
print(json.dumps({"seconds": seconds, "cpu": cpu, "mean": float(rows.mean()), "mib": mib,
                  "version": sklearn.__version__}))
