#!/usr/bin/env python3
"""What Russian words by attention are worth on RUSSE's pairs, beside counts, other weights and the encoder.

    words_ru.py [--shoal build/release/shoal] [--data SHOAL_DATA] [--folder FOLDER] [--model multilingual-e5-small]
                [--per-word 2] [--per-set-word 12] [--threads 1] [--out FILE.md]

Descriptions are sentences of news (tgnews) and of STS-B in Russian that use the word: there is no WordNet here. Each of
20 to 300 characters counts once. Words are those that stand as they are written in three sentences or more, and those of
the set that stand in one; none that stands in more than 1% of them, but for the set's. Of a word's sentences those are
taken that were taken least often for others. Forms count as they are: Russian lemmas are not known to shoal.

Told are the pairs whose words are in the vocabulary as they are written, and, if Python has snowballstemmer, those with the
most frequent form of the same Snowball stem for the words that are not in three sentences. Numbers are shoal's own, with
its intervals over words. Everything is made in FOLDER once and taken up again.
"""
import argparse
import collections
import csv
import json
import os
import pathlib
import re
import subprocess
import sys

from words import rows_of, token_vectors, write

HERE = pathlib.Path(__file__).resolve().parent
# name in the table: flags of `shoal words train`; "heads" stands for those that the first chose.
SPACES = {
    "**both**": [],
    "both, uniform weights": ["--weights", "uniform"],
    "moved by attention": ["heads", "--space", "moved"],
    "moved, uniform weights": ["--space", "moved", "--weights", "uniform"],
    "attention, SVD 200": ["heads", "--space", "closed_form"],
    "counts, SVD 200": ["--space", "closed_form", "--weights", "counts"],
    "counts, SVD 300": ["--space", "closed_form", "--weights", "counts", "--svd-dims", "300"],
}
WORD = re.compile(r"[а-яё]+(?:-[а-яё]+)*")
LEAST = 3


def sentences_of(data):
    """The distinct sentences, and how many are of STS-B."""
    found = {}

    def add(text):
        if 20 <= len(text) <= 300:
            found.setdefault(text)

    for part in ("train", "dev", "test"):
        for row in rows_of(data / f"stsb/ru_{part}.csv"):
            add(row["text_a"].strip())
            add(row["text_b"].strip())
    of_pairs = len(found)
    for name in ("ru_categories", "ru_pairs"):
        for line in open(data / f"tgnews/{name}.jsonl", encoding="utf-8"):
            row = json.loads(line)
            for key in ("text", "body", "text_a", "text_b", "body_a", "body_b"):
                for text in re.split(r"(?<=[.!?…])\s+|\n+", row.get(key, "")):
                    add(text.strip())
    return list(found), of_pairs


def descriptions(sentences, set_words, per_word, per_set_word):
    """word, description: the sentences of each word, the rarest words first. And in how many each word stands."""
    places = collections.defaultdict(list)
    for i, text in enumerate(sentences):
        for word in dict.fromkeys(WORD.findall(text.lower())):
            places[word].append(i)
    taken = [0] * len(sentences)
    rows = []
    for word in sorted(places, key=lambda w: (len(places[w]), w)):
        n = len(places[word])
        if word not in set_words and (len(word) < 3 or n < LEAST or n > len(sentences) / 100):
            continue
        for i in sorted(places[word], key=lambda i: (taken[i], i))[: per_set_word if word in set_words else per_word]:
            taken[i] += 1
            rows.append({"word": word, "description": sentences[i]})
    return rows, {word: len(at) for word, at in places.items()}, sum(map(bool, taken))


def forms_by_stem(words, count):
    """For each of the words that stands in too few sentences the most frequent form of its stem, if that stands in more."""
    try:
        import snowballstemmer
    except ImportError:
        return {}
    stem = snowballstemmer.stemmer("russian").stemWord
    best = {}
    for word in sorted(count, key=lambda w: (-count[w], w)):
        best.setdefault(stem(word), word)
    found = {word: best.get(stem(word), word) for word in sorted(words) if count.get(word, 0) < LEAST}
    return {a: b for a, b in found.items() if count.get(b, 0) >= LEAST}


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--shoal", default=str(HERE.parent / "build/release/shoal"))
    ask.add_argument("--data", default=os.environ.get("SHOAL_DATA"))
    ask.add_argument("--folder", type=pathlib.Path, default=HERE.parent / "build/bench/words_ru")
    ask.add_argument("--model", default="multilingual-e5-small")
    ask.add_argument("--per-word", type=int, default=2)
    ask.add_argument("--per-set-word", type=int, default=12)
    ask.add_argument("--threads", default="1")
    ask.add_argument("--token-vectors", type=pathlib.Path, metavar="MODEL_FOLDER", help="the means of its token vectors too")
    ask.add_argument("--out", type=pathlib.Path)
    args = ask.parse_args()
    if not args.data:
        sys.exit("where are the sets? give --data, or set SHOAL_DATA")
    args.folder.mkdir(parents=True, exist_ok=True)
    data = pathlib.Path(args.data)

    def shoal(*words):
        done = subprocess.run([args.shoal, *map(str, words), "--threads", args.threads, "--json"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"shoal {' '.join(map(str, words))}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    pairs = [{**r, "word_a": r["word_a"].strip().lower(), "word_b": r["word_b"].strip().lower()} for r in rows_of(data / "russe_hj/hj.csv")]
    write(args.folder / "hj.csv", pairs)
    set_words = {r[k] for r in pairs for k in ("word_a", "word_b")}
    sentences, of_pairs = sentences_of(data)
    counted = collections.Counter(w for s in sentences for w in set(WORD.findall(s.lower())))
    forms = forms_by_stem(set_words, counted)
    rows, count, used = descriptions(sentences, set_words | set(forms.values()), args.per_word, args.per_set_word)
    write(args.folder / "sentences.csv", rows)
    print(f"{len(sentences)} sentences, {of_pairs} of STS-B; {len(rows)} descriptions, {used} sentences, of "
          f"{len({r['word'] for r in rows})} words", file=sys.stderr)
    store = args.folder / "ru.safetensors"
    told = shoal("words", "prepare", args.folder / "sentences.csv", "--head", "inside", "--language", "ru", "--model", args.model, "--out", store)
    print(json.dumps(told)[:600], file=sys.stderr)

    spaces, heads = {}, []
    for name, flags in SPACES.items():
        flags = [f for flag in flags for f in (heads if flag == "heads" else [flag])]
        spaces[name] = args.folder / re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        told = shoal("words", "train", store, *flags, "--out", spaces[name])
        if not heads:
            made = json.loads((spaces[name] / "words.json").read_text())
            heads = ["--heads", made["heads"], "--layers", made["layers"]]
        print(f"{name}: {told['seconds_total']:.1f} s", file=sys.stderr)
    first = next(iter(spaces))
    if args.token_vectors:
        spaces["the encoder's token vectors"] = args.folder / "token_vectors.txt"
        token_vectors(args.token_vectors, (spaces[first] / "words.txt").read_text().splitlines(), spaces["the encoder's token vectors"])
    spaces["the encoder, word alone"] = args.model

    def evaluated(*flags):
        more = [f for name in list(spaces)[1:] for f in ("--compare", spaces[name])]
        found = shoal("words", "evaluate", spaces[first], args.folder / "hj.csv", *more, *flags)
        return [space["sets"][0] for space in found["spaces"]]

    def interval(m, sign=""):
        return f"{m['value']:{sign}.3f} [{m['low']:{sign}.3f}, {m['high']:{sign}.3f}]"

    columns = [evaluated()]
    if forms:
        write(args.folder / "forms.csv", [{"form": a, "word": b} for a, b in sorted(forms.items())])
        columns.append(evaluated("--forms", args.folder / "forms.csv"))
    titles = [f"{title}: {c[0]['tried']} of {c[0]['rows']} pairs" for title, c in zip(("as written", "forms by stem"), columns)]
    lines = ["| space | " + " | ".join(f"{h} | both less it" for h in titles) + " |", "|---" * (1 + 2 * len(columns)) + "|"]
    for i, name in enumerate(spaces):
        cells = [cell for c in columns for cell in (interval(c[i]), interval(c[i]["difference"], "+") if "difference" in c[i] else "")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    text = "\n".join(lines) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
