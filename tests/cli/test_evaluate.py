"""`shoal evaluate` and `shoal negatives`: known numbers, the same answer for any threads and level, and bad input."""
import csv
import json
import os
import pathlib
import random

import pytest
from conftest import ROOT, shoal
from test_same_bytes import levels

SMALL = ROOT / "tests/golden/encoder/bert_old"
CLASSIFIER = ROOT / "tests/golden/sequence_heads/bert_one"
MODEL = "all-MiniLM-L6-v2"


def answer(*arguments, **options):
    return json.loads(shoal(*arguments, "--json", "--quiet", **options).stdout)


def refused(*arguments):
    done = shoal(*arguments, "--quiet", check=False)
    assert done.returncode not in (0, 1) and done.stderr.startswith("shoal: ")
    return done.stderr


def write(path, header, rows):
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)
    return path


def same(found):
    """An answer without what may differ: seconds."""
    return {key: value for key, value in found.items() if key != "seconds_total"}


def data_and_model(file):
    data = os.environ.get("SHOAL_DATA")
    if not data or not (path := pathlib.Path(data) / file).exists():
        pytest.skip(f"SHOAL_DATA has no {file}")
    if shoal("model", "show", MODEL, check=False).returncode != 0:
        pytest.skip(f"{MODEL} is not there")
    return path


@pytest.fixture(scope="module")
def pairs(tmp_path_factory, texts):
    """Anchors and what follows them in one description."""
    rows = []
    for text in texts[:120]:
        words = text.split()
        if len(words) >= 12:
            rows.append([" ".join(words[:6]), " ".join(words[6:12])])
    rows.append([rows[0][0], rows[1][1]])  # an anchor with two positives
    return write(tmp_path_factory.mktemp("pairs") / "pairs.csv", ["anchor", "positive"], rows)


def test_sts_benchmark():
    """What the MTEB results say of MiniLM: cosine Spearman 82.03, Pearson 82.741."""
    found = answer("evaluate", MODEL, data_and_model("stsb/en_test.csv"), "--task", "sts")
    assert found["metric"] == "spearman_cosine" and found["size"] == "1,379 scored pairs"
    assert round(100 * found["value"], 2) == 82.03
    assert round(100 * found["metrics"]["pearson_cosine"], 2) == 82.74
    assert found["low"] < found["value"] < found["high"] and found["high"] - found["low"] < 0.06


def test_the_same_for_any_threads_and_level(tmp_path, texts):
    chooser = random.Random(2)
    parts = [" ".join(text.split()[:8]) for text in texts[:80]]
    tasks = {
        "sts": (["sentence1", "sentence2", "score"], [[a, chooser.choice(parts), round(5 * chooser.random(), 2)] for a in parts]),
        "triplet": (["anchor", "positive", "negative"], [[a, chooser.choice(parts), chooser.choice(parts)] for a in parts]),
        "pairs": (["sentence1", "sentence2", "label"], [[a, chooser.choice(parts), chooser.randrange(2)] for a in parts]),
        "retrieval": (["query", "passage"], [[a[: len(a) // 2], a] for a in parts]),
        "rerank": (["query", "passage", "label"], [[parts[i // 8], a, int(i % 8 < 2)] for i, a in enumerate(parts)]),
        "clustering": (["text", "label"], [[a, a[0]] for a in parts]),
        "classification": (["text", "label"], [[a, "xy"[len(a) % 2]] for a in parts]),
    }
    for task, (header, rows) in tasks.items():
        table = write(tmp_path / f"{task}.csv", header, rows)
        runs = [answer("evaluate", SMALL, table, "--task", task, "--threads", n) for n in (1, 2, 3)]
        runs += [answer("evaluate", SMALL, table, "--task", task, level=level) for level in levels()]
        assert all(same(run) == same(runs[0]) for run in runs[1:]), task
        assert runs[0]["low"] <= runs[0]["value"] <= runs[0]["high"]
        assert runs[0]["metrics"][runs[0]["metric"]] == runs[0]["value"]
        jsonl = tmp_path / f"{task}.jsonl"
        jsonl.write_text("".join(json.dumps(dict(zip(header, row))) + "\n" for row in rows))
        assert answer("evaluate", SMALL, jsonl, "--task", task)["metrics"] == runs[0]["metrics"], task


def test_models_side_by_side(tmp_path, pairs):
    found = answer("evaluate", SMALL, pairs, "--task", "retrieval", "--compare", ROOT / "tests/golden/encoder/mpnet", "--compare", SMALL)
    assert len(found["compared"]) == 2
    other, itself = found["compared"]
    assert other["difference"]["value"] == pytest.approx(found["value"] - other["value"]) and other["difference"]["low"] < other["difference"]["high"]
    assert itself["difference"] == {"value": 0, "low": 0, "high": 0} and itself["verdict"] == "none"
    assert itself["metrics"] == found["metrics"]


def test_bad_input(tmp_path):
    table = tmp_path / "t.csv"
    evaluate = lambda *flags: refused("evaluate", SMALL, table, *flags)
    table.write_text("number,sentence1,sentence2,points\n1,a b,c d,1\n")
    said = evaluate("--task", "sts")
    assert 'no column for score; the columns are "number", "sentence1", "sentence2", "points"' in said and "--columns" in said
    table.write_text("sentence1,sentence2,score\na b,c d,1\ne,f,good\n")
    assert "row 2 has 'good' as score; a number is needed" in evaluate("--task", "sts")
    table.write_text("sentence1,sentence2,label\na b,c d,1\ne,f,1\n")
    assert "one class only: all are 1" in evaluate("--task", "pairs")
    table.write_text("sentence1,sentence2,score\n,c d,1\n ,f,2\n")
    assert "an empty cell where one is needed" in evaluate("--task", "sts")
    table.write_text("text,label\na,x\nb,x\n")
    assert "at least two labels" in evaluate("--task", "clustering")
    table.write_text("")
    assert "t.csv" in evaluate("--task", "sts")
    table.write_text("sentence1,sentence2,score\n")
    assert "a header and no rows" in evaluate("--task", "sts")
    table.write_text("sentence1,sentence2,score\na,b,1\nc,d,2\n,e,3\nf,g,\n")
    done = shoal("evaluate", SMALL, table, "--task", "sts")
    assert "2 rows left out" in done.stderr and "row 3" in done.stderr and "2 scored pairs" in done.stdout
    assert "gives 3 scores a pair" in refused("evaluate", CLASSIFIER, table, "--task", "sts")
    assert "no such file" in refused("evaluate", SMALL, tmp_path / "none.csv", "--task", "sts")


def test_beir_layout(tmp_path, pairs):
    rows = list(csv.DictReader(pairs.open()))[:-1]
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    passages = list(dict.fromkeys(row["positive"] for row in rows))
    queries = list(dict.fromkeys(row["anchor"] for row in rows))
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"_id": f"d{i}", "title": "", "text": p}) + "\n" for i, p in enumerate(passages)))
    (folder / "queries.jsonl").write_text("".join(json.dumps({"_id": f"q{i}", "text": q}) + "\n" for i, q in enumerate(queries)))
    judged = "".join(f"q{queries.index(row['anchor'])}\td{passages.index(row['positive'])}\t1\n" for row in rows)
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    table = write(tmp_path / "rows.csv", ["query", "passage"], [[row["anchor"], row["positive"]] for row in rows])
    assert answer("evaluate", SMALL, folder, "--task", "retrieval")["metrics"] == answer("evaluate", SMALL, table, "--task", "retrieval")["metrics"]
    assert "it has test.tsv" in refused("evaluate", SMALL, folder, "--task", "retrieval", "--split", "dev")
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td9999\t1\nq1\td1\t1\n")
    assert "no passage of" in refused("evaluate", SMALL, folder, "--task", "retrieval")


def test_negatives_same_bytes_and_never_a_positive(tmp_path, pairs):
    rows = list(csv.DictReader(pairs.open()))
    corpus = tmp_path / "more.txt"
    corpus.write_text("".join(row["anchor"] + "\n" for row in rows))
    made = []
    for threads, level in [(1, None), (3, None)] + [(2, level) for level in levels()]:
        out = tmp_path / f"{threads}{level}.csv"
        shoal("negatives", pairs, "--model", SMALL, "--corpus", corpus, "--out", out, "--sampling-strategy", "random", "--range-max", 40,
              "--threads", threads, "--quiet", level=level)
        made.append(out.read_bytes())
    assert all(m == made[0] for m in made[1:])
    positives = {}
    for row in rows:
        positives.setdefault(row["anchor"], set()).add(row["positive"])
    found = list(csv.DictReader(made[0].decode().splitlines()))
    assert len(found) == 3 * sum(len(each) for each in positives.values())
    for row in found:
        assert row["positive"] in positives[row["anchor"]]
        assert row["negative"] != row["anchor"] and row["negative"] not in positives[row["anchor"]]
    shoal("negatives", pairs, "--model", SMALL, "--corpus", corpus, "--out", tmp_path / "other.csv", "--sampling-strategy", "random",
          "--range-max", 40, "--seed", 7, "--quiet")
    assert (tmp_path / "other.csv").read_bytes() != made[0]


def test_negatives_margins_and_scores(tmp_path, pairs):
    out = tmp_path / "n.jsonl"
    found = answer("negatives", pairs, "--model", SMALL, "--out", out, "--absolute-margin", 0.01, "--output-scores")
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert found["rows"] == len(lines) and found["above_positive_taken"] == 0
    assert all(line["scores"][0] - line["scores"][1] > 0.0099 for line in lines)
    assert found["scores"]["difference"]["min"] >= 0.0099 and found["refused"]["absolute_margin"] > 0
    free = answer("negatives", pairs, "--model", SMALL, "--out", tmp_path / "free.csv")
    assert free["above_positive"] >= free["above_positive_taken"] > 0
    for one in free["examples"]:
        assert one["score"] > one["positive_score"]
    tuples = answer("negatives", pairs, "--model", SMALL, "--out", tmp_path / "t.tsv", "--output-format", "n-tuple", "--num-negatives", 2)
    read = list(csv.DictReader((tmp_path / "t.tsv").open(newline=""), delimiter="\t"))
    assert len(read) == tuples["rows"] and list(read[0]) == ["anchor", "positive", "negative_1", "negative_2"]
    assert answer("evaluate", SMALL, tmp_path / "t.tsv", "--task", "triplet")["size"] == f"{2 * len(read)} triplets"
    again = answer("negatives", pairs, "--model", SMALL, "--out", out, "--absolute-margin", 0.01, "--output-scores")
    assert again["done_before"] and again["rows"] == found["rows"]
    out.write_text(out.read_text() + "{}\n")
    assert "--overwrite" in refused("negatives", pairs, "--model", SMALL, "--out", out, "--absolute-margin", 0.01, "--output-scores")


def test_negatives_bad_input(tmp_path, pairs):
    mine = lambda table, *flags: refused("negatives", table, "--model", SMALL, "--out", tmp_path / "x.csv", *flags)
    bad = tmp_path / "bad.csv"
    bad.write_text("id,anchor,text\n1,a,b\n")
    assert 'no column for positive; the columns are "id", "anchor", "text"' in mine(bad)
    bad.write_text("anchor,positive\n,b\na,\n")
    assert "no row with an anchor and a positive" in mine(bad)
    assert "gives labels or scores" in refused("negatives", pairs, "--model", CLASSIFIER, "--out", tmp_path / "x.csv")
    assert "are 2 ranks" in mine(pairs, "--range-min", 3, "--range-max", 5)
    assert not (tmp_path / "x.csv").exists()
