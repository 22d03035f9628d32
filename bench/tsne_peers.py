"""openTSNE in a process of its own.

tsne_peers.py VECTORS.npy OUT.npy THREADS AFFINITIES.npz
Its defaults, two steps that together are TSNE(...).fit: affinities, which are kept, and the layout. Rows are scaled
to length 1 and compared by euclidean distance: its cosine squares the cosine distance once more, which makes other
affinities than shoal's.
Prints one line of JSON.
"""
import json
import sys
import time

import numpy as np
import openTSNE
import scipy.sparse


def main():
    vectors, out, threads, kept = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    x = np.ascontiguousarray(np.load(vectors), dtype=np.float32)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
    begin = time.perf_counter()
    affinities = openTSNE.affinity.PerplexityBasedNN(x, perplexity=30, metric="euclidean", n_jobs=threads, random_state=42)
    start = openTSNE.initialization.pca(x, random_state=42)
    made = time.perf_counter() - begin
    embedding = openTSNE.TSNE(n_jobs=threads, random_state=42).fit(affinities=affinities, initialization=start)
    report = {
        "seconds": time.perf_counter() - begin,
        "start": made,
        "kl": float(embedding.kl_divergence),
        "version": openTSNE.__version__,
    }
    np.save(out, np.asarray(embedding, dtype=np.float32))
    scipy.sparse.save_npz(kept, affinities.P.tocsr(), compressed=False)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
