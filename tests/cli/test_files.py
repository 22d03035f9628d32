"""Files that are there stay as they are until others take their place: whole, as private, and readable to whoever has
them open. A file that another program cuts is named."""
import csv
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import time

import numpy
import pytest

from conftest import SHOAL, fingerprints, shoal


@pytest.fixture(scope="module")
def finished(short_csv, tmp_path_factory):
    """A collection of 2,500 texts. Tests work on copies."""
    out = tmp_path_factory.mktemp("finished") / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--clusters", 5, "--out", out)
    return out


@pytest.fixture
def collection(finished, tmp_path):
    return pathlib.Path(shutil.copytree(finished, tmp_path / "m.shoal"))


def interrupted_in_embedding(collection, *options):
    """Maps a collection again, and stops that when a batch is embedded."""
    process = subprocess.Popen([SHOAL, "map", collection, *options, "--quiet"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    part = collection / ".vectors.safetensors.part"
    while process.poll() is None and not (part.exists() and part.stat().st_size > 1_000_000):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on from here" in error, error
    assert part.exists()


def test_vectors_stay_until_others_are_whole(collection, tmp_path):
    vectors = collection / "vectors.safetensors"
    before = vectors.read_bytes()
    with vectors.open("rb") as reader:
        interrupted_in_embedding(collection, "--max-tokens", "4")
        assert vectors.read_bytes() == before
        assert shoal("search", collection, "anything").stdout
        shoal("export", collection, "--out", tmp_path / "v.npy")
        assert numpy.load(tmp_path / "v.npy").tobytes() == before[-2500 * 384 * 4:]

        # It goes on where it stopped, and ends with the bytes of an unbroken run.
        part = (collection / ".vectors.safetensors.part").stat()
        process = subprocess.Popen([SHOAL, "map", collection, "--quiet"], stdout=subprocess.DEVNULL)
        while process.poll() is None and vectors.stat().st_ino != part.st_ino:
            time.sleep(0.005)
        assert process.wait() == 0
        assert vectors.stat().st_ino == part.st_ino, "the part was thrown away"
        assert vectors.read_bytes() != before
        assert reader.read() == before, "a reader keeps what it has open"
    whole = shutil.copytree(collection, tmp_path / "whole" / "m.shoal")
    (whole / "vectors.safetensors").unlink()
    shoal("map", whole)
    assert fingerprints(whole) == fingerprints(collection)
    assert not [name for name in os.listdir(collection) if name.startswith(".")]


def test_a_part_of_other_options_is_not_gone_on_with(collection):
    before = fingerprints(collection)
    interrupted_in_embedding(collection, "--max-tokens", "4")
    shoal("map", collection, "--max-tokens", "256")
    after = fingerprints(collection)
    for name in ("rows.sqlite", "rows.sqlite.sha256"):  # it has the options: 256 is said now, and was the default
        del before[name], after[name]
    assert after == before


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_permissions_stay(short_csv, tmp_path):
    out, texts = tmp_path / "m.shoal", ["--text", "text", "--limit", 60]
    shoal("map", short_csv, *texts, "--clusters", 4, "--out", out)
    assert mode(out) == 0o755 and mode(out / "rows.sqlite") == 0o644, "this test wants the usual umask"
    for command in (["map", out, "--clusters", 3], ["map", short_csv, *texts, "--out", out, "--overwrite"],
                    ["map", out, "--variance", 0.5, "--max-tokens", 7]):
        out.chmod(0o700)
        for file in out.iterdir():
            file.chmod(0o600)
        shoal(*command)
        assert mode(out) == 0o700, command
        assert {mode(file) for file in out.iterdir()} == {0o600}, (command, [(f.name, oct(mode(f))) for f in out.iterdir()])
        assert os.listdir(tmp_path) == ["m.shoal"]
    for name in ("x.csv", "x.npy"):
        shoal("export", out, "--out", tmp_path / name)
        (tmp_path / name).chmod(0o640)
        shoal("export", out, "--out", tmp_path / name, "--overwrite")
        assert mode(tmp_path / name) == 0o640
    for name in ("e.safetensors", "e.npy"):
        embed = ["embed", short_csv, "--text", "text", "--limit", 20, "--out", tmp_path / name]
        shoal(*embed)
        (tmp_path / name).chmod(0o600)
        shoal(*embed, "--overwrite")
        assert mode(tmp_path / name) == 0o600
    shoal("cluster", tmp_path / "x.npy", "--clusters", 3, "--out", tmp_path / "c")
    (tmp_path / "c").chmod(0o750)
    (tmp_path / "c/labels.csv").chmod(0o600)
    shoal("cluster", tmp_path / "x.npy", "--clusters", 4, "--out", tmp_path / "c", "--overwrite")
    assert mode(tmp_path / "c") == 0o750 and mode(tmp_path / "c/labels.csv") == 0o600


def test_new_collections_are_as_private_as_the_umask(short_csv, tmp_path):
    subprocess.run([SHOAL, "map", short_csv, "--text", "text", "--limit", "60", "--out", "m.shoal"], cwd=tmp_path,
                   check=True, capture_output=True, preexec_fn=lambda: os.umask(0o077))
    out = tmp_path / "m.shoal"
    assert mode(out) == 0o700 and {mode(file) for file in out.iterdir()} == {0o600}


def has_mapped(process, path):
    try:
        return str(path) in pathlib.Path(f"/proc/{process.pid}/maps").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("name", ["v.npy", "odd \x1b[31m.npy"])
def test_a_file_that_is_cut_while_it_is_read_is_named(tmp_path, name):
    path = tmp_path / name
    numpy.save(path, numpy.random.default_rng(1).standard_normal((400_000, 64), dtype=numpy.float32))
    process = subprocess.Popen([SHOAL, "cluster", path, "--clusters", "2", "--out", tmp_path / "c", "--quiet"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not has_mapped(process, tmp_path / name.split("\x1b")[0]):
        time.sleep(0.0005)
    process.send_signal(signal.SIGSTOP)
    os.truncate(path, 4096)
    process.send_signal(signal.SIGCONT)
    _, error = process.communicate(timeout=120)
    shown = str(path).replace("\x1b", "?")
    assert process.returncode == 4, (process.returncode, error)
    assert error == f"shoal: cannot read {shown}: another program cut it while it was read\n"
    assert not (tmp_path / "c").exists()


def test_a_lock_of_a_process_that_is_dying_is_waited_for(collection):
    command = [SHOAL, "map", collection, "--max-tokens", "4", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not (collection / ".vectors.safetensors.part").exists():
        time.sleep(0.005)
    process.kill()  # and not waited for
    subprocess.run(command, check=True, capture_output=True)
    process.wait()


GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"


def test_a_collection_of_version_1_goes_on(tmp_path):
    old = pathlib.Path(shutil.copytree(GOLDEN / "collection_v1", tmp_path / "m.shoal"))
    before = fingerprints(old)
    told = json.loads(shoal("inspect", old, "--json").stdout)
    assert told["rows"] == 24 and [r["name"] for r in told["results"]] == ["cluster", "map"]
    assert [c["name"] for c in told["clusters"]][2] == "library"
    exported = shoal("export", old, "--out", "-").stdout
    assert exported.startswith('row,text,number,letter,cluster,cluster_name,group_name,x,y\n0,"Yet another SIP003 plugin')
    assert shoal("search", old, "library", "--words").stdout.count("library") >= 2
    assert shoal("search", old, "a graphical toolkit").stdout
    assert fingerprints(old) == before, "reading never writes"

    report = json.loads(shoal("map", old, "--clusters", 3, "--json").stdout)
    assert report["n_clusters"] == 3 and report["rows"] == 24
    assert "all 8 files are whole" in shoal("inspect", old, "--check").stdout
    own = [row[:4] for row in csv.reader(shoal("export", old, "--out", "-").stdout.splitlines())]
    assert own == [row[:4] for row in csv.reader(exported.splitlines())], "texts and columns stay"
    # The same input as it was read then is still known.
    again = json.loads(shoal("map", GOLDEN / "collection_v1.csv", "--text", "text", "--clusters", 3, "--out", old, "--json").stdout)
    assert "embed" in again["done_before"]
