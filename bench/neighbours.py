"""All pairs' 15 nearest neighbours beside faiss IndexFlatIP, on one file of unit vectors.

neighbours.py VECTORS.npy [--bench build/release/bench/umap_bench] [--python PYTHON] [--threads 2] [--repeat 3]
Each runs in a process of its own, by turns. Both answers are compared by cosine, since equal texts may stand in
for each other: the share of our neighbours that are at least as near as faiss's fifteenth, within 1e-6.
"""
import json
import statistics

import numpy as np

from umap_turns import by_turns, options


def as_near(x, ours, theirs, block=2000):
    """Share of our neighbours not further than the furthest of theirs."""
    good = 0
    for first in range(0, len(x), block):
        own = x[first : first + block, None, :]
        last = (own * x[theirs[first : first + block]]).sum(axis=2).min(axis=1)
        good += ((own * x[ours[first : first + block]]).sum(axis=2) >= last[:, None] - 1e-6).sum()
    return float(good) / ours.size


def main():
    args = options(__doc__).parse_args()
    (ours, our_runs), (peer, peer_runs) = by_turns("neighbours", args, args.repeat, OMP_NUM_THREADS=str(args.threads))
    our_ids, peer_ids = ours.astype(np.int64), peer.astype(np.int64)

    seconds = {"shoal": statistics.median(r["seconds"] for r in our_runs)}
    seconds["faiss"] = statistics.median(r["seconds"] for r in peer_runs)
    x = np.load(args.vectors).astype(np.float32)
    agreement = as_near(x, our_ids, peer_ids)
    for name, value in seconds.items():
        print(f"{name:6} {value:8.2f} s")
    print(json.dumps({"rows": len(x), "seconds": seconds, "speedup": seconds["faiss"] / seconds["shoal"],
                      "as_near_as_faiss": agreement}))


if __name__ == "__main__":
    main()
