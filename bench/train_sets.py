#!/usr/bin/env python3
"""What training is worth on texts that it has not seen, and when more data makes it worse.

    train_sets.py sets  --shoal SHOAL --data DATA [--only banking77,...] [--losses mnrl,triplet] [--rows 3000] [--multilingual DIR]
    train_sets.py curve --shoal SHOAL --data DATA [--sizes 100,300,1000,3000,10000] [--losses mnrl,triplet,cosine] [--seeds 1,2]

sets: MiniLM trained on pairs or triplets of each set's train part, beside MiniLM as it is, on its test part: 'shoal
evaluate --compare', the difference with its paired 95% interval. banking77, clinc150: pairs of one intent, triplets with a
text of another; tried on triplets and clusters of the test part. askubuntu_dup: duplicates of one half, tried on the other,
both ways. stsb_de, stsb_ru: scored pairs, with the multilingual model of ../shared/tools/multilingual_model.py.
curve: banking77, three quarters of the intents in the training rows; test triplets of those ('seen') and of the other
intents ('unseen'), with and without the alarms. Prints a JSON line for each run, and how many of them an alarm stopped.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from tables import rows_of, write

RUNS = []  # of each, whether an alarm stopped it


def run(args, *command):
    done = subprocess.run([args.shoal, *map(str, command), "--json", "--quiet", "--threads", str(args.threads)], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def by_label(rows):
    out = {}
    for row in rows:
        out.setdefault(row["label"], []).append(row["text"])
    return {label: texts for label, texts in sorted(out.items()) if len(texts) > 1}


def triplets(groups, count, seed):
    chooser = random.Random(seed)
    labels, out = list(groups), []
    for _ in range(count):
        label, other = chooser.sample(labels, 2)
        out.append(chooser.sample(groups[label], 2) + [chooser.choice(groups[other])])
    return out


def table_for(loss, rows, path):
    """The same triplets as each loss takes them: as they are, as pairs, or as pairs scored 1 and 0."""
    if loss == "mnrl":
        return write(path, ["anchor", "positive"], [row[:2] for row in rows])
    if loss == "cosine":
        scored = [pair for a, p, n in rows for pair in ([a, p, 1], [a, n, 0])]
        return write(path, ["sentence1", "sentence2", "score"], scored)
    return write(path, ["anchor", "positive", "negative"], rows)


def trained(args, model, table, loss, out, *more):
    return run(args, "train", table, "--model", model, "--loss", loss, "--epochs", args.epochs, "--batch-size", args.batch,
               "--seed", args.seed, "--out", out, *more)


def compared(args, model, base, task, file):
    answer = run(args, "evaluate", model, file, "--task", task, "--compare", base)
    before, change = answer["compared"][0], answer["compared"][0]["difference"]
    return {"metric": answer["metric"], "before": round(before["value"], 4), "after": round(answer["value"], 4),
            "change": [round(change[k], 4) for k in ("value", "low", "high")]}


def report(args, name, loss, train, answers):
    line = {"set": name, "loss": loss, "rows": train["rows"], "steps": train["steps"], "seconds": round(train["train_seconds"], 1)}
    if train.get("harm"):
        line["harm"] = train["harm"]
    RUNS.append(bool(train.get("harm")))
    print(json.dumps(line | answers), flush=True)


def intents(args, name, folder):
    data = pathlib.Path(args.data) / name
    train, test = by_label(rows_of(data / "train.csv")), by_label(rows_of(data / "test.csv"))
    judged = write(folder / "test_triplets.csv", ["anchor", "positive", "negative"], triplets(test, 5000, 11))
    for loss in args.losses.split(","):
        out = folder / f"{name}_{loss}"
        answer = trained(args, args.model, table_for(loss, triplets(train, args.rows, 7), folder / "train.csv"), loss, out)
        report(args, name, loss, answer, {"triplet": compared(args, out, args.model, "triplet", judged),
                                          "clustering": compared(args, out, args.model, "clustering", data / "test.csv")})


def duplicates(args, folder):
    rows = rows_of(pathlib.Path(args.data) / "askubuntu_dup/dev.csv")
    random.Random(5).shuffle(rows)
    for half in (0, 1):
        learnt, judged = rows[half::2], rows[1 - half::2]
        test = write(folder / "test.csv", ["sentence1", "sentence2", "label"], [[r["text_a"], r["text_b"], r["label"]] for r in judged])
        table = write(folder / "train.csv", ["anchor", "positive"], [[r["text_a"], r["text_b"]] for r in learnt if r["label"] == "1"])
        out = folder / f"ask_{half}"
        answer = trained(args, args.model, table, "mnrl", out)
        report(args, f"askubuntu_dup, half {half + 1}", "mnrl", answer, {"pairs": compared(args, out, args.model, "pairs", test)})


def scored(args, language, folder):
    data = pathlib.Path(args.data) / "stsb"
    out = folder / language
    answer = run(args, "train", data / f"{language}_train.csv", "--score-range", "0,5", "--model", args.multilingual, "--loss", "cosine",
                 "--epochs", args.epochs, "--batch-size", 16, "--freeze-embeddings", "--dev", data / f"{language}_dev.csv", "--out", out)
    report(args, f"stsb_{language}", "cosine", answer, {"sts": compared(args, out, args.multilingual, "sts", data / f"{language}_test.csv")})


def sets(args):
    wanted = args.only.split(",") if args.only else ["banking77", "clinc150", "askubuntu_dup", "stsb_de", "stsb_ru"]
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            if name in ("banking77", "clinc150"):
                intents(args, name, folder)
            elif name == "askubuntu_dup":
                duplicates(args, folder)
            elif pathlib.Path(args.multilingual).is_dir():
                scored(args, name.removeprefix("stsb_"), folder)
            else:
                print(json.dumps({"set": name, "left_out": f"no multilingual model in {args.multilingual}: make multilingual"}))


def curve(args):
    data = pathlib.Path(args.data) / "banking77"
    train, test = by_label(rows_of(data / "train.csv")), by_label(rows_of(data / "test.csv"))
    labels = sorted(train)
    random.Random(2).shuffle(labels)
    seen = set(labels[: len(labels) * 3 // 4])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        parts = {"seen": {k: v for k, v in test.items() if k in seen}, "unseen": {k: v for k, v in test.items() if k not in seen}}
        judged = {part: write(folder / f"{part}.csv", ["anchor", "positive", "negative"], triplets(groups, 5000, 11))
                  for part, groups in parts.items()}
        for size in map(int, args.sizes.split(",")):
            for loss in args.losses.split(","):
                for seed in map(int, args.seeds.split(",")):
                    args.seed = seed
                    rows = triplets({k: v for k, v in train.items() if k in seen}, size, seed)
                    for alarms in ([], ["--alarms"]):
                        with tempfile.TemporaryDirectory() as out:
                            answer = trained(args, args.model, table_for(loss, rows, folder / "train.csv"), loss,
                                             pathlib.Path(out) / "out", *alarms)
                            found = {part: compared(args, pathlib.Path(out) / "out", args.model, "triplet", file)
                                     for part, file in judged.items()}
                        report(args, f"banking77, {size} triplets, seed {seed}, alarms {'off' if alarms else 'on'}", loss, answer, found)
                        if not answer.get("harm") and not alarms:
                            break  # without an alarm the other run is the same


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["sets", "curve"])
    parser.add_argument("--shoal", required=True)
    parser.add_argument("--data", default=os.environ.get("SHOAL_DATA", "../shared/data"))
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    home = pathlib.Path(os.environ.get("XDG_DATA_HOME", pathlib.Path.home() / ".local/share"))
    parser.add_argument("--multilingual", default=str(home / "shoal/models/multilingual-e5-small"))
    parser.add_argument("--only")
    parser.add_argument("--losses", help="default: mnrl and triplet, of curve cosine too")
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--sizes", default="100,300,1000,3000,10000")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    args.losses = args.losses or ("mnrl,triplet" if args.what == "sets" else "mnrl,triplet,cosine")
    {"sets": sets, "curve": curve}[args.what](args)
    print(json.dumps({"runs": len(RUNS), "alarms": sum(RUNS)}), flush=True)


if __name__ == "__main__":
    main()
