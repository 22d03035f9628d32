"""`shoal classify` of labels on a collection: its plots in the map."""
import csv
import json

from conftest import ROOT, shoal

MODEL = ROOT / "tests/golden/encoder/bert_new"


def test_plots_of_an_evaluation_in_the_page(texts, tmp_path):
    table, out, head = tmp_path / "t.csv", tmp_path / "t.shoal", tmp_path / "head"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text", "kind"], *[[text[:60], "library" if "librar" in text[:60] else "other"] for text in texts[:300]]])
    shoal("map", table, "--text", "text", "--model", MODEL, "--clusters", 5, "--out", out, "--quiet")
    shoal("classify", "fit", out, "--label", "kind", "--out", head, "--quiet")
    refused = shoal("classify", "evaluate", head, table, "--label", "kind", "--keep", "--out", tmp_path / "no", check=False)
    assert refused.returncode == 2 and "--keep" in refused.stderr and not (tmp_path / "no").exists()
    assert 'id="b-plots"' not in (out / "map.html").read_text()
    shoal("classify", "evaluate", head, out, "--label", "kind", "--keep", "--out", tmp_path / "e", "--quiet")
    assert 'id="b-plots"' in (out / "map.html").read_text()
    for plot in ("confusion.svg", "reliability.svg"):
        assert (out / plot).read_bytes() == (tmp_path / "e" / plot).read_bytes()
    shoal("inspect", out, "--check")
    shoal("map", out, "--clusters", 6, "--quiet")
    assert (out / "confusion.svg").exists(), "labels are not clusters"
    again = shoal("classify", "evaluate", head, out, "--label", "kind", "--keep", "--out", tmp_path / "e", "--overwrite", "--json", "--quiet")
    assert json.loads(again.stdout)["rows"] == 300


def test_a_file_of_that_name_is_the_users(texts, tmp_path):
    out = tmp_path / "t.shoal"
    (tmp_path / "t.txt").write_text("\n".join(text[:60].replace("\n", " ") for text in texts[:60]))
    shoal("map", tmp_path / "t.txt", "--model", MODEL, "--clusters", 3, "--out", out, "--quiet")
    (out / "drift.svg").write_text("mine")
    shoal("map", out, "--clusters", 4, "--quiet")
    assert (out / "drift.svg").read_text() == "mine"
    assert 'id="b-plots"' not in (out / "map.html").read_text()
