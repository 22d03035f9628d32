"""What layout.py and neighbours.py share: umap_bench and a peer of umap_peers.py on one file, by turns, each in a process of its own."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


def options(doc):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/umap_bench")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    return parser


def run(command, environment):
    done = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True,
                          env={**os.environ, **environment})
    return json.loads(done.stdout.splitlines()[-1])


def by_turns(what, args, peer_repeat, **environment):
    """Two of (the last run's result, the reports of all runs): ours, the peer's."""
    with tempfile.TemporaryDirectory() as folder:
        ours, peer = f"{folder}/ours.npy", f"{folder}/peer.npy"
        our_runs, peer_runs = [], []
        for turn in range(args.repeat):
            our_runs.append(run([args.bench, what, args.vectors, args.threads, ours], environment))
            if turn < peer_repeat:
                peer_runs.append(run([args.python, HERE / "umap_peers.py", what, args.vectors, peer], environment))
        return (np.load(ours), our_runs), (np.load(peer), peer_runs)
