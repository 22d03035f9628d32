"""`shoal train` as users run it: the same bytes whatever the machine, killed and gone on with, bad input, folders that
sentence-transformers reads."""
import csv
import hashlib
import json
import os
import random
import signal
import subprocess
import time

import pytest

from conftest import ROOT, SHOAL, shoal

MODEL = ROOT / "tests/golden/encoder/bert_new"
WORDS = "the licence work copies terms conditions patent claims contributor map any form under".split()


def files_of(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def write_rows(path, header, rows):
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)
    return path


def sentence(chooser):
    return " ".join(chooser.choice(WORDS) for _ in range(chooser.randrange(2, 9)))


@pytest.fixture
def pairs(tmp_path):
    chooser = random.Random(5)
    return write_rows(tmp_path / "pairs.csv", ["sentence1", "sentence2", "score"],
                      [[sentence(chooser), sentence(chooser), chooser.randrange(6)] for _ in range(120)])


def train(pairs, out, *more, epochs=2, **options):
    return shoal("train", pairs, "--model", MODEL, "--score-range", "0,5", "--epochs", epochs, "--batch-size", 8, "--watch-every",
                 5, "--out", out, *more, **options)


def test_the_same_bytes_for_any_threads_and_instruction_set(pairs, tmp_path):
    train(pairs, tmp_path / "one", "--threads", 1)
    first = files_of(tmp_path / "one")
    assert {"model.safetensors", "2_LayerNorm/model.safetensors", "training.html", "training.jsonl"} <= set(first)
    for name, threads, level in (("two", 2, None), ("three", 3, "avx2"), ("four", 1, "base")):
        train(pairs, tmp_path / name, "--threads", threads, level=level)
        assert files_of(tmp_path / name) == first, name
    other = train(pairs, tmp_path / "other", "--seed", 7)
    assert files_of(tmp_path / "other")["model.safetensors"] != first["model.safetensors"]
    assert "steps" in other.stdout


def test_killed_it_goes_on_to_the_same_bytes(pairs, tmp_path):
    train(pairs, tmp_path / "whole", epochs=40)
    command = [SHOAL, "train", pairs, "--model", MODEL, "--score-range", "0,5", "--epochs", "40", "--batch-size", "8",
               "--watch-every", "5", "--checkpoint-seconds", "0.05", "--out", tmp_path / "killed"]
    kept = tmp_path / ".killed.training/checkpoint.safetensors"
    for wanted in (1, 2, 3):
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = kept.stat().st_mtime_ns if kept.exists() else 0
        while process.poll() is None and (not kept.exists() or kept.stat().st_mtime_ns == before):
            time.sleep(0.005)
        time.sleep(0.03 * wanted)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (tmp_path / "killed").exists():
            break
        assert kept.exists()
    done = shoal(*command[1:], "--json")
    answer = json.loads(done.stdout)
    if not answer["done_before"]:
        assert answer["resumed_from_step"] > 0
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
    assert not kept.parent.exists()
    assert "done" in shoal(*command[1:]).stdout


def test_ctrl_c_keeps_the_work(pairs, tmp_path):
    command = [SHOAL, "train", pairs, "--model", MODEL, "--score-range", "0,5", "--epochs", "2000", "--batch-size", "8",
               "--out", tmp_path / "out"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = tmp_path / ".out.training/training.jsonl"
    while process.poll() is None and (not log.exists() or log.stat().st_size < 1000):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "same command" in said
    assert (tmp_path / ".out.training/checkpoint.safetensors").exists()
    assert not (tmp_path / "out").exists()


def test_the_best_on_dev_is_kept_and_the_page_shows_it(pairs, tmp_path):
    done = shoal("train", pairs, "--model", MODEL, "--score-range", "0,5", "--epochs", 3, "--batch-size", 16, "--dev", pairs,
                 "--general", pairs, "--merge", 0.5, "--learning-rate", 1e-3, "--out", tmp_path / "out", "--json")
    answer = json.loads(done.stdout)
    assert [state["model"] for state in answer["states"]] == ["before", "after", "merged"]
    assert answer["dev_metric"] == "spearman_cosine" and len(answer["scores"]) == 3
    best = max(answer["scores"])
    assert answer["states"][1]["dev"]["value"] == pytest.approx(best)
    found = json.loads(shoal("evaluate", tmp_path / "out", pairs, "--task", "sts", "--json").stdout)
    assert found["value"] == pytest.approx(answer["states"][2]["dev"]["value"], abs=1e-9)
    page = (tmp_path / "out/training.html").read_text()
    assert "<svg" in page and "Before and after" in page and "spearman_cosine" in page


def test_a_collapse_is_caught(tmp_path):
    chooser = random.Random(3)
    rows = [[sentence(chooser), sentence(chooser), 1] for _ in range(200)]
    all_alike = write_rows(tmp_path / "alike.csv", ["sentence1", "sentence2", "score"], rows)
    done = shoal("train", all_alike, "--loss", "cosine", "--model", MODEL, "--epochs", 20, "--learning-rate", 3e-3,
                 "--watch-every", 10, "--out", tmp_path / "out", "--json")
    answer = json.loads(done.stdout)
    assert "collapses" in answer["harm"] and answer["steps"] < answer["planned_steps"]
    assert "Stopped" in (tmp_path / "out/training.html").read_text()


@pytest.mark.parametrize("header, rows, arguments, words", [
    (["sentence1", "sentence2", "score"], [["a", "b", "4"], ["c", "d", "1"]], [], ["row 1", "score", "--score-range 0,5"]),
    (["sentence1", "sentence2", "score"], [["a", "b", "x"]], [], ["row 1", "'x'", "number"]),
    (["sentence1", "sentence2", "score"], [["", "b", "1"], [" ", "b", "0.5"]], [], ["no rows", "empty"]),
    (["text", "label"], [["a", "x"], ["b", "x"]], [], ["all rows have the label x"]),
    (["anchor", "positive"], [["a", "b"], ["c", "d"]], ["--loss", "cosine"], ["needs a column of scores"]),
    (["anchor", "positive"], [["a", "b"], ["c", "d"]], ["--loss", "triplet"], ["anchor, positive", "3 texts"]),
    (["anchor", "positive"], [["a", "b"], ["c", "d"]], ["--loss", "nonsense"], ["nonsense", "mnrl"]),
    (["anchor", "positive"], [["a", "b"]], ["--columns", "anchor,other"], ["no column other", "anchor, positive"]),
    (["anchor", "positive"], [["a", "a"]] * 5, [], ["no batch"]),
    (["anchor", "positive"], [["a", "b"]], ["--loss", "mse"], ["teacher"]),
    (["anchor", "positive"], [["a", "b"]], [], ["at least two"]),
    (["anchor", "positive"], [["a", "b"], ["c", "d"]], ["--margin", "0.1"], ["--margin is of"]),
    (["anchor", "positive"], [["a", "b"], ["c", "d"]], ["--mixing", "round_robin"], ["--mixing is of several tables"]),
    (["anchor", "positive"], [["a", "b"], ["c", "d"]], ["--score-every", "3"], ["--dev gives them"]),
    (["sentence1", "sentence2", "label"], [["", "b", "1"], ["a", "b", "1"], ["c", "d", "0.5"]],
     ["--loss", "contrastive"], ["row 3", "0.5"]),
    (["anchor", "positive"], [["a", "b"], ["c", "d"]], ["--freeze-layers", "9"], ["--freeze-layers is 9"]),
    (["anchor", "positive"], [["a", "b"], ["c", "d"]], ["--score-range", "5"], ["--score-range is '5'"]),
])
def test_bad_input_is_told(tmp_path, header, rows, arguments, words):
    path = write_rows(tmp_path / "rows.csv", header, rows)
    done = shoal("train", path, "--model", MODEL, "--out", tmp_path / "out", *arguments, check=False)
    assert done.returncode in (2, 3), done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_margins_that_cannot_be_met_are_refused(tmp_path):
    model = ROOT / "tests/golden/encoder/mpnet"
    rows = write_rows(tmp_path / "rows.csv", ["anchor", "positive", "negative"], [["a", "b", "c"], ["d", "e", "f"]])
    done = shoal("train", rows, "--model", model, "--loss", "triplet", "--margin", 5, "--out", tmp_path / "out", check=False)
    if done.returncode == 0:
        pytest.skip("this model does not scale its vectors")
    assert done.returncode == 2 and "margin" in done.stderr


def test_decimal_commas_and_named_columns(tmp_path):
    path = write_rows(tmp_path / "rows.csv", ["id", "eins", "zwei", "wert"],
                      [[i, f"a map {i}", "the work", f"{i % 5},5"] for i in range(20)])
    done = shoal("train", path, "--model", MODEL, "--columns", "eins,zwei", "--target", "wert", "--score-range", "0,5",
                 "--dev", path, "--out", tmp_path / "out", "--json")
    answer = json.loads(done.stdout)
    assert answer["sets"][0]["columns"] == ["eins", "zwei"] and answer["dev_metric"] == "spearman_cosine"


def test_yes_and_no_are_labels(tmp_path):
    path = write_rows(tmp_path / "rows.csv", ["sentence1", "sentence2", "label"],
                      [["a", "b", "yes"], ["c", "d", "no"], ["map", "work", "yes"]])
    done = shoal("train", path, "--model", MODEL, "--out", tmp_path / "out", "--json")
    assert json.loads(done.stdout)["sets"][0]["loss"] == "contrastive"


def test_finished_work_is_known_and_what_is_damaged_is_not(pairs, tmp_path):
    out = tmp_path / "out"
    train(pairs, out)
    assert "done before" in train(pairs, out).stdout
    for arguments in (["--dev", pairs], ["--general", pairs], [pairs]):
        done = train(pairs, out, *arguments, check=False)
        assert done.returncode == 2 and "exists" in done.stderr, arguments
    (out / "1_Pooling/config.json").write_text("{}")
    assert train(pairs, out, check=False).returncode == 2
    few = write_rows(tmp_path / "few.csv", ["sentence1", "sentence2", "score"], [["a map", "the work", i] for i in (0, 5)])
    first = train(few, out, "--overwrite", epochs=300)  # a report of many losses is known too
    assert "wrote" in first.stdout
    assert "done before" in train(few, out, epochs=300).stdout


def test_stopped_after_the_last_step_nothing_is_lost(pairs, tmp_path):
    chooser = random.Random(9)
    general = write_rows(tmp_path / "general.csv", ["sentence1", "sentence2", "score"],
                         [[sentence(chooser), sentence(chooser), i % 6] for i in range(6000)])
    command = [SHOAL, "train", pairs, "--model", MODEL, "--score-range", "0,5", "--epochs", "1", "--general", general,
               "--out", tmp_path / "out"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = tmp_path / ".out.training/training.jsonl"
    while process.poll() is None and not (log.exists() and '"step":4,' in log.read_text()):
        time.sleep(0.002)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate()
    if process.returncode == 0:
        pytest.skip("it was done before the signal came")
    kept = tmp_path / ".out.training/checkpoint.safetensors"
    assert kept.exists() and not (tmp_path / "out").exists()
    answer = json.loads(shoal(*command[1:], "--json").stdout)
    assert answer["resumed_from_step"] > 0 and not kept.exists()


def test_other_options_begin_anew_and_say_so(pairs, tmp_path):
    command = [SHOAL, "train", pairs, "--model", MODEL, "--score-range", "0,5", "--epochs", "3000", "--batch-size", "8",
               "--checkpoint-seconds", "0.1", "--out", tmp_path / "out"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (tmp_path / ".out.training/checkpoint.safetensors").exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = train(pairs, tmp_path / "out")
    assert "begun anew" in done.stderr


def test_an_empty_file_and_a_folder_in_use(tmp_path, pairs):
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    done = shoal("train", empty, "--model", MODEL, "--out", tmp_path / "out", check=False)
    assert done.returncode == 3 and "empty.csv" in done.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("kept")
    done = train(pairs, tmp_path / "mine", "--overwrite", check=False)
    assert done.returncode == 2 and (tmp_path / "mine/file").read_text() == "kept"
    done = train(pairs, MODEL, check=False)
    assert done.returncode == 2 and "exists" in done.stderr


def test_sentence_transformers_reads_the_folder(pairs, tmp_path):
    python = os.environ.get("SHOAL_PEERS", "")
    if not python:
        pytest.skip("SHOAL_PEERS does not name a Python with sentence-transformers")
    for name in ("bert_new", "roberta", "distilbert", "mpnet", "xlm_roberta", "bert_poolings", "bert_bare", "bert_old"):
        shoal("train", pairs, "--model", ROOT / "tests/golden/encoder" / name, "--score-range", "0,5", "--epochs", 1, "--out",
              tmp_path / name)
        texts = [row[0] for row in csv.reader(pairs.open())][1:20]
        lines = tmp_path / "texts.txt"
        lines.write_text("\n".join(texts) + "\n")
        vectors = tmp_path / (name + ".npy")
        shoal("embed", lines, "--format", "lines", "--model", tmp_path / name, "--out", vectors)
        script = ("import sys, numpy, sentence_transformers as s\n"
                  "model = s.SentenceTransformer(sys.argv[1], device='cpu')\n"
                  "texts = open(sys.argv[2]).read().splitlines()\n"
                  "found, own = model.encode(texts), numpy.load(sys.argv[3])\n"
                  "print(abs(found - own).max() / max(1, abs(own).max()))\n")
        done = subprocess.run([python, "-c", script, tmp_path / name, lines, vectors], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert float(done.stdout.splitlines()[-1]) < 2e-6, name
