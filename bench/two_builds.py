#!/usr/bin/env python3
"""Two builds of shoal on the same input, by turns: did a change cost time or memory?

    two_builds.py OLD NEW --vectors X.npy [--texts T.jsonl] [--parts encode kmeans agglomerative umap tsne] [--rows 20000]
                  [--threads 2] [--turns 3]

OLD and NEW are build folders (build/release) with their bench programs. Every run is a process of its own. Printed are
the medians of wall seconds, of processor seconds and of the most memory held, their ratios, and whether the outputs are the same bytes.
--texts is a file of one JSON string a line, which encode needs. umap and tsne and agglomerative take the first --rows vectors.
"""
import argparse
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

CLUSTERS = (100, 1000)


def measure(command, out):
    """Wall seconds, processor seconds, MiB, bytes of the output."""
    out.unlink(missing_ok=True)
    began = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read_bytes()


def prepare(args, folder):
    """The inputs. In a process of its own: what this one holds would count as memory of those that it starts."""
    import numpy as np

    x = np.load(args.vectors).astype(np.float32)
    np.save(folder / "some.npy", x[: args.rows])
    for k in CLUSTERS:
        np.save(folder / f"start-{k}.npy", x[np.random.default_rng(0).choice(len(x), k, replace=False)])


def commands(args, folder):
    """What each part runs after its bench program, and the file it writes."""
    preparing = multiprocessing.Process(target=prepare, args=(args, folder))
    preparing.start()
    preparing.join()
    if preparing.exitcode != 0:
        sys.exit("the inputs could not be made")
    some, out = folder / "some.npy", folder / "out.npy"
    model = os.environ.get("SHOAL_MODEL", pathlib.Path.home() / ".local/share/shoal/models/all-MiniLM-L6-v2")
    found = {
        "agglomerative": ("agglomerative_bench", [some, "average", "cosine", args.threads, out]),
        "umap": ("umap_bench", ["layout", some, args.threads, out]),
        "tsne": ("tsne_bench", [some, args.threads, out]),
    }
    if args.texts:
        found["encode"] = ("encode_bench", [model, args.texts, 1, args.threads, out])
    for k in CLUSTERS:
        found[f"kmeans {k}"] = ("kmeans_bench", [args.vectors, folder / f"start-{k}.npy", 25, args.threads, out])
    return [(name, *what) for name, what in found.items() if name.split()[0] in args.parts], out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("--texts", type=pathlib.Path)
    parser.add_argument("--parts", nargs="+", default=["encode", "kmeans", "agglomerative", "umap", "tsne"])
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    print(f"{'':16}{'wall s':>20}{'processor s':>22}{'MiB':>22}   outputs")
    with tempfile.TemporaryDirectory() as folder:
        parts, out = commands(args, pathlib.Path(folder))
        for name, program, tail in parts:
            runs = {build: [] for build in (args.old, args.new)}
            for turn in range(args.turns):
                for build in list(runs)[:: 1 if turn % 2 == 0 else -1]:  # who begins takes turns too
                    runs[build].append(measure([build / "bench" / program, *tail], out))
            old, new = ([statistics.median(run[i] for run in found) for i in range(3)] for found in runs.values())
            same = runs[args.old][0][3] == runs[args.new][0][3]
            cells = "".join(f"{a:10.2f} ->{b:8.2f}" for a, b in zip(old, new, strict=True))
            ratios = " ".join(f"{b / a:.3f}" for a, b in zip(old, new, strict=True))
            print(f"{name:16}{cells}   {ratios}   {'the same bytes' if same else 'differ'}", flush=True)


if __name__ == "__main__":
    main()
