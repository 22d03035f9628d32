"""`shoal train --cross`: a folder that scores pairs, the same bytes for any threads and after a kill, and what is refused."""
import csv
import json
import random
import shutil
import subprocess
import time

import numpy as np
import pytest
from conftest import ROOT, SHOAL, fingerprints, shoal
from test_same_bytes import levels

ENCODER = ROOT / "tests/golden/encoder/bert_new"
WORDS = ["licence", "work", "map", "terms", "copies", "patent", "contributor", "form", "fox", "dog"]
SMALL = ["--batch-size", 8, "--learning-rate", 0.002, "--seed", 3, "--quiet"]


def answer(*arguments, **options):
    return json.loads(shoal(*arguments, "--json", **options).stdout)


def refused(*arguments):
    done = shoal(*arguments, "--quiet", check=False)
    assert done.returncode != 0
    return done.stderr


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)
    return path


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Pairs that are alike if the second text has one of the first five words."""
    folder, draws = tmp_path_factory.mktemp("tables"), random.Random(1)
    def pairs(n):
        out = []
        for i in range(n):
            word = draws.choice(WORDS[5:] if i % 2 else WORDS[:5])
            out.append([f"the {draws.choice(WORDS)}", f"{word} in any {word}", int(word in WORDS[:5])])
        return out
    write(folder / "pairs.csv", ["query", "passage", "label"], pairs(120))
    write(folder / "dev.csv", ["query", "passage", "label"], pairs(40))
    write(folder / "named.csv", ["sentence1", "sentence2", "label"], [[a, b, ["other", "same"][same]] for a, b, same in pairs(60)])
    write(folder / "triplets.csv", ["anchor", "positive", "negative"],
          [[f"the {w} of text", f"a {w}", f"a {draws.choice([v for v in WORDS if v != w])}"] for w in WORDS])
    return folder


def test_a_folder_that_scores_pairs(tables, tmp_path):
    command = ["train", tables / "pairs.csv", "--cross", "--model", ENCODER, "--dev", tables / "dev.csv", "--epochs", 12, "--out", tmp_path / "cross", *SMALL]
    told = answer(*command)
    assert told["sets"] == [{"file": str(tables / "pairs.csv"), "loss": "BinaryCrossEntropyLoss", "columns": ["query", "passage"], "rows": 120,
                             "target": "label"}]
    assert told["steps"] == 180 and told["dev_metric"] == "average_precision" and len(told["scores"]) == 12
    assert told["losses"][-1] < 0.7 * told["losses"][0]
    before, after = (state["dev"]["value"] for state in told["states"])
    assert after > before + 0.1
    assert "health" not in told["states"][0]
    names = set(fingerprints(tmp_path / "cross"))
    assert {"config.json", "model.safetensors", "tokenizer.json", "training.json", "training.jsonl", "training.html"} <= names
    config = json.loads((tmp_path / "cross/config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"] and config["dtype"] == "float32"
    assert len((tmp_path / "cross/training.jsonl").read_text().splitlines()) == 180
    assert answer(*command)["done_before"]
    # The score that it was chosen by is the score of the folder.
    found = answer("evaluate", tmp_path / "cross", "--task", "pairs", tables / "dev.csv", "--quiet")
    assert found["metrics"]["average_precision"] == pytest.approx(after, abs=1e-9) == pytest.approx(max(told["scores"]), abs=1e-9)


def test_same_bytes_for_any_threads_and_level(tables, tmp_path):
    made = []
    for threads, level in [(1, None), (3, None)] + [(2, level) for level in levels()]:
        out = tmp_path / f"{threads}{level}" / "cross"
        out.parent.mkdir()
        shoal("train", tables / "pairs.csv", "--cross", "--model", ENCODER, "--epochs", 1, "--out", out, "--threads", threads, *SMALL, level=level)
        made.append((out / "model.safetensors").read_bytes())
    assert all(one == made[0] for one in made[1:])


def test_goes_on_after_a_kill(tables, tmp_path):
    command = lambda out: ["train", tables / "pairs.csv", "--cross", "--model", ENCODER, "--epochs", 30, "--checkpoint-seconds", 0.05, "--out", out, *SMALL]
    shoal(*command(tmp_path / "whole"))
    process = subprocess.Popen([SHOAL, *map(str, command(tmp_path / "killed"))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / ".killed.training/checkpoint.safetensors"
    deadline = time.time() + 60
    while not checkpoint.exists() and process.poll() is None and time.time() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert checkpoint.exists() and not (tmp_path / "killed").exists()
    told = answer(*command(tmp_path / "killed"))
    assert told["resumed_from_step"] > 0
    for name in ["model.safetensors", "training.jsonl", "config.json"]:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not checkpoint.parent.exists()


def test_named_labels(tables, tmp_path):
    told = answer("train", tables / "named.csv", "--cross", "--model", ENCODER, "--dev", tables / "named.csv", "--epochs", 8, "--out", tmp_path / "cross", *SMALL)
    assert told["sets"][0]["loss"] == "CrossEntropyLoss" and told["dev_metric"] == "accuracy"
    config = json.loads((tmp_path / "cross/config.json").read_text())
    assert config["id2label"] == {"0": "other", "1": "same"}
    shoal("score", tmp_path / "cross", tables / "named.csv", "--scale", "softmax", "--out", tmp_path / "scored.csv", "--quiet")
    rows = rows_of(tmp_path / "scored.csv")
    sums = [float(row["score_other"]) + float(row["score_same"]) for row in rows]
    np.testing.assert_allclose(sums, 1, atol=1e-6)
    right = np.mean([(float(row["score_same"]) > 0.5) == (row["label"] == "same") for row in rows])
    assert right == pytest.approx(told["states"][-1]["dev"]["value"], abs=1e-9)


def test_triplets_and_learning_on(tables, tmp_path):
    told = answer("train", tables / "triplets.csv", "--cross", "--model", ENCODER, "--dev", tables / "triplets.csv", "--epochs", 2, "--out", tmp_path / "one", *SMALL)
    assert told["rows"] == 20 and told["sets"][0]["columns"] == ["anchor", "positive", "negative"] and told["dev_metric"] == "accuracy"
    again = answer("train", tables / "pairs.csv", "--cross", "--model", tmp_path / "one", "--dev", tables / "triplets.csv", "--epochs", 1,
                   "--out", tmp_path / "two", *SMALL)
    # It begins where the first has ended.
    assert again["states"][0]["dev"] == told["states"][-1]["dev"]


def test_numbers_stay_numbers(tables, tmp_path):
    """mse of scores 20 to 100: a sigmoid would make 1 of all."""
    pairs = rows_of(tables / "pairs.csv")
    scores = write(tmp_path / "scores.csv", ["query", "passage", "score"], [[row["query"], row["passage"], 20 + 80 * int(row["label"])] for row in pairs])
    told = answer("train", scores, "--cross", "--model", ENCODER, "--epochs", 3, "--out", tmp_path / "cross", "--batch-size", 8,
                  "--learning-rate", 0.003, "--seed", 3, "--quiet")
    assert told["sets"][0]["loss"] == "MSELoss"
    shoal("score", tmp_path / "cross", scores, "--out", tmp_path / "scored.csv", "--quiet")
    found = [float(row["score"]) for row in rows_of(tmp_path / "scored.csv")]
    assert max(found) > 1.5 and len(set(found)) > 10
    config = json.loads((tmp_path / "cross/config.json").read_text())
    assert config["sentence_transformers"]["activation_fn"].endswith("Identity")


def test_dev_is_read_as_it_stands(tables, tmp_path):
    """Columns that are named are those of the dev table too, and its scores are raw."""
    rows = [[row["passage"], i % 6, row["query"], 5 * int(row["label"])] for i, row in enumerate(rows_of(tables / "pairs.csv"))]
    table = write(tmp_path / "t.csv", ["b", "label", "a", "much"], rows)
    command = ["train", table, "--cross", "--model", ENCODER, "--columns", "a,b", "--target", "much", "--score-range", "0,5", "--dev", table,
               "--epochs", 1, *SMALL]
    assert answer(*command, "--out", tmp_path / "one")["dev_metric"] == "spearman"
    told = [answer(*command, "--dev-task", task, "--out", tmp_path / task) for task in ["sts", "rerank"]]
    assert [one["dev_metric"] for one in told] == ["spearman", "ndcg@10"]
    one, two = (json.loads((tmp_path / name / "training.json").read_text())["states"] for name in ["one", "sts"])
    assert one == two


def test_files_in_the_root_count(tables, tmp_path):
    """Where the transformer lies in 0_Transformer, prompts stand in the root: another prompt is another model."""
    root = tmp_path / "model"
    shutil.copytree(ENCODER, root / "0_Transformer", ignore=shutil.ignore_patterns("modules.json", "config_sentence_transformers.json", "1_*", "2_*"))
    modules = [{"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}]
    (root / "modules.json").write_text(json.dumps(modules))
    config = root / "config_sentence_transformers.json"
    config.write_text(json.dumps({"prompts": {"query": "a map "}, "default_prompt_name": "query"}))
    command = ["train", tables / "pairs.csv", "--cross", "--model", root, "--epochs", 1, "--out", tmp_path / "cross", *SMALL]
    shoal(*command)
    left = tmp_path / ".cross.training"
    left.mkdir()
    (left / "checkpoint.safetensors").write_text("left by a kill")
    assert answer(*command)["done_before"] and left.exists()  # it is not this command's
    shutil.rmtree(left)
    config.write_text(json.dumps({"prompts": {"query": "a dog "}, "default_prompt_name": "query"}))
    assert "exists" in refused(*command)


def test_refusals(tables, tmp_path):
    cross = ["--cross", "--model", ENCODER, "--out", tmp_path / "cross"]
    pairs = tables / "pairs.csv"
    assert "is of sentence encoders" in refused("train", pairs, *cross, "--margin", 0.5)
    assert "is of sentence encoders" in refused("train", pairs, *cross, "--merge", 0.5)
    assert "bce, mse or ce" in refused("train", pairs, *cross, "--loss", "mnrl")
    assert "goes with --dev" in refused("train", pairs, *cross, "--dev-task", "rerank")
    same = write(tmp_path / "same.csv", ["query", "passage", "label"], [["a", "b", 1], ["c", "d", 1]])
    assert "all targets are 1" in refused("train", same, *cross)
    far = write(tmp_path / "far.csv", ["query", "passage", "label"], [["a", "b", 0], ["e", "f", "NA"], ["c", "d", 3]])
    assert "row 3 is 3" in refused("train", far, *cross, "--loss", "bce")
    assert "row 3 has 3 as label, which is not in --score-range 0,2" in refused("train", far, *cross, "--score-range", "0,2")
    triplets = tables / "triplets.csv"
    assert "--score-range is of pairs with a score" in refused("train", triplets, *cross, "--score-range", "0,5")
    assert "--target is of pairs" in refused("train", triplets, *cross, "--columns", "anchor,positive,negative", "--target", "negative")
    assert "read as names of labels" in refused("train", tables / "named.csv", *cross, "--score-range", "0,5")
    assert "no column" in refused("train", write(tmp_path / "x.csv", ["a", "b"], [["c", "d"]]), *cross)
    assert "another kind of labels" in refused("train", pairs, tables / "named.csv", *cross)
    assert not (tmp_path / "cross").exists() and not (tmp_path / ".cross.training").exists()


def test_sentence_transformers_reads_it(tables, tmp_path):
    sentence_transformers = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    shoal("train", tables / "pairs.csv", "--cross", "--model", ENCODER, "--epochs", 4, "--out", tmp_path / "cross", *SMALL)
    shoal("score", tmp_path / "cross", tables / "dev.csv", "--out", tmp_path / "scored.csv", "--quiet")
    rows = rows_of(tmp_path / "scored.csv")
    model = sentence_transformers.CrossEncoder(str(tmp_path / "cross"), device="cpu")
    expected = model.predict([(row["query"], row["passage"]) for row in rows])
    np.testing.assert_allclose([float(row["score"]) for row in rows], expected, atol=1e-5)
