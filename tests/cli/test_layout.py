"""`shoal layout`: maps of vectors, new rows on old maps, aligned maps; whole or nothing, the same bytes every time."""
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

GROUPS = 5


def make(seed, rows, centers=np.random.default_rng(0).normal(size=(GROUPS, 20))):
    """Rows about five directions; row i is in group i % 5."""
    noise = np.random.default_rng(seed).normal(size=(rows, 20))
    return (centers[np.arange(rows) % GROUPS] + 0.25 * noise).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layout")
    old = make(1, 300)
    np.save(folder / "old.npy", old)
    np.save(folder / "new.npy", np.concatenate([make(2, 50), old[:25]]))
    np.save(folder / "next.npy", old[::-1] + 0.01 * make(3, 300))
    np.save(folder / "last.npy", make(4, 40))
    shoal("layout", folder / "old.npy", "--out", folder / "map")
    return folder


def points(folder):
    return np.load(folder / "points.npy")


def strangers(map_points, map_groups, places, groups):
    """How many places lie nearest to a point of another group."""
    nearest = np.linalg.norm(places[:, None] - map_points[None], axis=2).argmin(axis=1)
    return (map_groups[nearest] != groups).sum()


def test_a_folder_with_the_points(files):
    made = files / "map"
    assert {path.name for path in made.iterdir()} == {"layout.json", "points.csv", "points.npy", "map.svg",
                                                      "umap.safetensors", "rows.safetensors"}
    table = np.loadtxt(made / "points.csv", delimiter=",", skiprows=1)
    assert (made / "points.csv").read_text().startswith("row,x,y\n")
    assert (table[:, 0] == np.arange(300)).all() and np.array_equal(table[:, 1:].astype(np.float32), points(made))
    xml.dom.minidom.parse(str(made / "map.svg"))
    centres = np.array([points(made)[g::GROUPS].mean(axis=0) for g in range(GROUPS)])
    assert strangers(centres, np.arange(GROUPS), points(made), np.arange(300) % GROUPS) == 0


def test_new_rows_on_an_old_map(files, tmp_path):
    result = shoal("layout", files / "new.npy", "--on", files / "map", "--out", tmp_path / "m", "--json")
    report = json.loads(result.stdout)
    assert report["rows"] == 75 and report["old_rows"] == 300 and report["out"] == str(tmp_path / "m")
    places, old = points(tmp_path / "m"), points(files / "map")
    assert np.abs(places[50:] - old[:25]).max() < 1e-3, "old rows lie where they lay"
    assert strangers(old, np.arange(300) % GROUPS, places, np.arange(75) % GROUPS) == 0
    np.save(tmp_path / "one.npy", np.load(files / "new.npy")[7:8])
    shoal("layout", tmp_path / "one.npy", "--on", files / "map", "--out", tmp_path / "alone")
    assert np.array_equal(points(tmp_path / "alone")[0], places[7]), "whoever comes with it"
    picture = (tmp_path / "m/map.svg").read_text()
    assert "<title>old</title>" in picture and "<title>new</title>" in picture
    result = shoal("layout", files / "new.npy", "--on", tmp_path / "m", "--out", tmp_path / "n", check=False)
    assert result.returncode == 2 and "placed on another map" in result.stderr


def test_equal_rows_lie_on_the_first_ones_point(tmp_path):
    rows = make(1, 100)
    rows[[40, 80]] = rows[3]
    np.save(tmp_path / "x.npy", rows)
    shoal("layout", tmp_path / "x.npy", "--out", tmp_path / "map")
    shoal("layout", tmp_path / "x.npy", "--on", tmp_path / "map", "--out", tmp_path / "again")
    first = np.arange(100)
    first[[40, 80]] = 3
    old = points(tmp_path / "map")
    assert np.abs(points(tmp_path / "again") - old[first]).max() < 1e-3
    assert np.linalg.norm(old[40] - old[3]) > 1e-3, "on the map itself they lie apart"
    help_text = " ".join(shoal("layout", "--help").stdout.split())
    assert "of several equal ones, on the first one's" in help_text


def test_fewer_rows_than_neighbours_is_said(files, tmp_path):
    def said(*arguments):
        return shoal("layout", *arguments, "--n-epochs", 3, "--overwrite", "--out", tmp_path / "m").stderr

    note = "note: each row of {} has all {} as neighbours in the layout, {}\n"
    old, last = files / "old.npy", files / "last.npy"
    assert note.format(old, 300, "not 5,000") in said(old, "--n-neighbors", 5000)
    assert note.format(old, 300, "not 301") in said(old, "--n-neighbors", 301)
    assert "note" not in said(old, "--n-neighbors", 300)
    aligned = said(old, last, "--aligned", "--n-neighbors", 41)
    assert note.format(last, 40, "not 41") in aligned and str(old) not in aligned
    tsne = ["--method", "tsne", "--perplexity"]
    assert note.format(old, 300, "with a perplexity of 99.6667, not of 1000") in said(old, *tsne, 1000)
    assert json.loads((tmp_path / "m/layout.json").read_text())["perplexity"] == 299 / 3
    assert note.format(old, 300, "with a perplexity of 99.6667, not of 99.9") in said(old, *tsne, 99.9)
    assert "note" not in said(old, *tsne, 99)
    assert json.loads((tmp_path / "m/layout.json").read_text())["perplexity"] == 99


def test_aligned_maps(files, tmp_path):
    inputs = [files / name for name in ("old.npy", "next.npy", "last.npy")]
    shoal("layout", *inputs, "--aligned", "--similarity", 0.9, "--out", tmp_path / "m")
    report = json.loads((tmp_path / "m/layout.json").read_text())
    related = np.loadtxt(tmp_path / "m/relations.csv", delimiter=",", skiprows=1, dtype=int)
    first = related[related[:, 0] == 0]
    assert report["aligned"]["related"] == [len(first), (related[:, 0] == 1).sum()] and len(first) > 290
    assert (first[:, 1] + first[:, 2] == 299).all(), "next.npy has the rows of old.npy, backwards"
    table = np.loadtxt(tmp_path / "m/points.csv", delimiter=",", skiprows=1)
    assert (table[:, 0] == np.repeat([0, 1, 2], [300, 300, 40])).all() and (table[300:303, 1] == [0, 1, 2]).all()
    a, b, c = np.split(points(tmp_path / "m"), [300, 600])
    assert np.linalg.norm(a - b[::-1], axis=1).mean() < 0.2 * a.std(), "related points lie together"
    shoal("layout", inputs[2], "--on", tmp_path / "m", "--out", tmp_path / "on")
    assert np.abs(points(tmp_path / "on") - c).max() < 1e-3, "rows are placed on the last map"

    shoal("layout", *inputs, "--aligned", "--relate", "rows", "--out", tmp_path / "rows")
    related = np.loadtxt(tmp_path / "rows/relations.csv", delimiter=",", skiprows=1, dtype=int)
    assert len(related) == 340 and (related[:, 1] == related[:, 2]).all()


def test_densities_and_tsne(files, tmp_path):
    shoal("layout", files / "old.npy", "--density", "--out", tmp_path / "d")
    table = np.loadtxt(tmp_path / "d/points.csv", delimiter=",", skiprows=1)
    assert table.shape == (300, 5) and np.corrcoef(table[:, 3], table[:, 4])[0, 1] > 0.5
    shoal("layout", files / "old.npy", "--method", "tsne", "--perplexity", 20, "--n-epochs", 100, "--out", tmp_path / "t")
    assert (tmp_path / "t/tsne.safetensors").exists() and np.isfinite(points(tmp_path / "t")).all()
    result = shoal("layout", files / "new.npy", "--on", tmp_path / "t", "--out", tmp_path / "n", check=False)
    assert result.returncode == 2 and "t-SNE, which has no place for new rows" in result.stderr


def test_the_same_bytes(files, tmp_path):
    def made(threads, level=None):
        every = {}
        for name, arguments in {"single": [files / "old.npy", "--density", "--n-epochs", 60],
                                "aligned": [files / "old.npy", files / "next.npy", "--aligned", "--n-epochs", 60],
                                "placed": [files / "new.npy", "--on", files / "map"]}.items():
            shutil.rmtree(tmp_path / name, ignore_errors=True)
            shoal("layout", *arguments, "--threads", threads, "--out", tmp_path / name, level=level)
            every[name] = fingerprints(tmp_path / name)
        return every

    reference = made(2)
    assert made(1) == reference and made(3) == reference
    for level in levels():
        assert made(2, level) == reference, level


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_whole_or_nothing(tmp_path, how):
    np.save(tmp_path / "x.npy", make(5, 12000))
    command = [SHOAL, "layout", tmp_path / "x.npy", "--n-epochs", "100000", "--out", tmp_path / "m"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not (tmp_path / ".m.part").exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(1)
    process.send_signal(how)
    assert process.wait(timeout=30) == (130 if how == signal.SIGINT else -how)
    assert not (tmp_path / "m").exists()
    shoal("layout", tmp_path / "x.npy", "--n-epochs", 2, "--out", tmp_path / "m")
    assert {path.name for path in tmp_path.iterdir()} == {"x.npy", "m"}


def test_other_rows_are_refused(files, tmp_path):
    def refused(status, words, *arguments):
        result = shoal("layout", *arguments, "--out", tmp_path / "m", check=False)
        assert result.returncode == status and words in result.stderr, result.stderr
        assert not (tmp_path / "m").exists()

    np.save(tmp_path / "narrow.npy", np.ones((5, 7), np.float32))
    bad = make(1, 30)
    bad[17, 3] = np.nan
    np.save(tmp_path / "bad.npy", bad)
    np.save(tmp_path / "one.npy", make(1, 1))
    refused(3, "vectors of 7 numbers", tmp_path / "narrow.npy", "--on", files / "map")
    refused(3, "vectors of 7 numbers", files / "old.npy", tmp_path / "narrow.npy", "--aligned")
    refused(3, "bad.npy: row 17, column 3: NaN", tmp_path / "bad.npy")
    refused(3, "bad.npy: row 17, column 3: NaN", files / "old.npy", tmp_path / "bad.npy", "--aligned")
    refused(3, "one row", tmp_path / "one.npy")
    refused(4, f"{tmp_path / 'nope'}: no such folder", files / "new.npy", "--on", tmp_path / "nope")
    refused(4, f"{files / 'old.npy'}: no such folder", files / "new.npy", "--on", files / "old.npy")
    refused(5, "not made by 'shoal layout'", files / "new.npy", "--on", tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(files / "map", broken)
    shutil.copy(files / "map/rows.safetensors", broken / "umap.safetensors")
    refused(5, "umap.safetensors", files / "new.npy", "--on", broken)
    (broken / "rows.safetensors").unlink()
    refused(2, "--no-rows", files / "new.npy", "--on", broken)
    shutil.copytree(files / "map", tmp_path / "other")
    shoal("layout", files / "next.npy", "--n-epochs", 1, "--out", tmp_path / "next")
    shutil.copy(tmp_path / "next/rows.safetensors", tmp_path / "other")
    refused(3, "not those on which the map was fitted", files / "new.npy", "--on", tmp_path / "other")
    for model, name in [("a@1", "a"), ("b@2", "b")]:
        save_vectors(tmp_path / f"{name}.safetensors", make(1, 30), model)
    refused(3, "b@2", tmp_path / "a.safetensors", tmp_path / "b.safetensors", "--aligned")


def test_vectors_that_do_not_say_their_model(files, tmp_path):
    """A .npy file goes with any other, with a remark; two that say it must say the same."""
    np.save(tmp_path / "unknown.npy", make(2, 50))
    save_vectors(tmp_path / "known.safetensors", make(2, 50), "a@1")
    save_vectors(tmp_path / "old.safetensors", make(1, 300), "a@1")
    save_vectors(tmp_path / "other.safetensors", make(2, 50), "b@2")
    shoal("layout", tmp_path / "old.safetensors", "--out", tmp_path / "map")
    places = {}
    for what, onto, note in [("unknown.npy", files / "map", False), ("known.safetensors", tmp_path / "map", False),
                             ("unknown.npy", tmp_path / "map", True), ("known.safetensors", files / "map", True)]:
        result = shoal("layout", tmp_path / what, "--on", onto, "--out", tmp_path / "m", "--overwrite")
        assert ("taken to be of the same one" in result.stderr) == note, (what, onto)
        places[what, onto] = points(tmp_path / "m").tobytes()
    assert len(set(places.values())) == 1
    refused = shoal("layout", tmp_path / "other.safetensors", "--on", tmp_path / "map", "--out", tmp_path / "n", check=False)
    assert refused.returncode == 3 and "b@2" in refused.stderr
    result = shoal("layout", tmp_path / "unknown.npy", tmp_path / "known.safetensors", "--aligned", "--out", tmp_path / "two")
    assert "taken to be of the same one" in result.stderr


def save_vectors(path, x, model):
    """A file of vectors as `shoal embed` writes them, of a model."""
    space = json.dumps({"id": model, "dims": x.shape[1], "unit": False})
    header = {"__metadata__": {"format": "shoal", "version": "1", "kind": "vectors", "space": space},
              "vectors": {"dtype": "F32", "shape": list(x.shape), "data_offsets": [0, x.nbytes]}}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + x.tobytes())
