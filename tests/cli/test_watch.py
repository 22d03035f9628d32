"""`shoal anomalies`, `drift` and `lifetime`: the same bytes for any threads and level, texts through the model, results kept."""
import csv
import json
import xml.dom.minidom

import numpy as np
import pytest
from conftest import shoal
from test_same_bytes import levels


def answer(*arguments, **options):
    out = json.loads(shoal(*arguments, "--json", "--quiet", **options).stdout)
    out.pop("seconds_total")
    return out


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Twelve days of 40 rows in 16 dimensions; the last four lie elsewhere. The table and its vectors."""
    folder = tmp_path_factory.mktemp("days")
    random = np.random.default_rng(5)
    x = random.normal(size=(480, 16)).astype(np.float32) + np.repeat(random.normal(size=(12, 16)), 40, axis=0) * 0.3
    x[320:, 0] += 1.5
    np.save(folder / "days.npy", x.astype(np.float32))
    with (folder / "days.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text", "day", "source"])
        out.writerows([f"row {i}", f"2024-{1 + i // 160:02d}-{1 + i // 40 % 4:02d}", f"source {i % 5}"] for i in range(480))
    return folder / "days.csv", folder / "days.npy"


@pytest.mark.parametrize("verb", [["drift", "--time", "day", "--every", "month", "--tests", "all", "--permutations", "99"],
                                  ["lifetime", "--time", "day", "--every", "day"], ["anomalies", "--no-trust"]])
def test_same_bytes(days, tmp_path, verb):
    table, vectors = days
    made = []
    for threads, level in [(1, None), (3, None)] + [(2, level) for level in levels()]:
        plot = tmp_path / "p.svg"
        found = answer(verb[0], table, *verb[1:], "--vectors", vectors, "--plot", plot, "--overwrite", "--threads", threads, level=level)
        made.append((found, plot.read_bytes()))
        xml.dom.minidom.parse(str(plot))
    assert all(m == made[0] for m in made[1:])


def test_drift_by_days(days):
    table, vectors = days
    found = answer("drift", table, "--vectors", vectors, "--time", "day", "--every", "month", "--against", "first", "--alpha", "0.06")
    assert [p["period"] for p in found["periods"]] == ["2024-02", "2024-03"]
    february, march = found["periods"]
    assert february["permutations"] == 70 and february["all_permutations"] and february["smallest_p_val"] == pytest.approx(2 / 70)
    assert march["p_val"] == pytest.approx(2 / 70) and february["p_val"] > 0.05
    assert found["is_drift"] == 1 and found["blocks_are"] == "days" and not found["each_row_independent"]
    # Of three days against three no p-value is small enough.
    found = answer("drift", table, "--vectors", vectors, "--time", "day", "--every", "week")
    assert found["is_drift"] in (0, 1, None)


def test_context_is_taken_off(days, tmp_path):
    """Only the mix of two groups changes: drift without context, none with it."""
    random = np.random.default_rng(6)
    for name, share in (("old", 0.3), ("new", 0.7)):
        group = (np.arange(300) < 300 * share).astype(int)
        np.save(tmp_path / f"{name}.npy", (random.normal(size=(300, 8)) + 2.0 * group[:, None]).astype(np.float32))
        (tmp_path / f"{name}.csv").write_text("text,team\n" + "".join(f"row {i},team {g}\n" for i, g in enumerate(group)))
    files = [tmp_path / "old.csv", tmp_path / "new.csv", "--vectors", tmp_path / "old.npy", "--new-vectors", tmp_path / "new.npy"]
    assert answer("drift", *files)["is_drift"] == 1
    assert answer("drift", *files, "--given", "team")["is_drift"] == 0
    refused = shoal("drift", *files, "--given", "colour", check=False)
    assert refused.returncode == 2 and "no column colour" in refused.stderr


def test_mixed_times(days, tmp_path):
    table, vectors = days
    lines = table.read_text().splitlines()
    some = [line.replace("2024-01-01", "who knows") if i % 20 == 0 else line for i, line in enumerate(lines)]
    (tmp_path / "some.csv").write_text("\n".join(some) + "\n")
    result = shoal("drift", tmp_path / "some.csv", "--vectors", vectors, "--time", "day", "--every", "month")
    assert "rows have no time in column day" in result.stderr
    many = [lines[0]] + [line.replace("2024-01", "01.24") if i % 2 else line for i, line in enumerate(lines[1:])]
    (tmp_path / "many.csv").write_text("\n".join(many) + "\n")
    refused = shoal("drift", tmp_path / "many.csv", "--vectors", vectors, "--time", "day", check=False)
    assert refused.returncode == 3 and "column day: it holds no times" in refused.stderr


def test_texts_are_embedded_once_and_foreign_ones_found(short_csv, tmp_path):
    table = tmp_path / "short.csv"
    table.write_text("".join(short_csv.read_text().splitlines(keepends=True)[:400]))
    found = answer("anomalies", table)
    assert found["trust"]["foreign"] == "sentences of shoal's own" and found["rows"] == 399
    best = found["trust"]["scores"][0]
    assert best["score"] == "knn-lof" and best["auroc"] > 0.6
    assert all(row["reason"] and row["text"] for row in found["strange"])
    kept = table.with_name("short.csv.all-MiniLM-L6-v2.safetensors")
    before = kept.stat().st_mtime_ns
    assert answer("anomalies", table) == found and kept.stat().st_mtime_ns == before
    # Of another text they are made anew; what is not shoal's own is left alone.
    table.write_text(table.read_text() + "999,another row,a\n")
    assert answer("anomalies", table, "--no-trust")["rows"] == 400
    other = tmp_path / "other.csv"
    other.write_text("text\none\ntwo\nthree\n")
    other.with_name("other.csv.all-MiniLM-L6-v2.safetensors").write_text("mine")
    refused = shoal("anomalies", other, check=False)
    assert refused.returncode == 2 and "exists" in refused.stderr


def test_kept_in_a_collection(short_csv, tmp_path):
    shoal("map", short_csv, "--out", tmp_path / "m.shoal", "--limit", "300", "--quiet")
    found = answer("anomalies", tmp_path / "m.shoal", "--no-trust", "--keep")
    assert found["kept_as"] == "anomaly"
    shoal("export", tmp_path / "m.shoal", "--result", "anomaly", "--out", tmp_path / "a.csv", "--quiet")
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    strangest = max(rows, key=lambda row: float(row["anomaly"]))
    assert int(strangest.get("row", strangest.get("id", -1))) == found["strange"][0]["row"]
    assert answer("drift", tmp_path / "m.shoal", tmp_path / "m.shoal", "--tests", "mmd")["p_val"] == 1
    # The page has them as a layer, whole, and so has the next one; not one of other vectors.
    layer = '"layers":[{"name":"how strange"'
    assert layer in (tmp_path / "m.shoal/map.html").read_text()
    shoal("inspect", tmp_path / "m.shoal", "--check")
    again = json.loads(shoal("map", tmp_path / "m.shoal", "--json").stdout)
    assert "page" in again["done_before"]
    shoal("map", tmp_path / "m.shoal", "--clusters", "5", "--quiet")
    assert layer in (tmp_path / "m.shoal/map.html").read_text()
    shoal("map", short_csv, "--out", tmp_path / "m.shoal", "--limit", "350", "--quiet")
    assert '"layers":[]' in (tmp_path / "m.shoal/map.html").read_text()


def test_plots_in_the_page(texts, tmp_path):
    """Drift and lifetime of a collection stand in the report of its page, as long as they are of what is in it."""
    table, out = tmp_path / "t.csv", tmp_path / "t.shoal"

    def write(rows):
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["text", "day"], *[[text[:80], f"2024-{1 + i // 100:02d}-{1 + i % 20:02d}"] for i, text in enumerate(texts[:rows])]])

    write(500)
    shoal("map", table, "--text", "text", "--out", out, "--quiet")
    refused = shoal("drift", table, "--time", "day", "--keep", check=False)
    assert refused.returncode == 2 and "--keep" in refused.stderr
    assert 'id="b-plots"' not in (out / "map.html").read_text()
    shoal("drift", out, "--time", "day", "--keep", "--quiet")
    shoal("lifetime", out, "--time", "day", "--keep", "--every", "month", "--quiet")
    assert 'id="b-plots"' in (out / "map.html").read_text()
    assert {"drift.svg", "lifetime.svg"} <= {path.name for path in out.iterdir()}
    assert "whole" in shoal("inspect", out, "--check").stdout
    shoal("map", out, "--clusters", "6", "--quiet")
    assert {path.name for path in out.glob("*.svg")} == {"lifetime.svg"}, "the clusters that drift told of are gone"
    write(520)
    shoal("map", table, "--text", "text", "--out", out, "--quiet")
    assert not list(out.glob("*.svg")) and 'id="b-plots"' not in (out / "map.html").read_text()


def test_one_of_many_clusters(tmp_path):
    """70 clusters, of which one is new: by 1,000 deals no rule that multiplies p-values could be sure of it."""
    random = np.random.default_rng(8)
    centres = random.normal(size=(70, 32))
    rows = lambda which: (centres[which] + 0.05 * random.normal(size=(len(which), 32))).astype(np.float32)
    np.save(tmp_path / "old.npy", rows(np.arange(2100) % 69))
    np.save(tmp_path / "new.npy", rows(np.where(np.arange(2100) < 150, 69, np.arange(2100) % 69)))
    found = answer("drift", tmp_path / "old.npy", tmp_path / "new.npy", "--clusters", "70")
    born = [c for c in found["clusters"] if c["change"] != "same"]
    assert [c["change"] for c in born] == ["born"] and born[0]["new_rows"] >= 150
    assert born[0]["corrected_p_val"] == found["smallest_p_val"]


def test_a_window_of_equal_texts_is_left_out(days, tmp_path):
    table, vectors = days
    x = np.load(vectors)
    x[120:160] = x[120]
    np.save(tmp_path / "x.npy", x)
    result = shoal("lifetime", table, "--vectors", tmp_path / "x.npy", "--time", "day", "--every", "day", "--join", "1", "--clusters", "4")
    assert "1 of 64 windows have too few different texts for 4 clusters and are passed over" in result.stderr
    x[:200] = x[0]
    np.save(tmp_path / "x.npy", x)
    result = shoal("lifetime", table, "--vectors", tmp_path / "x.npy", "--time", "day", "--every", "day", "--join", "1", "--clusters", "4")
    assert "first third of the windows holds too few different texts" in result.stderr


def test_a_stream_from_standard_input(short_csv, tmp_path):
    reference = tmp_path / "reference.csv"
    reference.write_text("".join(short_csv.read_text().splitlines(keepends=True)[:300]))
    foreign = "".join("The choir sang an old song about the sea and the wind.\n" for _ in range(40))
    found = json.loads(shoal("drift", reference, "-", "--online", "--json", "--quiet", input=foreign).stdout)
    assert found["is_drift"] == 1 and found["rows"] == 40 and 1 < found["time"] <= 40
