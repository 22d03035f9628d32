"""One peer, in a process of its own: umap-learn's layout, or faiss's exact neighbours.

umap_peers.py layout VECTORS.npy OUT.npy       umap-learn, its parallel default (n_jobs=-1, no random_state)
umap_peers.py neighbours VECTORS.npy OUT.npy   faiss IndexFlatIP, 15 neighbours without the row itself
Prints one line of JSON.
"""
import json
import sys
import time

import numpy as np


def layout(x):
    import umap

    umap.UMAP(metric="cosine", n_jobs=-1, n_epochs=2).fit(x[:500])  # compiles: not what is measured
    begin = time.perf_counter()
    y = umap.UMAP(metric="cosine", n_jobs=-1).fit(x).embedding_
    return y.astype(np.float32), {"seconds": time.perf_counter() - begin, "version": umap.__version__}


def neighbours(x, k=15):
    import faiss

    begin = time.perf_counter()
    index = faiss.IndexFlatIP(x.shape[1])
    index.add(x)
    _, ids = index.search(x, k + 1)
    seconds = time.perf_counter() - begin
    others = ids != np.arange(len(x))[:, None]
    others[others.all(axis=1), k] = False  # many equal rows: the row itself may not be among them
    return ids[others].reshape(len(x), k).astype(np.float32), {"seconds": seconds, "version": faiss.__version__}


def main():
    what, vectors, out = sys.argv[1:]
    x = np.ascontiguousarray(np.load(vectors), dtype=np.float32)
    result, report = {"layout": layout, "neighbours": neighbours}[what](x)
    np.save(out, result)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
