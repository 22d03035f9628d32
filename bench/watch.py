#!/usr/bin/env python3
"""How well strange texts, drift and age are told: the tables of docs/frozen.md, on the sets of SHOAL_DATA.

    SHOAL_DATA=FOLDER bench/watch.py PART [--shoal build/release/shoal] [--vectors FOLDER] [--times 100]

PART: false_alarms, power, anomalies, online, lifetime, speed. Vectors are made by `shoal embed` where they are not in
--vectors yet (SET_FILE.npy). What is drawn depends on --seed alone. Needs numpy.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time

import numpy as np

csv.field_size_limit(1 << 24)
SCORES = ("knn-lof", "knn", "lof", "mahalanobis", "reconstruction", "cluster")


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Bench:
    def __init__(self, args):
        self.args = args
        self.data = pathlib.Path(os.environ["SHOAL_DATA"])
        self.folder = pathlib.Path(tempfile.mkdtemp())
        pathlib.Path(args.vectors).mkdir(parents=True, exist_ok=True)

    def vectors(self, name, table, column="text"):
        path = pathlib.Path(self.args.vectors) / f"{name}.npy"
        if not path.exists():
            subprocess.run([self.args.shoal, "embed", str(table), "--text", column, "--out", str(path), "--quiet"], check=True)
        return np.load(path)

    def set(self, name, file):
        table = self.data / name / f"{file}.csv"
        return self.vectors(f"{name}_{file}", table), rows_of(table)

    def shoal(self, *arguments):
        result = subprocess.run([self.args.shoal, *map(str, arguments), "--json", "--quiet"], capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(result.stderr)
        return json.loads(result.stdout)

    def save(self, name, x):
        path = self.folder / f"{name}.npy"
        np.save(path, np.ascontiguousarray(x, dtype=np.float32))
        return path

    def table(self, name, column, values):
        path = self.folder / f"{name}.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", column])
            writer.writerows([f"row {i}", value] for i, value in enumerate(values))
        return path


def interval(k, n):
    """Wilson, 95%."""
    z, p = 1.96, k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return f"{p:.2f} [{middle - half:.2f}, {middle + half:.2f}]"


def rates(b, alarms, times):
    for name, k in alarms.items():
        print(f"  {name:17s} {interval(k, times)}")


def sample_of_headlines(b):
    """125 headlines of each of 113 days spread over the year: vectors, dates, and both as files."""
    table = b.data / "abc_headlines" / "headlines.csv"
    rows, by_day = rows_of(table), {}
    for i, row in enumerate(rows):
        by_day.setdefault(row["date"], []).append(i)
    days = [day for day in by_day if len(by_day[day]) >= 125]
    rng = random.Random(1)
    drawn = [i for day in days[:: max(1, len(days) // 110)] for i in rng.sample(by_day[day], 125)]
    x = b.vectors("abc_headlines", table)[drawn]
    path = b.folder / "abc_sample.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "text"])
        writer.writerows([rows[i]["date"], rows[i]["text"]] for i in drawn)
    return x, [rows[i]["date"] for i in drawn], path, b.save("abc_sample", x)


def false_alarms(b):
    x, dates, *_ = sample_of_headlines(b)
    dates = np.array(dates)
    days = sorted(set(dates))
    for blocks, per_side in (("days", 4), ("days", 10), ("rows", 4)):
        alarms = {}
        for t in range(b.args.times):
            rng = np.random.default_rng(b.args.seed + t)
            # Of neighbouring days, so that what really changes over the year is no drift between the sides.
            first = rng.integers(0, len(days) - 2 * per_side)
            drawn = rng.permutation(days[first : first + 2 * per_side])
            sides = [np.isin(dates, drawn[:per_side]), np.isin(dates, drawn[per_side:])]
            files = [b.save(name, x[side]) for name, side in zip("ab", sides)]
            if blocks == "days":
                tables = [b.table(name, "day", dates[side]) for name, side in zip("ab", sides)]
                found = b.shoal("drift", tables[0], tables[1], "--vectors", files[0], "--new-vectors", files[1],
                                "--blocks", "day", "--tests", b.args.tests)  # fmt: skip
            else:
                found = b.shoal("drift", *files, "--tests", b.args.tests, "--permutations", 199)
            for test in found["tests"]:
                alarms[test["test"]] = alarms.get(test["test"], 0) + (test["p_val"] <= 0.05)
            alarms["all together"] = alarms.get("all together", 0) + (found["p_val"] <= 0.05)
        print(f"false alarms, {per_side} days of 125 headlines on each side, blocks: {blocks}, {b.args.times} times")
        rates(b, alarms, b.args.times)


def power(b):
    for name, file in (("stackoverflow20", "data"), ("clinc150", "train"), ("banking77", "train")):
        x, rows = b.set(name, file)
        label = "domain" if "domain" in rows[0] else "label"
        labels = np.array([row[label] for row in rows])
        classes = sorted(set(labels))
        for more in (0.0, 0.05, 0.1, 0.2):
            alarms = {}
            for t in range(b.args.times):
                rng = np.random.default_rng(b.args.seed + 1000 + t)
                order = rng.permutation(len(x))
                extra = np.flatnonzero(labels[order] == classes[rng.integers(len(classes))])
                extra = order[extra][: round(500 * more)]
                rest = order[~np.isin(order, extra)]
                files = [b.save("a", x[rest[:500]]), b.save("b", np.concatenate([x[extra], x[rest[500 : 1000 - len(extra)]]]))]
                found = b.shoal("drift", *files, "--tests", b.args.tests, "--permutations", 199)
                for test in found["tests"]:
                    alarms[test["test"]] = alarms.get(test["test"], 0) + (test["p_val"] <= 0.05)
                alarms["all together"] = alarms.get("all together", 0) + (found["p_val"] <= 0.05)
            print(f"power, {name}, 500 rows on each side, one class +{more:.0%}, {b.args.times} times")
            rates(b, alarms, b.args.times)


def average_precision(scores, planted):
    """Of the rows at the end; rows of one score are taken at once."""
    found = out = seen = 0
    for value in np.unique(scores)[::-1]:
        rows = np.flatnonzero(scores == value)
        here = np.count_nonzero(rows >= len(scores) - planted)
        seen, found = seen + len(rows), found + here
        out += here * found / seen
    return out / planted


def anomalies(b):
    oos = b.set("clinc150", "oos_test")[0]
    ubuntu = b.vectors("askubuntu_titles", b.data / "askubuntu_dup" / "dev.csv", "text_a")
    tasks = {
        "banking77 <- clinc150, out of scope": (b.set("banking77", "train")[0], oos),
        "clinc150 <- out of scope": (b.set("clinc150", "train")[0], oos),
        "stackoverflow20 <- askubuntu": (b.set("stackoverflow20", "data")[0], ubuntu),
    }
    for title, (known, foreign) in tasks.items():
        sums, trust = {}, []
        for t in range(b.args.times):
            rng = np.random.default_rng(b.args.seed + t)
            known_rows, foreign_rows = known[rng.permutation(len(known))[:4950]], foreign[rng.permutation(len(foreign))[:50]]
            table = b.folder / "scores.csv"
            b.shoal("anomalies", b.save("a", np.concatenate([known_rows, foreign_rows])), "--no-trust", "--csv", table, "--overwrite")
            for name in SCORES:
                sums.setdefault(name, []).append(average_precision(np.array([float(row[name]) for row in rows_of(table)]), 50))
            found = b.shoal("anomalies", b.save("a", known_rows), "--foreign", b.save("b", foreign_rows))
            trust.append(found["trust"]["scores"][0]["average_precision"])
        print(f"anomalies, {title}, 50 in 5,000, {b.args.times} times: average precision")
        for name, values in sums.items():
            print(f"  {name:15s} {np.mean(values):.3f} +- {1.96 * np.std(values) / len(values) ** 0.5:.3f}")
        print(f"  knn-lof as the report foretells it from the same rows: {np.mean(trust):.3f}")


def online(b):
    x, rows = b.set("clinc150", "train")
    labels = np.array([row["domain"] for row in rows])
    domains = sorted(set(labels))
    for method in (("martingale", "--false-alarm", 0.05), ("cusum", "--run-length", 5000)):
        alarms, delays = 0, []
        for t in range(b.args.times):
            rng = np.random.default_rng(b.args.seed + t)
            order = rng.permutation(len(x))
            reference, stream = b.save("a", x[order[:1000]]), b.save("b", x[order[1000:3000]])
            alarms += b.shoal("drift", reference, stream, "--online", "--method", *method)["is_drift"]
            chosen = order[3000:][labels[order[3000:]] == domains[rng.integers(len(domains))]]
            mixed = np.concatenate([x[order[1000:2000]], np.stack([x[chosen[i % len(chosen)]] if rng.random() < 0.3
                                    else x[order[5000 + i]] for i in range(1000)])])  # fmt: skip
            found = b.shoal("drift", reference, b.save("b", mixed), "--online", "--method", *method)
            later = [alarm["time"] - 1000 for alarm in found["alarms"] if alarm["time"] > 1000]
            delays.append(later[0] if later else float("inf"))
        print(f"online, {' '.join(map(str, method))}: streams of 2,000 rows without change that alarm: {interval(alarms, b.args.times)}; "
              f"one of ten domains from 10% to 37% of the rows: found {np.mean(np.isfinite(delays)):.2f}, after {np.median(delays):.0f} rows")  # fmt: skip


def lifetime(b):
    *_, path, vectors = sample_of_headlines(b)
    found = b.shoal("lifetime", path, "--time", "date", "--vectors", vectors, "--every", "week")
    speeches = b.data / "speeches" / "state_of_the_union.csv"
    x = b.save("speeches", b.vectors("speeches_state_of_the_union", speeches))
    of_years = [b.shoal("lifetime", speeches, "--time", "year", "--text", "text", "--vectors", x, "--join", join) for join in (1, 2)]
    for name, report in (("abc_headlines, weeks", found), ("State of the Union, years", of_years[0]),
                         ("State of the Union, two years", of_years[1])):  # fmt: skip
        print(f"lifetime, {name}: {report['windows']} windows, {report['rows_a_model']} rows and {report['n_clusters']} clusters a model")
        for of in report["measures"]:
            print(f"  {of['measure']}: {of['in_words']}")
            if of["back_test"]:
                back = of["back_test"]
                print(f"    back-test: {100 * back['foretold']['low']:.1f} to {100 * back['foretold']['high']:.1f} points foretold, "
                      f"{100 * back['came']:.1f} came: {'held' if back['held'] else 'not foreseen'}")  # fmt: skip


def speed(b):
    rng = np.random.default_rng(b.args.seed)
    x = rng.normal(size=(63000, 384)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = x[:5000], x[5000:10000]
    for name, arguments in {
        "drift, 1,000 permutations of 10,000 rows, mmd": ("drift", b.save("a", y[0]), b.save("b", y[1]), "--tests", "mmd"),
        "drift, 31,500 against 31,500 rows, default tests": ("drift", b.save("c", x[:31500]), b.save("d", x[31500:])),
        "anomalies, 63,000 rows": ("anomalies", b.save("e", x), "--no-trust"),
    }.items():
        start = time.perf_counter()
        b.shoal(*arguments)
        print(f"{name}: {time.perf_counter() - start:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["false_alarms", "power", "anomalies", "online", "lifetime", "speed"])
    parser.add_argument("--shoal", default="build/release/shoal")
    parser.add_argument("--vectors", default="build/vectors")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--tests", default="mmd,g-test,hotelling,mean-shift,covariance-shift,kl-gaussian,kl-clusters,energy")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    globals()[args.part](Bench(args))


if __name__ == "__main__":
    main()
