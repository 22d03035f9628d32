#!/usr/bin/env python3
"""Two builds of shoal map the same texts by turns: what did each step of the program cost, before and after?

    two_programs.py OLD NEW TEXTS.csv [--text COLUMN] [--rows 20000] [--turns 5]

OLD and NEW are programs (build/release/shoal). TEXTS is cut to --rows, and is mapped as CSV and, by its text alone, as
JSONL and plain lines. Printed are medians of the seconds that the program says for each step, of its processor seconds
and of the most memory held, and the ratios NEW / OLD. Clusters are compared: with the same texts they must agree.
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile


def run(program, texts, folder, options):
    """Seconds of each step, processor seconds, MiB, and the clusters."""
    shutil.rmtree(folder, ignore_errors=True)
    answer = folder.with_suffix(".json")
    with answer.open("wb") as out:
        process = subprocess.Popen([program, "map", texts, "--out", folder, "--json", "--quiet", *options], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{program} map {texts} failed")
    said = json.loads(answer.read_text(encoding="utf-8"))
    table = folder.parent / "clusters.csv"
    subprocess.run([program, "export", folder, "--out", table, "--overwrite", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    with table.open(newline="", encoding="utf-8") as file:
        clusters = [row["cluster"] for row in csv.DictReader(file)]
    return {**said["seconds"], "processor": usage.ru_utime + usage.ru_stime, "MiB": usage.ru_maxrss / 1024}, clusters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("--text", default="text")
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    with args.texts.open(newline="", encoding="utf-8") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(args.rows))]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        table, records, lines = folder / "t.csv", folder / "t.jsonl", folder / "t.txt"
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        records.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        lines.write_text("".join(" ".join(row[args.text].split()) + "\n" for row in rows), encoding="utf-8")
        for texts, options in ((table, ["--text", args.text]), (records, ["--text", args.text]), (lines, [])):
            found = {args.old: [], args.new: []}
            clusters = {}
            for _ in range(args.turns):
                for program in found:
                    spent, clusters[program] = run(program, texts, folder / "t.shoal", options)
                    found[program].append(spent)
            same = "the same clusters" if clusters[args.old] == clusters[args.new] else "OTHER CLUSTERS"
            print(f"\n{texts.suffix[1:]}, {len(rows)} rows: {same}\n{'':12s} {'old':>9s} {'new':>9s} {'ratio':>7s}")
            for step in found[args.old][0]:
                if step not in found[args.new][0]:
                    continue
                old, new = (statistics.median(spent[step] for spent in found[p]) for p in (args.old, args.new))
                print(f"{step:12s} {old:9.3f} {new:9.3f} {new / old if old > 0 else float('nan'):7.2f}", flush=True)


if __name__ == "__main__":
    main()
