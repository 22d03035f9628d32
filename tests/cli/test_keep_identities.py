"""`shoal map --keep-identities`: clusters keep their numbers where a map is made again, and what split, merged, was born or died."""
import collections
import csv
import json
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest
from conftest import SHOAL, fingerprints, shoal


def write(path, texts):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text"], *[[text] for text in texts]])
    return path


@pytest.fixture(scope="module")
def short(texts):
    return [f"{text[:80]} {i}" for i, text in enumerate(texts[:600])]  # no two alike


@pytest.fixture(scope="module")
def mapped(tmp_path_factory, short):
    folder = tmp_path_factory.mktemp("numbers")
    shoal("map", write(folder / "t.csv", short), "--out", folder / "t.shoal", "--clusters", "12", "--quiet")
    return folder


@pytest.fixture
def old(mapped, tmp_path):
    return shutil.copytree(mapped / "t.shoal", tmp_path / "t.shoal")


def clusters_of(collection, result="cluster"):
    """Texts of each cluster, by its number."""
    out = collections.defaultdict(set)
    with sqlite3.connect(f"file:{collection}/rows.sqlite?mode=ro", uri=True) as database:
        for text, cluster in database.execute(f"SELECT text, {result} FROM rows WHERE {result} >= 0"):
            out[cluster].add(text)
    return dict(out)


def again(*arguments):
    return json.loads(shoal("map", *arguments, "--json").stdout)


def check(found, before, now):
    """What is told of the clusters is what their texts say."""
    for one in found["goes_on"]:
        a, b = before[one["before"]], now[one["cluster"]]
        assert one["kept"] == pytest.approx(len(a & b) / len(a | b))
        assert one["kept"] >= 0.1
        assert one["cluster"] == one["before"] or one["before"] >= len(now), "a number is only lost where there is none"
    going = {one["before"] for one in found["goes_on"]}
    assert {one["before"] for one in found["died"]} == set(before) - going
    assert set(found["born"]) == set(now) - {one["cluster"] for one in found["goes_on"]}
    for split in found["splits"]:
        shared = set().union(*now.values()) & before[split["before"]]
        assert len(split["into"]) >= 2 and all(4 * len(shared & now[n]) >= len(shared) for n in split["into"])
    for merge in found["merges"]:
        shared = set().union(*before.values()) & now[merge["cluster"]]
        assert len(merge["of"]) >= 2 and all(4 * len(shared & before[o]) >= len(shared) for o in merge["of"])


def test_numbers_stay_in_place(old, mapped, tmp_path):
    before = clusters_of(old)
    answer = again(old, "--clusters", "14", "--keep-identities")
    found, now = answer["report"]["identities"], clusters_of(old)
    check(found, before, now)
    assert len(found["goes_on"]) >= 9 and found["clusters_before"] == 12 and found["shared_rows"] == 600
    # The same clusters as without it; the numbers alone are others.
    plain = shutil.copytree(mapped / "t.shoal", tmp_path / "plain" / "t.shoal")
    assert "identities" not in again(plain, "--clusters", "14")["report"]
    assert sorted(map(sorted, clusters_of(plain).values())) == sorted(map(sorted, now.values()))
    assert clusters_of(plain) != now
    assert "Which clusters go on?" in json.dumps(json.loads((old / "report.json").read_text())["figures"])
    assert clusters_of(old, "clusters_before") == before, "kept, to compare with"
    shoal("inspect", old, "--check")
    # Asked once, the collection goes on so; and finished, nothing is done again.
    made = fingerprints(old)
    assert again(old)["done_before"] == ["embed", "pca", "layout", "cluster", "explain", "page"]
    assert fingerprints(old) == made
    fewer = again(old, "--clusters", "6")
    check(fewer["report"]["identities"], now, clusters_of(old))
    assert any("fewer" in line or "merged" in line or "died" in line for line in fewer["report"]["identities"]["in_words"])
    # And until it is told otherwise: then nothing of it is left, and the bytes are those of a fresh map.
    again(old, "--clusters", "14", "--keep-identities=false")
    assert fingerprints(old) == fingerprints(plain)


def test_what_is_printed(old):
    said = shoal("map", old, "--clusters", "9", "--keep-identities").stdout
    assert "of 12 clusters go on under their numbers" in said
    # Another method: vectors of the mixture's parts follow the numbers.
    again(old, "--method", "vmf_mixture", "--clusters", "8")
    rows = list(csv.DictReader(shoal("export", old, "--features", "membership", "--out", "-").stdout.splitlines()))
    with sqlite3.connect(f"file:{old}/rows.sqlite?mode=ro", uri=True) as database:
        labels = [label for (label,) in database.execute("SELECT cluster FROM rows ORDER BY id")]
    own = [max(range(8), key=lambda c: float(row[f"cluster_{c}"])) for row in rows]
    assert own == labels


def test_same_bytes(old, tmp_path):
    made = []
    for threads in (1, 3):
        copy = shutil.copytree(old, tmp_path / str(threads) / "t.shoal")
        again(copy, "--clusters", "15", "--keep-identities", "--threads", threads)
        made.append(fingerprints(copy))
    assert made[0] == made[1]


def test_killed_it_ends_with_the_same_bytes(old, tmp_path):
    whole = shutil.copytree(old, tmp_path / "whole" / "t.shoal")
    start = time.perf_counter()
    again(whole, "--clusters", "15", "--keep-identities")
    took = time.perf_counter() - start
    for part in range(1, 9):
        copy = shutil.copytree(old, tmp_path / str(part) / "t.shoal")
        run = subprocess.Popen([SHOAL, "map", copy, "--clusters", "15", "--keep-identities", "--quiet"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(took * part / 9)
        run.send_signal(signal.SIGKILL)
        run.wait()
        again(copy, "--clusters", "15", "--keep-identities")
        assert fingerprints(copy) == fingerprints(whole), part


def test_an_input_that_grew(old, mapped, short, tmp_path, texts):
    before = clusters_of(old)
    grown = write(tmp_path / "t.csv", short + [text[:80] for text in texts[600:700]])
    found = again(grown, "--out", old, "--clusters", "12", "--keep-identities")["report"]["identities"]
    check({**found, "goes_on": []} | {"born": list(clusters_of(old)), "died": [{"before": c} for c in before]}, before, clusters_of(old))
    assert found["shared_rows"] == 600 and len(found["goes_on"]) >= 8


def test_replaced_by_other_rows(old, short, tmp_path, texts):
    """Rows in another order, some gone, some new: found again by their texts, and the user's names with them."""
    shoal("rename", old, 3, "mine")
    before = clusters_of(old)
    other = [text[:80] for text in texts[600:650]] + short[550:100:-1]
    answer = again(write(tmp_path / "other.csv", other), "--out", old, "--overwrite", "--keep-identities", "--clusters", "10")
    now = clusters_of(old)
    there = set(other)
    shared = {c: rows & there for c, rows in before.items()}
    found = answer["report"]["identities"]
    assert found["shared_rows"] == 450
    for one in found["goes_on"]:
        a, b = shared[one["before"]], now[one["cluster"]] & set(short)
        assert one["kept"] == pytest.approx(len(a & b) / len(a | b))
    assert [one["name_before"] for one in found["goes_on"] + found["died"] if one["before"] == 3] == ["mine"]
    assert answer["own_names"]["gone"] == []
    assert [*answer["own_names"]["lost"], *[own["name"] for own in answer["own_names"]["kept"]]] == ["mine"]
    # Fresh, there is nothing to keep.
    assert "identities" not in again(tmp_path / "other.csv", "--out", tmp_path / "fresh.shoal", "--keep-identities")["report"]
