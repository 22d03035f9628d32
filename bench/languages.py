#!/usr/bin/env python3
"""How often the language of a text is found: sentences of sib200 (15 languages), their first four words, and tatoeba.

    SHOAL_DATA=FOLDER bench/languages.py [--bench build/release/bench/languages_bench]
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess

SIB = {
    "arb": "ar", "deu": "de", "eng": "en", "fra": "fr", "hin": "hi", "ita": "it", "jpn": "ja", "kaz": "kk",
    "pol": "pl", "por": "pt", "rus": "ru", "spa": "es", "tur": "tr", "ukr": "uk", "zho": "zh",
}  # fmt: skip
TATOEBA = {"cmn": "zh", "deu": "de", "fra": "fr", "rus": "ru", "spa": "es", "ukr": "uk"}


def sib(folder: pathlib.Path, words: int = 0):
    for path in sorted((folder / "sib200").glob("*.csv")):
        code = SIB[path.name[:3]]
        for row in csv.DictReader(path.open(encoding="utf-8")):
            text = row["text"]
            if words:  # of scripts without blanks two signs a word
                text = text[: 2 * words] if code in ("zh", "ja") else " ".join(text.split(" ")[:words])
            yield code, text


def tatoeba(folder: pathlib.Path):
    for name, code in TATOEBA.items():
        for row in csv.DictReader((folder / "tatoeba" / f"{name}-eng.csv").open(encoding="utf-8")):
            yield code, row["text_a"]
            yield "en", row["text_b"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default="build/release/bench/languages_bench")
    args = parser.parse_args()
    data = pathlib.Path(os.environ["SHOAL_DATA"])
    sets = {"sib200": sib(data), "sib200, four words": sib(data, 4), "tatoeba": tatoeba(data)}
    for name, rows in sets.items():
        lines = "".join(f"{code}\t{' '.join(text.split())}\n" for code, text in rows)
        out = subprocess.run([args.bench], input=lines, text=True, capture_output=True, check=True).stdout
        found = json.loads(out)
        n = found["all"]["texts"]
        print(
            f"{name}: {n} texts, right {found['all']['alone']:.1%} alone, {found['all']['together']:.1%} together; "
            f"{1e6 * found['seconds_alone'] / n:.0f} and {1e6 * found['seconds_together'] / n:.0f} microseconds a text"
        )
        for code, of in found.items():
            if isinstance(of, dict) and code != "all":
                print(f"  {code}  {of['alone']:.1%}  {of['together']:.1%}")


if __name__ == "__main__":
    main()
