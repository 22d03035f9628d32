"""A collection that is mapped again takes the options of the last time, and what is not finished is not taken for it."""
import json
import os
import shutil
import sqlite3
import subprocess

from conftest import SHOAL, fingerprints, shoal

ALL = ["embed", "pca", "layout", "cluster", "explain", "page"]


def again(*arguments):
    return json.loads(shoal("map", *arguments, "--json").stdout)


def test_options_that_are_not_given_stay(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 60, "--out", out, "--long", "chunk", "--overlap", 3, "--max-tokens",
          8, "--seed", 7, "--variance", 0.8, "--n-neighbors", 6, "--min-dist", 0.3, "--clusters", 5, "--title",
          "Mine and yours", "--color", "letter")
    before = fingerprints(out)
    assert again(out)["done_before"] == ALL
    assert fingerprints(out) == before
    changed = again(out, "--clusters", 3)
    assert changed["done_before"] == ["embed", "pca", "layout"] and changed["n_clusters"] == 3
    assert '"title":"Mine and yours"' in (out / "map.html").read_text()
    assert again(f"{out}/")["n_clusters"] == 3, "the given ones stay too"
    again(out, "--clusters", 5, "--overlap", 3)
    assert fingerprints(out) == before
    # With the texts the command line is complete: what is not given has its default.
    assert again(short_csv, "--text", "text", "--limit", 60, "--out", out)["done_before"] == []


def test_a_model_by_its_folder_is_found_again(short_csv, tmp_path):
    model = tmp_path / "models" / "my model"
    shutil.copytree(json.loads(shoal("model", "path", "--json").stdout)["path"], model)
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 40, "--out", out, "--model", "models/my model", cwd=tmp_path)
    assert again(out)["done_before"] == ALL
    assert shoal("search", out, "anything").stdout


def test_files_that_are_lost_or_cut_are_made_again(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 60, "--out", out, "--clusters", 4)
    before = fingerprints(out)
    for step, name in [("embed", "vectors"), ("pca", "pca"), ("pca", "reduced"), ("layout", "umap"), ("cluster", "clusters")]:
        file = out / f"{name}.safetensors"
        os.truncate(file, file.stat().st_size // 2)
        # Clusters do not hang on the layout.
        kept = ["embed", "pca", "cluster", "explain"] if step == "layout" else ALL[: ALL.index(step)]
        assert again(out)["done_before"] == kept, name
        assert fingerprints(out) == before
        file.unlink()
        again(out)
        assert fingerprints(out) == before
    os.truncate(out / "report.json", 100)
    assert again(out)["done_before"] == ALL[:3] and fingerprints(out) == before
    (out / "map.html").unlink()
    assert again(out)["done_before"] == ALL[:-1] and fingerprints(out) == before


def test_a_step_compares_what_it_reads(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 60, "--out", out, "--clusters", 4)
    whole = tmp_path / "whole"
    shutil.copytree(out, whole / "m.shoal")
    again(whole / "m.shoal", "--clusters", 5)
    for name, kept in (("reduced", ["embed"]), ("vectors", [])):
        file = out / f"{name}.safetensors"
        content = bytearray(file.read_bytes())
        content[-5] ^= 0x40  # near the sign: another number, not a broken file
        file.write_bytes(content)
        assert again(out)["done_before"] == ALL, "nothing reads it"
        (out / "pca.safetensors").unlink() if name == "vectors" else None
        assert again(out, "--clusters", 5)["done_before"] == kept, "made again of its own inputs, with all that hangs on it"
        assert fingerprints(out) == fingerprints(whole / "m.shoal")
        again(out, "--clusters", 4)


def cut(out, copy, sql):
    shutil.copytree(out, copy)
    with sqlite3.connect(copy / "rows.sqlite") as database:
        database.executescript(sql)
    return copy


def test_check_finds_a_changed_byte(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 60, "--out", out, "--clusters", 4)
    whole = fingerprints(out)
    assert json.loads(shoal("inspect", out, "--check", "--json").stdout)["check"] == "all 8 files are whole"
    for name in ("vectors.safetensors", "pca.safetensors", "reduced.safetensors", "umap.safetensors",
                 "clusters.safetensors", "report.json", "map.html"):
        file = out / name
        content = bytearray(file.read_bytes())
        content[-5] ^= 1
        file.write_bytes(content)
        result = shoal("inspect", out, "--check", check=False)
        assert result.returncode == 5 and f"damaged: {name} is not as it was written; delete it" in result.stderr
        file.unlink()
        result = shoal("inspect", out, "--check", check=False)
        assert result.returncode == 5 and f"damaged: {name} is lost" in result.stderr
        shoal("map", out)
        assert fingerprints(out) == whole

    rows = shoal("export", out, "--out", "-", "--format", "jsonl").stdout.splitlines()
    longest = max((json.loads(row)["text"].encode() for row in rows), key=len)
    database = bytearray((out / "rows.sqlite").read_bytes())
    database[database.index(longest)] ^= 1
    (out / "rows.sqlite").write_bytes(database)
    result = shoal("inspect", out, "--check", check=False)
    assert result.returncode == 5 and "is damaged: " in result.stderr and "rows.sqlite" in result.stderr, result.stderr
    (out / "rows.sqlite").write_bytes(database[:8192] + bytes(4096) + database[12288:])
    result = shoal("inspect", out, "--check", check=False)
    assert result.returncode == 5 and "damaged: rows.sqlite is" in result.stderr, result.stderr


SPOILT = ["UPDATE clusters SET group_id = 99999999", "UPDATE clusters SET group_id = -5", "DELETE FROM groups",
          "UPDATE clusters SET medoids = '[99]'", "UPDATE clusters SET size = -1", "DELETE FROM clusters WHERE id = 0"]


def test_spoilt_clusters_are_damage_in_every_verb(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 60, "--out", out, "--clusters", 4)
    for i, sql in enumerate(SPOILT):
        bad = cut(out, tmp_path / f"bad{i}.shoal", sql)
        for verb in (["map", bad], ["inspect", bad], ["search", bad, "x"], ["search", bad, "x", "--words"],
                     ["explain", bad], ["export", bad, "--out", tmp_path / "x.csv"],
                     ["export", bad, "--features", "one-hot", "--out", tmp_path / "x.npy"]):
            result = shoal(*verb, check=False)
            assert result.returncode == 5 and f"{bad} is damaged: " in result.stderr, (sql, verb, result)
        # No step builds on a database that somebody changed; made anew from the input it is whole.
        result = shoal("map", bad, "--clusters", 3, check=False)
        assert result.returncode == 5 and f"{bad} is damaged: " in result.stderr, (sql, result)
    shoal("map", short_csv, "--text", "text", "--limit", 60, "--out", bad, "--clusters", 3, "--overwrite")
    assert "all 8 files are whole" in shoal("inspect", bad, "--check").stdout


def test_check_finds_any_change_of_the_database(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 60, "--out", out, "--clusters", 4)
    subprocess.run(["sha256sum", "--check", "--quiet", "rows.sqlite.sha256"], cwd=out, check=True)
    for i, sql in enumerate(["UPDATE rows SET cluster = (cluster + 1) % 4", "UPDATE rows SET x = x + 1",
                             "UPDATE clusters SET name = 'x'", "UPDATE manifest SET value = 'x' WHERE key = 'model'",
                             "UPDATE columns SET name = 'x'", "INSERT INTO texts(texts) VALUES('delete-all')"]):
        bad = cut(out, tmp_path / f"bad{i}", sql)
        result = shoal("inspect", bad, "--check", check=False)
        assert result.returncode == 5 and "damaged: rows.sqlite is not as it was written" in result.stderr, sql
    # Nor does more input make it good again.
    bad = cut(out, tmp_path / "changed", "UPDATE rows SET text = text || '!' WHERE id = 3")
    result = shoal("map", short_csv, "--text", "text", "--limit", 70, "--out", bad, check=False)
    assert result.returncode == 5 and "damaged: rows.sqlite is not as it was written" in result.stderr, result
    (out / "rows.sqlite.sha256").unlink()
    assert "rows.sqlite has no checksum until" in shoal("inspect", out, "--check").stdout
    shoal("map", out)
    assert "checksum" not in shoal("inspect", out, "--check").stdout


def test_check_tells_what_is_not_finished(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 60, "--out", out, "--clusters", 4)
    half = cut(out, tmp_path / "half", "update manifest set value = '' where key in ('sha256 map.html', 'sha256 umap.safetensors');"
               " pragma user_version = 0")
    said = shoal("inspect", half, "--check").stdout
    assert "check: 6 files are whole; not finished yet: umap.safetensors map.html; rows.sqlite has no checksum" in said
    result = shoal("inspect", short_csv, "--check", check=False)
    assert result.returncode == 2 and "is no collection" in result.stderr


def test_a_grown_input_that_was_cut_is_not_finished(short_csv, tmp_path):
    lines = short_csv.read_text().splitlines(keepends=True)
    grown = tmp_path / "t.csv"
    grown.write_text("".join(lines[:51]))
    out = tmp_path / "m.shoal"
    shoal("map", grown, "--text", "text", "--out", out)
    half = cut(out, tmp_path / "half", "update manifest set value = '' where key = 'input'; pragma user_version = 0")  # as the first new rows do
    result = shoal("map", half, check=False)
    assert result.returncode == 2 and "give the input again" in result.stderr
    grown.write_text("".join(lines[:71]))
    report = again(grown, "--text", "text", "--out", out)
    assert report["rows"] == 70 and report["done_before"] == []
    whole = tmp_path / "whole" / "m.shoal"
    whole.parent.mkdir()
    shoal("map", grown, "--text", "text", "--out", whole)
    assert fingerprints(out) == fingerprints(whole)


def test_search_wants_a_finished_collection(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 50, "--clusters", 2, "--out", out)

    more = cut(out, tmp_path / "more", "insert into rows(id, text, number, letter) values(50, 'a', 'b', 'c')")
    result = shoal("search", more, "x", check=False)
    assert result.returncode == 3 and "vectors for 50 of its 51 texts; run 'shoal map' on it" in result.stderr
    bare = cut(out, tmp_path / "bare", "delete from clusters; delete from groups")
    assert shoal("search", bare, "x").stdout
    result = shoal("search", bare, "x", "--cluster", 0, check=False)
    assert result.returncode == 3 and "no clusters yet" in result.stderr
    result = shoal("search", out, "x", "--cluster", 99, check=False)
    assert result.returncode == 2 and "clusters 0..1" in result.stderr

    other = tmp_path / "other"
    shutil.copytree(out, other)
    os.unlink(other / "vectors.safetensors")
    result = shoal("search", other, "x", check=False)
    assert result.returncode == 3 and "no vectors yet" in result.stderr


def test_damaged_facts_are_refused(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 50, "--out", out)
    for name, sql in (("count", "delete from steps; update manifest set value = 'many' where key = 'vectors'"),
                      ("options", "update manifest set value = '{' where key = 'options'")):
        copy = cut(out, tmp_path / name, sql)
        result = shoal("map", copy, check=False)
        assert result.returncode == 5 and "damaged" in result.stderr, (name, result.stderr)


def test_words_are_found_without_a_model(short_csv, tmp_path):
    texts = tmp_path / "t.txt"
    texts.write_text("".join(f"{a} {b}\n" for a in ("red", "green", "blue") for b in ("café", "Cafe table", "chair")))
    out = tmp_path / "t.shoal"
    shoal("map", texts, "--format", "lines", "--clusters", 3, "--out", out)
    nowhere = dict(os.environ, SHOAL_MODELS=str(tmp_path / "none"))
    def rows(*arguments):
        result = subprocess.run([SHOAL, "search", out, *arguments, "--words", "--json"], env=nowhere, check=True,
                                capture_output=True, text=True)
        return [hit["row"] for hit in json.loads(result.stdout)["hits"]]

    assert rows("CAFE") == [0, 3, 6, 1, 4, 7], "shorter texts first, then by row"
    assert rows("cafe", "--top", "2") == [0, 3]
    assert rows("cafe green table") == [4]
    assert rows("sofa") == []
    found = [rows("cafe", "--cluster", str(c)) for c in range(3)]
    assert sorted(sum(found, [])) == [0, 1, 3, 4, 6, 7]
    assert all(c == [row for row in (0, 3, 6, 1, 4, 7) if row in c] for c in found)
    for wrong in (["--threshold", "0.5"], ["--model", "x"]):
        assert shoal("search", out, "cafe", "--words", *wrong, check=False).returncode == 2
