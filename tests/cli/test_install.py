"""Installed into an empty folder, the library is found by another project, which builds and runs."""
import json
import os
import pathlib
import subprocess

from conftest import ROOT, shoal

BUILD = pathlib.Path(os.environ.get("SHOAL_BUILD", ROOT / "build/ci"))


def test_another_project_finds_builds_and_runs(tmp_path):
    def run(*command):
        result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    run("cmake", "--install", BUILD, "--prefix", tmp_path / "usr")
    run("cmake", "-S", ROOT / "examples/library", "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={tmp_path / 'usr'}")
    run("cmake", "--build", tmp_path / "build")
    model = json.loads(shoal("model", "path", "--json").stdout)["path"]
    lines = run(tmp_path / "build/example", model).splitlines()
    groups = [line.split()[0] for line in lines]
    assert groups[0] == groups[1] != groups[2] == groups[3]
    assert run(tmp_path / "usr/bin/shoal", "--version").startswith("shoal ")
