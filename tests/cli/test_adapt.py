"""`shoal personalise` and `migrate`: the same bytes for any threads and level; profiles and maps change searches as they say."""
import csv
import json

import numpy as np
import pytest
from conftest import ROOT, shoal
from test_same_bytes import levels

MODELS = ROOT / "tests/golden/encoder"


@pytest.fixture(scope="module")
def collection(tmp_path_factory, texts):
    """A map of 400 texts by a small random model, clusters told by hand."""
    folder = tmp_path_factory.mktemp("adapt")
    with (folder / "texts.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text"])
        out.writerows([" ".join(text.split()[:12])] for text in texts[:400])
    out = folder / "texts.shoal"
    shoal("map", folder / "texts.csv", "--text", "text", "--model", MODELS / "bert_new", "--clusters", 8, "--out", out, "--quiet")
    return out


def embedded(collection, tmp_path, model=MODELS / "bert_new"):
    out = tmp_path / "v.npy"
    shoal("embed", collection.parent / "texts.csv", "--text", "text", "--model", model, "--out", out, "--quiet")
    return np.load(out)


@pytest.fixture(scope="module")
def pairs(collection, tmp_path_factory):
    """900 judgements by which side of a plane two texts lie on: held-out ones can be told."""
    folder = tmp_path_factory.mktemp("pairs")
    x = embedded(collection, folder)
    random = np.random.default_rng(1)
    x = x - x.mean(axis=0)
    side = x @ np.linalg.svd(x, full_matrices=False)[2][2] > 0
    with (folder / "pairs.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["row_a", "row_b", "accepted"])
        for a, b in random.integers(0, 400, size=(900, 2)):
            if a != b:
                out.writerow([a, b, int(side[a] == side[b])])
    return folder / "pairs.csv"


def test_profile_same_bytes(collection, pairs, tmp_path):
    made = []
    for i, (threads, level) in enumerate([(1, None), (3, None)] + [(2, level) for level in levels()]):
        out, plot = tmp_path / f"{i}.safetensors", tmp_path / f"{i}.svg"
        shoal("personalise", collection, pairs, "--out", out, "--plot", plot, "--threads", threads, "--quiet", level=level)
        made.append((out.read_bytes(), plot.read_bytes()))
    assert all(m == made[0] for m in made[1:])


def hits(collection, *arguments):
    out = shoal("search", collection, "a library for reading files", "--json", "--quiet", *arguments, "--top", 400)
    return [hit["row"] for hit in json.loads(out.stdout)["hits"]]


def test_profile_changes_what_it_says(collection, pairs, tmp_path):
    out = tmp_path / "p.safetensors"
    report = json.loads(shoal("personalise", collection, pairs, "--out", out, "--json", "--quiet").stdout)
    assert report["trust"] in ("order", "gentle", "top") and not report["identity"]
    plain, personal = hits(collection), hits(collection, "--profile", out)
    assert plain != personal and sorted(plain) == sorted(personal)
    if report["trust"] == "order":
        assert plain[:10] == personal[:10]
    # Numbers of 16 bits, which NumPy's readers know.
    header = json.loads(out.read_bytes()[8 : 8 + int.from_bytes(out.read_bytes()[:8], "little")])
    assert header["centroids"]["dtype"] == "F16"


def test_a_profile_without_trust_changes_nothing(collection, pairs, tmp_path):
    few = tmp_path / "few.csv"
    head, *lines = pairs.read_text().splitlines()
    some = [[line for line in lines if line.endswith(answer)][:4] for answer in "01"]
    few.write_text("\n".join([head, *some[0], *some[1], ""]))
    out = tmp_path / "p.safetensors"
    report = json.loads(shoal("personalise", collection, few, "--out", out, "--json", "--quiet").stdout)
    assert report["identity"]
    assert hits(collection) == hits(collection, "--profile", out)


def test_migrate(collection, tmp_path):
    made = []
    for i, (threads, level) in enumerate([(1, None), (3, None)] + [(2, level) for level in levels()]):
        out = tmp_path / f"{i}.safetensors"
        done = shoal("migrate", collection, MODELS / "roberta", "--out", out, "--threads", threads, "--json", "--quiet", level=level)
        made.append(out.read_bytes())
        report = json.loads(done.stdout)
    assert all(m == made[0] for m in made[1:])
    assert report["rows"] == 400 and report["learnt_from"] == 280 and report["stated_on"] == 60
    assert report["stated"]["low"] <= report["stated"]["recall"] <= report["stated"]["high"]
    through = hits(collection, "--through", tmp_path / "0.safetensors", "--model", MODELS / "roberta")
    assert sorted(through) == sorted(hits(collection))
    # A map from another model is not taken for this one.
    refused = shoal("search", collection, "x", "--through", tmp_path / "0.safetensors", "--model", MODELS / "mpnet", check=False)
    assert refused.returncode != 0 and "mpnet" in refused.stderr and "was given" in refused.stderr
    # Through no map at all the vectors do not fit.
    refused = shoal("search", collection, "x", "--model", MODELS / "roberta", check=False)
    assert refused.returncode != 0
    refused = shoal("migrate", collection, MODELS / "bert_new", "--out", tmp_path / "same.safetensors", check=False)
    assert refused.returncode != 0 and not (tmp_path / "same.safetensors").exists()


def test_migrate_cut_file(collection, tmp_path):
    out = tmp_path / "m.safetensors"
    shoal("migrate", collection, MODELS / "roberta", "--out", out, "--quiet")
    out.write_bytes(out.read_bytes()[:-100])
    refused = shoal("search", collection, "x", "--through", out, "--model", MODELS / "roberta", check=False)
    assert refused.returncode != 0 and "m.safetensors" in refused.stderr
