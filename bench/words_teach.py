#!/usr/bin/env python3
"""What a static model is worth in training: trained itself, as a student and a teacher of all-MiniLM-L6-v2, beside what is distilled of it.

    words_teach.py STATIC [--shoal build/release/shoal] [--data SHOAL_DATA] [--folder FOLDER] [--threads 1]

600 triplets of banking77's train part (two texts of a label and one of another, drawn with a fixed seed) are learnt from in one
epoch; told is the share of 1,000 of its test part in which the positive is nearer, by `shoal evaluate`, with its 95% interval.
"""
import argparse
import csv
import json
import os
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODEL = "all-MiniLM-L6-v2"


def write_triplets(data, folder):
    random.seed(1)
    for part, n in (("train", 600), ("test", 1000)):
        texts = {}
        with open(data / f"banking77/{part}.csv", newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                texts.setdefault(row["label"], []).append(row["text"])
        rows = []
        for _ in range(n):
            own, other = random.sample(sorted(texts), 2)
            rows.append([*random.sample(texts[own], 2), random.choice(texts[other])])
        for name, columns in ((f"b77_{part}.csv", ["anchor", "positive", "negative"]), (f"pairs_{part}.csv", ["anchor", "positive"])):
            with open(folder / name, "w", newline="", encoding="utf-8") as out:
                csv.writer(out).writerows([columns, *(row[: len(columns)] for row in rows)])


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("static")
    ask.add_argument("--shoal", default=str(HERE.parent / "build/release/shoal"))
    ask.add_argument("--data", default=os.environ.get("SHOAL_DATA"))
    ask.add_argument("--folder", type=pathlib.Path, default=HERE.parent / "build/bench/words_teach")
    ask.add_argument("--threads", default="1")
    args = ask.parse_args()
    if not args.data:
        sys.exit("where are the sets? give --data, or set SHOAL_DATA")
    args.folder.mkdir(parents=True, exist_ok=True)
    write_triplets(pathlib.Path(args.data), args.folder)

    def shoal(*words):
        done = subprocess.run([args.shoal, *map(str, words), "--threads", args.threads, "--json"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"shoal {' '.join(map(str, words))}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    taught, tuned, plain_static, tuned_static, trained_words, trained_static, student = (
        args.folder / n for n in ("taught", "tuned", "plain_static", "tuned_static", "trained_words", "trained_static", "student"))
    dev = ("--dev", args.folder / "b77_test.csv", "--dev-task", "triplet", "--epochs", "1")
    shoal("train", args.folder / "b77_train.csv", "--loss", "margin_mse", "--teacher", args.static, *dev, "--out", taught)
    shoal("train", args.folder / "pairs_train.csv", *dev, "--out", tuned)
    shoal("distil", MODEL, "--out", plain_static)
    shoal("distil", tuned, "--out", tuned_static)
    three = ("--epochs", "3")
    shoal("train", args.folder / "pairs_train.csv", "--model", args.static, *three, "--out", trained_words)
    shoal("train", args.folder / "pairs_train.csv", "--model", plain_static, *three, "--out", trained_static)
    shoal("train", args.folder / "b77_train.csv", "--loss", "margin_mse", "--teacher", MODEL, "--model", args.static, *three, "--out", student)
    print("| | accuracy |\n|---|---|")
    for name, model in (("the static model", args.static), ("the same, trained on the pairs, 3 epochs", trained_words),
                        (f"the same, taught by {MODEL}, `margin_mse`", student), (f"{MODEL}, distilled", plain_static),
                        ("the same, then trained on the pairs, 3 epochs", trained_static), ("distilled after it was trained on the pairs", tuned_static),
                        (MODEL, MODEL), ("the same, trained on the pairs", tuned), ("taught by the static model, `margin_mse`", taught)):
        found = shoal("evaluate", model, args.folder / "b77_test.csv", "--task", "triplet")
        print(f"| {name} | {found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}] |", flush=True)


if __name__ == "__main__":
    main()
