#!/usr/bin/env python3
"""Our token ids against those of Python's `tokenizers`, through our whole path: no difference is allowed.

    differential.py DUMP_IDS MODEL_FOLDER [--data FOLDER] [--real 60000] [--random 50000] [--keep FOLDER] [--all]

WordPiece as in all-MiniLM-L6-v2 on all texts, without limit and cut to 256 and 16 ids; a byte-level BPE and a Unigram
trained here on every fifth (--all: on all too); other shapes of tokenizer.json on some.
"""
import argparse
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import tokenizers

import kinds
import texts

LIMITS = [0, 256, 16]
PINNED = "0.23.2"


def write_texts(path, items):
    path.write_bytes(b"".join(struct.pack("<I", len(item)) + item for item in items))


def ours(program, tokenizer, text_file, id_file):
    """For each limit the flat counts-and-ids that dump_ids writes, as one array."""
    subprocess.run([program, tokenizer, text_file, id_file, *map(str, LIMITS)], check=True)
    return np.fromfile(id_file, dtype="<u4")


def theirs(path, items, limit):
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit) if limit else tokenizer.no_truncation()
    parts = []
    for first in range(0, len(items), 4096):
        for encoding in tokenizer.encode_batch_fast(items[first:first + 4096]):
            ids = encoding.ids
            parts.append(np.array([len(ids), *ids], dtype="<u4"))
    return parts


def compare(name, program, path, raw, decoded, work):
    """Prints one line; returns the number of texts whose ids differ."""
    start = time.monotonic()
    write_texts(work / "texts", raw)
    got, at, different, total = ours(program, path, work / "texts", work / "ids"), 0, 0, 0
    for limit in LIMITS:
        for i, expected in enumerate(theirs(path, decoded, limit)):
            count = got[at] if at < len(got) else 0
            if count != expected[0] or not np.array_equal(got[at + 1:at + 1 + count], expected[1:]):
                different += 1
                if different <= 5:
                    print(f"  {name}, limit {limit}, {raw[i]!r}:\n    ours   {got[at + 1:at + 1 + count][:40]}\n"
                          f"    theirs {expected[1:][:40]}")
            at += 1 + int(count)
            total += int(count)
    if at != len(got):
        raise SystemExit(f"{name}: dump_ids wrote {len(got)} numbers, {at} were expected")
    print(f"{name}: {len(raw)} texts, {total} ids, {different} texts differ, {time.monotonic() - start:.1f} s", flush=True)
    return different


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dump_ids")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--data", default=os.environ.get("SHOAL_DATA"))
    parser.add_argument("--real", type=int, default=60000)
    parser.add_argument("--random", type=int, default=50000)
    parser.add_argument("--keep", type=pathlib.Path, help="work here and leave the files")
    parser.add_argument("--all", action="store_true", help="the trained ones too on all texts: some minutes")
    options = parser.parse_args()
    if tokenizers.__version__ != PINNED:
        raise SystemExit(f"differential: tokenizers {tokenizers.__version__} is installed, {PINNED} is wanted")

    raw = texts.real(options.real, options.data) + texts.random_texts(options.random)
    raw += texts.long_texts(160, raw)
    decoded = [text.decode("utf-8", errors="replace") for text in raw]
    lessons = decoded[:options.real:8]
    with tempfile.TemporaryDirectory() as folder:
        work = options.keep or pathlib.Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        minilm = (options.model / "tokenizer.json").read_text(encoding="utf-8")
        whole = {"WordPiece, MiniLM": minilm, "BPE, byte-level": kinds.byte_level_bpe(lessons),
                 "Unigram": kinds.unigram(lessons)}
        others = kinds.variants(whole["BPE, byte-level"], whole["Unigram"], minilm) | kinds.small_bpes(lessons)
        print(f"{len(raw)} texts, {len(others) + len(whole)} tokenizers", flush=True)
        different = 0
        for name, config in (whole | others).items():
            path = work / (name.replace(",", "").replace(" ", "_") + ".json")
            path.write_text(config, encoding="utf-8")
            share = slice(None, None, 1 if name == "WordPiece, MiniLM" or (name in whole and options.all) else
                          5 if name in whole else 40)
            different += compare(name, options.dump_ids, path, raw[share], decoded[share], work)
    if different:
        sys.exit(f"differential: {different} texts differ")


if __name__ == "__main__":
    main()
