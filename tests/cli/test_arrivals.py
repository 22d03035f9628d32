"""The same bytes mean the same, however they arrive: from a file of any name, a pipe, a FIFO, <(...), packed or not."""
import gzip
import json
import os
import shutil
import subprocess
import threading

import pytest

from conftest import ROOT, SHOAL, shoal

ZSTD = shutil.which("zstd")
CASES = ROOT / "tests/cases"
TABLE = b"id,summary\n1,the cat sat on mats\n2,the dog ran far off\n3,\"two\nlines, of text\"\n"


def asked(command, **options):
    """What `shoal inspect` says on the command line that `command` ends with, run by bash; remarks and notes too."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, env={**os.environ, "SHOAL": str(SHOAL)}, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(answer):
    return {key: answer[key] for key in ("rows", "text_columns", "columns", "first", "read", "written")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrivals")
    for name in ("t.csv", "t.txt", "t.dat", "t"):
        (folder / name).write_bytes(TABLE)
    (folder / "t.csv.gz").write_bytes(gzip.compress(TABLE[:30]) + gzip.compress(TABLE[30:]))
    (folder / "packed").write_bytes(gzip.compress(TABLE))
    if ZSTD:
        subprocess.run([ZSTD, "-q", "t.csv"], cwd=folder, check=True)
    return folder


WAYS = ["$SHOAL inspect t.csv --json", "$SHOAL inspect t.txt --json", "$SHOAL inspect t.dat --json", "$SHOAL inspect t --json",
        "cat t.csv | $SHOAL inspect - --json", "$SHOAL inspect /dev/stdin --json < t.csv",
        "cat t.csv | $SHOAL inspect /dev/stdin --json", "$SHOAL inspect <(cat t.csv) --json",
        "zcat t.csv.gz | $SHOAL inspect - --json",
        "(head -c 5 t.csv; sleep 0.3; tail -c +6 t.csv) | $SHOAL inspect - --json"]
PACKED = ["$SHOAL inspect t.csv.gz --json", "$SHOAL inspect packed --json", "cat t.csv.gz | $SHOAL inspect - --json",
          "$SHOAL inspect <(cat packed) --json"]


def test_every_way_gives_the_same(folder):
    first = told(asked(WAYS[0], cwd=folder))
    assert first["rows"] == 3 and first["text_columns"] == ["summary"] and first["columns"] == ["id"]
    for way in WAYS[1:]:
        assert told(asked(way, cwd=folder)) == first, way
    first["written"]["compression"] = "gzip"
    for way in PACKED:
        assert told(asked(way, cwd=folder)) == first, way


@pytest.mark.skipif(not ZSTD, reason="no zstd program")
def test_zstd(folder):
    for way in ("$SHOAL inspect t.csv.zst --json", "zstd -qc t.csv | $SHOAL inspect - --json"):
        answer = asked(way, cwd=folder)
        assert answer["rows"] == 3 and answer["written"]["compression"] == "zstd", way


def test_fifo(folder, tmp_path):
    fifo = tmp_path / "fifo.csv"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(TABLE))
    writer.start()
    answer = json.loads(shoal("inspect", fifo, "--json").stdout)
    writer.join()
    assert answer["rows"] == 3 and answer["text_columns"] == ["summary"]


@pytest.mark.parametrize("name", ["bs.csv", "trail2.csv", "koi8.csv", "utf16be_nobom.csv", "piped.csv"])
def test_cases_from_a_pipe(name):
    path = CASES / name
    assert told(asked(f"cat {path} | $SHOAL inspect - --json")) == told(asked(f"$SHOAL inspect {path} --json"))


def test_a_map_of_what_a_pipe_gives(tmp_path):
    """The header is no text, quoted lines are whole, the column beside is kept, and what was found is said."""
    rows = "".join(f"{i};\"the cat number {i} sat,\non the mat\"\n" for i in range(12))
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(("id;review\n" + rows).encode("utf-16")))
    command = f"zcat r.csv.gz | {SHOAL} map - --out r.shoal --clusters 2 && {SHOAL} export r.shoal --out r.jsonl --format jsonl"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "note: standard input: read as UTF-16LE, with the delimiter ;" in done.stderr
    out = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [r["text"] for r in out] == [f"the cat number {i} sat,\non the mat" for i in range(12)]
    assert [r["id"] for r in out] == [str(i) for i in range(12)]


def test_names_of_maps(tmp_path):
    """reviews.csv.gz becomes reviews.shoal; a pipe has no name to take."""
    (tmp_path / "reviews.csv.gz").write_bytes(gzip.compress(b"text\na cat\na dog\na bird\n"))
    shoal("map", "reviews.csv.gz", "--clusters", "1", cwd=tmp_path)
    assert (tmp_path / "reviews.shoal").is_dir()
    done = subprocess.run(["bash", "-c", f"{SHOAL} map <(zcat reviews.csv.gz)"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "--out NAME.shoal is needed" in done.stderr


def test_a_long_quoted_file_through_a_pipe_has_bounded_memory(tmp_path):
    """300 MB of zeros of text in 300 KB of gzip: read in a stream."""
    row = b"1,\"" + b"word " * 20000 + b"\"\n"
    with gzip.open(tmp_path / "big.csv.gz", "wb", compresslevel=6) as out:
        out.write(b"id,text\n")
        for _ in range(3000):
            out.write(row)
    command = f"ulimit -v 1500000; {SHOAL} inspect big.csv.gz --json --threads 1"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 3000
