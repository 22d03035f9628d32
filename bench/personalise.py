#!/usr/bin/env python3
"""What profiles bring on labelled sets, for docs/frozen.md: personalise_bench on vectors of each set.

    bench/personalise.py BENCH DATA VECTORS [--seeds 3] [--sets clinc_domains,...] [--modes pairs,labels,losses]

BENCH is build/PRESET/bench/personalise_bench, DATA the folder of the data sets, VECTORS a folder with
clinc150_train.npy, banking77_train.npy, stackoverflow20_data.npy, trec_train.npy and
twentynewsgroups_train.npy by `shoal embed` (all-MiniLM-L6-v2). Prints
a table for each mode: change x 1000 against no profile, mean over the seeds, with the mean half-width of the
95% interval of one seed.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import tempfile

TOPICS = [  # of banking77's intents, the first that fits
    ("identity", ["verify", "identity", "personal_details", "passcode", "pin", "age_limit", "terminate",
                  "compromised", "lost_or_stolen"]),
    ("top_up", ["top_up", "topping"]),
    ("cash", ["cash", "atm", "swallowed"]),
    ("transfer", ["transfer", "beneficiary", "receiving_money"]),
    ("exchange", ["exchange", "currenc", "country"]),
    ("payment", ["payment", "refund", "charge", "statement", "debit"]),
    ("card", ["card", "visa", "contactless", "pay"]),
]


def topic(intent):
    return next((name for name, words in TOPICS if any(w in intent.lower() for w in words)), "other")


def merged(intents):
    """Four intents each, merged as a fixed generator deals them: what no geometry knows."""
    names, state, order = sorted(set(intents)), 12345, []
    while names:
        state = (1103515245 * state + 12345) % 2**31
        order.append(names.pop(state // 65536 % len(names)))
    place = {name: i // 4 for i, name in enumerate(order)}
    return [str(place[i]) for i in intents]


def read(path, column):
    with open(path, newline="", encoding="utf-8") as f:
        return [row[column] for row in csv.DictReader(f)]


def sets(data):
    clinc = data / "clinc150/train.csv"
    intents = read(clinc, "label")
    yield "clinc_domains", "clinc150_train", intents, read(clinc, "domain")
    banking = read(data / "banking77/train.csv", "label")
    yield "banking_topics", "banking77_train", banking, [topic(i) for i in banking]
    yield "banking_random_merges", "banking77_train", banking, merged(banking)
    tags = read(data / "stackoverflow20/data.csv", "label")
    yield "stackoverflow20", "stackoverflow20_data", tags, tags
    # Not looked at while defaults were chosen.
    yield "clinc_random_merges", "clinc150_train", intents, merged(intents)
    yield "trec", "trec_train", read(data / "trec/train.csv", "label_fine"), read(data / "trec/train.csv", "label")
    news = [json.loads(line)["label"] for line in open(data / "twentynewsgroups/train.jsonl", encoding="utf-8")]
    yield "newsgroups", "twentynewsgroups_train", news, [group.split(".")[0] for group in news]


def numbers(values):
    place = {v: i for i, v in enumerate(sorted(set(values)))}
    return [place[v] for v in values]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("bench")
    p.add_argument("data", type=pathlib.Path)
    p.add_argument("vectors", type=pathlib.Path)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--sets", default="")
    p.add_argument("--modes", default="pairs,labels,losses")
    p.add_argument("--amounts", default="30,300,3000")
    a = p.parse_args()
    measures = ["ap_seen", "p10_seen", "p10_unseen", "p10_unseen_group", "ap_unseen"]
    for mode in a.modes.split(","):
        print(mode, *measures, sep="\t")
        for name, vectors, intents, groups in sets(a.data):
            if a.sets and name not in a.sets.split(","):
                continue
            found = {}
            with tempfile.NamedTemporaryFile("w", suffix=".labels") as f:
                f.writelines(f"{i} {g}\n" for i, g in zip(numbers(intents), numbers(groups)))
                f.flush()
                for seed in range(1, a.seeds + 1):
                    out = subprocess.run([a.bench, a.vectors / (vectors + ".npy"), f.name, str(seed), a.amounts, mode],
                                         check=True, capture_output=True, text=True).stdout
                    for line in out.splitlines():
                        r = json.loads(line)
                        key = (r.get(mode, r.get("pairs")), r.get("loss", ""), r.get("rank", ""))
                        found.setdefault(key, []).append(r)
            for key, rows in found.items():
                cells = []
                for m in measures:
                    mean = sum(r[m][0] for r in rows) / len(rows)
                    half = sum(r[m][1] for r in rows) / len(rows)
                    cells.append(f"{mean:+.0f} +- {half:.0f}")
                trust = ",".join(r.get("trust", "") for r in rows)
                print(name, *[str(k) for k in key if k != ""], *cells, trust, sep="\t", flush=True)


if __name__ == "__main__":
    main()
