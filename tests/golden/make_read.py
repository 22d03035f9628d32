#!/usr/bin/env python3
"""Writes what Python's csv, json and UTF-8 decoder make of nasty inputs, for src/shoal/read/golden_test.cpp.

    python3 tests/golden/make_read.py          # refuses to replace files that are there
    python3 tests/golden/make_read.py --force

Three files in read/ beside this script: csv.json, jsonl.json, utf8.json. Each names the Python version that
made it. Draws come from random.Random(seed), whose integers are the same in every Python 3.
"""
import csv
import io
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent / "read"
REPLACEMENT = "\ufffd"


def csv_rows(text, delimiter, skip_space):
    """The rows, or None if a quote is open at the end (which csv lets pass, and we do not)."""

    def rows(s):
        reader = csv.reader(io.StringIO(s, newline=""), delimiter=delimiter, skipinitialspace=skip_space)
        return list(reader)

    # Behind an open quote the two line ends belong to the field; otherwise the last line is blank.
    return None if rows(text + "\n\n")[-1] != [] else rows(text)


def csv_cases(count):
    draw = random.Random(1)
    pieces = ['"', '"', '""', ",", ",", ";", "\t", "\n", "\r", "\r\n", " ", "a", "bc", "\u00e9", "\0", "'", "\\"]
    cases = []
    for i in range(count):
        length = draw.randrange(0, 24)
        text = "".join(pieces[draw.randrange(len(pieces))] for _ in range(length))
        delimiter, skip_space = ",;\t"[draw.randrange(3)], draw.randrange(4) == 0
        cases.append([text, delimiter, skip_space, csv_rows(text, delimiter, skip_space)])
    return cases


def json_value(draw, depth):
    kind = draw.randrange(9 if depth < 3 else 7)
    if kind < 3:
        return json_text(draw)
    if kind == 3:
        return [None, True, False][draw.randrange(3)]
    if kind == 4:
        return draw.randrange(-(10**18), 10**18)
    if kind == 5:
        return [0.5, -1e-7, 1e300, 12.25][draw.randrange(4)]
    if kind == 6:
        return [float("inf"), float("-inf")][draw.randrange(2)] if draw.randrange(5) == 0 else 0
    if kind == 7:
        return [json_value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return {json_text(draw): json_value(draw, depth + 1) for _ in range(draw.randrange(3))}


def json_text(draw):
    pieces = ["a", "word ", '"', "\\", "/", "\n", "\t", "\b", "\x01", "\u00e9", "\u4e2d", "\U0001f600", "{", "}", ","]
    return "".join(pieces[draw.randrange(len(pieces))] for _ in range(draw.randrange(6)))


def mutate(draw, text):
    """Breaks the text a little: most results are no JSON any more, some are."""
    at = draw.randrange(len(text) + 1)
    pieces = ['"', "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\t", " ", "\\u12", "\\ud83d", "\\ude00"]
    pieces += ["null", "NaN", "Infinity", "\x7f", "\x02", "+", "tru"]
    kind = draw.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + pieces[draw.randrange(len(pieces))] + text[at:]
    return text[:at] + pieces[draw.randrange(len(pieces))] + text[at + 1 :]


def plain(value):
    """What we make of it: surrogates alone are U+FFFD, numbers as Python's repr so that infinities can be kept."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return {"number": repr(value)}
    if isinstance(value, float) and value != value:
        return {"number": "nan"}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    return value


def json_cases(count):
    draw = random.Random(2)
    cases = []
    for i in range(count):
        value = {json_text(draw): json_value(draw, 0) for _ in range(draw.randrange(5))}
        separators = [(", ", ": "), (",", ":"), (" ,\t", " :  ")][draw.randrange(3)]
        text = json.dumps(value, ensure_ascii=draw.randrange(2) == 0, separators=separators)
        for _ in range(draw.randrange(3)):
            text = mutate(draw, text)
        try:
            expected = json.loads(text)
            expected = [[plain(k), plain(v)] for k, v in expected.items()] if isinstance(expected, dict) else None
        except ValueError:
            expected = None
        cases.append([text, expected])
    return cases


def outcome(raw):
    """How bytes decode: U+FFFD for each ill-formed piece."""
    return raw.decode("utf-8", errors="replace")


def pairs():
    """All sequences of two bytes: for each first byte runs of [how many second bytes, shape]; in a shape, r is a
    replacement and c a character."""
    table = []
    for first in range(256):
        runs = []
        for second in range(256):
            shape = "".join("r" if c == REPLACEMENT else "c" for c in outcome(bytes([first, second])))
            if runs and runs[-1][1] == shape:
                runs[-1][0] += 1
            else:
                runs.append([1, shape])
        table.append(runs)
    return table


def utf8_cases(count):
    draw = random.Random(3)
    edges = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE]
    edges += [0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]
    cases = []
    for lead in (0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5):
        for second in (0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0):
            for third in (0x41, 0x7F, 0x80, 0xBF, 0xC2):
                cases.append(bytes([lead, second, third]))
                cases += [bytes([lead, second, third, fourth]) for fourth in (0x41, 0x80, 0xBF, 0xF0)]
    for i in range(count):
        length = draw.randrange(0, 20)
        values = edges if i % 2 else range(256)
        cases.append(bytes(values[draw.randrange(len(values))] for _ in range(length)))
    return [[raw.hex(), outcome(raw)] for raw in cases]


def write(name, content):
    path = HERE / name
    if path.exists() and "--force" not in sys.argv:
        sys.exit(f"{path.name} is there already; --force replaces it")
    lines = ["{"] + [f'"made_by": {json.dumps("tests/golden/make_read.py, Python " + sys.version.split()[0])},']
    keys = list(content)
    for key in keys:
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in content[key])
        lines.append(f'"{key}": [\n{rows}\n]' + ("," if key != keys[-1] else ""))
    path.write_text("\n".join(lines) + "\n}\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    write("csv.json", {"cases": csv_cases(2000)})
    write("jsonl.json", {"cases": json_cases(2000)})
    write("utf8.json", {"pairs": pairs(), "cases": utf8_cases(2000)})


if __name__ == "__main__":
    main()
