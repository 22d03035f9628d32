#!/usr/bin/env python3
"""Names of labelled sets, to be looked at: what `map` would call the classes of sib200 (15 languages) and others.

    SHOAL_DATA=FOLDER bench/names.py [SET ...] [--words 5] [--bench build/release/bench/names_bench]

SET is a file of sib200 without its ending (rus_Cyrl_train), or any CSV file with the columns text and label.
"""

import argparse
import csv
import os
import pathlib
import subprocess

LANGUAGES = (
    "eng_Latn rus_Cyrl ukr_Cyrl kaz_Cyrl deu_Latn fra_Latn spa_Latn ita_Latn por_Latn pol_Latn tur_Latn arb_Arab "
    "hin_Deva zho_Hans jpn_Jpan"
).split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=LANGUAGES)
    parser.add_argument("--words", default="0")
    parser.add_argument("--bench", default="build/release/bench/names_bench")
    args = parser.parse_args()
    for name in args.sets:
        path = pathlib.Path(name)
        paths = [path] if path.suffix else sorted((pathlib.Path(os.environ["SHOAL_DATA"]) / "sib200").glob(f"{name}*.csv"))
        rows = [row for p in paths for row in csv.DictReader(p.open(encoding="utf-8"))]
        lines = "".join(f"{row['label']}\t{' '.join(row['text'].split())}\n" for row in rows)
        out = subprocess.run([args.bench, args.words], input=lines, text=True, capture_output=True, check=True).stdout
        print(f"## {name}\n{out}")


if __name__ == "__main__":
    main()
