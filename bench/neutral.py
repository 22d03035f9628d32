#!/usr/bin/env python3
"""Topics, not languages: what `--neutral` gives and what it takes, measured with the program.

    SHOAL_DATA=FOLDER bench/neutral.py [--shoal build/release/shoal] [--model multilingual-e5-small] [--work build/bench/neutral]

1. sib200 (training sentences), seven clusters: V-measure with the seven topics and with the languages, for four and for
   all fifteen languages; as they are, neutral by the column, and (four) by the languages detected.
2. tgnews (English and Russian news, by category), eight clusters: the same, where languages differ in their topics.
3. tatoeba (500 pairs a language): how often a sentence's translation is the nearest of all others, of whatever language.
4. How far rows of one language still lie together, where the languages share sentences, topics, or neither.
5. Letters a token, by the model given and by all-MiniLM-L6-v2.

A run that is interrupted goes on: the maps in --work are kept. V-measure by scikit-learn; 3 and 4 by NumPy, from the
collection's vectors, with the means as GroupCentering has them. Intervals: 95%, from 200 resamples of the rows.
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess

import numpy as np
from safetensors.numpy import load_file
from sklearn.metrics import v_measure_score

FOUR = {"eng_Latn": "en", "rus_Cyrl": "ru", "zho_Hans": "zh", "deu_Latn": "de"}
TATOEBA = {"cmn": "zh", "deu": "de", "fra": "fr", "rus": "ru", "spa": "es", "ukr": "uk"}


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def sib(data, languages):
    for code in languages:
        for row in read(data / "sib200" / f"{code}_train.csv"):
            yield row["text"], row["label"], code, row["index_id"]


def tatoeba(data):
    for name, code in TATOEBA.items():
        for i, row in enumerate(read(data / "tatoeba" / f"{name}-eng.csv")[:500]):
            yield row["text_a"], code, f"{name}{i}"
            yield row["text_b"], "en", f"{name}{i}"


def tgnews(data):
    for code in ("en", "ru"):
        for line in (data / "tgnews" / f"{code}_categories.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row["text"], row["label"], code


class Maps:
    def __init__(self, args):
        self.args = args

    def run(self, csv_file, *options, model=""):
        """What `map --json` says, the clusters, and the collection's folder. The same texts are embedded once."""
        args = self.args
        collection = args.work / f"{csv_file.stem}{'-' + model if model else ''}.shoal"
        prompt = [] if model else args.options
        command = [args.shoal, "map", csv_file, "--text", "text", "--out", collection, "--model", model or args.model,
                   *prompt, *options, "--json", "--quiet"]  # fmt: skip
        done = subprocess.run([str(part) for part in command], text=True, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")
        table = args.work / f"{collection.stem}.out.csv"
        subprocess.run([args.shoal, "export", collection, "--out", table, "--overwrite", "--quiet"], check=True)
        return json.loads(done.stdout), [int(row["cluster"]) for row in read(table)], collection


def interval(score, n):
    rng = np.random.default_rng(0)
    values = [score(rng.integers(0, n, n)) for _ in range(200)]
    return "({:.3f} to {:.3f})".format(*np.quantile(values, [0.025, 0.975]))


def agreement(rows, clusters, topic, language):
    out = []
    for column in (topic, language):
        truth, found = np.array([row[column] for row in rows]), np.array(clusters)
        score = v_measure_score(truth, found)
        out.append(f"{score:.3f} {interval(lambda s, t=truth, f=found: v_measure_score(t[s], f[s]), len(truth))}")
    return out


def clusterings(maps, csv_file, k, topic, ways):
    rows = read(csv_file)
    for name, options, language, drop in ways:
        source = csv_file
        if drop:  # a column called language would go before detection
            source = csv_file.with_name(f"{csv_file.stem}-detected.csv")
            keys = [key for key in rows[0] if key != "language"]
            write(source, [*keys, "truth"], [[*[row[key] for key in keys], row["language"]] for row in rows])
        said, clusters, _ = maps.run(source, "--clusters", k, *options)
        topics, languages = agreement(rows, clusters, topic, language)
        left = f", left of groups {said['left_of_groups']:.2f}" if "left_of_groups" in said else ""
        print(f"{csv_file.stem:8s} {name:22s} topics {topics}   languages {languages}{left}", flush=True)


def vectors(collection):
    """As the encoder made them."""
    return next(iter(load_file(collection / "vectors.safetensors").values())).astype(np.float64)


def without_means(x, groups):
    """Each group's mean, drawn towards the mean of all as GroupCentering says; rows to length 1 again."""
    names, of = np.unique(groups, return_inverse=True)
    n, k = len(x), len(names)
    sizes = np.bincount(of).astype(float)
    sums = np.zeros((k, x.shape[1]))
    np.add.at(sums, of, x)
    means, mean = sums / sizes[:, None], x.mean(0)
    spread = (sizes * (means**2).sum(1)).sum()
    within = (n - spread) / (n - k)
    between = (spread - n * (mean @ mean) - (k - 1) * within) / (n - (sizes**2).sum() / n)
    prior = within / between if between > 0 else np.inf
    drawn = (sizes[:, None] * means + prior * mean) / (sizes[:, None] + prior) if np.isfinite(prior) else mean[None]
    y = x - (drawn[of] if len(drawn) > 1 else drawn)
    return y / np.linalg.norm(y, axis=1, keepdims=True)


def pairs(maps, csv_file):
    rows = read(csv_file)
    _, _, collection = maps.run(csv_file, "--clusters", "20", "--neutral", "")
    x = vectors(collection)
    of, pair = np.array([row["lang"] for row in rows]), np.array([row["pair"] for row in rows])
    for name, y in (("as they are", x), ("without the means", without_means(x, of))):
        nearest = np.empty(len(y), dtype=int)
        for begin in range(0, len(y), 1000):
            near = y[begin : begin + 1000] @ y.T
            near[np.arange(len(near)), begin + np.arange(len(near))] = -9
            nearest[begin : begin + len(near)] = near.argmax(1)
        hit, own = pair[nearest] == pair, of[nearest] == of
        print(f"tatoeba  {name:22s} the translation is nearest of all: {hit.mean():.3f} "
              f"{interval(lambda s, h=hit: h[s].mean(), len(hit))}; a sentence of its own language is: {own.mean():.3f}; "
              + ", ".join(f"{code} {hit[of == code].mean():.3f}" for code in sorted(set(of))), flush=True)  # fmt: skip


def groups_left(collection, csv_file):
    rows = read(csv_file)
    x = vectors(collection)
    topic, language = (np.array([row[key] for row in rows]) for key in ("topic", "language"))
    sentence = np.array([int(row["index_id"]) for row in rows])
    languages, topics = sorted(set(language)), sorted(set(topic))

    def show(name, keep):
        y, of = without_means(x[keep], language[keep]), language[keep]
        near = y @ y.T
        np.fill_diagonal(near, -9)
        ten = np.argpartition(-near, 10, axis=1)[:, :10]
        share = (of[ten] == of[:, None]).mean()
        sizes = np.array([(of == code).sum() for code in languages], dtype=float)
        chance = (sizes * (sizes - 1)).sum() / (len(of) * (len(of) - 1))
        print(f"{name:36s} own group {share:.2f}, by chance {chance:.2f}, measure {(share - chance) / (1 - chance):.2f}")

    show("the same sentences", np.full(len(x), True))
    rng = np.random.default_rng(0)
    ids = rng.permutation(np.unique(sentence))
    of_id = {i: languages[k % 4] for k, i in enumerate(ids)}
    show("different sentences, the same topics", np.array([of_id[i] == code for i, code in zip(sentence, language)]))
    for seed in range(3):
        rng = np.random.default_rng(seed)
        home = {name: languages[k % 4] for k, name in enumerate(rng.permutation(topics))}
        at_home = np.array([home[a] == b for a, b in zip(topic, language)])
        show("each topic to 80% in one language", rng.random(len(at_home)) < np.where(at_home, 0.8, 0.2 / 3))
        show("each topic in one language only", at_home)


def letters(maps, csv_file):
    for model in ("", "all-MiniLM-L6-v2"):
        said, _, _ = maps.run(csv_file, "--clusters", "7", "--neutral", "", model=model)
        for fit in said["languages"]:
            print(f"{model or maps.args.model:22s} {fit['language']}: {fit['letters_per_token']:.2f} letters a token, "
                  f"{fit['unknown_tokens']:.0%} unknown")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shoal", default="build/release/shoal")
    parser.add_argument("--model", default="multilingual-e5-small")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/bench/neutral"))
    parser.add_argument("--options", nargs="*", default=["--prompt", "query"])
    args = parser.parse_args()
    data = pathlib.Path(os.environ["SHOAL_DATA"])
    args.work.mkdir(parents=True, exist_ok=True)
    fifteen = sorted(path.name.removesuffix("_train.csv") for path in (data / "sib200").glob("*_train.csv"))
    header = ["text", "topic", "language", "index_id"]
    four = write(args.work / "four.csv", header, ([t, l, FOUR[c], i] for t, l, c, i in sib(data, FOUR)))
    every = write(args.work / "all.csv", header, sib(data, fifteen))
    news = write(args.work / "tgnews.csv", ["text", "category", "lang"], tgnews(data))
    both = write(args.work / "tatoeba.csv", ["text", "lang", "pair"], tatoeba(data))
    maps = Maps(args)
    plain, column = ["--neutral", ""], ["--neutral", "language"]
    clusterings(maps, four, 7, "topic", [("as they are", plain, "language", False), ("the column", column, "language", False),
                                         ("languages detected", column, "language", True)])  # fmt: skip
    clusterings(maps, every, 7, "topic", [("as they are", plain, "language", False), ("the column", column, "language", False)])
    clusterings(maps, news, 8, "category", [("as they are", plain, "lang", False), ("the column", ["--neutral", "lang"], "lang", False)])
    pairs(maps, both)
    groups_left(args.work / "four.shoal", four)
    letters(maps, every)


if __name__ == "__main__":
    main()
