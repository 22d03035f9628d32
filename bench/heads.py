#!/usr/bin/env python3
"""Heads on frozen vectors: accuracy, open set, several labels, few rows a label; scikit-learn beside them.

    heads.py --emb FOLDER --data FOLDER [--bench build/release/bench/head_bench] [--only PART ...] [--threads 2] [--json OUT]

FOLDER of --emb has SET_PART.npy, made by `shoal embed SET/PART.csv --out SET_PART.npy`; --data is where the sets lie.
One default for all sets. Prints the tables of docs/frozen.md. Needs numpy and scikit-learn.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SCORES = ["sum", "mahalanobis", "nearest", "energy", "softmax", "centroid"]


class Bench:
    def __init__(self, args):
        self.args = args
        self.rows = []

    def vectors(self, name):
        return np.load(self.args.emb / f"{name}.npy").astype(np.float32)

    def column(self, path, column):
        path = self.args.data / path
        if path.suffix == ".jsonl":
            return [json.loads(line)[column] for line in path.open(encoding="utf-8")]
        with path.open(newline="", encoding="utf-8") as file:
            return [row[column] for row in csv.DictReader(file)]

    def head(self, x, labels, new, **options):
        """labels: a list of lists of numbers. Returns probabilities, scores, held-out scores, said sets, facts."""
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            np.save(work / "x.npy", x)
            np.save(work / "new.npy", new)
            (work / "labels.txt").write_text("".join(" ".join(map(str, own)) + "\n" for own in labels))
            command = [self.args.bench, work / "x.npy", work / "labels.txt", work / "new.npy", work / "out"]
            options.setdefault("threads", self.args.threads)
            command += [f"{name}={value}" for name, value in options.items()]
            done = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True)
            held = work / "out.held_scores.npy"
            said = [[int(w) for w in line.split()] for line in (work / "out.said.txt").read_text().split("\n")[:-1]]
            return (np.load(work / "out.probabilities.npy"), np.load(work / "out.scores.npy"),
                    np.load(held) if held.exists() else None, said, json.loads(done.stdout))

    def say(self, part, what, value, note=""):
        self.rows.append({"part": part, "what": what, "value": value, "note": note})
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        print(f"  {part:24} {what:44} {shown:>10}  {note}", flush=True)


def numbered(*lists):
    """Labels as numbers, numbered over all lists in order of their names."""
    names = sorted({label for labels in lists for label in labels})
    number = {name: i for i, name in enumerate(names)}
    return names, [np.array([number[label] for label in labels]) for labels in lists]


def auroc(known, foreign):
    from sklearn.metrics import roc_auc_score
    return roc_auc_score([1] * len(known) + [0] * len(foreign), np.concatenate([known, foreign]))


def recall_at(known_held_out, foreign, coverage=0.95):
    """Share of foreign rows below the limit that `coverage` of held-out known rows pass."""
    return float((foreign < np.quantile(known_held_out, 1 - coverage)).mean())


def ece(p, y, bins=15):
    confidence, right = p.max(1), p.argmax(1) == y
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(sum((place == b).mean() * abs(confidence[place == b].mean() - right[place == b].mean())
                     for b in range(bins) if (place == b).any()))


def closed(bench, name, train, test, column="label", **options):
    """Accuracy of a set with train and test."""
    _, (y, t) = numbered(bench.column(train, column), bench.column(test, column))
    judge(bench, name, bench.vectors(name + "_train"), y, bench.vectors(name + "_test"), t, **options)


def braun(bench):
    """Three small sets, train and test in one file."""
    for name in ("askubuntu", "chatbot", "webapplications"):
        path = f"braun_nlu/{name}.csv"
        test = np.array(bench.column(path, "split")) == "test"
        _, (y,) = numbered(bench.column(path, "label"))
        x = bench.vectors(f"braun_nlu_{name}")
        judge(bench, f"braun_nlu {name}", x[~test], y[~test], x[test], y[test])


def judge(bench, part, x, y, new, t, **options):
    """scikit-learn with C = 1, 10 beside it."""
    from sklearn.linear_model import LogisticRegression
    part += " mlp" if options.get("head") == "mlp" else ""
    p, _, _, _, facts = bench.head(x, [[v] for v in y], new, **options)
    bench.say(part, "accuracy", float((p.argmax(1) == t).mean()), f"C {facts['c']:g}, fit {facts['fit']:.1f} s")
    bench.say(part, "calibration error (ECE)", ece(p, t), f"temperature {facts['temperature']:.3f}")
    if bench.args.peers and not options:
        for c in (1, 10):
            peer = LogisticRegression(C=c, tol=1e-5, max_iter=2000).fit(x, y)
            bench.say(part, f"accuracy of scikit-learn, C {c}", float((peer.predict(new) == t).mean()))


def open_scores(bench, part, scores, held, foreign_scores, facts):
    for i, score in enumerate(SCORES):
        bench.say(part, f"open set, {score}: AUROC", float(auroc(scores[:, i], foreign_scores[:, i])))
        bench.say(part, f"open set, {score}: recall at 95% held out", recall_at(held[:, i], foreign_scores[:, i]),
                  f"coverage {float((scores[:, i] >= np.quantile(held[:, i], .05)).mean()):.3f}")


def clinc(bench):
    y, t = bench.column("clinc150/train.csv", "label"), bench.column("clinc150/test.csv", "label")
    _, (y, t) = numbered(y, t)
    x, test, foreign = (bench.vectors(f"clinc150_{part}") for part in ("train", "test", "oos_test"))
    p, scores, held, _, facts = bench.head(x, [[v] for v in y], np.concatenate([test, foreign]))
    n = len(test)
    bench.say("clinc150", "in-scope accuracy", float((p[:n].argmax(1) == t).mean()), str(facts))
    bench.say("clinc150", "calibration error (ECE)", ece(p[:n], t))
    open_scores(bench, "clinc150", scores[:n], held, scores[n:], facts)


def left_out(bench, name, x, y, test, t, n_out, seeds):
    """Some labels are left out of training: their test rows are foreign. Means over seeds."""
    found = {}
    for seed in range(seeds):
        out = np.random.default_rng(seed).permutation(int(max(y)) + 1)[:n_out]
        keep, known = ~np.isin(y, out), ~np.isin(t, out)
        _, (own,) = numbered(list(y[keep]))
        _, scores, held, _, facts = bench.head(x[keep], [[v] for v in own], test)
        for i, score in enumerate(SCORES):
            found.setdefault((score, "AUROC"), []).append(auroc(scores[known, i], scores[~known, i]))
            found.setdefault((score, "recall at 95%"), []).append(recall_at(held[:, i], scores[~known, i]))
            found.setdefault((score, "coverage"), []).append(
                float((scores[known, i] >= np.quantile(held[:, i], 0.05)).mean()))
            found.setdefault((score, "recall at 95% of the test's own rows"), []).append(
                recall_at(scores[known, i], scores[~known, i]))
    for (score, what), values in found.items():
        bench.say(name, f"open set, {score}: {what}", float(np.mean(values)), f"+- {np.std(values):.3f}")


def banking_open(bench):
    _, (y, t) = numbered(bench.column("banking77/train.csv", "label"), bench.column("banking77/test.csv", "label"))
    left_out(bench, "banking77", bench.vectors("banking77_train"), y, bench.vectors("banking77_test"), t, 19, 5)


def stackoverflow_open(bench):
    _, (y,) = numbered(bench.column("stackoverflow20/data.csv", "label"))
    x = bench.vectors("stackoverflow20_data")
    test = np.random.default_rng(0).random(len(y)) < 0.3
    left_out(bench, "stackoverflow20", x[~test], y[~test], x[test], y[test], 5, 5)


def few(bench, name="banking77", train="banking77/train.csv", test="banking77/test.csv"):
    """MTEB's protocol: 8 rows a label, 10 draws."""
    from sklearn.linear_model import LogisticRegression
    _, (y, t) = numbered(bench.column(train, "label"), bench.column(test, "label"))
    x, new = bench.vectors(name + "_train"), bench.vectors(name + "_test")
    ours, theirs, cs = [], [], []
    random = np.random.RandomState(42)
    order = np.arange(len(y))
    for _ in range(10):
        random.shuffle(order)
        chosen, counts = [], np.zeros(max(y) + 1, int)
        for i in order:
            if counts[y[i]] < 8:
                counts[y[i]] += 1
                chosen.append(i)
        p, _, _, _, facts = bench.head(x[chosen], [[v] for v in y[chosen]], new)
        ours.append(float((p.argmax(1) == t).mean()))
        cs.append(facts["c"])
        theirs.append(float((LogisticRegression(max_iter=100).fit(x[chosen], y[chosen]).predict(new) == t).mean()))
    bench.say(name, "8 rows a label, 10 draws: accuracy", float(np.mean(ours)), f"+- {np.std(ours):.4f}, C {cs}")
    bench.say(name, "the same by scikit-learn's default", float(np.mean(theirs)))


def emotions(bench, **options):
    sets = [[line.split("|") for line in bench.column(f"goemotions/{part}.csv", "labels")] for part in ("train", "test")]
    names = sorted({label for rows in sets for labels in rows for label in labels})
    number = {name: i for i, name in enumerate(names)}
    train, test = ([sorted(number[label] for label in labels) for labels in rows] for rows in sets)
    x, new = bench.vectors("goemotions_train"), bench.vectors("goemotions_test")
    p, _, _, said, facts = bench.head(x, train, new, task="multilabel", **options)
    truth, ours = (np.zeros((len(test), len(names)), bool) for _ in range(2))
    for i, (own, mine) in enumerate(zip(test, said)):
        truth[i, own] = True
        ours[i, mine] = True
    f1 = lambda a, b: 2 * (a & b).sum(0) / np.maximum(1, a.sum(0) + b.sum(0))
    bench.say("goemotions" + (" mlp" if options else ""), "macro F1", float(f1(truth, ours).mean()), str(facts))
    bench.say("goemotions" + (" mlp" if options else ""), "micro F1", float(2 * (truth & ours).sum() / (truth.sum() + ours.sum())))


PARTS = {
    "clinc150": clinc,
    "banking77": banking_open,
    "stackoverflow20": stackoverflow_open,
    "few": few,
    "goemotions": emotions,
    "banking77_all": lambda b: closed(b, "banking77", "banking77/train.csv", "banking77/test.csv"),
    "snips": lambda b: closed(b, "snips", "snips/train.csv", "snips/test.csv"),
    "trec": lambda b: closed(b, "trec", "trec/train.csv", "trec/test.csv"),
    "twentynewsgroups": lambda b: closed(b, "twentynewsgroups", "twentynewsgroups/train.jsonl",
                                         "twentynewsgroups/test.jsonl"),
    "braun_nlu": braun,
    "goemotions_mlp": lambda b: emotions(b, head="mlp"),
    "clinc150_mlp": lambda b: closed(b, "clinc150", "clinc150/train.csv", "clinc150/test.csv", head="mlp"),
    "twentynewsgroups_mlp": lambda b: closed(b, "twentynewsgroups", "twentynewsgroups/train.jsonl",
                                             "twentynewsgroups/test.jsonl", head="mlp"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emb", required=True, type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/head_bench", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    bench = Bench(args)
    for part in args.only:
        PARTS[part](bench)
    if args.json:
        args.json.write_text(json.dumps(bench.rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
