#!/usr/bin/env python3
"""Training beside sentence-transformers: the same model, rows, batches, learning rate and schedule, two threads each.

    train.py speed --shoal build/release/shoal --python VENV/bin/python --data DATA [--rounds N] [--rows N] [--jobs ...]
    train.py quality --shoal build/release/shoal --python VENV/bin/python --data DATA [--seeds 1,2,3] [--epochs 4]

speed: seconds of the training itself (steps only) and peak memory, in turn, medians over the rounds: an epoch of STS-B
with batches of 16 scored pairs, batches of 64 banking77 triplets, batches of 128 pairs with mnrl. quality: Spearman on
STS-B's dev part after each epoch, for each seed, with the seconds (which hold the scoring too). MiniLM from ~/.local/share/shoal/models. Prints JSON lines and a table.
"""
import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from tables import rows_of, write

HERE = pathlib.Path(__file__).resolve().parent
MODEL = pathlib.Path(os.environ.get("XDG_DATA_HOME", pathlib.Path.home() / ".local/share")) / "shoal/models/all-MiniLM-L6-v2"


def sts(data, part, path, limit=None):
    rows = [[r["text_a"], r["text_b"], float(r["score"]) / 5] for r in rows_of(data / f"stsb/en_{part}.csv")]
    return write(path, ["sentence1", "sentence2", "score"], rows[:limit])


def banking(data, path, triplets, limit):
    """Pairs of one intent, and a text of another for triplets; drawn with a fixed seed."""
    by_label = {}
    for row in rows_of(data / "banking77/train.csv"):
        by_label.setdefault(row["label"], []).append(row["text"])
    chooser = random.Random(3)
    labels, out = sorted(by_label), []
    for _ in range(limit):
        label, other = chooser.sample(labels, 2)
        row = chooser.sample(by_label[label], 2)
        out.append(row + [chooser.choice(by_label[other])] if triplets else row)
    return write(path, ["anchor", "positive", "negative"][: 3 if triplets else 2], out)


def measured(command):
    """The last line of the answer as JSON, with seconds and peak memory of the whole process."""
    start = time.time()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"{command[:3]}: {err[-3000:]}")
    return json.loads(out.strip().splitlines()[-1]) | {"wall": time.time() - start}


def run_peer(args, table, loss, batch, epochs, seed=42, dev=None):
    command = [args.python, HERE / "train_peers.py", MODEL, table, "--loss", loss, "--batch", batch, "--epochs", epochs,
               "--seed", seed, "--threads", args.threads]
    return measured(command + (["--dev", dev] if dev else []))


def run_shoal(args, table, loss, batch, epochs, seed=42, dev=None):
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, HERE / "peak.py", args.shoal, "train", table, "--model", MODEL, "--loss", loss,
                   "--batch-size", batch, "--epochs", epochs, "--seed", seed, "--threads", args.threads, "--out",
                   pathlib.Path(folder) / "out", "--json", "--quiet", "--distance", "euclidean", "--margin", 0.5]
        if loss != "triplet":
            command = command[:-4]
        answer = measured(command + (["--dev", dev] if dev else []))
    return answer


def speed(args):
    data = pathlib.Path(args.data)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        jobs = {"sts": ("sts-b, 16 scored pairs", sts(data, "train", folder / "sts.csv", args.rows), "cosine", 16),
                "triplets": ("banking77, 64 triplets", banking(data, folder / "triplets.csv", True, args.rows or 1280), "triplet", 64),
                "pairs": ("banking77, 128 pairs", banking(data, folder / "pairs.csv", False, args.rows or 2560), "mnrl", 128)}
        for title, table, loss, batch in (jobs[name] for name in args.jobs.split(",")):
            found = {"shoal": [], "peer": []}
            for _ in range(args.rounds):
                found["shoal"].append(run_shoal(args, table, loss, batch, 1))
                found["peer"].append(run_peer(args, table, loss, batch, 1))
            median = {who: statistics.median(r["train_seconds"] for r in runs) for who, runs in found.items()}
            memory = {who: statistics.median(r["peak_mb"] for r in runs) for who, runs in found.items()}
            losses = {who: runs[0]["losses"][-1] for who, runs in found.items()}
            print(json.dumps({"job": title, "seconds": median, "ratio": median["peer"] / median["shoal"], "peak_mb": memory,
                              "mean_loss": losses, "all_seconds": {w: [r["train_seconds"] for r in v] for w, v in found.items()}}),
                  flush=True)


def quality(args):
    data = pathlib.Path(args.data)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        table, dev = sts(data, "train", folder / "train.csv", args.rows), sts(data, "dev", folder / "dev.csv")
        for seed in map(int, args.seeds.split(",")):
            peer = run_peer(args, table, "cosine", 16, args.epochs, seed, dev)
            own = run_shoal(args, table, "cosine", 16, args.epochs, seed, dev)
            print(json.dumps({"seed": seed, "scores": {"peer": peer["scores"], "shoal": own["scores"]},
                              "seconds": {"peer": peer["train_seconds"], "shoal": own["train_seconds"]},
                              "peak_mb": {"peer": peer["peak_mb"], "shoal": own["peak_mb"]}}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "quality"])
    parser.add_argument("--shoal", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--data", default=os.environ.get("SHOAL_DATA", "../shared/data"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--jobs", default="sts,triplets,pairs", help="of speed")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    {"speed": speed, "quality": quality}[args.what](args)


if __name__ == "__main__":
    main()
