"""`shoal map` with every method and every way to choose the number of clusters: right numbers, the same bytes, noise and all."""
import csv
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import time

import numpy as np
import pytest
from conftest import SHOAL, fingerprints, shoal

METHODS = {"spherical_kmeans": ["--clusters", "6"], "kmeans": ["--clusters", "6"], "minibatch_kmeans": ["--clusters", "6", "--metric", "cosine"],
           "agglomerative": ["--clusters", "6", "--linkage", "ward", "--metric", "euclidean"], "vmf_mixture": ["--clusters", "6"],
           "dbscan": ["--eps", "0.6"], "hdbscan": ["--min-cluster-size", "3"], "som": ["--grid-rows", "4", "--grid-cols", "5"]}
COSINE = {"spherical_kmeans", "minibatch_kmeans", "vmf_mixture", "dbscan", "hdbscan"}
BEFORE = ["embed", "pca", "layout"]


def mapped(*arguments):
    return json.loads(shoal("map", *arguments, "--json").stdout)


def exported(collection, *arguments):
    """The rows of a collection, and their clusters, -1 for none."""
    rows = list(csv.DictReader(shoal("export", collection, "--out", "-", "--format", "csv", *arguments).stdout.splitlines()))
    return rows, np.array([int(row["cluster"] or -1) for row in rows])


def features(collection, kind, tmp_path):
    out = tmp_path / f"{kind}.npy"
    shoal("export", collection, "--features", kind, "--out", out, "--overwrite")
    return np.load(out)


def vectors_of(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    where = json.loads(data[8 : 8 + length])["vectors"]
    begin, end = where["data_offsets"]
    return np.frombuffer(data[8 + length + begin : 8 + length + end], "<f4").reshape(where["shape"]).astype(float)


def davies_bouldin(x, labels):
    ids = np.unique(labels[labels >= 0])
    centers = np.array([x[labels == i].mean(axis=0) for i in ids])
    spread = np.array([np.linalg.norm(x[labels == i] - centers[k], axis=1).mean() for k, i in enumerate(ids)])
    ratio = [max((spread[i] + spread[j]) / np.linalg.norm(centers[i] - centers[j]) for j in range(len(ids)) if j != i)
             for i in range(len(ids))]
    return np.mean(ratio)


def cosine_silhouette(x, labels):
    x = x[labels >= 0] / np.linalg.norm(x[labels >= 0], axis=1, keepdims=True)
    labels = labels[labels >= 0]
    distance = 1 - x @ x.T
    scores = []
    for i, own in enumerate(labels):
        same = labels == own
        if same.sum() == 1:
            scores.append(0)
            continue
        a = (distance[i][same].sum() - distance[i][i]) / (same.sum() - 1)
        b = min(distance[i][labels == other].mean() for other in np.unique(labels) if other != own)
        scores.append((b - a) / max(a, b))
    return np.mean(scores)


@pytest.fixture(scope="module")
def base(short_csv, tmp_path_factory):
    """A finished map, copied by each test that changes it: texts are embedded once."""
    out = tmp_path_factory.mktemp("base") / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 300, "--clusters", 6, "--out", out)
    return out


@pytest.fixture
def collection(base, tmp_path):
    subprocess.run(["cp", "-r", base, tmp_path / "m.shoal"], check=True)
    return tmp_path / "m.shoal"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_whole_map(collection, tmp_path, method):
    answer = mapped(collection, "--method", method, *METHODS[method])
    assert answer["done_before"] == (BEFORE + (["cluster", "explain", "page"] if method == "spherical_kmeans" else []))
    assert answer["method"] == method
    report = json.loads((collection / "report.json").read_text())
    assert answer["report"] == report and report["method"] == method and report["format"] == "shoal clusters"
    rows, labels = exported(collection)
    sizes = np.bincount(labels[labels >= 0])
    assert len(sizes) >= 2 and sizes.min() > 0, "clusters without rows are left out"
    assert [c["size"] for c in report["clusters"]] == sizes.tolist() == [c["size"] for c in answer["clusters"]]
    assert [c["id"] for c in report["clusters"]] == list(range(len(sizes)))
    assert report["n_clusters"] == answer["n_clusters"] == len(sizes)
    assert report["noise"] == answer["noise"] == (labels < 0).sum()
    x = vectors_of(collection / "reduced.safetensors")
    assert report["measures"]["davies_bouldin"] == pytest.approx(davies_bouldin(x, labels), rel=1e-6)
    if method in COSINE:
        assert report["measures"]["silhouette"] == pytest.approx(cosine_silhouette(x, labels), rel=1e-5)
    assert (report["measures"]["smallest"], report["measures"]["largest"]) == (sizes.min(), sizes.max())
    assert "chosen" not in report and "stability" not in report

    one_hot = features(collection, "one-hot", tmp_path)
    assert np.array_equal(one_hot.sum(axis=0), sizes) and np.array_equal(one_hot.sum(axis=1), labels >= 0)
    distances = features(collection, "distances", tmp_path)
    if method in COSINE:
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        centers = np.array([unit[labels == i].sum(axis=0) for i in range(len(sizes))])
        centers /= np.linalg.norm(centers, axis=1, keepdims=True)
        assert np.allclose(distances, 1 - unit @ centers.T, atol=1e-5)
    else:
        centers = np.array([x[labels == i].mean(axis=0) for i in range(len(sizes))])
        assert np.allclose(distances, np.linalg.norm(x[:, None] - centers[None], axis=2), atol=1e-4)
    # Everything that reads a map reads this one.
    found = json.loads(shoal("search", collection, "a library for images", "--json").stdout)["hits"]
    assert all(hit["cluster"] == labels[hit["row"]] or labels[hit["row"]] < 0 for hit in found) and len(found) == 10
    assert len(json.loads(shoal("explain", collection, "--json").stdout)["clusters"]) == len(sizes)
    assert shoal("explain", collection, "--exemplars", 2, "--diversity", "0.5").stdout
    assert "all 8 files are whole" in shoal("inspect", collection, "--check").stdout
    title = {"spherical_kmeans": "spherical k-means", "kmeans": ", k-means", "hdbscan": "HDBSCAN"}.get(method, "")
    assert title in json.loads(page_meta(collection))["made_by"]


def page_meta(collection):
    page = (collection / "map.html").read_text()
    return page.split('<script type="application/json" id="meta">')[1].split("</script>")[0]


def test_rows_in_no_cluster(collection, tmp_path):
    mapped(collection, "--method", "hdbscan", "--min-cluster-size", 3)
    rows, labels = exported(collection)
    noise = np.flatnonzero(labels < 0)
    assert 0 < len(noise) < 300
    assert all(rows[i]["cluster"] == rows[i]["cluster_name"] == rows[i]["group_name"] == "" for i in noise)
    found = json.loads(shoal("search", collection, rows[noise[0]]["text"], "--json", "--top", 300).stdout)["hits"]
    assert any(hit["row"] == noise[0] for hit in found)
    assert shoal("search", collection, "image", "--cluster", 0).returncode == 0
    text = shoal("map", collection).stdout
    assert f"{len(noise)} in none" in text and "Davies-Bouldin" in text
    firm = features(collection, "membership", tmp_path)
    assert firm.shape == (300, labels.max() + 1) and not firm[noise].any()
    clustered = np.flatnonzero(labels >= 0)
    assert np.array_equal(firm[clustered].argmax(axis=1), labels[clustered]) and firm.max() == 1
    outcome = json.loads(shoal("explain", collection, "--outcome", "letter", "--json").stdout)
    assert outcome["unclustered"] == len(noise)
    assert json.loads(shoal("explain", collection, "--json").stdout)["unclustered"] == len(noise)
    assert shoal("explain", collection).stdout.endswith(f"\n{len(noise)} rows in no cluster\n")


def test_no_clusters_at_all(collection):
    result = shoal("map", collection, "--method", "hdbscan", "--min-cluster-size", 200)
    assert "found no clusters" in result.stderr and "0 clusters in 0 groups, 300 in none" in result.stdout
    rows, labels = exported(collection)
    assert (labels == -1).all() and len(rows) == 300
    assert not shoal("export", collection, "--out", "-", "--format", "jsonl").stderr, "it is finished"
    assert json.loads((collection / "report.json").read_text())["measures"] is None
    assert shoal("search", collection, "image").stdout and shoal("inspect", collection, "--check").stdout
    for verb in (["explain"], ["search", "--cluster", 0, "image"], ["export", "--features", "one-hot", "--out", "x.npy"]):
        result = shoal(verb[0], collection, *verb[1:], check=False, cwd=collection.parent)
        assert result.returncode == 3 and "left every row in none" in result.stderr, verb
    assert mapped(collection, "--method", "spherical_kmeans")["n_clusters"] == 7  # sqrt(300 / 6)


def test_soft_membership(collection, tmp_path):
    mapped(collection, "--method", "vmf_mixture", "--clusters", 5)
    soft = features(collection, "membership", tmp_path)
    labels = exported(collection)[1]
    assert np.allclose(soft.sum(axis=1), 1, atol=1e-5) and np.array_equal(soft.argmax(axis=1), labels)
    mapped(collection, "--method", "kmeans")
    result = shoal("export", collection, "--features", "membership", "--out", tmp_path / "x.npy", check=False)
    assert result.returncode == 2 and "vmf_mixture" in result.stderr and "hdbscan" in result.stderr


def test_another_method_and_back(collection):
    first = fingerprints(collection)
    assert mapped(collection, "--method", "agglomerative", "--clusters", 9)["done_before"] == BEFORE
    report = mapped(collection)
    assert report["done_before"] == BEFORE + ["cluster", "explain", "page"] and report["n_clusters"] == 9
    changed = mapped(collection, "--linkage", "complete")
    assert changed["done_before"] == BEFORE and changed["method"] == "agglomerative"
    assert changed["report"]["options"]["linkage"] == "complete" and changed["n_clusters"] == 9, "the given ones stay"
    # A threshold stands for the number, and a number for the threshold.
    joined = mapped(collection, "--distance-threshold", "0.9")
    assert joined["report"]["options"]["n_clusters"] is None
    assert mapped(collection, "--clusters", 4)["n_clusters"] == 4
    # What was asked of one method is not asked of a method that has no such thing.
    mapped(collection, "--clusters", "3..6", "--criterion", "davies_bouldin")
    assert mapped(collection, "--method", "hdbscan")["method"] == "hdbscan"
    again = mapped(collection, "--method", "agglomerative")
    assert again["report"]["options"]["linkage"] == "average", "another method begins with its defaults"
    mapped(collection, "--method", "spherical_kmeans", "--clusters", 6)
    assert fingerprints(collection) == first


CRITERIA = ["davies_bouldin", "davies_bouldin_cosine", "silhouette", "calinski_harabasz", "elbow", "stability"]


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """English sentences of seven topics, embedded once."""
    data = pathlib.Path(os.environ.get("SHOAL_DATA", "")) / "sib200/eng_Latn_dev.csv"
    if not os.environ.get("SHOAL_DATA") or not data.exists():
        pytest.skip("no sib200 at SHOAL_DATA")
    out = tmp_path_factory.mktemp("sib") / "s.shoal"
    shoal("map", data, "--text", "text", "--out", out)
    return out


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_number_is_chosen(sentences, criterion):
    found = mapped(sentences, "--clusters", "2..9", "--criterion", criterion, "--resamples", 3)
    chosen, tried = found["report"]["chosen"], found["report"]["tried"]
    assert chosen["criterion"] == criterion and [t["n_clusters"] for t in tried] == list(range(2, 10))
    assert chosen["n_clusters"] == found["n_clusters"] == len(found["clusters"])
    assert str(chosen["n_clusters"]) in found["report"]["why"] and found["report"]["against"]
    assert found["report"]["stability"]["resamples"] == 3
    if criterion not in ("elbow", "stability"):  # the best of those that were tried, told from the table alone
        best = (min if criterion.startswith("davies") else max)(tried, key=lambda t: t[criterion])
        assert best["n_clusters"] == chosen["n_clusters"]
    text = shoal("map", sentences).stdout
    assert found["report"]["why"] in text and f"  but: {found['report']['against'][0]['text']}" in text


@pytest.mark.parametrize("method", ["kmeans", "agglomerative", "vmf_mixture"])
def test_auto_with_other_methods(sentences, method):
    found = mapped(sentences, "--method", method, "--clusters", "auto")
    assert found["report"]["chosen"]["n_clusters"] == found["n_clusters"] >= 2
    assert found["report"]["chosen"]["tried_min"] == 2


def test_the_same_bytes_for_any_number_of_threads(short_csv, tmp_path):
    def made(threads):
        out = tmp_path / str(threads) / "m.shoal"
        out.parent.mkdir()
        shoal("map", short_csv, "--text", "text", "--limit", 200, "--method", "kmeans", "--clusters", "auto", "--criterion",
              "stability", "--resamples", 3, "--threads", threads, "--out", out)
        return fingerprints(out)

    assert made(1) == made(2)


def test_interrupted_it_goes_on(short_csv, tmp_path):
    options = ["--text", "text", "--limit", "300", "--method", "agglomerative", "--clusters", "auto", "--criterion", "stability",
               "--resamples", "5", "--quiet"]
    whole, broken = tmp_path / "whole" / "m.shoal", tmp_path / "broken" / "m.shoal"
    whole.parent.mkdir()
    broken.parent.mkdir()
    shoal("map", short_csv, "--out", whole, *options)
    chooser, kills = random.Random(5), 0
    for how in (signal.SIGINT, signal.SIGKILL, signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen([SHOAL, "map", short_csv, "--out", broken, *options], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while not (broken / "umap.safetensors").exists() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chooser.uniform(0, 0.1))  # in the clusters, mostly
        process.send_signal(how)
        kills += process.wait() != 0
    assert kills > 0, "nothing was interrupted"
    answer = mapped(short_csv, "--out", broken, *options)
    assert answer["done_before"][:1] == ["embed"]
    assert fingerprints(broken) == fingerprints(whole)


def test_what_is_wrong_is_said_before_the_work(collection, short_csv, tmp_path):
    before = fingerprints(collection)
    for flags, words in [
            (["--method", "hdbscan", "--clusters", "5"], "--clusters is 5, but hdbscan finds the number of clusters itself"),
            (["--method", "dbscan", "--clusters", "auto"], "dbscan finds the number of clusters itself"),
            (["--criterion", "elbow"], "give it with --clusters auto or a range"),
            (["--method", "som", "--criterion", "elbow"], "som finds its own here"),
            (["--clusters", "many"], "--clusters is 'many'; allowed: auto, a whole number from 1, or a range as 5..40"),
            (["--clusters", "0"], "--clusters is '0'; allowed: auto"),
            (["--clusters", "7..3"], "--clusters is 7..3; allowed: numbers from 2 to 299"),
            (["--clusters", "2..300"], "--clusters is 2..300; allowed"),
            (["--clusters", "301"], "--clusters is 301, but there are only 300 rows"),
            (["--clusters", "4..5", "--criterion", "elbow"], "at least 3 numbers"),
            (["--resamples", "1"], "--resamples is 1"),
            (["--eps", "0.3"], "--eps is no option of spherical_kmeans; it has --clusters, --max-iter"),
            (["--method", "dbscan", "--eps", "-1"], "--eps is -1"),
            (["--method", "hdbscan", "--min-cluster-size", "1"], "--min-cluster-size is 1"),
            (["--method", "agglomerative", "--linkage", "ward"], "ward"),
            (["--method", "agglomerative", "--linkage", "none"], "--linkage is 'none'; allowed: average, ward"),
            (["--method", "kmeans", "--max-iter", "0"], "--max-iter is 0"),
            (["--method", "best"], "--method")]:
        result = shoal("map", collection, *flags, check=False)
        assert result.returncode == 2 and words in result.stderr, (flags, result.stderr)
        assert fingerprints(collection) == before, flags
    same = tmp_path / "same.txt"
    same.write_text("one\ntwo\nthree\n" * 5)
    result = shoal("map", same, "--format", "lines", "--clusters", "4", "--out", tmp_path / "s.shoal", check=False)
    assert result.returncode == 3 and "--clusters is 4, but only 3 distinct" in result.stderr, result.stderr


def test_the_layout_and_the_clusters_do_not_hang_on_each_other(collection):
    assert mapped(collection, "--min-dist", "0.3")["done_before"] == ["embed", "pca", "cluster", "explain"]
    assert mapped(collection, "--clusters", "5")["done_before"] == BEFORE


def test_stability_is_of_the_clusters_that_have_rows(collection):
    found = mapped(collection, "--method", "som", "--resamples", "3")["report"]
    assert found["n_clusters"] < 100  # units
    assert len(found["stability"]["jaccard"]) == found["n_clusters"]


def test_what_speaks_against_clusters_is_said_of_every_method(collection):
    found = mapped(collection, "--method", "hdbscan", "--min-cluster-size", "3")["report"]
    assert 2 * found["noise"] > found["rows"]
    assert {"noise": found["noise"], "rows": found["rows"]} in [reason["values"] for reason in found["against"] if reason["code"] == "mostly_noise"]
    assert "but: More than half" in shoal("map", collection).stdout


def test_few_distinct_texts(tmp_path):
    path = tmp_path / "dup.txt"
    path.write_text("a cat on a mat\na dog in the fog\na bird unheard\n" * 20)
    assert mapped(path, "--format", "lines", "--out", tmp_path / "c.shoal")["n_clusters"] == 3
    found = mapped(tmp_path / "c.shoal", "--method", "agglomerative", "--clusters", "2..6")["report"]
    assert [one["n_clusters"] for one in found["tried"]] == [2, 3]
    assert any("only 3 distinct rows" in reason["text"] for reason in found["against"])
    refused = shoal("map", tmp_path / "c.shoal", "--clusters", "4..6", check=False)
    assert refused.returncode == 3 and "only 3 distinct rows" in refused.stderr
