"""The map as a picture: the same bytes again, nothing done again, and no boxes for letters that no font has."""

import json
import pathlib
import struct

import pytest
from conftest import shoal

DEJAVU = pathlib.Path("/usr/share/fonts/truetype/dejavu")
STEPS = ["embed", "pca", "layout", "cluster", "explain", "page"]


@pytest.fixture
def collection(short_csv, tmp_path):
    shoal("map", short_csv, "--text", "text", "--limit", 200, "--clusters", 5, "--out", tmp_path / "c.shoal")
    return tmp_path / "c.shoal"


def draw(collection, file, *options):
    result = shoal("map", collection, "--picture", file, "--json", *options)
    return json.loads(result.stdout), result.stderr


def test_nothing_is_done_again_and_the_bytes_are_the_same(collection, tmp_path):
    for name in ("a.png", "a.svg"):
        first, _ = draw(collection, tmp_path / name)
        bytes_ = (tmp_path / name).read_bytes()
        again, _ = draw(collection, tmp_path / name, "--threads", 1)
        assert first["done_before"] == again["done_before"] == STEPS
        assert (tmp_path / name).read_bytes() == bytes_
    png = (tmp_path / "a.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">I", png[16:20]) == (3200,)
    draw(collection, tmp_path / "dark.svg", "--dark")
    assert "#101216" in (tmp_path / "dark.svg").read_text() and "#101216" not in (tmp_path / "a.svg").read_text()


@pytest.mark.skipif(not DEJAVU.is_dir(), reason="the test knows which letters DejaVu has")
def test_letters_that_no_font_has_are_left_out_and_said(collection, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOAL_FONTS", str(DEJAVU))
    shoal("rename", collection, 0, "भौतिकी")
    said, remarks = draw(collection, tmp_path / "a.png")
    [missing] = said["picture"]["missing"]
    assert missing["script"] == "Devanagari" and missing["names"] == 1 and "भ" in missing["letters"]
    assert said["picture"]["numbered_names"] == 1
    assert "Devanagari, in 1 name" in remarks and "Noto Sans Devanagari" in remarks and "drawn as its number" in remarks
    draw(collection, tmp_path / "a.svg")
    assert "भौतिकी" in (tmp_path / "a.svg").read_text(), "a .svg is drawn by whoever opens it"
    shoal("rename", collection, 0, "cluster 0")
    said, _ = draw(collection, tmp_path / "b.png")
    assert said["picture"]["missing"] == []
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes(), "no boxes: the number in its place"
    shoal("rename", collection, 0, "late deliveries 的")
    said, _ = draw(collection, tmp_path / "c.png")
    assert [m["script"] for m in said["picture"]["missing"]] == ["Han"] and said["picture"]["numbered_names"] == 0
    shoal("rename", collection, 0, "الفيزياء")
    said, _ = draw(collection, tmp_path / "d.png")
    assert said["picture"]["missing"] == [], "DejaVu has Arabic"
    assert (tmp_path / "d.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_without_any_font_points_are_drawn(collection, tmp_path, monkeypatch):
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("SHOAL_FONTS", str(tmp_path / "none"))
    said, remarks = draw(collection, tmp_path / "a.png")
    assert said["picture"]["fonts"] is False and "no font is installed" in remarks
    assert (tmp_path / "a.png").stat().st_size > 5000
