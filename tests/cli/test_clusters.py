"""`shoal cluster` and `shoal classify predict`: the same bytes every time, whole or nothing, right labels."""
import html
import json
import shutil
import signal
import subprocess
import time
import xml.dom.minidom

import numpy as np
import pytest
from conftest import SHOAL, fingerprints, shoal
from test_layout import save_vectors
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
    report = json.loads((tmp_path / "m/report.json").read_text())
    assert report["n_clusters"] == 4 and report["classifier"]["held_out"]["agreement"] > 0.98

    shoal("classify", "predict", tmp_path / "m", folder / "part10.npy", "--layout", "none", "--out", tmp_path / "p")
    likeliest = labels(tmp_path / "p/predictions.csv", 2)
    there = found[200:400]
    assert (likeliest[there >= 0] == there[there >= 0]).mean() > 0.98


@pytest.mark.parametrize("method", METHODS)
def test_by_the_method_itself(vectors, tmp_path, method):
    folder, _ = vectors
    shoal("cluster", folder, "--method", method, *METHODS[method], "--layout", "none", "--classifier", "none", "--pca", 8,
          "--out", tmp_path / "m")
    predict = ["classify", "predict", tmp_path / "m", folder, "--layout", "none", "--out", tmp_path / "p"]
    if method == "dbscan":
        refused = shoal(*predict, check=False)
        assert refused.returncode == 2 and "no rule for new rows" in refused.stderr
        assert not (tmp_path / "p").exists()
        return
    result = json.loads(shoal(*predict, "--json").stdout)
    same = labels(tmp_path / "p/predictions.csv") == labels(tmp_path / "m/labels.csv")
    assert result["by"] == "method"
    if method == "agglomerative":
        assert abs(same.mean() - result["placement_agreement"]) < 1e-9
    else:
        assert same.all()
    assert sum(c["size"] for c in result["clusters"]) + result["unlike"] == 600
    refused = shoal(*predict, "--overwrite", "--by", "classifier", check=False)
    assert refused.returncode == 2 and "has no classifier" in refused.stderr


def test_no_rows_to_place(vectors, tmp_path):
    shoal("cluster", vectors[0], "--clusters", 4, "--pca", 8, "--layout", "none", "--out", tmp_path / "m")
    np.save(tmp_path / "none.npy", np.zeros((0, 24), np.float32))
    refused = shoal("classify", "predict", tmp_path / "m", tmp_path / "none.npy", "--out", tmp_path / "p", check=False)
    assert refused.returncode == 3 and "has no rows" in refused.stderr and not (tmp_path / "p").exists()


@pytest.mark.parametrize("criterion", ["silhouette", "davies_bouldin", "calinski_harabasz", "stability"])
def test_the_number_is_found(vectors, tmp_path, criterion):
    result = shoal("cluster", vectors[0], "--clusters", "2..8", "--criterion", criterion, "--resamples", 5, "--layout", "none",
                   "--out", tmp_path / "m", "--json")
    report = json.loads(result.stdout)
    assert report["chosen"]["n_clusters"] == report["n_clusters"] == 4
    assert report["chosen"]["criterion"] == criterion and str(4) in report["why"]


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
    report = json.loads((tmp_path / "m/report.json").read_text())
    assert all(cluster["name"] and cluster["words"] for cluster in report["clusters"])
    assert "<td>" + report["clusters"][0]["name"].split(" · ")[0] in (tmp_path / "m/report.html").read_text()
    assert not [path for path in tmp_path.iterdir() if path.name not in ("c.shoal", "m")]


@pytest.mark.parametrize("prepared", [[], ["--pca", 8, "--standardise"]])
def test_vectors_that_do_not_say_their_model(vectors, tmp_path, prepared):
    """A .npy file goes with clusters of any model, and theirs with any, with a remark; other models do not."""
    x = np.concatenate([np.load(vectors[0] / f"part{i}.npy") for i in (9, 10, 11)])
    np.save(tmp_path / "unknown.npy", x)
    save_vectors(tmp_path / "known.safetensors", x, "a@1")
    save_vectors(tmp_path / "other.safetensors", x, "b@2")
    for made in ("unknown.npy", "known.safetensors"):
        shoal("cluster", tmp_path / made, "--clusters", 4, *prepared, "--layout", "none", "--out", tmp_path / made[:3])
    found = set()
    for model, what in [(m, w) for m in ("unk", "kno") for w in ("unknown.npy", "known.safetensors")]:
        for by in ("classifier", "method"):
            result = shoal("classify", "predict", tmp_path / model, tmp_path / what, "--by", by, "--layout", "none",
                           "--out", tmp_path / "p", "--overwrite")
            assert ("taken to be of the same one" in result.stderr) == (what[:3] != model), (model, what, by)
            found.add((by, (tmp_path / "p/predictions.csv").read_text()))
    assert len(found) == 2
    refused = shoal("classify", "predict", tmp_path / "kno", tmp_path / "other.safetensors", "--out", tmp_path / "q", check=False)
    assert refused.returncode == 3 and "b@2" in refused.stderr


def test_other_vectors_are_refused(vectors, tmp_path):
    shoal("cluster", vectors[0], "--clusters", 4, "--layout", "none", "--out", tmp_path / "m")
    np.save(tmp_path / "short.npy", np.ones((5, 7), np.float32))
    result = shoal("classify", "predict", tmp_path / "m", tmp_path / "short.npy", "--out", tmp_path / "p", check=False)
    assert result.returncode == 3 and "vectors of 7 numbers" in result.stderr and not (tmp_path / "p").exists()
    for name in ("classifier.safetensors", "report.json"):
        broken = tmp_path / ("no " + name)
        shutil.copytree(tmp_path / "m", broken)
        data = (broken / name).read_bytes()
        (broken / name).write_bytes(data[: len(data) // 2])
        result = shoal("classify", "predict", broken, vectors[0], "--out", tmp_path / "p", check=False)
        assert result.returncode == 5 and name in result.stderr and not (tmp_path / "p").exists()


def test_edges(tmp_path):
    """What once went wrong: each by itself small, each with its own answer."""
    random = np.random.default_rng(9)
    near = (np.array([1, 0, 0]) + 0.05 * random.normal(size=(20, 3))).astype(np.float32)
    x = tmp_path / "x.npy"
    np.save(x, np.vstack([near, [[-1, 0, 0]]]).astype(np.float32))
    # One of two clusters has a single row: the fold that leaves it out knows one cluster only.
    shoal("cluster", x, "--clusters", 2, "--layout", "none", "--out", tmp_path / "two")
    assert sorted(np.bincount(labels(tmp_path / "two/labels.csv"))) == [1, 20]
    # A threshold stands for the number.
    result = shoal("cluster", x, "--method", "agglomerative", "--distance-threshold", "1.5", "--resamples", 3, "--layout", "none",
                   "--out", tmp_path / "threshold", "--json")
    report = json.loads(result.stdout)
    assert report["n_clusters"] == 2 and report["options"]["n_clusters"] is None
    # Fewer distinct rows in a resample than clusters.
    np.save(tmp_path / "few.npy", np.repeat(np.eye(3, dtype=np.float32), [10, 10, 1], axis=0))
    shoal("cluster", tmp_path / "few.npy", "--clusters", 3, "--resamples", 10, "--layout", "none", "--out", tmp_path / "few")
    result = shoal("cluster", tmp_path / "few.npy", "--clusters", "2..9", "--layout", "none", "--out", tmp_path / "range", "--json")
    assert any(reason["code"] == "range_ended" and "only 3 distinct" in reason["text"] for reason in json.loads(result.stdout)["against"])
    # The file and its own row.
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "folder/a.npy", near)
    np.save(tmp_path / "folder/b.npy", np.where(np.arange(60).reshape(20, 3) == 10, np.nan, near).astype(np.float32))
    for verb in (["cluster"], ["classify", "predict", tmp_path / "two"]):
        result = shoal(*verb, tmp_path / "folder", "--out", tmp_path / "bad", check=False)
        assert result.returncode == 3 and "b.npy: row 3, column 1" in result.stderr
    # Typical rows are near by the method's own distance.
    np.save(tmp_path / "line.npy", np.array([[9], [1], [1.1], [1.2], [5], [5.1], [7]], np.float32))
    shoal("cluster", tmp_path / "line.npy", "--method", "kmeans", "--clusters", 1, "--layout", "none", "--out", tmp_path / "line")
    assert json.loads((tmp_path / "line/report.json").read_text())["clusters"][0]["medoids"][0] == 4  # the mean is 4.2


def test_nothing_of_the_users_is_replaced(vectors, short_csv, tmp_path):
    command = ["cluster", vectors[0], "--clusters", 2, "--layout", "none", "--overwrite", "--out", tmp_path / "m"]
    shoal(*command)
    shoal(*command)
    (tmp_path / "m/notes.txt").write_text("mine")
    result = shoal(*command, check=False)
    assert result.returncode == 2 and "holds notes.txt" in result.stderr and (tmp_path / "m/notes.txt").read_text() == "mine"
    (tmp_path / "m/notes.txt").unlink()
    shutil.copy(vectors[0] / "part9.npy", tmp_path / "m/map.svg")  # an input inside what would be replaced
    shutil.copy(vectors[0] / "part9.npy", tmp_path / "in.npy")
    result = shoal("classify", "predict", tmp_path / "m", tmp_path / "in.npy", "--out", tmp_path / "m", "--overwrite", check=False)
    assert result.returncode == 2 and (tmp_path / "m/report.json").exists()

    shoal("map", short_csv, "--text", "text", "--limit", 30, "--out", tmp_path / "c.shoal")
    before = fingerprints(tmp_path / "c.shoal")
    for name in ("rows.sqlite", "new.csv"):
        result = shoal("export", tmp_path / "c.shoal", "--out", tmp_path / "c.shoal" / name, "--format", "csv", "--overwrite",
                       check=False)
        assert result.returncode == 2 and "lies in the collection" in result.stderr
    assert fingerprints(tmp_path / "c.shoal") == before


def test_folders_of_before_are_still_read_and_replaced(vectors, tmp_path):
    """What version 1 of the report left: shoal.json, without titles, curves and verdicts."""
    command = ["cluster", vectors[0], "--clusters", 4, "--layout", "none", "--out", tmp_path / "m"]
    shoal(*command)
    shoal("classify", "predict", tmp_path / "m", vectors[0], "--layout", "none", "--out", tmp_path / "new")
    report = json.loads((tmp_path / "m/report.json").read_text())
    kept = ("format", "made_by", "input", "rows", "dims", "pca", "standardise", "seed", "method", "options", "n_clusters", "noise", "measures",
            "placement_agreement", "classifier", "clusters")
    (tmp_path / "m/shoal.json").write_text(json.dumps({"version": 1, "against": []} | {key: report[key] for key in kept}))
    (tmp_path / "m/report.json").unlink()
    shoal("classify", "predict", tmp_path / "m", vectors[0], "--layout", "none", "--out", tmp_path / "old")
    assert (tmp_path / "old/predictions.csv").read_bytes() == (tmp_path / "new/predictions.csv").read_bytes()
    assert "kind: clusters" in shoal("inspect", tmp_path / "m").stdout
    assert shoal(*command, check=False).returncode == 2, "it is there"
    shoal(*command, "--overwrite")
    assert (tmp_path / "m/report.json").exists() and not (tmp_path / "m/shoal.json").exists()
    (tmp_path / "m/report.json").write_text(json.dumps(report | {"version": 3}))
    result = shoal("classify", "predict", tmp_path / "m", vectors[0], "--out", tmp_path / "p", check=False)
    assert result.returncode == 5 and "not a report that this version of shoal reads" in result.stderr


def test_the_report_tells_all_that_is_drawn(vectors, tmp_path):
    shoal("cluster", vectors[0], "--clusters", "2..8", "--resamples", 5, "--layout", "none", "--out", tmp_path / "m")
    report = json.loads((tmp_path / "m/report.json").read_text())
    page = html.unescape((tmp_path / "m/report.html").read_text())
    assert report["version"] == 2 and report["method_title"] == "spherical k-means"
    for figure in report["figures"]:
        assert figure["title"] in page and figure["note"] in page and f"<td>{figure['shown']}</td>" in page
    assert report["why"] in page and all(reason["text"] in page for reason in report["against"])
    assert [c["criterion"] for c in report["curves"]][0] == report["chosen"]["criterion"] == "silhouette"
    numbers = [t["n_clusters"] for t in report["tried"]]
    inertia = [t["inertia"] for t in report["tried"]]
    for curve in report["curves"]:
        best = (min if curve["better"] == "lower" else max)(curve["values"])
        assert curve["n_clusters"] == numbers[curve["values"].index(best)] and curve["value"] == best, curve["criterion"]
        if curve["criterion"] == "elbow":
            fall, wide = inertia[0] - inertia[-1], numbers[-1] - numbers[0]
            chord = [1 - (k - numbers[0]) / wide - (v - inertia[-1]) / fall for k, v in zip(numbers, inertia)]
            assert np.allclose(curve["values"], chord)
        else:
            assert curve["values"] == [t[curve["criterion"]] for t in report["tried"]]
    chosen = next(t for t in report["tried"] if t["n_clusters"] == report["n_clusters"])
    assert report["measures"] == {key: chosen[key] for key in report["measures"]}
    levels = {level["name"]: level for level in report["stability"]["levels"]}
    assert [level["from"] for level in levels.values()] == [0.85, 0.75, 0.6, 0]
    for jaccard, verdict in zip(report["stability"]["jaccard"], report["stability"]["verdicts"]):
        assert verdict == next(name for name, level in levels.items() if jaccard >= level["from"])
    assert sum(level["clusters"] for level in levels.values()) == 4


def test_a_collection_is_no_folder_of_cluster(short_csv, tmp_path):
    shoal("map", short_csv, "--text", "text", "--limit", 30, "--out", tmp_path / "c.shoal")
    result = shoal("classify", "predict", tmp_path / "c.shoal", tmp_path / "c.shoal", "--out", tmp_path / "p", check=False)
    assert result.returncode == 5 and "is a collection" in result.stderr
    result = shoal("cluster", tmp_path / "c.shoal", "--out", tmp_path / "c.shoal", "--overwrite", check=False)
    assert result.returncode == 2 and (tmp_path / "c.shoal/rows.sqlite").exists()


def test_a_report_and_a_classifier_of_two_models(vectors, tmp_path):
    for k in (3, 4):
        shoal("cluster", vectors[0], "--clusters", k, "--layout", "none", "--out", tmp_path / str(k))
    shutil.copy(tmp_path / "3/classifier.safetensors", tmp_path / "4/classifier.safetensors")
    result = shoal("classify", "predict", tmp_path / "4", vectors[0], "--out", tmp_path / "p", check=False)
    assert result.returncode == 5 and "other clusters" in result.stderr and not (tmp_path / "p").exists()
