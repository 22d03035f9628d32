"""Names that the user gives clusters: in the table, on the page, in exports, and after the clusters are found anew."""
import csv
import json
import sqlite3

import pytest
from conftest import shoal


@pytest.fixture(scope="module")
def mapped(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("names")
    with (folder / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *[[text[:80]] for text in texts[:600]]])
    shoal("map", folder / "t.csv", "--out", folder / "t.shoal", "--clusters", "12", "--quiet")
    return folder


@pytest.fixture
def collection(mapped, tmp_path):
    import shutil
    return shutil.copytree(mapped / "t.shoal", tmp_path / "t.shoal")


def names(collection):
    with sqlite3.connect(f"file:{collection}/rows.sqlite?mode=ro", uri=True) as database:
        return [name for (name,) in database.execute("SELECT name FROM clusters WHERE clustering = 'cluster' ORDER BY id")]


def test_a_name_stands_everywhere_and_the_collection_stays_whole(collection, tmp_path):
    before = names(collection)
    answer = json.loads(shoal("rename", collection, 3, "späte Lieferungen", "--json").stdout)
    assert answer["renamed"] == [{"cluster": 3, "before": before[3], "name": "späte Lieferungen"}]
    assert names(collection) == [*before[:3], "späte Lieferungen", *before[4:]]
    assert "späte Lieferungen" in (collection / "map.html").read_text(encoding="utf-8")
    shoal("export", collection, "--out", tmp_path / "out.csv", "--quiet")
    rows = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8")))
    assert {row["cluster_name"] for row in rows if row["cluster"] == "3"} == {"späte Lieferungen"}
    assert "whole" in shoal("inspect", collection, "--check").stdout
    again = json.loads(shoal("map", collection, "--json").stdout)
    assert "explain" in again["done_before"] and names(collection)[3] == "späte Lieferungen"


def test_an_empty_name_brings_the_words_back(collection):
    before = names(collection)
    shoal("rename", collection, 3, "first")
    shoal("rename", collection, 3, "second")
    assert names(collection)[3] == "second"
    shoal("rename", collection, 3, "")
    assert names(collection) == before


def test_names_follow_their_texts_when_clusters_are_found_anew(collection):
    shoal("rename", collection, 3, "mine")
    with sqlite3.connect(f"file:{collection}/rows.sqlite?mode=ro", uri=True) as database:
        mine = {row for (row,) in database.execute("SELECT id FROM rows WHERE cluster = 3")}
    answer = json.loads(shoal("map", collection, "--clusters", "13", "--json").stdout)
    with sqlite3.connect(f"file:{collection}/rows.sqlite?mode=ro", uri=True) as database:
        best = max(
            (len(mine & rows) / len(mine | rows), cluster)
            for cluster in range(13)
            for rows in [{row for (row,) in database.execute("SELECT id FROM rows WHERE cluster = ?", (cluster,))}])
    if best[0] >= 0.3:
        assert answer["own_names"]["kept"] == [{"cluster": best[1], "name": "mine"}]
        assert names(collection)[best[1]] == "mine"
    else:
        assert answer["own_names"]["lost"] == ["mine"]
    back = json.loads(shoal("map", collection, "--clusters", "12", "--json").stdout)
    assert back["own_names"] == {"kept": [{"cluster": 3, "name": "mine"}], "lost": [], "gone": []}
    assert names(collection)[3] == "mine"


def test_a_file_of_names(collection, tmp_path):
    (tmp_path / "names.csv").write_text("cluster,name\n0,null\n5,fünf\n", encoding="utf-8")
    shoal("rename", collection, "--names", tmp_path / "names.csv")
    assert names(collection)[0] == "null" and names(collection)[5] == "fünf"
    done = shoal("map", collection, "--clusters", "11")
    assert "that you gave" in done.stderr


def test_a_new_map_takes_names_too(mapped, tmp_path):
    (tmp_path / "names.jsonl").write_text('{"cluster": "2", "name": "two"}\n', encoding="utf-8")
    shoal("map", mapped / "t.csv", "--out", tmp_path / "n.shoal", "--clusters", "12", "--names", tmp_path / "names.jsonl", "--quiet")
    assert names(tmp_path / "n.shoal")[2] == "two"
    assert "whole" in shoal("inspect", tmp_path / "n.shoal", "--check").stdout


@pytest.mark.parametrize("arguments, message", [
    (["99", "x"], "there is no cluster 99; the collection has 0..11"),
    (["3", "a\nb"], "must be one line"),
    (["3", "x" * 201], "at most 200 bytes"),
    (["3"], "give the number of a cluster and its name, or --names FILE"),
    (["--names", "absent.csv"], "absent.csv"),
])
def test_what_cannot_be(collection, arguments, message):
    before = names(collection)
    done = shoal("rename", collection, *arguments, check=False)
    assert done.returncode != 0 and message in done.stderr
    assert names(collection) == before


def test_wrong_files_of_names(collection, tmp_path):
    for content, message in [("id,name\n1,a\n", "needs the columns cluster and name"), ("cluster,name\nx,a\n", "row 1: cluster is 'x'"),
                             ("cluster,name\n1,a\n1,b\n", "cluster 1 is named twice")]:
        (tmp_path / "wrong.csv").write_text(content)
        done = shoal("rename", collection, "--names", tmp_path / "wrong.csv", check=False)
        assert done.returncode != 0 and message in done.stderr


def test_names_and_more_rows_in_one_run(mapped, tmp_path, texts):
    import shutil
    collection = shutil.copytree(mapped / "t.shoal", tmp_path / "t.shoal")
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *[[text[:80]] for text in texts[:620]]])
    (tmp_path / "names.csv").write_text("cluster,name\n4,four\n")
    answer = json.loads(shoal("map", tmp_path / "t.csv", "--out", collection, "--clusters", "12", "--names", tmp_path / "names.csv",
                              "--json").stdout)
    assert [own["name"] for own in answer["own_names"]["kept"]] + answer["own_names"]["lost"] == ["four"]
    assert "whole" in shoal("inspect", collection, "--check").stdout


def test_overwriting_with_names_keeps_the_title(mapped, tmp_path):
    (tmp_path / "names.csv").write_text("cluster,name\n1,one\n99,none\n")
    for _ in range(2):
        done = shoal("map", mapped / "t.csv", "--out", tmp_path / "o.shoal", "--clusters", "12", "--overwrite", "--names",
                     tmp_path / "names.csv")
        assert '"title":"o"' in (tmp_path / "o.shoal/map.html").read_text(encoding="utf-8")
        assert names(tmp_path / "o.shoal")[1] == "one" and '"none"' in done.stderr


def test_words_that_were_not_given_stay(collection):
    shoal("map", collection, "--words", "4", "--keep-numbers", "--quiet")
    shoal("rename", collection, 0, "mine")
    answer = json.loads(shoal("explain", collection, "--ngrams", "1", "--save", "--json").stdout)
    assert answer["clusters"][0]["name"] == "mine" and max(len(c["words"]) for c in answer["clusters"]) == 4
    with sqlite3.connect(f"file:{collection}/rows.sqlite?mode=ro", uri=True) as database:
        (options,) = database.execute("SELECT value FROM manifest WHERE key = 'options'").fetchone()
    kept = json.loads(options)
    assert (kept["words.n_words"], kept["words.max_ngram"], kept["words.keep_numbers"]) == (4, 1, True)
    assert names(collection)[0] == "mine"


def test_a_name_is_text(collection):
    for bad in (b"\xff bad", b"a\x01b"):
        done = shoal("rename", collection, 0, bad.decode("utf-8", "surrogateescape"), check=False)
        assert done.returncode == 2 and "of UTF-8, without control characters" in done.stderr
    done = shoal("rename", collection, "1", "--names", "x.csv", check=False)
    assert done.returncode == 2 and "give the number of a cluster and its name, or --names FILE" in done.stderr


def test_overwriting_keeps_the_names_of_equal_texts_and_tells_of_those_of_others(mapped, collection, tmp_path):
    shoal("rename", collection, 3, "mine")
    again = json.loads(shoal("map", mapped / "t.csv", "--out", collection, "--clusters", "12", "--overwrite", "--json").stdout)
    assert again["own_names"] == {"kept": [{"cluster": 3, "name": "mine"}], "lost": [], "gone": []}
    assert names(collection)[3] == "mine"
    (tmp_path / "other.csv").write_text("text\n" + "\n".join(f"another text of number {i}" for i in range(60)) + "\n")
    done = shoal("map", tmp_path / "other.csv", "--out", collection, "--clusters", "3", "--overwrite", "--json")
    assert json.loads(done.stdout)["own_names"]["gone"] == ["mine"]
    assert '"mine"' in done.stderr and "mine" not in names(collection)
    assert "whole" in shoal("inspect", collection, "--check").stdout


def test_own_stop_words_can_be_taken_back(collection, tmp_path):
    before = names(collection)
    (tmp_path / "stop.txt").write_text(" ".join(word for name in before for word in name.replace("·", " ").split()))
    shoal("map", collection, "--stop-words", tmp_path / "stop.txt")
    assert names(collection) != before
    shoal("map", collection, "--title", "kept")
    assert names(collection) != before
    shoal("map", collection, "--stop-words", "")
    assert names(collection) == before


def test_a_picture_of_a_finished_map_needs_no_model(collection, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    answer = json.loads(shoal("map", collection, "--picture", tmp_path / "p.svg", "--json").stdout)
    assert answer["picture"]["file"] == str(tmp_path / "p.svg") and (tmp_path / "p.svg").read_bytes().startswith(b"<svg")
