"""All pairs' 15 nearest neighbours beside faiss IndexFlatIP, on one file of unit vectors.

neighbours.py VECTORS.npy [--bench build/release/bench/umap_bench] [--python PYTHON] [--threads 2] [--repeat 3]
Each runs in a process of its own, by turns. Both answers are compared by cosine, since equal texts may stand in
for each other: the share of our neighbours that are at least as near as faiss's fifteenth, within 1e-6.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


def run(command, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    done = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def as_near(x, ours, theirs, block=2000):
    """Share of our neighbours not further than the furthest of theirs."""
    good = 0
    for first in range(0, len(x), block):
        own = x[first : first + block, None, :]
        last = (own * x[theirs[first : first + block]]).sum(axis=2).min(axis=1)
        good += ((own * x[ours[first : first + block]]).sum(axis=2) >= last[:, None] - 1e-6).sum()
    return float(good) / ours.size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/umap_bench")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        ours, peer = f"{folder}/ours.npy", f"{folder}/peer.npy"
        our_runs, peer_runs = [], []
        for _ in range(args.repeat):
            our_runs.append(run([args.bench, "neighbours", args.vectors, args.threads, ours], args.threads))
            peer_runs.append(
                run([args.python, HERE / "umap_peers.py", "neighbours", args.vectors, peer], args.threads)
            )
        our_ids, peer_ids = np.load(ours).astype(np.int64), np.load(peer).astype(np.int64)

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
