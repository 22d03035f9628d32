"""--overwrite: the old collection stays as it is until the new one is finished; files that are not shoal's stay for good."""
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import SHOAL, fingerprints, shoal


@pytest.fixture(scope="module")
def finished(short_csv, tmp_path_factory):
    """A collection of 40 texts. Tests work on copies."""
    out = tmp_path_factory.mktemp("finished") / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 40, "--out", out)
    return out


@pytest.fixture
def old(finished, tmp_path):
    return pathlib.Path(shutil.copytree(finished, tmp_path / "m.shoal"))


def begin(short_csv, out):
    """Starts to replace `out` by all 2,500 texts; returns when some are embedded."""
    process = subprocess.Popen([SHOAL, "map", short_csv, "--text", "text", "--out", out, "--overwrite", "--quiet"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (out.parent / ".m.shoal.new" / ".vectors.safetensors.part").exists() and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, process.stderr.read()
    return process


def test_a_collection_alone_is_not_made_anew(old):
    before = fingerprints(old)
    for extra in ([], ["--out", old]):
        result = shoal("map", old, "--overwrite", *extra, check=False)
        assert result.returncode == 2 and "--overwrite" in result.stderr, result.stderr
    assert fingerprints(old) == before
    assert os.listdir(old.parent) == ["m.shoal"]


@pytest.mark.parametrize("content", ["text,n\nonly one,1\n", "text,n\na,1\nb,2\n\"open quote,3\n"])
def test_a_bad_input_leaves_the_old_one(old, tmp_path, content):
    before = fingerprints(old)
    bad = tmp_path / "bad.csv"
    bad.write_text(content)
    result = shoal("map", bad, "--text", "text", "--out", old, "--overwrite", check=False)
    assert result.returncode == 3, result.stderr
    assert fingerprints(old) == before
    assert sorted(os.listdir(tmp_path)) == ["bad.csv", "m.shoal"]


def test_ctrl_c_leaves_the_old_one(old, short_csv):
    before = fingerprints(old)
    process = begin(short_csv, old)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on" not in error, error
    assert fingerprints(old) == before
    assert os.listdir(old.parent) == ["m.shoal"]


def test_a_killed_run_leaves_the_old_one_and_can_be_repeated(old, short_csv, tmp_path):
    (old / "notes.txt").write_text("mine")
    before = fingerprints(old)
    process = begin(short_csv, old)
    process.send_signal(signal.SIGSTOP)  # a lock is waited for: the first must not end within that time
    second = shoal("map", short_csv, "--text", "text", "--out", old, "--overwrite", check=False)
    assert second.returncode == 4 and "another shoal process" in second.stderr
    process.kill()
    process.wait()
    assert fingerprints(old) == before
    assert shoal("search", old, "anything").stdout

    small = ["map", short_csv, "--text", "text", "--limit", 30, "--clusters", 3]
    shoal(*small, "--out", old, "--overwrite")
    whole = tmp_path / "whole" / "m.shoal"
    whole.parent.mkdir()
    shoal(*small, "--out", whole)
    after = fingerprints(old)
    assert after.pop("notes.txt") == before["notes.txt"]
    assert after == fingerprints(whole), "the title too is that of the place, not of where it was built"
    assert sorted(os.listdir(tmp_path)) == ["m.shoal", "whole"]


def test_what_is_not_a_collection_of_shoals_is_left_alone(old, short_csv):
    with sqlite3.connect(old / "rows.sqlite") as database:
        database.execute("pragma application_id = 1")
    foreign = old.rename(old.with_name("foreign"))
    (foreign.parent / "mine").mkdir()
    shutil.copy(foreign / "vectors.safetensors", foreign.parent / "mine")  # as `shoal embed` writes them
    for folder in (foreign, foreign.parent / "mine"):
        before = fingerprints(folder)
        result = shoal("map", short_csv, "--text", "text", "--limit", 30, "--out", folder, "--overwrite", check=False)
        assert result.returncode == 2 and "exists already and is not a shoal collection" in result.stderr
        assert fingerprints(folder) == before


DAMAGE = {"lost": lambda path: path.unlink(),
          "empty": lambda path: os.truncate(path, 0),
          "cut or spoilt": lambda path: os.truncate(path, path.stat().st_size // 2)}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_collection_is_called_so_and_made_anew(old, finished, short_csv, tmp_path, what):
    (old / "notes.txt").write_text("mine")
    DAMAGE[what](old / "rows.sqlite")
    before = fingerprints(old)
    texts = ["map", short_csv, "--text", "text", "--limit", 40, "--out", old]
    for verb in (["inspect", old], ["inspect", old, "--check"], ["search", old, "x"], ["search", old, "x", "--words"],
                 ["export", old, "--out", tmp_path / "x.csv"], ["export", old, "--out", tmp_path / "x.npy"],
                 ["map", old], ["map", old, "--overwrite"], texts):
        result = shoal(*verb, check=False)
        assert result.returncode == 5, (verb, result.stderr)
        assert f"{old} is damaged: rows.sqlite is {what}" in result.stderr and "--overwrite" in result.stderr, verb
    assert fingerprints(old) == before
    bad = tmp_path / "bad.csv"
    bad.write_text("text,n\nonly one,1\n")
    assert shoal("map", bad, "--text", "text", "--out", old, "--overwrite", check=False).returncode == 3
    assert fingerprints(old) == before
    shoal(*texts, "--overwrite")
    after = fingerprints(old)
    assert after.pop("notes.txt") == before["notes.txt"] and after == fingerprints(finished)
    assert sorted(os.listdir(tmp_path)) == ["bad.csv", "m.shoal"]
