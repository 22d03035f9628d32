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


@pytest.mark.parametrize("kind", ["cosine labels that are all 1", "a margin that cannot be met"])
def test_a_collapse_is_caught_within_twenty_steps(tmp_path, kind):
    chooser = random.Random(3)
    texts = [[sentence(chooser) for _ in range(3)] for _ in range(200)]
    if "margin" in kind:
        table = write_rows(tmp_path / "rows.csv", ["anchor", "positive", "negative"], texts)
        how = ["--loss", "triplet", "--margin", 8, "--any-margin"]
    else:
        table = write_rows(tmp_path / "rows.csv", ["sentence1", "sentence2", "score"], [row[:2] + [1] for row in texts])
        how = ["--loss", "cosine"]
    done = shoal("train", table, *how, "--model", MODEL, "--epochs", 20, "--learning-rate", 3e-3, "--watch-every", 10, "--out",
                 tmp_path / "out", "--json")
    answer = json.loads(done.stdout)
    assert "collapses" in answer["harm"] and answer["steps"] <= 20 < answer["planned_steps"]
    before, after = (state["health"] for state in answer["states"])
    assert after["mean_cosine"] < (1 + before["mean_cosine"]) / 2  # what led to it was taken back
    assert "Stopped" in (tmp_path / "out/training.html").read_text()


def test_a_loss_that_is_no_number_names_the_rows(pairs, tmp_path):
    done = train(pairs, tmp_path / "out", "--learning-rate", 1e30, "--json")
    harm = json.loads(done.stdout)["harm"]
    assert "no number at step" in harm and "rows" in harm and "pairs.csv" in harm and "learning rate" in harm
    shoal("embed", pairs, "--text", "sentence1", "--model", tmp_path / "out", "--out", tmp_path / "x.npy")  # a sound model


def test_what_is_no_number_is_never_taken_for_sound(pairs, tmp_path):
    """Also without alarms: a look at vectors that are no numbers must not be what is gone back to."""
    done = shoal("train", pairs, "--model", MODEL, "--score-range", "0,5", "--batch-size", 8, "--learning-rate", 1e30, "--alarms",
                 "--watch-every", 1, "--out", tmp_path / "out", "--json", check=False)
    if done.returncode == 0:
        assert json.loads(done.stdout)["states"][1]["health"]["mean_cosine"] < 1.001
        shoal("embed", pairs, "--text", "sentence1", "--model", tmp_path / "out", "--out", tmp_path / "x.npy")
    else:
        assert "no number" in done.stderr and not (tmp_path / "out").exists()


def test_a_file_whose_name_is_no_utf8(pairs, tmp_path):
    odd = os.fsencode(tmp_path) + b"/p\xff.csv"
    os.rename(pairs, odd)
    command = [SHOAL, "train", odd, "--model", MODEL, "--score-range", "0,5", "--learning-rate", "1e30", "--out", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0 and b"no number" in done.stdout, done.stderr
    assert (tmp_path / "out/model.safetensors").exists()


def test_dev_is_read_by_the_columns_that_are_trained_on(tmp_path):
    chooser = random.Random(5)
    header = ["sentence1", "sentence2", "q1", "q2", "score", "rating"]
    rows = [[*(sentence(chooser) for _ in range(4)), chooser.random(), chooser.random()] for _ in range(60)]
    table = write_rows(tmp_path / "t.csv", header, rows)
    plain = write_rows(tmp_path / "plain.csv", ["sentence1", "sentence2", "score"], [[r[2], r[3], r[5]] for r in rows])
    found = []
    for dev, more in ((table, ["--columns", "q1,q2", "--target", "rating"]), (plain, ["--columns", "q1,q2", "--target", "rating"])):
        done = shoal("train", table, *more, "--model", MODEL, "--dev", dev, "--general", plain, "--epochs", 1, "--out",
                     tmp_path / f"out{len(found)}", "--json")
        states = json.loads(done.stdout)["states"]
        assert states[0]["dev"] == states[0]["general"]  # q1, q2, rating, which plain.csv has under other names
        found.append(states[0]["dev"]["value"])
    assert found[0] == found[1]
    three = write_rows(tmp_path / "three.csv", ["a", "p", "n1", "n2"], [r[:4] for r in rows])
    done = shoal("train", three, "--columns", "a,p,n1,n2", "--model", MODEL, "--dev", three, "--epochs", 1, "--out", tmp_path / "three",
                 "--json")
    assert json.loads(done.stdout)["dev_metric"] == "cosine_accuracy"


def test_columns_of_scores_are_no_negatives(tmp_path):
    chooser = random.Random(5)
    rows = [[sentence(chooser), sentence(chooser), sentence(chooser), 7.5, sentence(chooser)] for _ in range(30)]
    table = write_rows(tmp_path / "t.csv", ["query", "positive", "negative", "negative_score", "neg_2"], rows)
    done = shoal("train", table, "--model", MODEL, "--epochs", 1, "--out", tmp_path / "out", "--json")
    assert json.loads(done.stdout)["sets"][0]["columns"] == ["query", "positive", "negative", "neg_2"]
    found = json.loads(shoal("evaluate", MODEL, table, "--task", "triplet", "--json").stdout)
    assert found["columns"] == ["query", "positive", "negative", "neg_2"]


def test_refusals_that_protect_models(pairs, tmp_path):
    done = shoal("train", pairs, "--model", ROOT / "tests/golden/cross/bert_1", "--score-range", "0,5", "--out", tmp_path / "x", check=False)
    assert done.returncode != 0 and "--cross" in done.stderr
    train(pairs, tmp_path / "teacher", epochs=1)
    texts = write_rows(tmp_path / "texts.csv", ["text"], [[sentence(random.Random(i))] for i in range(20)])
    done = shoal("train", texts, "--loss", "mse", "--model", MODEL, "--teacher", tmp_path / "teacher", "--out", tmp_path / "teacher",
                 "--overwrite", check=False)
    assert done.returncode == 2 and "would be replaced" in done.stderr, done.stderr
    assert shoal("train", pairs, "--text", "x", "--out", tmp_path / "x", check=False).returncode == 2


def test_rows_that_are_in_no_batch_are_told(tmp_path):
    rows = [[f"{word} {i}", "ab"[i > 57]] for i, word in enumerate(WORDS * 5) if i < 60]
    table = write_rows(tmp_path / "t.csv", ["text", "label"], rows)
    done = shoal("train", table, "--model", MODEL, "--epochs", 1, "--out", tmp_path / "out")
    assert "rows in no batch of the first epoch" in done.stderr, done.stderr


def test_a_full_disk_at_a_checkpoint(pairs, tmp_path, small_disk):
    train(pairs, tmp_path / "whole", epochs=20)
    how = [pairs, small_disk("350k") / "out", "--checkpoint-seconds", "0.01"]
    full = train(*how, epochs=20, check=False)
    assert full.returncode == 4 and "full" in full.stderr, full.stderr
    assert not (small_disk("350k") / "out").exists()
    disk = small_disk("64m")
    assert "done" not in train(*how, epochs=20).stdout
    assert files_of(disk / "out") == files_of(tmp_path / "whole")
    assert [path.name for path in disk.iterdir()] == ["out"]


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


def test_known_work_leaves_that_of_others(pairs, tmp_path):
    """Work beside a finished folder goes with it if it is of the same command, and stays if it is of another."""
    place, aside = tmp_path / ".out.training", tmp_path / "aside"
    for out in ("other", "out"):
        stopped = subprocess.Popen([SHOAL, "train", pairs, "--model", MODEL, "--score-range", "0,5", "--epochs",
                                    "400" if out == "other" else "60", "--batch-size", "8", "--watch-every", "5", "--out", tmp_path / "out",
                                    "--checkpoint-seconds", "0.01"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while stopped.poll() is None and not (place / "checkpoint.safetensors").exists():
            time.sleep(0.002)
        stopped.kill()
        stopped.wait()
        place.rename(aside / out) if aside.exists() else (aside.mkdir(), place.rename(aside / out))
    train(pairs, tmp_path / "out", epochs=60)
    for out, stays in (("other", True), ("out", False)):
        (aside / out).rename(place)
        assert "done" in train(pairs, tmp_path / "out", epochs=60).stdout
        assert place.exists() == stays
        if stays:
            place.rename(aside / out)


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
