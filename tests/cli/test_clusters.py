"""`shoal cluster` and `shoal classify predict`: the same bytes every time, whole or nothing, right labels."""
import json
import shutil
import signal
import subprocess
import time
import xml.dom.minidom

import numpy as np
import pytest
from conftest import SHOAL, fingerprints, shoal
from test_same_bytes import levels

METHODS = {"spherical_kmeans": ["--clusters", "4"], "kmeans": ["--clusters", "4"], "minibatch_kmeans": ["--clusters", "4"],
           "agglomerative": ["--clusters", "4"], "vmf_mixture": ["--clusters", "4"], "dbscan": ["--eps", "0.2"],
           "hdbscan": ["--min-cluster-size", "10"], "som": ["--grid-rows", "2", "--grid-cols", "2", "--metric", "cosine"]}


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """Four groups of 150 directions in 24 dimensions, in three files, and their true labels."""
    random = np.random.default_rng(3)
    centers = random.normal(size=(4, 24))
    truth = random.integers(0, 4, 600)
    x = (centers[truth] + 0.25 * random.normal(size=(600, 24))).astype(np.float32)
    folder = tmp_path_factory.mktemp("vectors") / "v"
    folder.mkdir()
    for i in range(3):
        np.save(folder / f"part{i + 9}.npy", x[200 * i : 200 * (i + 1)])  # part9, part10, part11: in this order
    return folder, truth


def labels(path, column=1):
    return np.loadtxt(path, delimiter=",", skiprows=1, usecols=column, dtype=int)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_groups(vectors, tmp_path, method):
    folder, truth = vectors
    shoal("cluster", folder, "--method", method, *METHODS[method], "--layout", "none", "--out", tmp_path / "m")
    found = labels(tmp_path / "m/labels.csv")
    assert len(found) == 600
    for group in range(4):  # each true group is one cluster, save what is noise
        inside = found[truth == group]
        inside = inside[inside >= 0]
        assert len(inside) > 120 and len(np.unique(inside)) == 1, (method, group)
    assert len(np.unique(found[found >= 0])) == 4
    report = json.loads((tmp_path / "m/shoal.json").read_text())
    assert report["n_clusters"] == 4 and report["classifier"]["held_out"]["agreement"] > 0.98

    shoal("classify", "predict", tmp_path / "m", folder / "part10.npy", "--layout", "none", "--out", tmp_path / "p")
    likeliest = labels(tmp_path / "p/predictions.csv", 2)
    there = found[200:400]
    assert (likeliest[there >= 0] == there[there >= 0]).mean() > 0.98


@pytest.mark.parametrize("criterion", ["silhouette", "davies_bouldin", "calinski_harabasz", "stability"])
def test_the_number_is_found(vectors, tmp_path, criterion):
    result = shoal("cluster", vectors[0], "--clusters", "2..8", "--criterion", criterion, "--resamples", 5, "--layout", "none",
                   "--out", tmp_path / "m", "--json")
    report = json.loads(result.stdout)
    assert report["chosen"]["n_clusters"] == report["n_clusters"] == 4
    assert report["chosen"]["criterion"] == criterion and str(4) in report["chosen"]["why"]


def test_plots_are_xml(vectors, tmp_path):
    shoal("cluster", vectors[0], "--clusters", "2..6", "--out", tmp_path / "m")
    plots = sorted((tmp_path / "m").glob("*.svg"))
    assert [plot.name for plot in plots] == ["criterion.svg", "distances.svg", "map.svg", "sizes.svg"]
    for plot in plots:
        xml.dom.minidom.parse(str(plot))


def test_the_same_bytes(vectors, tmp_path):
    def made(threads, level=None):
        out = tmp_path / "m"
        shutil.rmtree(out, ignore_errors=True)
        shoal("cluster", vectors[0], "--pca", "0.95", "--standardise", "--method", "agglomerative", "--clusters", "auto",
              "--criterion", "davies_bouldin", "--threads", threads, "--out", out, level=level)
        return fingerprints(out)

    reference = made(2)
    assert made(1) == reference and made(3) == reference
    for level in levels():
        assert made(2, level) == reference, level


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_whole_or_nothing(tmp_path, how):
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(12000, 64)).astype(np.float32))
    command = [SHOAL, "cluster", tmp_path / "x.npy", "--clusters", "30..60", "--out", tmp_path / "m"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not (tmp_path / ".m.part").exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(1)
    process.send_signal(how)
    assert process.wait(timeout=30) == (130 if how == signal.SIGINT else -how)
    assert not (tmp_path / "m").exists()
    if how == signal.SIGINT:
        assert {path.name for path in tmp_path.iterdir()} == {"x.npy"}
    shoal("cluster", tmp_path / "x.npy", "--clusters", "3", "--layout", "none", "--out", tmp_path / "m")
    assert {path.name for path in tmp_path.iterdir()} == {"x.npy", "m"}


def test_a_collection_gives_its_clusters_names(short_csv, tmp_path):
    shoal("map", short_csv, "--text", "text", "--limit", 200, "--out", tmp_path / "c.shoal")
    shoal("cluster", tmp_path / "c.shoal", "--clusters", 5, "--layout", "none", "--out", tmp_path / "m")
    report = json.loads((tmp_path / "m/shoal.json").read_text())
    assert all(cluster["name"] and cluster["words"] for cluster in report["clusters"])
    assert "<td>" + report["clusters"][0]["name"].split(" · ")[0] in (tmp_path / "m/report.html").read_text()
    assert not [path for path in tmp_path.iterdir() if path.name not in ("c.shoal", "m")]


def test_other_vectors_are_refused(vectors, tmp_path):
    shoal("cluster", vectors[0], "--clusters", 4, "--layout", "none", "--out", tmp_path / "m")
    np.save(tmp_path / "short.npy", np.ones((5, 7), np.float32))
    result = shoal("classify", "predict", tmp_path / "m", tmp_path / "short.npy", "--out", tmp_path / "p", check=False)
    assert result.returncode == 3 and "vectors of 7 numbers" in result.stderr and not (tmp_path / "p").exists()
    for name in ("classifier.safetensors", "shoal.json"):
        broken = tmp_path / ("no " + name)
        shutil.copytree(tmp_path / "m", broken)
        data = (broken / name).read_bytes()
        (broken / name).write_bytes(data[: len(data) // 2])
        result = shoal("classify", "predict", broken, vectors[0], "--out", tmp_path / "p", check=False)
        assert result.returncode == 5 and name in result.stderr and not (tmp_path / "p").exists()
