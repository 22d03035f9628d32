"""Whether shoal finds how a table is written: random tables of real texts, written by Python's csv module in many
dialects, and read back by it. Each must give the same columns and rows under any name. Files of plain lines must stay
lines.

    tests/files/dialects.py DUMP_TEXTS DATA [--seed N] [--show]

DATA is the folder of data sets. Exit status 1 if fewer are right than `AT_LEAST` asks."""
import argparse
import collections
import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

HEADERS = [("id", "summary", "score", "date", "kind"), ("nr", "Kommentar", "Wert", "Datum", "Art"),
           ("ID", "Customer feedback", "NPS score", "Created at", "Channel"), ("row", "text", "stars", "day", "group")]
AT_LEAST = {"tables": 0.98, "lines": 0.99}


def texts_of(data):
    out = []
    for name, column in (("sib200/eng_Latn_train.csv", "text"), ("sib200/rus_Cyrl_train.csv", "text"),
                         ("sib200/deu_Latn_train.csv", "text"), ("goemotions/dev.csv", "text"),
                         ("covid_question_dup/en.csv", None), ("tgnews/", None)):
        path = data / name
        if not path.is_file():
            continue
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                text = row[column] if column else max(row.values(), key=len)
                if text and text.strip() == text and "\\" not in text:
                    out.append(text)
    return out


def table(draw, texts, rows, dialect):
    """Header and rows, as strings."""
    wide = draw.random() < 0.7
    header = list(draw.choice(HEADERS))[: 5 if wide else draw.choice([2, 3, 4])]
    body = []
    for i in range(rows):
        text = draw.choice(texts)
        kind = draw.random()
        if kind < 0.15:
            words = text.split()
            text = " ".join(words[:2] + ['"' + w + '"' for w in words[2:3]] + words[3:])
        elif kind < 0.25:
            text = text.replace(" ", "\n", 1)
        row = [str(i + 1), text, f"{draw.uniform(0, 10):.2f}", f"2024-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}",
               draw.choice(["web", "shop", "phone"])]
        body.append(row[: len(header)])
    if dialect.get("quoting") == csv.QUOTE_NONE:
        forbidden = dialect["delimiter"] + "\r\n"
        body = [["".join(" " if c in forbidden else c for c in cell).lstrip('"') for cell in row] for row in body]
    return header, body


def dialect_of(draw):
    d = {"delimiter": draw.choice(",,;;\t\t|"), "quotechar": '"', "doublequote": True,
         "quoting": draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
         "lineterminator": draw.choice(["\n", "\r\n"])}
    kind = draw.random()
    if kind < 0.15:
        d.update(doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL)
    elif kind < 0.25:
        d.update(quotechar="'", quoting=csv.QUOTE_ALL)
    elif kind < 0.32 and d["delimiter"] in "\t|":
        d.update(quoting=csv.QUOTE_NONE, quotechar=None)
    return d


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dump_texts")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    texts = texts_of(options.data)
    lines = [" ".join(t.split()) for t in texts]
    right, total = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        truth = {}
        for k in range(300):
            dialect = dialect_of(draw)
            rows = draw.choice([3, 5, 10, 50, 150])
            header, body = table(draw, texts, rows, dialect)
            has_header = draw.random() < 0.75
            titles = draw.choice([0, 0, 0, 0, 1, 2, 3]) if has_header and rows >= 5 and len(header) >= 3 else 0
            out = io.StringIO()
            for t in range(titles):
                out.write(["Report of all customers", "Made on 2024-05-01", ""][t] + dialect["lineterminator"])
            writer = csv.writer(out, **dialect)
            writer.writerows(([header] if has_header else []) + body)
            for ending in (".csv", ".txt", ".dat", ""):
                path = f"{folder}/{k}{ending}"
                pathlib.Path(path).write_bytes(out.getvalue().encode())
                truth[path] = ("tables", dialect, header if has_header else [f"column_{i + 1}" for i in range(len(header))],
                               body, titles)
        for k in range(100):
            chosen = draw.sample(lines, draw.choice([2, 5, 20, 200]))
            for ending in (".txt", ""):
                path = f"{folder}/lines{k}{ending}"
                pathlib.Path(path).write_text("".join(line + "\n" for line in chosen))
                truth[path] = ("lines", None, ["text"], [[line] for line in chosen], 0)
        paths = list(truth)
        answers = []
        for begin in range(0, len(paths), 400):
            done = subprocess.run([options.dump_texts, *paths[begin:begin + 400]], check=True, capture_output=True)
            answers += done.stdout.decode().splitlines()
        for line in answers:
            answer = json.loads(line)
            what, dialect, header, body, titles = truth[answer["file"]]
            columns = answer.get("columns", [])
            order = [columns.index(c) for c in header] if sorted(columns) == sorted(header) else None
            same = order is not None and [[row[i] for i in order] for row in answer["rows"]] == body
            same = same and answer["faults"] == 0
            key = what if what == "lines" else f"tables{pathlib.Path(answer['file']).suffix or ' without ending'}"
            total[key] += 1
            right[key] += same
            if not same and options.show:
                answer["rows"] = len(answer.get("rows", []))
                print(what, dialect, header, len(body), "titles", titles, "->", json.dumps(answer, ensure_ascii=False)[:700])
    failed = False
    for key in sorted(total):
        share = right[key] / total[key]
        print(f"{key:24}{right[key]:5}/{total[key]} right")
        failed |= share < AT_LEAST[key.split(".")[0].split(" ")[0]]
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
