"""`shoal score`: scores of pairs by cross-encoders and encoders, the same bytes for any threads and level, refusals."""
import csv
import json
import os
import shutil
import subprocess

import numpy as np
import pytest
from conftest import ROOT, SHOAL, shoal
from test_same_bytes import levels

CROSS = ROOT / "tests/golden/cross"
PAIRS = [json.loads(line) for line in (CROSS / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]


def answer(*arguments, **options):
    return json.loads(shoal(*arguments, "--json", "--quiet", **options).stdout)


def refused(*arguments):
    done = shoal(*arguments, "--quiet", check=False)
    assert done.returncode != 0
    return done.stderr


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def golden(name):
    content = (CROSS / f"{name}.safetensors").read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    tensor = json.loads(content[8:header])["scores"]
    first, last = tensor["data_offsets"]
    return np.frombuffer(content[header + first : header + last], np.float32).reshape(tensor["shape"])


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["id", "sentence1", "sentence2", "score"])
        for i, (a, b) in enumerate(PAIRS):
            out.writerow([i, a, b, "own"])
    return path


@pytest.mark.parametrize("name", ["bert_1", "mpnet_1", "roberta_3"])
def test_scores_are_those_of_sentence_transformers(table, tmp_path, name):
    told = answer("score", CROSS / name, table, "--out", tmp_path / "scored.csv")
    labels = 1 if name.endswith("1") else 3
    names = ["score"] if labels == 1 else [f"score_LABEL_{i}" for i in range(3)]
    assert told["by"] == "cross-encoder" and told["scores"] == names and told["columns"] == ["sentence1", "sentence2"]
    assert told["rows"] == told["written"] == len(PAIRS) and told["truncated_pairs"] >= 5
    rows = rows_of(tmp_path / "scored.csv")
    assert list(rows[0]) == ["id", "sentence1", "sentence2", "score (2)" if labels == 1 else "score", *names]
    assert [(row["sentence1"], row["sentence2"]) for row in rows] == [tuple(pair) for pair in PAIRS]
    found = np.array([[float(row[n]) for n in names] for row in rows])
    np.testing.assert_allclose(found, golden(name), atol=1e-5)


def test_same_bytes_for_any_threads_and_level(table, tmp_path):
    made = []
    for threads, level in [(1, None), (3, None)] + [(2, level) for level in levels()]:
        out = tmp_path / f"{threads}{level}.csv"
        shoal("score", CROSS / "bert_3", table, "--out", out, "--threads", threads, "--quiet", level=level)
        made.append(out.read_bytes())
    assert all(one == made[0] for one in made[1:])


def test_ranked_within_each_query(tmp_path):
    table = tmp_path / "candidates.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["passage", "query"])
        for passage in ["of text", "in any form", "The Quick Brown Fox", "a map", "of text"]:
            for query in ["the licence", "a map"]:
                out.writerow([passage, query])
    shoal("score", CROSS / "bert_1", table, "--out", tmp_path / "plain.csv", "--quiet")
    told = answer("score", CROSS / "bert_1", table, "--rank", "--out", tmp_path / "ranked.csv")
    assert told["queries"] == 2
    plain, ranked = rows_of(tmp_path / "plain.csv"), rows_of(tmp_path / "ranked.csv")
    assert [row["query"] for row in ranked] == ["the licence"] * 5 + ["a map"] * 5
    assert [row["rank"] for row in ranked] == ["1", "2", "3", "4", "5"] * 2
    for query in ["the licence", "a map"]:
        expected = sorted((row for row in plain if row["query"] == query), key=lambda row: -float(row["score"]))
        assert [row["passage"] for row in ranked if row["query"] == query] == [row["passage"] for row in expected]
    shoal("score", CROSS / "bert_1", table, "--rank", "--top", 2, "--out", tmp_path / "top.jsonl", "--quiet")
    top = [json.loads(line) for line in (tmp_path / "top.jsonl").read_text().splitlines()]
    assert [row["rank"] for row in top] == [1, 2, 1, 2]
    assert [row["passage"] for row in top] == [row["passage"] for row in ranked if row["rank"] in "12"]


def test_values_of_jsonl_stay_what_they_are(tmp_path):
    table = tmp_path / "pairs.jsonl"
    rows = [{"n": 1, "query": "a", "passage": "map", "tags": ["x"], "none": None}, {"query": "b", "passage": "\u00e4"}]
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shoal("score", CROSS / "bert_1", table, "--out", tmp_path / "scored.jsonl", "--quiet")
    found = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text(encoding="utf-8").splitlines()]
    for row, out in zip(rows, found):
        assert 0 < out.pop("score") < 1
        assert out == row


def test_cosines_of_an_encoder(table, tmp_path):
    model = ROOT / "tests/golden/encoder/bert_old"
    told = answer("score", model, table, "--out", tmp_path / "cosines.csv")
    assert told["by"] == "encoder"
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": text}) + "\n" for pair in PAIRS for text in pair), encoding="utf-8")
    shoal("embed", texts, "--model", model, "--out", tmp_path / "x.npy", "--quiet")
    x = np.load(tmp_path / "x.npy").reshape(len(PAIRS), 2, -1).astype(np.float64)
    expected = (x[:, 0] * x[:, 1]).sum(1) / np.linalg.norm(x, axis=2).prod(1)
    found = [float(row["score"]) for row in rows_of(tmp_path / "cosines.csv")]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert "is of cross-encoders" in refused("score", model, table, "--scale", "logits", "--out", tmp_path / "y.csv")


def test_prompts_of_an_encoder(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(ROOT / "tests/golden/encoder/bert_old", model)
    config = {"prompts": {"query": "the licence of ", "document": "a map: "}}
    (model / "config_sentence_transformers.json").write_text(json.dumps(config))
    texts = [("of text", "in any form", 1), ("of text", "a map", 0), ("a map", "of text", 1), ("a map", "The Quick Brown Fox", 0)]

    def cosines(prompt_a, prompt_b):
        x = []
        for side, prompt in enumerate([prompt_a, prompt_b]):
            table = tmp_path / "texts.jsonl"
            table.write_text("".join(json.dumps({"text": row[side]}) + "\n" for row in texts))
            shoal("embed", table, "--model", model, "--out", tmp_path / "x.npy", "--overwrite", "--quiet", *(["--prompt", prompt] if prompt else []))
            x.append(np.load(tmp_path / "x.npy").astype(np.float64))
        return (x[0] * x[1]).sum(1) / np.linalg.norm(x, axis=2).prod(0)

    def scores(names, *more):
        with (tmp_path / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([names, *texts])
        shoal("score", model, tmp_path / "pairs.csv", "--out", tmp_path / "scored.csv", "--overwrite", "--quiet", *more)
        return [float(row["score"]) for row in rows_of(tmp_path / "scored.csv")]

    found = scores(["query", "passage", "label"])
    np.testing.assert_allclose(found, cosines("query", "document"), atol=1e-6)
    assert np.abs(np.array(found) - cosines(None, None)).max() > 1e-3
    # evaluate orders the candidates alike.
    told = answer("evaluate", model, "--task", "rerank", tmp_path / "pairs.csv", "--metric", "map")
    own = np.mean([1 if found[i] > found[i + 1] else 0.5 for i in (0, 2)])
    assert told["metrics"]["map"] == pytest.approx(own)
    np.testing.assert_allclose(scores(["sentence1", "sentence2", "label"]), cosines(None, None), atol=1e-6)
    np.testing.assert_allclose(scores(["query", "passage", "label"], "--prompt", "query"), cosines("query", "query"), atol=1e-6)


def test_the_input_is_never_replaced(table, tmp_path):
    before = table.read_bytes()
    (tmp_path / "link.csv").symlink_to(table)
    os.link(table, tmp_path / "twin.csv")
    for out in [table, tmp_path / "link.csv", tmp_path / "twin.csv"]:
        assert "is an input, which would be lost" in refused("score", CROSS / "bert_1", table, "--out", out, "--overwrite")
        for other in [(table,), (tmp_path / "other.csv", "--corpus", table)]:
            shutil.copyfile(table, tmp_path / "other.csv")
            command = ["negatives", *other, "--model", ROOT / "tests/golden/encoder/bert_old", "--out", out, "--overwrite"]
            assert "is an input, which would be lost" in refused(*command)
    assert table.read_bytes() == before


def test_done_before_and_changed(table, tmp_path):
    out = tmp_path / "scored.csv"
    command = ["score", CROSS / "bert_1", table, "--out", out]
    assert not answer(*command)["done_before"]
    before = out.read_bytes()
    told = answer(*command)
    assert told["done_before"] and told["written"] == len(PAIRS) and out.read_bytes() == before
    assert "exists" in refused(*command, "--scale", "logits")
    assert "exists" in refused("score", CROSS / "mpnet_1", table, "--out", out)
    assert not answer(*command, "--scale", "logits", "--overwrite")["done_before"]
    assert out.read_bytes() != before
    out.write_text("mine")
    assert "exists" in refused(*command)
    assert out.read_text() == "mine"


def test_standard_input(table, tmp_path):
    run = lambda out: subprocess.run([SHOAL, "score", CROSS / "bert_1", "-", "--out", out, "--quiet"],
                                     input=table.read_bytes(), check=True)
    run(tmp_path / "a.csv")
    shoal("score", CROSS / "bert_1", table, "--out", tmp_path / "b.csv", "--quiet")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_refusals(table, tmp_path):
    out = ["--out", tmp_path / "scored.csv"]
    assert "one score a pair" in refused("score", CROSS / "bert_3", table, "--rank", *out)
    assert "it needs --rank" in refused("score", CROSS / "bert_1", table, "--top", 3, *out)
    assert "the ending says no format" in refused("score", CROSS / "bert_1", table, "--out", tmp_path / "scored.txt")
    assert "no column" in refused("score", CROSS / "bert_1", table, "--columns", "id,other", *out)
    assert "named for both" in refused("score", CROSS / "bert_1", table, "--columns", "id,id", *out)
    assert "no such file" in refused("score", CROSS / "bert_1", tmp_path / "none.csv", *out)
    assert "allowed for this model: 1..32" in refused("score", CROSS / "bert_1", table, "--max-tokens", 99, *out)
    assert "would always be 1" in refused("score", CROSS / "bert_1", table, "--scale", "softmax", *out)
    other = tmp_path / "other.csv"
    other.write_text("a,b,c\nx,y,z\n")
    message = refused("score", CROSS / "bert_1", other, *out)
    assert "no column" in message and '"a"' in message
    broken = tmp_path / "broken"
    shutil.copytree(CROSS / "bert_1", broken)
    os.remove(broken / "model.safetensors")
    assert "model.safetensors" in refused("score", broken, table, *out)
    assert not (tmp_path / "scored.csv").exists()
