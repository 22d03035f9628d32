"""`shoal ensemble`: a model like any other, the same bytes for any threads and level, and what is refused."""
import csv
import json
import os
import shutil
import subprocess

import numpy as np
import pytest
from conftest import ROOT, SHOAL, fingerprints, shoal
from test_same_bytes import levels

SMALL = ROOT / "tests/golden/encoder/bert_old"


def answer(*arguments, **options):
    return json.loads(shoal(*arguments, "--json", "--quiet", **options).stdout)


def refused(*arguments):
    done = shoal(*arguments, "--quiet", check=False)
    assert done.returncode != 0
    return done.stderr


@pytest.fixture(scope="module")
def table(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("texts") / "texts.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text", "length"])
        for text in texts[:400]:
            out.writerow([text[:200].replace("\n", " "), "long" if len(text) > 400 else "short"])
    return path


@pytest.fixture(scope="module")
def both(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(SMALL, folder / "small")
    shoal("ensemble", "fit", table, "--text", "text", "--parts", f"{folder / 'small'},tfidf", "--tfidf-dims", 24, "--out", folder / "both", "--quiet")
    return folder / "both"


@pytest.mark.parametrize("pool", ["concatenate", "average", "pca"])
def test_same_bytes(table, tmp_path, pool):
    made = []
    for threads, level in [(1, None), (3, None)] + [(2, level) for level in levels()]:
        out = tmp_path / f"{threads}{level}" / "all"
        out.parent.mkdir()
        shoal("ensemble", "fit", table, "--text", "text", "--parts", f"{SMALL},tfidf,tokens:{SMALL}", "--tfidf-dims", 24, "--pool", pool,
              "--out", out, "--threads", threads, "--quiet", level=level)
        shoal("embed", table, "--text", "text", "--model", out, "--out", out.parent / "x.npy", "--threads", threads, "--quiet", level=level)
        made.append((fingerprints(out), (out.parent / "x.npy").read_bytes(), answer("model", "show", out)["id"]))
    assert all(m == made[0] for m in made[1:])
    x = np.load(tmp_path / "1None" / "x.npy")
    assert np.isfinite(x).all() and np.allclose(np.linalg.norm(x, axis=1), 1, atol=1e-5)
    small = answer("model", "show", SMALL)["dims"]
    assert x.shape[1] == {"concatenate": 2 * small + 24, "average": small}.get(pool, x.shape[1])


def test_a_model_like_any_other(both, table, tmp_path):
    """Map, search in it, cluster, classify, anomalies; its vectors and those of a part are of different spaces."""
    made = tmp_path / "t.shoal"
    shoal("map", table, "--text", "text", "--model", both, "--out", made, "--quiet")
    hits = answer("search", made, "python library", "--model", both)
    assert hits["hits"] if "hits" in hits else hits
    assert "cannot be compared" in refused("search", made, "python library", "--model", both.parent / "small")
    shown = answer("inspect", made)
    assert shown["model"] == answer("model", "show", both)["id"]
    shoal("embed", table, "--text", "text", "--model", both, "--out", tmp_path / "both.safetensors", "--quiet")
    shoal("embed", table, "--text", "text", "--model", both.parent / "small", "--out", tmp_path / "small.safetensors", "--quiet")
    shoal("cluster", tmp_path / "both.safetensors", "--clusters", 5, "--layout", "none", "--out", tmp_path / "c", "--quiet")
    assert "was made from vectors of 60" in refused("classify", "predict", tmp_path / "c", tmp_path / "small.safetensors", "--out", tmp_path / "p")
    shoal("classify", "fit", table, "--text", "text", "--label", "length", "--model", both, "--out", tmp_path / "head", "--vectors",
          tmp_path / "both.safetensors", "--quiet")
    shoal("anomalies", table, "--text", "text", "--model", both, "--vectors", tmp_path / "both.safetensors", "--no-trust", "--quiet")


def test_space_of_equal_width(both, table, tmp_path):
    """Refused by who made the vectors, not by their number alone."""
    width = answer("model", "show", both)["dims"]
    other = tmp_path / "other"
    shoal("ensemble", "fit", table, "--text", "text", "--parts", f"{both.parent / 'small'},tfidf", "--tfidf-dims", 24, "--weights", "1,0.4", "--out", other,
          "--quiet")
    assert answer("model", "show", other)["dims"] == width
    for model, name in [(both, "a"), (other, "b")]:
        shoal("embed", table, "--text", "text", "--model", model, "--out", tmp_path / f"{name}.safetensors", "--quiet")
    shoal("cluster", tmp_path / "a.safetensors", "--clusters", 5, "--layout", "none", "--out", tmp_path / "c", "--quiet")
    assert "other@" in refused("classify", "predict", tmp_path / "c", tmp_path / "b.safetensors", "--out", tmp_path / "p")


def test_parts_that_changed_or_went(table, tmp_path):
    part, out = tmp_path / "small", tmp_path / "both"
    shutil.copytree(SMALL, part)
    shoal("ensemble", "fit", table, "--text", "text", "--parts", f"{part},tfidf", "--out", out, "--quiet")
    description = json.loads((out / "ensemble.json").read_text())
    assert description["parts"][0]["path"] == "../small", "what lies beside it is named from there"
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(part, moved / "small")
    assert "is not in" in refused("embed", table, "--text", "text", "--model", out, "--out", tmp_path / "x.npy")
    shutil.move(out, moved / "both")  # its part lies beside it again
    shoal("embed", table, "--text", "text", "--model", moved / "both", "--out", tmp_path / "x.npy", "--quiet")
    config = moved / "small" / "tokenizer_config.json"
    config.write_text(config.read_text() + "\n")
    assert "the ensemble was made with" in refused("embed", table, "--text", "text", "--model", moved / "both", "--out", tmp_path / "y.npy")


def test_added_by_name(both, table, tmp_path):
    environment = dict(os.environ, SHOAL_MODELS=str(tmp_path / "models"))

    def run(*arguments):
        return subprocess.run([SHOAL, *map(str, arguments)], env=environment, capture_output=True, text=True, check=True)

    run("model", "add", both, "--name", "bank")
    listed = run("model", "list").stdout
    assert "ensemble of small and 0.5 tfidf" in listed and "cannot be used" not in listed
    run("embed", table, "--text", "text", "--model", "bank", "--out", tmp_path / "x.npy", "--quiet")
    shoal("embed", table, "--text", "text", "--model", both, "--out", tmp_path / "y.npy", "--quiet")
    assert (tmp_path / "x.npy").read_bytes() == (tmp_path / "y.npy").read_bytes()


def test_words_that_nobody_knows(table, tmp_path):
    out = tmp_path / "words"
    shoal("ensemble", "fit", table, "--text", "text", "--parts", "tfidf", "--out", out, "--quiet")
    strange = tmp_path / "strange.csv"
    strange.write_text("text\nqqqqqq wwwwww\npython\n\xff\n", encoding="latin-1")
    done = answer("embed", strange, "--text", "text", "--model", out, "--out", tmp_path / "x.npy")
    assert done["unknown_texts"] == 2
    x = np.load(tmp_path / "x.npy")
    assert np.isfinite(x).all() and not x[0].any() and not x[2].any() and abs(np.linalg.norm(x[1]) - 1) < 1e-5
    shoal("cluster", tmp_path / "x.npy", "--clusters", 1, "--layout", "none", "--out", tmp_path / "c", "--quiet")


def test_a_gain_and_none(tmp_path):
    """Words decide where the small model of the tests knows nothing; a copy of a part gains nothing."""
    table = tmp_path / "t.csv"
    random = np.random.default_rng(3)
    with table.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text", "label", "other", "score"])
        for i in range(300):
            kind = i % 3
            filler = " ".join(f"w{random.integers(400)}" for _ in range(8))
            out.writerow([f"{filler} part{kind}x{random.integers(2)}", "abc"[kind], filler, round(float(random.random()), 3)])
    shoal("ensemble", "fit", table, "--text", "text", "--parts", f"{SMALL},tfidf", "--out", tmp_path / "both", "--quiet")
    found = answer("ensemble", "evaluate", tmp_path / "both", table, "--text", "text", "--label", "label")
    shots = found["gains"][0]
    assert shots["measure"] == "few-shot accuracy" and found["rows"] == 300 and found["labels"] == 3
    small, words = shots["parts"]
    assert small["gain"]["low"] > 0 and words["alone"]["value"] > small["alone"]["value"]
    for part in shots["parts"]:
        assert part["alone"]["low"] <= part["alone"]["value"] <= part["alone"]["high"]
        assert part["gain"]["value"] == pytest.approx(shots["ensemble"]["value"] - part["alone"]["value"])
    again = answer("ensemble", "evaluate", tmp_path / "both", table, "--text", "text", "--label", "label", "--threads", 1)
    assert again["gains"] == found["gains"]
    pairs = answer("ensemble", "evaluate", tmp_path / "both", table, "--pairs", "text,other", "--score", "score")["gains"][0]
    assert pairs["measure"] == "Spearman correlation" and pairs["verdict"] == "none"
    shoal("ensemble", "fit", table, "--text", "text", "--parts", f"{SMALL}", "--out", tmp_path / "one", "--quiet")
    alone = answer("ensemble", "evaluate", tmp_path / "one", table, "--text", "text", "--label", "label")
    for gain in alone["gains"]:
        assert gain["verdict"] == "none" and gain["parts"][0]["gain"] == {"value": 0, "low": 0, "high": 0}


def test_bad_tables(both, table, tmp_path):
    one = tmp_path / "one.csv"
    one.write_text("text,label,b,score\n" + "".join(f"text {i},a,x,{i}\n" for i in range(9)))
    evaluate = lambda *flags: refused("ensemble", "evaluate", both, one, *flags)
    assert "at least two such labels" in evaluate("--text", "text", "--label", "label")
    assert "at least 10 are needed" in evaluate("--pairs", "text,b", "--score", "score")
    one.write_text("text,b,score\n" + "".join(f"text {i},x,high\n" for i in range(20)))
    assert "'high' as score" in evaluate("--pairs", "text,b", "--score", "score")
    assert "--pairs takes two columns" in evaluate("--pairs", "text", "--score", "score")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert "empty.csv" in refused("ensemble", "evaluate", both, empty, "--text", "text", "--label", "label")
