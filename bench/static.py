#!/usr/bin/env python3
"""Encoding with a static model beside Model2Vec: texts per second, and whether vectors and ids are the same.

    static.py --model STATIC [--shoal build/release/shoal] [--python VENV/bin/python] [--rounds 5] [--threads 2]
              [--texts FILE:COLUMN ...] [--out FILE]

Each runs in a process of its own, in turn. Encoding alone, texts in memory and vectors in memory, after 2,000 texts to warm
up: Model2Vec's StaticModel.encode as it is called by default, and Encoder::encode (static_bench, beside the program in
bench/). The whole of shoal's: the step "embed" of `shoal embed`, in which reading the texts, finding equal ones and writing
the vectors count too. Medians over the rounds. The model must load in both: a folder of `shoal distil` or of Model2Vec. By
default the texts are those of abc_headlines and stackoverflow20 in SHOAL_DATA.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PEER = """
import csv, json, os, sys, time
import numpy as np
from model2vec import StaticModel
csv.field_size_limit(1 << 30)
file, column, model, out = sys.argv[1:]
texts = [row[column] for row in csv.DictReader(open(file, newline="", encoding="utf-8"))]
model = StaticModel.from_pretrained(model)
model.encode(texts[:2000])
begin = time.perf_counter()
vectors = model.encode(texts)
seconds = time.perf_counter() - begin
np.save(out, vectors)
ids = model.tokenizer.encode_batch_fast(texts[:2000], add_special_tokens=False)
print(json.dumps({"texts": len(texts), "seconds": seconds, "ids": sum(len(e.ids) for e in ids)}))
"""


def run(command, threads):
    pin = ["taskset", "-c", ",".join(map(str, range(threads)))]
    done = subprocess.run([*pin, *map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def compare(file, column, args, folder):
    import numpy as np
    seconds = {"model2vec": [], "shoal": [], "shoal embed": []}
    theirs, ours, alone = folder / "theirs.npy", folder / "ours.npy", folder / "ours.f32"
    with open(file, newline="", encoding="utf-8") as rows, open(folder / "texts.jsonl", "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row[column]) + "\n" for row in csv.DictReader(rows))
    for _ in range(args.rounds):
        found = run([args.python, "-c", PEER, file, column, args.model, theirs], args.threads)
        seconds["model2vec"].append(found["seconds"])
        own = run([args.bench, args.model, folder / "texts.jsonl", 1, args.threads, alone], args.threads)
        seconds["shoal"].append(own["seconds"][0])
        told = run([args.shoal, "embed", file, "--text", column, "--model", args.model, "--out", ours, "--overwrite",
                    "--threads", args.threads, "--json"], args.threads)
        seconds["shoal embed"].append(told["seconds"]["embed"])
        for hidden in folder.glob(".*.shoal"):  # the receipt: the next round must work anew
            hidden.unlink()
        vectors = np.load(ours)
        ours.unlink()
    texts = found["texts"]
    assert len(vectors) == own["texts"] == texts, f"{len(vectors)} vectors of {texts} texts"
    expected = np.load(theirs)
    alone = np.fromfile(alone, dtype=np.float32).reshape(expected.shape)
    rate = {who: texts / statistics.median(times) for who, times in seconds.items()}
    return {"texts": pathlib.Path(file).parent.name, "rows": texts,
            "max_difference": float(max(np.abs(vectors - expected).max(), np.abs(alone - expected).max())),
            "texts_per_second": {who: round(value) for who, value in rate.items()},
            "times": {who: round(rate[who] / rate["model2vec"], 2) for who in ("shoal", "shoal embed")}, "seconds": seconds}


def main():
    data = pathlib.Path(os.environ.get("SHOAL_DATA", "."))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shoal", default=HERE.parent / "build/release/shoal")
    parser.add_argument("--bench", help="static_bench; default: beside the program, in bench/")
    parser.add_argument("--python", default=sys.executable, help="with model2vec installed")
    parser.add_argument("--model", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--texts", nargs="+",
                        default=[f"{data}/abc_headlines/headlines.csv:text", f"{data}/stackoverflow20/data.csv:text"])
    parser.add_argument("--out", help="a file for the JSON")
    args = parser.parse_args()
    args.bench = args.bench or pathlib.Path(args.shoal).resolve().parent / "bench/static_bench"
    csv.field_size_limit(1 << 30)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for item in args.texts:
            file, _, column = item.rpartition(":")
            results.append(compare(file, column, args, pathlib.Path(folder)))
            one = results[-1]
            rates, times = one["texts_per_second"], one["times"]
            print(f"{one['texts']}: {one['rows']:,} texts; texts a second: model2vec {rates['model2vec']:,}, shoal {rates['shoal']:,} "
                  f"({times['shoal']} times), all of shoal embed {rates['shoal embed']:,} ({times['shoal embed']} times); greatest "
                  f"difference {one['max_difference']:.1e}", flush=True)
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
