"""A full disk, a foreign folder, another model: one clear message, the right exit status, nothing lost or half written."""
import json
import os
import resource
import shutil
import sqlite3

from conftest import fingerprints, shoal


def limit_file_size(megabytes):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (int(megabytes * 1e6), int(megabytes * 1e6)))


def test_full_disk_while_embedding(short_csv, tmp_path):
    out = tmp_path / "v.npy"
    result = shoal("embed", short_csv, "--text", "text", "--out", out, check=False, preexec_fn=limit_file_size(2))
    assert result.returncode == 4, result.stderr
    assert len(result.stderr.strip().splitlines()[-1]) > 20
    assert not out.exists()
    shoal("embed", short_csv, "--text", "text", "--out", out)  # and goes on when there is room


def test_full_disk_while_mapping_keeps_what_was_committed(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    arguments = ["map", short_csv, "--text", "text", "--clusters", 5, "--out", out, "--quiet"]
    result = shoal(*arguments, check=False, preexec_fn=limit_file_size(2))
    assert result.returncode == 4, result.stderr
    shoal(*arguments)
    whole = tmp_path / "whole" / "m.shoal"
    whole.parent.mkdir()
    shoal("map", short_csv, "--text", "text", "--clusters", 5, "--out", whole, "--quiet")
    assert fingerprints(out) == fingerprints(whole)


def test_standard_output_that_is_full(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 50, "--out", out)
    with open("/dev/full", "w") as full:
        import subprocess
        from conftest import SHOAL
        result = subprocess.run([SHOAL, "export", out, "--out", "-"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 4 and "standard output" in result.stderr


def test_a_folder_that_is_no_collection_is_left_alone(short_csv, tmp_path):
    out = tmp_path / "precious"
    out.mkdir()
    (out / "letter.txt").write_text("do not delete")
    for overwrite in ([], ["--overwrite"]):
        result = shoal("map", short_csv, "--text", "text", "--out", out, *overwrite, check=False)
        assert result.returncode == 4 and "exists already" in result.stderr
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
    broken("no-tokenizer", lambda f: (f / "tokenizer.json").unlink())
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
