#!/usr/bin/env python3
"""Does a cross-encoder, trained on pairs of one part of a set, order what an encoder finds better than the encoder does?

For each text of the test part the encoder's 20 nearest texts of the train part are candidates; those of the text's label are relevant.
The cross-encoder learns from pairs of the train part alone: of each of --texts texts two neighbours of its label and two of other labels.
Both order the same candidates; MAP, and its difference with a 95% interval over queries, come from `shoal evaluate --task rerank`.
Prints a row of docs/cross.md. usage: bench/cross.py [--shoal PROGRAM] [--data DATA] [--model NAME] [--texts N] [--epochs N]
[--learning-rate RATE] [--seed N] [--threads N] [--keep FOLDER] [--json FILE] [SET ...]
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
SETS = ["banking77"]
NEAREST = 20


def run(shoal, *arguments):
    done = subprocess.run([shoal, *map(str, arguments), "--json", "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return json.loads(done.stdout)


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)


def unit(path):
    x = np.load(path)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--shoal", default=str(ROOT / "build/ci/shoal"))
    parser.add_argument("--data", default=os.environ.get("SHOAL_DATA", "/data"))
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--texts", type=int, default=4000)
    parser.add_argument("--queries", type=int, help="of the test part; default: all")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", help="where tables and models are left")
    parser.add_argument("--json")
    options = parser.parse_args()
    answers = {}
    print("| set | pairs | time | MAP, encoder's order | MAP, cross-encoder's | gain |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in options.sets or SETS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(options.keep or scratch)
            folder.mkdir(exist_ok=True)
            data = pathlib.Path(options.data) / name
            vectors, texts, labels = {}, {}, {}
            for part in ["train", "test"]:
                texts[part], labels[part] = read(data / f"{part}.csv")
                run(options.shoal, "embed", data / f"{part}.csv", "--text", "text", "--model", options.model, "--out", folder / f"{part}.npy",
                    "--threads", options.threads)
                vectors[part] = unit(folder / f"{part}.npy")
            draws = np.random.default_rng(options.seed)
            pairs = []
            for row in draws.permutation(len(texts["train"]))[: options.texts]:
                order = np.argsort(-(vectors["train"] @ vectors["train"][row]), kind="stable")[: NEAREST + 1]
                order = [j for j in order if j != row and texts["train"][j] != texts["train"][row]]
                for label in [1, 0]:
                    of = [j for j in order if (labels["train"][j] == labels["train"][row]) == bool(label)]
                    for j in draws.permutation(of)[:2]:
                        pairs.append([texts["train"][row], texts["train"][j], label])
            write(folder / "pairs.csv", ["query", "passage", "label"], pairs)
            candidates = []
            for i in range(min(len(texts["test"]), options.queries or len(texts["test"]))):
                order = np.argsort(-(vectors["train"] @ vectors["test"][i]), kind="stable")[:NEAREST]
                candidates += [[texts["test"][i], texts["train"][j], int(labels["train"][j] == labels["test"][i])] for j in order]
            write(folder / "candidates.csv", ["query", "passage", "label"], candidates)
            begin = time.time()
            run(options.shoal, "train", folder / "pairs.csv", "--cross", "--model", options.model, "--epochs", options.epochs, "--learning-rate",
                options.learning_rate, "--seed", options.seed, "--threads", options.threads, "--out", folder / "cross", "--overwrite")
            seconds = time.time() - begin
            found = run(options.shoal, "evaluate", folder / "cross", "--task", "rerank", folder / "candidates.csv", "--metric", "map", "--compare",
                        options.model, "--threads", options.threads)
            answers[name] = found
            other = found["compared"][0]
            gain = other["difference"]
            print(f"| {name} | {len(pairs):,} | {seconds:.0f} s | {other['value']:.4f} | {found['value']:.4f} | "
                  f"{gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}] |", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    main()
