"""The same input, options and seed give the same bytes, whatever the machine does."""
import csv

import numpy as np
import pytest
from conftest import fingerprints, shoal


@pytest.fixture(scope="module")
def reference(short_csv, tmp_path_factory):
    out = tmp_path_factory.mktemp("reference") / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--clusters", 10, "--limit", 600, "--threads", 2, "--out", out)
    return fingerprints(out)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads(short_csv, tmp_path, reference, threads):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--clusters", 10, "--limit", 600, "--threads", threads, "--out", out)
    assert fingerprints(out) == reference


def levels():
    flags = open("/proc/cpuinfo").read()
    return ["base"] + (["avx2"] if " avx2 " in flags else []) + (["avx512"] if " avx512f " in flags else [])


def test_simd_levels(short_csv, tmp_path):
    def mapped(level):
        out = tmp_path / level / "m.shoal"
        out.parent.mkdir()
        shoal("map", short_csv, "--text", "text", "--clusters", 3, "--limit", 24, "--out", out, level=level)
        return fingerprints(out)

    reference = mapped("base")  # plain code is some twenty times slower: few texts
    for level in levels()[1:]:
        assert mapped(level) == reference, level


def test_another_seed_gives_another_map(short_csv, tmp_path, reference):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--clusters", 10, "--limit", 600, "--seed", 43, "--out", out)
    other = fingerprints(out)
    assert other["vectors.safetensors"] == reference["vectors.safetensors"]
    assert other["umap.safetensors"] != reference["umap.safetensors"]


def test_a_text_has_one_vector_in_any_order_and_company(texts, tmp_path):
    def vectors(name, some):
        path = tmp_path / f"{name}.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["text"]] + [[t] for t in some])
        shoal("embed", path, "--out", tmp_path / f"{name}.npy")
        return np.load(tmp_path / f"{name}.npy")

    some = texts[::3]
    together = vectors("together", some)
    order = np.random.default_rng(5).permutation(len(some))
    shuffled = vectors("shuffled", [some[i] for i in order])
    assert np.array_equal(shuffled, together[order])
    for i in (0, 17, len(some) - 1):
        assert np.array_equal(vectors(f"alone{i}", [some[i]])[0], together[i])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
