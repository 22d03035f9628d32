"""Vectors as NumPy writes them, through the program: the same clusters as of the same numbers in float32, with a remark."""
import json

import numpy as np
import pytest
from conftest import shoal


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(4)
    centres = draw.normal(size=(4, 6)) * 30
    return np.round(np.repeat(centres, 40, axis=0) + draw.normal(size=(160, 6)))


def clustered(path, out):
    result = shoal("cluster", path, "--method", "kmeans", "--clusters", 4, "--layout", "none", "--out", out, "--json")
    return (out / "labels.csv").read_bytes(), result.stderr


KINDS = {"float64": lambda x: x, "float64, columns first": np.asfortranarray, "big endian": lambda x: x.astype(">f8"),
         "int32": lambda x: x.astype("<i4"), "int16, both": lambda x: np.asfortranarray(x.astype(">i2"))}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_clusters_of_float32(rows, tmp_path, kind):
    np.save(tmp_path / "plain.npy", rows.astype("<f4"))
    plain, said = clustered(tmp_path / "plain.npy", tmp_path / "a")
    assert "converted" not in said
    made = KINDS[kind](rows)
    np.save(tmp_path / "x.npy", made)
    np.savez(tmp_path / "stored.npz", ids=np.arange(len(rows)), x=made)
    np.savez_compressed(tmp_path / "packed.npz", ids=np.arange(len(rows)), x=made)
    for name in ("x.npy", "stored.npz", "packed.npz"):
        labels, said = clustered(tmp_path / name, tmp_path / (name + ".c"))
        assert labels == plain, name
        assert f"note: {made.dtype.name} converted to float32" in said
    assert json.loads(shoal("inspect", tmp_path / "packed.npz", "--json").stdout)["converted_from"] == made.dtype.name


def test_what_float32_cannot_hold_is_told(rows, tmp_path):
    x = rows.copy()
    x[17, 3] = 1e200
    np.save(tmp_path / "x.npy", x)
    result = shoal("cluster", tmp_path / "x.npy", "--out", tmp_path / "c", check=False)
    assert result.returncode == 3 and "x.npy: row 17, column 3 holds 1e+200" in result.stderr
    assert not (tmp_path / "c").exists()


def test_an_archive_leaves_nothing_behind(rows, tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", rows)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    clustered(tmp_path / "x.npz", tmp_path / "c")
    assert list(scratch.iterdir()) == []
    monkeypatch.setenv("TMPDIR", str(tmp_path / "absent"))
    result = shoal("inspect", tmp_path / "x.npz", check=False)
    assert result.returncode == 4 and "absent" in result.stderr


def test_one_list_of_numbers_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.ones(5))
    result = shoal("cluster", tmp_path / "x.npy", check=False)
    assert result.returncode == 5 and "one list of 5 numbers" in result.stderr
