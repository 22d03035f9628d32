"""Installed into an empty folder, the library is found by another project, which builds and runs."""
import json
import os
import pathlib
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import ROOT, shoal

BUILD = pathlib.Path(os.environ.get("SHOAL_BUILD", ROOT / "build/ci"))
# What the library is made with, and its users need not have.
UNSEEN = ["Eigen3", "nlohmann_json", "Boost", "SQLite3", "ZLIB", "CURL", "CLI11", "PkgConfig"]
STRICT = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Wshadow", "-Wno-missing-field-initializers", "-Werror", "-fsyntax-only"]


def run(*command, status=0, env=None):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=env)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def usr(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install") / "usr"
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


@pytest.fixture(scope="module")
def headers(usr):
    return sorted(str(path.relative_to(usr / "include")) for path in (usr / "include").rglob("*.*"))


@pytest.fixture(scope="module")
def example(usr, tmp_path_factory):
    """examples/library, built where nothing is to be found that the library is made with."""
    folder = tmp_path_factory.mktemp("example")
    run("cmake", "-S", ROOT / "examples/library", "-B", folder, f"-DCMAKE_PREFIX_PATH={usr}",
        *[f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in UNSEEN])
    run("cmake", "--build", folder)
    return folder / "example"


def test_the_program_runs(usr):
    assert run(usr / "bin/shoal", "--version").startswith("shoal ")


def test_headers_are_those_that_the_door_reaches(usr, headers):
    reached, unread = set(), ["shoal/shoal.h"]
    while unread:
        header = unread.pop()
        reached.add(header)
        text = (usr / "include" / header).read_text()
        unread += [name for name in re.findall(r'#include "([^"]+)"', text) if name not in reached]
        assert not re.search(r"#include <(Eigen|nlohmann|boost|sqlite|zlib|utf8proc|LBFGS)", text), header
    assert set(headers) == reached
    assert not [name for name in headers if "_impl" in name or "/flow/" in name or "/kernels/" in name]


def test_headers_compile_alone_and_in_any_order(usr, headers, tmp_path):
    def lines(names):
        return "".join(f'#include "{name}"\n' for name in names)

    files = {f"alone{i}.cpp": lines([name, name]) for i, name in enumerate(headers)}
    files["forwards.cpp"] = lines(headers)
    files["backwards.cpp"] = lines(reversed(headers))
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: run(*STRICT, "-I", usr / "include", tmp_path / name), files))


def test_another_project_builds_and_runs(example):
    model = json.loads(shoal("model", "path", "--json").stdout)["path"]
    lines = run(example, model).replace("\r", "\n").splitlines()
    groups = [line.split()[0] for line in lines if line[:1].isdigit() and "(" in line]
    assert groups[0] == groups[1] != groups[2] == groups[3]
    refused = next(line for line in lines if line.startswith("refused: "))
    assert "an unknown model" in refused and "Rows::assume_space" in refused
    assert "assumed: the same groups" in lines
    assert "stopped on request" in lines and "the long run ended" not in lines


def test_a_wrong_level_is_an_error(example):
    model = json.loads(shoal("model", "path", "--json").stdout)["path"]
    said = run(example, model, status=6, env=os.environ | {"SHOAL_LEVEL": "avx3"})
    assert "SHOAL_LEVEL is none of base, avx2, avx512; unset it to use the best one" in said
