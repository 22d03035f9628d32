"""Parquet in and out of the program, and what JSONL and Parquet say of their values: kept, shown, compared."""
import csv
import json
import re
import pathlib
import subprocess

import pytest

from conftest import ROOT, SHOAL, shoal

GOLDEN = ROOT / "tests/golden/parquet"
CASES = ROOT / "tests/cases"
PICTURES = ("cat", "dog", "stock", "bank", "soup", "bread")


def read_jsonl(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def same(a, b):
    """Equal, also in type, and NaN is NaN."""
    if isinstance(a, float) and isinstance(b, float) and a != a:
        return b != b
    return type(a) is type(b) and a == b


@pytest.fixture(scope="module")
def values_map(tmp_path_factory):
    out = tmp_path_factory.mktemp("values") / "v.shoal"
    shoal("map", CASES / "values.jsonl", "--text", "text", "--clusters", 3, "--out", out, "--quiet")
    return out


def test_jsonl_comes_out_as_it_went_in(values_map, tmp_path):
    out = tmp_path / "v.jsonl"
    shoal("export", values_map, "--out", out)
    before, after = read_jsonl(CASES / "values.jsonl"), read_jsonl(out)
    assert len(before) == len(after)
    for old, new in zip(before, after):
        for key, value in old.items():
            assert same(value, new[key]), (key, value, new[key])
    # To the last letter: no number went through a float.
    line, raw = out.read_text().splitlines()[0], (CASES / "values.jsonl").read_text().splitlines()[0]
    for piece in ('"id":3791411052119578828', '"big":100000000000000000000000000', '"f":1e400', '"none":null', '"nan":NaN'):
        assert piece in line
    assert '{"a": [1, {"b": "\\u00e9"}]}' in line and '{"a": [1, {"b": "\\u00e9"}]}' in raw


def test_other_kinds_of_values(tmp_path):
    rows = [{"text": f"the {p} number {i} of the day", "same": "5" if i % 2 else 5, "deep": {"": [None, "\u2028", 1.10]},
             "maybe": None if i % 3 else "x", "empty": "", "list": [], "neg": -0.0} for i in range(4) for p in PICTURES]
    for i, row in enumerate(rows):
        if i % 4 == 0:
            del row["same"]
    rows[5]["text"] = None
    path = tmp_path / "mixed.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    shoal("map", path, "--text", "text", "--clusters", 2, "--out", tmp_path / "m.shoal", "--quiet")
    shoal("export", tmp_path / "m.shoal", "--out", tmp_path / "m.jsonl")
    for old, new in zip(rows, read_jsonl(tmp_path / "m.jsonl")):
        assert old.keys() <= new.keys() and ("same" in old) == ("same" in new)
        assert all(same(value, new[key]) for key, value in old.items()), (old, new)


def test_objects_that_span_lines(tmp_path):
    rows = [{"text": f"the {p} is here again", "deep": {"a": [1, {"b": "c"}]}} for p in PICTURES * 3]
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=2))
    shoal("map", tmp_path / "a.json", "--clusters", 2, "--out", tmp_path / "a.shoal", "--quiet")
    shoal("export", tmp_path / "a.shoal", "--out", tmp_path / "a.jsonl")
    assert [r["deep"] for r in read_jsonl(tmp_path / "a.jsonl")] == [r["deep"] for r in rows]


def test_csv_stays_text(values_map, tmp_path):
    shoal("export", values_map, "--out", tmp_path / "v.csv")
    row = next(csv.DictReader((tmp_path / "v.csv").open(newline="")))
    assert row["big"] == "100000000000000000000000000" and row["f"] == "1e400" and row["none"] == ""


def test_nan_is_no_text(tmp_path):
    path = tmp_path / "nan.jsonl"
    path.write_text('{"body": "a fine text"}\n{"body": NaN}\n{"body": null}\n')
    shoal("embed", path, "--text", "body", "--out", tmp_path / "x.npy")
    path.write_text('{"body": "a fine text"}\n{"body": 12}\n')
    assert "must hold a string or null" in shoal("embed", path, "--text", "body", "--out", tmp_path / "y.npy", check=False).stderr


def test_nothing_is_infinite(values_map, tmp_path):
    inspected = shoal("inspect", values_map, "--json").stdout
    assert "1e400" in inspected and not re.search(r'(?<!")\binf\b(?!")', inspected.lower())
    path = tmp_path / "big.jsonl"
    path.write_text("".join('{"text": "the %s is here", "big": 1000000000000000000%d0}\n' % (p, i)
                            for i in range(9) for p in PICTURES))
    out = tmp_path / "big.shoal"
    shoal("map", path, "--text", "text", "--clusters", 3, "--out", out, "--quiet")
    answer = shoal("explain", out, "--outcome", "big", "--json", "--quiet").stdout
    assert '"numbers"' in answer and "inf" not in answer.lower()
    assert "inf" not in shoal("explain", out, "--outcome", "big", "--quiet").stdout.lower()


def test_kinds_of_columns(tmp_path):
    path = tmp_path / "k.csv"
    rows = [["text", "share", "price", "amount", "day", "when", "note"]]
    for i in range(60):
        rows.append([f"the {PICTURES[i % 6]} number {i}", f"{i}%", f"${i}.50", f"1.{i:03},50", f"{i % 28 + 1}.{i % 12 + 1}.2024",
                     f"2024-01-{i % 28 + 1:02}T10:00:00Z", ["good", "bad", ""][i % 3]])
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    kinds = {k["column"]: k for k in json.loads(shoal("inspect", path, "--json").stdout)["kinds"]}
    assert {k: v["kind"] for k, v in kinds.items()} == {"share": "percent", "price": "money", "amount": "number",
                                                        "day": "date", "when": "timestamp", "note": "category"}
    assert kinds["amount"]["written"] == "decimal comma" and kinds["day"]["written"] == "day first"
    assert kinds["note"]["missing"] == 20 and kinds["share"]["fit"] == 1 and kinds["share"]["examples"] == ["0%", "1%", "2%"]
    out = tmp_path / "k.shoal"
    shoal("map", path, "--text", "text", "--clusters", 3, "--color", "day", "--out", out, "--quiet")
    for column in ("share", "price", "amount", "day", "when"):
        answer = json.loads(shoal("explain", out, "--outcome", column, "--json", "--quiet").stdout)
        assert "numbers" in json.dumps(answer), column
    assert {k["column"]: k["kind"] for k in json.loads(shoal("inspect", out, "--json").stdout)["kinds"]}["day"] == "date"


def test_parquet_from_a_file_and_a_pipe(tmp_path):
    source = GOLDEN / "codec_zstd_2.parquet"
    shoal("embed", source, "--out", tmp_path / "a.npy")
    with source.open("rb") as file:
        subprocess.run(["sh", "-c", f"cat | '{SHOAL}' embed - --out '{tmp_path}/b.npy'"], stdin=file, check=True, capture_output=True)
    shoal("embed", source, source, "--limit", 301, "--out", tmp_path / "c.npy")
    a = (tmp_path / "a.npy").read_bytes()
    assert a == (tmp_path / "b.npy").read_bytes()
    assert json.loads(shoal("inspect", tmp_path / "c.npy", "--json").stdout)["rows"] == 301
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(source.read_bytes()[:-20])
    failed = shoal("map", cut, "--out", tmp_path / "no.shoal", check=False)
    assert failed.returncode == 3 and "cut.parquet cannot be read as Parquet: it does not end as Parquet files do" in failed.stderr


def test_embed_writes_parquet(tmp_path):
    out = tmp_path / "e.parquet"
    answer = shoal("embed", CASES / "values.jsonl", "--text", "text", "--out", out, "--json")
    assert json.loads(answer.stdout)["rows"] == 24
    first = out.read_bytes()
    assert json.loads(shoal("embed", CASES / "values.jsonl", "--text", "text", "--out", out, "--json").stdout)["done_before"]
    shoal("embed", CASES / "values.jsonl", "--text", "text", "--out", out, "--overwrite", "--threads", 1)
    assert out.read_bytes() == first
    assert not [p.name for p in tmp_path.iterdir() if "part" in p.name]
    about = json.loads(shoal("inspect", out, "--json").stdout)
    assert about["rows"] == 24 and about["text_columns"] == ["text"]
    assert about["columns"] == ["row", "id", "big", "f", "nan", "inf", "flag", "none", "nest"]  # "vector" is left out
    shoal("embed", CASES / "values.jsonl", "--text", "text", "--out", tmp_path / "e.safetensors")
    for name in ("e.parquet", "e.safetensors"):
        shoal("cluster", tmp_path / name, "--clusters", 3, "--out", tmp_path / (name + ".out"), "--quiet")
    labels = [(tmp_path / (name + ".out") / "labels.csv").read_text() for name in ("e.parquet", "e.safetensors")]
    assert labels[0] == labels[1]


def test_export_writes_parquet(values_map, tmp_path):
    out = tmp_path / "v.parquet"
    shoal("export", values_map, "--out", out, "--vectors")
    first = out.read_bytes()
    shoal("export", values_map, "--out", out, "--vectors", "--overwrite")
    assert out.read_bytes() == first
    about = json.loads(shoal("inspect", out, "--json").stdout)
    assert about["columns"][-5:] == ["cluster", "cluster_name", "group_name", "x", "y"] and about["rows"] == 24
    # Into a collection and out again: the same values.
    shoal("map", out, "--text", "text", "--clusters", 2, "--out", tmp_path / "again.shoal", "--quiet")
    shoal("export", tmp_path / "again.shoal", "--out", tmp_path / "again.jsonl")
    row = read_jsonl(tmp_path / "again.jsonl")[0]
    assert row["id"] == 3791411052119578828 and row["flag"] is True and row["none"] is None
    assert row["big"] == "100000000000000000000000000" and row["f"] == "1e400"  # no type of Parquet's holds them
    failed = shoal("export", values_map, "--out", tmp_path / "v.csv", "--vectors", check=False)
    assert failed.returncode == 2 and "--out NAME.npy writes them alone" in failed.stderr


def test_vectors_of_a_parquet_file(tmp_path):
    for name, dims in (("vectors_half_fixed", 4), ("vectors_alone", 20)):
        about = json.loads(shoal("inspect", GOLDEN / f"{name}.parquet", "--json").stdout)
        assert about["kind"] == "vectors" and about["dims"] == dims
    failed = shoal("inspect", GOLDEN / "vectors_bad_null.parquet", check=False)
    assert failed.returncode == 3 and "must hold a string or null" in failed.stderr
    failed = shoal("cluster", GOLDEN / "vectors_bad_length.parquet", "--out", tmp_path / "x", check=False)
    assert failed.returncode == 5 and "row 1: a vector of 1 numbers; the first row's has 2" in failed.stderr
    shoal("layout", GOLDEN / "vectors_half_fixed.parquet", "--n-neighbors", 3, "--out", tmp_path / "l", "--quiet")
    assert len((tmp_path / "l/points.csv").read_text().splitlines()) == 11
