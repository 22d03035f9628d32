"""A full disk, a foreign folder, another model: one clear message, the right exit status, nothing lost or half written."""
import json
import os
import resource
import shutil
import sqlite3
import subprocess

import pytest
from conftest import SHOAL, fingerprints, shoal


@pytest.fixture(scope="module")
def whole_map(short_csv, tmp_path_factory):
    """A map that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--clusters", 5, "--out", out, "--quiet")
    return out


@pytest.fixture(scope="module")
def whole_vectors(short_csv, tmp_path_factory):
    """The bytes of vectors whose making nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "v.npy"
    shoal("embed", short_csv, "--text", "text", "--out", out)
    return out.read_bytes()


def limit_file_size(megabytes):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (int(megabytes * 1e6), int(megabytes * 1e6)))


def test_really_full_disk_while_embedding(short_csv, whole_vectors, small_disk):
    out = small_disk("1m") / "v.npy"
    result = shoal("embed", short_csv, "--text", "text", "--out", out, check=False)
    assert result.returncode == 4 and "full" in result.stderr, result.stderr
    assert not out.exists()
    small_disk("64m")
    shoal("embed", short_csv, "--text", "text", "--out", out)
    assert out.read_bytes() == whole_vectors


@pytest.mark.parametrize("size", ["200k", "1m", "6m"])  # full in the database, in the vectors, after them
def test_really_full_disk_while_mapping(short_csv, whole_map, small_disk, size):
    arguments = ["map", short_csv, "--text", "text", "--clusters", 5, "--out", small_disk(size) / "m.shoal", "--quiet"]
    result = shoal(*arguments, check=False)
    assert result.returncode == 4 and len(result.stderr.strip().splitlines()) == 1, result.stderr
    out = small_disk("256m") / "m.shoal"
    shoal(*arguments)
    assert fingerprints(out) == fingerprints(whole_map)


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.npy"])
def test_really_full_disk_while_exporting(whole_map, small_disk, name):
    disk = small_disk("64k")
    result = shoal("export", whole_map, "--out", disk / name, check=False)
    assert result.returncode == 4 and "full" in result.stderr, result.stderr
    assert list(disk.iterdir()) == []


def test_full_disk_while_embedding(short_csv, whole_vectors, tmp_path):
    out = tmp_path / "v.npy"
    result = shoal("embed", short_csv, "--text", "text", "--out", out, check=False, preexec_fn=limit_file_size(2))
    assert result.returncode == 4, result.stderr
    assert len(result.stderr.strip().splitlines()[-1]) > 20
    assert not out.exists()
    shoal("embed", short_csv, "--text", "text", "--out", out)  # and goes on when there is room
    assert out.read_bytes() == whole_vectors


def test_full_disk_while_mapping_keeps_what_was_committed(short_csv, whole_map, tmp_path):
    out = tmp_path / "m.shoal"
    arguments = ["map", short_csv, "--text", "text", "--clusters", 5, "--out", out, "--quiet"]
    result = shoal(*arguments, check=False, preexec_fn=limit_file_size(2))
    assert result.returncode == 4, result.stderr
    shoal(*arguments)
    assert fingerprints(out) == fingerprints(whole_map)


def test_standard_output_that_is_full(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 50, "--out", out)
    with open("/dev/full", "w") as full:
        result = subprocess.run([SHOAL, "export", out, "--out", "-"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 4 and "standard output" in result.stderr


def test_a_folder_that_is_no_collection_is_left_alone(short_csv, tmp_path):
    out = tmp_path / "precious"
    out.mkdir()
    (out / "letter.txt").write_text("do not delete")
    for overwrite in ([], ["--overwrite"]):
        result = shoal("map", short_csv, "--text", "text", "--out", out, *overwrite, check=False)
        assert result.returncode == 2 and "is not a shoal collection: it is not replaced" in result.stderr
    assert (out / "letter.txt").read_text() == "do not delete"


def test_another_model_is_refused(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 50, "--out", out)
    model = json.loads(shoal("model", "path", "--json").stdout)["path"]
    other = tmp_path / "other-model"
    shutil.copytree(model, other)
    config = json.loads((other / "sentence_bert_config.json").read_text())
    config["max_seq_length"] = 128
    (other / "sentence_bert_config.json").write_text(json.dumps(config))
    before = fingerprints(out)
    result = shoal("map", short_csv, "--text", "text", "--limit", 50, "--out", out, "--model", other, check=False)
    assert result.returncode == 2 and "was made by the model" in result.stderr
    result = shoal("search", out, "anything", "--model", other, check=False)
    assert result.returncode == 2
    assert fingerprints(out) == before


def test_damaged_models_are_refused(short_csv, tmp_path):
    model = json.loads(shoal("model", "path", "--json").stdout)["path"]
    def broken(name, harm):
        folder = tmp_path / name
        shutil.copytree(model, folder)
        harm(folder)
        result = shoal("embed", short_csv, "--text", "text", "--out", tmp_path / "v.npy", "--model", folder, check=False)
        assert result.returncode in (4, 5, 6), (name, result.returncode, result.stderr)
        assert str(folder) in result.stderr or name in result.stderr, (name, result.stderr)
        assert not (tmp_path / "v.npy").exists()
    broken("no-weights", lambda f: (f / "model.safetensors").unlink())
    broken("cut-weights", lambda f: os.truncate(f / "model.safetensors", 40_000_000))
    broken("no-tokenizer", lambda f: [path.unlink() for path in (f / "tokenizer.json", f / "vocab.txt") if path.exists()])
    broken("cut-tokenizer", lambda f: os.truncate(f / "tokenizer.json", 1000))
    broken("bad-config", lambda f: (f / "config.json").write_text("[" * 100000))
    broken("other-model", lambda f: (f / "config.json").write_text('{"model_type": "llama"}'))


def test_damaged_collections_are_refused(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 50, "--out", out)
    (out / "rows.sqlite").write_bytes(b"not a database" * 1000)
    for verb in (["inspect", out], ["search", out, "x"], ["export", out, "--out", tmp_path / "x.csv"]):
        result = shoal(*verb, check=False)
        assert result.returncode == 5, (verb, result.stderr)
    assert not (tmp_path / "x.csv").exists()


def test_any_sqlite_client_reads_a_collection(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 200, "--clusters", 4, "--out", out)
    with sqlite3.connect(f"file:{out}/rows.sqlite?mode=ro", uri=True) as database:
        assert database.execute("select count(*), count(distinct cluster) from rows").fetchone() == (200, 4)
        assert database.execute("select count(*) from rows where x is null or letter is null").fetchone() == (0,)
        assert database.execute("select sum(size) from clusters").fetchone() == (200,)


def test_a_long_text_takes_the_memory_of_its_beginning(tmp_path):
    (tmp_path / "t.txt").write_text("many words and no end " * 2_000_000 + "\na short one\n")
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # 128 bytes for each of the text would be 5.6 GB
    result = subprocess.run([SHOAL, "embed", "t.txt", "--format", "lines", "--out", "v.npy", "--threads", "2"], cwd=tmp_path,
                            capture_output=True, text=True, preexec_fn=limit)
    assert result.returncode == 0 and "wrote 2 x 384" in result.stdout, result.stderr
