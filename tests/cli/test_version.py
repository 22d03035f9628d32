"""One version, that of CMakeLists.txt, wherever one is told."""
import json
import os
import pathlib
import re

from conftest import ROOT, shoal

BUILD = pathlib.Path(os.environ.get("SHOAL_BUILD", ROOT / "build/ci"))


def test_program_results_and_cmake_package_tell_the_same(tmp_path):
    version = re.search(r"^project\(shoal VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE).group(1)
    assert shoal("--version").stdout == f"shoal {version}\n"
    (tmp_path / "t.txt").write_text("one\ntwo\nthree four\n")
    shoal("map", "t.txt", "--format", "lines", "--clusters", 2, "--model", ROOT / "tests/golden/encoder/bert_new", cwd=tmp_path)
    assert json.loads((tmp_path / "t.shoal/report.json").read_text())["made_by"] == f"shoal {version}"
    assert f"shoal {version}, " in (tmp_path / "t.shoal/map.html").read_text()
    assert f'PACKAGE_VERSION "{version}"' in (BUILD / "shoal-config-version.cmake").read_text()
