#!/usr/bin/env python3
"""Static models distilled by shoal beside those of Model2Vec's own `distill`, from the same transformer.

    distil.py [--model all-MiniLM-L6-v2] [--shoal build/release/shoal] [--python VENV/bin/python] [--dims 256] [--work FOLDER]

Both by the same settings (256 principal components, Zipf's law, SIF coefficient 1e-4), then shoal's with a corpus. Each
is measured by `shoal embed`: Spearman's correlation of cosines and scores on the test part of STS-B, and the accuracy of
a logistic regression on banking77 (all of train, all of test). The corpora are the texts of STS-B train and of banking77
train, without their labels. VENV needs model2vec[distill] 0.10, numpy, scipy and scikit-learn. Data: SHOAL_DATA.
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.stats
import sklearn.linear_model

HERE = pathlib.Path(__file__).resolve().parent
PEER = """
import sys, time
import torch
from model2vec.distill import distill
begin = time.perf_counter()
model = distill(sys.argv[1], device="cpu", pca_dims=int(sys.argv[3]), sif_coefficient=1e-4, quantize_to="float32")
model.save_pretrained(sys.argv[2])
print(time.perf_counter() - begin)
"""


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        data = pathlib.Path(os.environ["SHOAL_DATA"])
        self.pairs = rows_of(data / "stsb/en_test.csv")
        self.train, self.test = rows_of(data / "banking77/train.csv"), rows_of(data / "banking77/test.csv")
        sts = [row[c] for row in rows_of(data / "stsb/en_train.csv") for c in ("text_a", "text_b")]
        self.corpus = self.write("corpus", sts + [row["text"] for row in self.train])

    def write(self, name, texts):
        path = self.folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        return path

    def shoal(self, *command):
        done = subprocess.run([str(self.args.shoal), *map(str, command), "--json"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"shoal {command[0]}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def vectors(self, model, name, texts):
        out = self.folder / f"{name}.npy"
        out.unlink(missing_ok=True)
        self.shoal("embed", self.write(name, texts), "--model", model, "--out", out, "--overwrite")
        return np.load(out)

    def measure(self, model):
        a = self.vectors(model, "a", [row["text_a"] for row in self.pairs])
        b = self.vectors(model, "b", [row["text_b"] for row in self.pairs])
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosines = (a * b).sum(axis=1) / np.maximum(lengths, 1e-12)
        sts = scipy.stats.spearmanr(cosines, [float(row["score"]) for row in self.pairs]).statistic
        rule = sklearn.linear_model.LogisticRegression(C=30, max_iter=2000)
        rule.fit(self.vectors(model, "train", [row["text"] for row in self.train]), [row["label"] for row in self.train])
        accuracy = rule.score(self.vectors(model, "test", [row["text"] for row in self.test]),
                              [row["label"] for row in self.test])
        return {"sts": round(100 * float(sts), 2), "banking77": round(100 * float(accuracy), 2)}


def main():
    data = pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share")
    models = pathlib.Path(os.environ.get("SHOAL_MODELS") or data / "shoal/models")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=models / "all-MiniLM-L6-v2")
    parser.add_argument("--shoal", default=HERE.parent / "build/release/shoal")
    parser.add_argument("--python", default=sys.executable, help="with model2vec[distill] installed")
    parser.add_argument("--peer", help="a folder that Model2Vec has distilled before")
    parser.add_argument("--dims", type=int, default=256)
    parser.add_argument("--work", help="where models are kept; default: a temporary folder")
    parser.add_argument("--only", nargs="*", help="some of shoal's variants")
    parser.add_argument("--out", help="a file for the JSON")
    args = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(args, pathlib.Path(args.work or temporary))
        peer, seconds = args.peer or bench.folder / "model2vec", None
        if not args.peer:
            done = subprocess.run([args.python, "-c", PEER, args.model, peer, str(args.dims)], capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(done.stderr[-2000:])
            seconds = float(done.stdout.split()[-1])
        variants = {
            "plain": [],
            "corpus": ["--corpus", bench.corpus],
            "corpus, sif 1e-4": ["--corpus", bench.corpus, "--sif", "1e-4"],
            "corpus, zipf": ["--corpus", bench.corpus, "--weights", "zipf"],
            "corpus, sentence pca": ["--corpus", bench.corpus, "--sentence-pca", 1],
            "corpus, in context": ["--corpus", bench.corpus, "--context"],
            "corpus, in context, sentence pca": ["--corpus", bench.corpus, "--context", "--sentence-pca", 1],
        }
        todo = {"model2vec": None, **{f"shoal, {k}": v for k, v in variants.items() if not args.only or k in args.only}}
        for name, flags in todo.items():
            model = peer
            if flags is not None:
                model = bench.folder / name.replace(", ", "-").replace(" ", "_")
                begin = time.perf_counter()
                bench.shoal("distil", args.model, "--out", model, "--dims", args.dims, "--overwrite", *flags)
                seconds = time.perf_counter() - begin
            results[name] = {**bench.measure(model), "seconds": seconds and round(seconds, 1)}
            print(f"{name:42} STS-B {results[name]['sts']:6.2f}   banking77 {results[name]['banking77']:6.2f}   "
                  f"{results[name]['seconds']} s", flush=True)
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
