"""How often shoal finds the encoding of a file: texts of many languages, written by Python in the encodings that
their readers use, from one line to hundreds.

    tests/files/encodings.py DUMP_TEXTS DATA [--markdown]

DATA is the folder of data sets (sib200, tatoeba). An answer is right if every text comes out as it went in. For each
language, encoding and number of lines, 20 files (fewer if the texts end); a text that the encoding cannot write is left
out. Exit status 1 if fewer are right than `AT_LEAST` asks."""
import argparse
import collections
import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile

LANGUAGES = {
    "English": ("sib200/eng_Latn_train.csv", ["cp1252", "utf_16_le", "utf_16_be", "utf_32_le"]),
    "German": ("sib200/deu_Latn_train.csv", ["latin_1", "cp1252", "utf_16_le"]),
    "French": ("sib200/fra_Latn_train.csv", ["latin_1", "cp1252"]),
    "Spanish": ("sib200/spa_Latn_train.csv", ["latin_1", "cp1252"]),
    "Italian": ("sib200/ita_Latn_train.csv", ["latin_1", "cp1252"]),
    "Portuguese": ("sib200/por_Latn_train.csv", ["latin_1", "cp1252"]),
    "Polish": ("sib200/pol_Latn_train.csv", ["cp1250", "iso8859_2"]),
    "Turkish": ("sib200/tur_Latn_train.csv", ["cp1254", "iso8859_9"]),
    "Russian": ("sib200/rus_Cyrl_train.csv", ["cp1251", "koi8_r", "iso8859_5", "cp866", "utf_16_be"]),
    "Ukrainian": ("sib200/ukr_Cyrl_train.csv", ["cp1251", "koi8_u"]),
    "Arabic": ("sib200/arb_Arab_train.csv", ["cp1256", "iso8859_6"]),
    "Chinese": ("sib200/zho_Hans_train.csv", ["gbk", "gb18030", "big5", "utf_16_le", "utf_16_be"]),
    "Japanese": ("sib200/jpn_Jpan_train.csv", ["shift_jis", "euc_jp", "iso2022_jp", "utf_16_le"]),
}
LINES = (1, 3, 10, 100)
FILES = 20
AT_LEAST = {1: 0.85, 3: 0.95, 10: 0.97, 100: 0.98}


def texts_of(path, encoding):
    out = []
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = " ".join(row["text"].split())
            try:
                if text and text.encode(encoding).decode(encoding) == text:
                    out.append(text)
            except UnicodeError:
                if encoding == "big5":  # the texts are in simplified letters: keep what is in both
                    kept = "".join(c for c in text if c.encode("big5", "ignore"))
                    if len(kept) > 8:
                        out.append(kept)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dump_texts")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    right, total = collections.Counter(), collections.Counter()
    wrong = collections.defaultdict(collections.Counter)
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        truth = {}
        for language, (file, encodings) in LANGUAGES.items():
            if not (options.data / file).exists():
                continue
            for encoding in encodings:
                texts = texts_of(options.data / file, encoding)
                for lines in LINES:
                    for k in range(min(FILES, max(1, len(texts) // lines))):
                        chosen = draw.sample(texts, min(lines, len(texts)))
                        path = f"{folder}/{language}.{encoding}.{lines}.{k}.txt"
                        with open(path, "wb") as out:
                            out.write("".join(t + "\n" for t in chosen).encode(encoding))
                        truth[path] = (language, encoding, lines, chosen)
        paths = list(truth)
        for begin in range(0, len(paths), 500):
            answers = subprocess.run([options.dump_texts, *paths[begin:begin + 500]], check=True, capture_output=True)
            for line in answers.stdout.decode().splitlines():
                answer = json.loads(line)
                language, encoding, lines, chosen = truth[answer["file"]]
                key = (language, encoding, lines)
                total[key] += 1
                same = [row[0] for row in answer.get("rows", [])] == chosen
                right[key] += same
                if not same:
                    wrong[key[:2]][answer.get("encoding", "refused")] += 1
    if options.markdown:
        print("| texts | encoding | " + " | ".join(f"{n} line{'s' if n > 1 else ''}" for n in LINES) + " |")
        print("|---|---|" + "---:|" * len(LINES))
    for language, (_, encodings) in LANGUAGES.items():
        for encoding in encodings:
            shares = [f"{right[language, encoding, n]}/{total[language, encoding, n]}" for n in LINES]
            if options.markdown:
                print(f"| {language} | {encoding} | " + " | ".join(shares) + " |")
            else:
                print(f"{language:12}{encoding:12}", *[f"{s:>8}" for s in shares], dict(wrong[language, encoding]))
    failed = False
    for n in LINES:
        share = sum(v for k, v in right.items() if k[2] == n) / sum(v for k, v in total.items() if k[2] == n)
        print(f"{n} lines: {share:.3f} right", file=sys.stderr)
        failed |= share < AT_LEAST[n]
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
