"""Parquet in and out of the program, and what JSONL and Parquet say of their values: kept, shown, compared."""
import base64
import csv
import json
import os
import pathlib
import re
import struct
import subprocess
import sys

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


def arrow_schema(path):
    """The columns that the Arrow schema of a Parquet file names: (name, kind, may be null, length of a list)."""
    found = re.search(rb"ARROW:schema.{1,8}?(/////[A-Za-z0-9+/=]+)", path.read_bytes(), re.S)
    message = base64.b64decode(found[1])
    assert struct.unpack_from("<iI", message) == (-1, len(message) - 8)
    buf = message[8:]
    kinds = {2: "int", 3: "float", 5: "utf8", 6: "bool", 8: "date", 10: "timestamp", 12: "list", 16: "fixed_size_list"}

    def number(form, at):
        return struct.unpack_from("<" + form, buf, at)[0]

    def slot(table, n):
        """Where field n of a table stands; None: it has the default."""
        vtable = table - number("i", table)
        offset = number("H", vtable + 4 + 2 * n) if 4 + 2 * n < number("H", vtable) else 0
        return table + offset if offset else None

    def follow(at):
        return at + number("I", at)

    def column(field):
        name = follow(slot(field, 0))
        kind, type = buf[slot(field, 2)], follow(slot(field, 3))
        null = slot(field, 1) is not None and buf[slot(field, 1)] == 1
        about = {2: lambda: number("i", slot(type, 0)), 16: lambda: number("i", slot(type, 0)),
                 10: lambda: slot(type, 1) and buf[follow(slot(type, 1)) + 4:][:3].decode()}.get(kind, lambda: None)()
        return buf[name + 4:name + 4 + number("I", name)].decode(), kinds[kind], null, about

    root = follow(0)
    assert buf[slot(root, 1)] == 1  # the message is a schema
    fields = follow(slot(follow(slot(root, 2)), 1))
    return [column(follow(fields + 4 + 4 * i)) for i in range(number("I", fields))]


def test_vectors_have_a_fixed_size_for_readers(values_map, tmp_path):
    out = tmp_path / "e.parquet"
    rows = [{"text": "the cat is here", "day": "2024-01-02", "at": "2024-01-02T03:04:05", "utc": "2024-01-02T03:04:05Z",
             "half": 0.5, "yes": True, "nest": {"a": 1}, "\u0434\u043e\u043c": "x"}] * 3
    (tmp_path / "e.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    shoal("embed", tmp_path / "e.jsonl", "--text", "text", "--out", out)
    assert arrow_schema(out) == [
        ("row", "int", True, 64), ("text", "utf8", True, None), ("day", "date", True, None), ("at", "timestamp", True, None),
        ("utc", "timestamp", True, "UTC"), ("half", "float", True, None), ("yes", "bool", True, None),
        ("nest", "utf8", True, None), ("\u0434\u043e\u043c", "utf8", True, None), ("vector", "fixed_size_list", False, 384)]
    shoal("export", values_map, "--out", tmp_path / "v.parquet", "--vectors")
    columns = arrow_schema(tmp_path / "v.parquet")
    about = json.loads(shoal("inspect", tmp_path / "v.parquet", "--json").stdout)
    assert [c[0] for c in columns] == ["row", "text", *[c for c in about["columns"] if c != "row"], "vector"]
    assert columns[-1] == ("vector", "fixed_size_list", False, 384)
    assert [c for c in columns if c[0] in ("cluster", "x")] == [("cluster", "int", True, 32), ("x", "float", True, None)]


def peak(*arguments):
    """Runs shoal; (status, MiB of memory at its peak, standard error). From a small process: a child counts what its parent held."""
    code = ("import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
            "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)")
    done = subprocess.run([sys.executable, "-c", code, SHOAL, *map(str, arguments)], capture_output=True, text=True, check=True)
    status, size = map(int, done.stdout.split())
    return status, size, done.stderr


def test_small_files_of_much_take_little_memory():
    for name in ("hostile_nulls", "hostile_words", "hostile_page", "hostile_columns"):
        status, size, error = peak("inspect", GOLDEN / f"{name}.parquet")
        assert status == 3 and "list elements in a row, which a file of" in error, error
        assert size < 90, (name, size)
    for name in ("long_same", "long_delta", "nulls", "zeros"):
        status, size, error = peak("inspect", GOLDEN / f"{name}.parquet", "--text", "text")
        assert status == 0, error
        assert size < 110, (name, size)


def test_options_of_texts_are_refused(tmp_path):
    path = GOLDEN / "codec_none_1.parquet"
    for option, value in (("--skip", 1), ("--header", "no"), ("--encoding", "latin1"), ("--delimiter", ";"), ("--quote", "single"),
                          ("--escape", "backslash"), ("--format", "csv")):
        for verb, rest in (("inspect", ()), ("embed", ("--out", tmp_path / "x.npy")), ("map", ("--out", tmp_path / "x.shoal"))):
            failed = shoal(verb, path, option, value, *rest, check=False)
            assert failed.returncode == 2 and f"{path} is a Parquet file, which has no" in failed.stderr
            assert f"leave out {option}" in failed.stderr, failed.stderr
    with path.open("rb") as file:
        failed = subprocess.run([SHOAL, "inspect", "-", "--skip", "1"], stdin=file, capture_output=True, text=True)
    assert failed.returncode == 2 and "standard input is a Parquet file, which has no lines" in failed.stderr
    failed = shoal("inspect", GOLDEN / "vectors_half_fixed.parquet", "--skip", 1, check=False)  # also where vectors are shown
    assert failed.returncode == 2 and "is a Parquet file, which has no lines" in failed.stderr
    for name, message in (("no_rows", "is a Parquet file without rows"), ("no_columns", "is a Parquet file without columns")):
        failed = shoal("embed", GOLDEN / f"{name}.parquet", "--out", tmp_path / "x.npy", check=False)
        assert failed.returncode == 3 and message in failed.stderr


def test_the_folder_for_temporary_files_is_named(tmp_path):
    bad = tmp_path / "nowhere"
    environment = {**os.environ, "TMPDIR": str(bad)}
    with (GOLDEN / "codec_none_1.parquet").open("rb") as file:
        failed = subprocess.run([SHOAL, "inspect", "-"], stdin=file, capture_output=True, text=True, env=environment)
    assert failed.returncode == 4 and f"{bad} (TMPDIR), cannot be used" in failed.stderr, failed.stderr


def test_the_column_of_vectors_is_chosen(tmp_path):
    path = tmp_path / "two.parquet"
    path.write_bytes((GOLDEN / "vectors_two.parquet").read_bytes())
    failed = shoal("cluster", path, "--clusters", 2, "--out", tmp_path / "no", check=False)
    assert failed.returncode == 5 and 'several columns of vectors: "title", "body"; --vector-column NAME takes one' in failed.stderr
    made = shoal("cluster", path, "--vector-column", "title", "--clusters", 2, "--out", tmp_path / "title")
    assert "converted" not in made.stderr
    made = shoal("cluster", path, "--vector-column", "body", "--clusters", 2, "--out", tmp_path / "body")
    assert "note: float64 converted to float32" in made.stderr
    again = json.loads(shoal("cluster", path, "--vector-column", "body", "--clusters", 2, "--out", tmp_path / "body", "--json").stdout)
    assert again["done_before"]
    # The other column is other work.
    assert shoal("cluster", path, "--vector-column", "title", "--clusters", 2, "--out", tmp_path / "body", check=False).returncode == 2
    shoal("layout", path, "--vector-column", "body", "--out", tmp_path / "l", "--quiet")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a.parquet", "b.parquet"):
        (folder / name).write_bytes(path.read_bytes())
    shoal("cluster", folder, "--vector-column", "title", "--clusters", 2, "--out", tmp_path / "both", "--quiet")
    assert len((tmp_path / "both/labels.csv").read_text().splitlines()) == 5
    shoal("classify", "predict", tmp_path / "both", path, "--vector-column", "title", "--out", tmp_path / "p", "--quiet")
    failed = shoal("cluster", path, "--vector-column", "head", "--out", tmp_path / "no", check=False)
    assert failed.returncode == 5 and 'has no column "head"; its columns of vectors are "title", "body"' in failed.stderr
    (tmp_path / "x.npy").write_bytes(b"")
    failed = shoal("layout", tmp_path / "x.npy", "--vector-column", "v", "--out", tmp_path / "no", check=False)
    assert failed.returncode == 2 and "--vector-column v names a column of a Parquet file" in failed.stderr


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
