"""What the tests of the program share. They run the real program on real texts with the real model."""
import csv
import hashlib
import json
import os
import pathlib
import random
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOAL = pathlib.Path(os.environ.get("SHOAL", ROOT / "build/ci/shoal"))


def shoal(*arguments, check=True, level=None, **options):
    """Runs shoal; returns the finished process with text output."""
    environment = dict(os.environ)
    if level:
        environment["SHOAL_LEVEL"] = level
    return subprocess.run([SHOAL, *map(str, arguments)], check=check, capture_output=True, text=True, env=environment,
                          **options)


def fingerprints(folder):
    """SHA-256 of each file below a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(pathlib.Path(folder).iterdir())}


def real_texts():
    """1,000 real descriptions of Debian packages, of 1 to over 256 tokens."""
    lines = (ROOT / "tests/golden/encoder/debian.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def texts():
    return real_texts()


@pytest.fixture(scope="session")
def short_csv(tmp_path_factory, texts):
    """2,500 rows of short real texts (first sentences), with a column beside them."""
    path = tmp_path_factory.mktemp("input") / "short.csv"
    chooser = random.Random(1)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["number", "text", "letter"])
        for i in range(2500):
            words = texts[i % len(texts)].split()
            begin = chooser.randrange(max(1, len(words) - 6))
            out.writerow([i, " ".join(words[begin : begin + 8]), "abc"[i % 3]])
    return path


@pytest.fixture
def small_disk(tmp_path):
    """small_disk(size) is a folder on a real file system of that size; called again, the same one of another size."""
    folder = tmp_path / "disk"

    def mount(size):
        options = f"size={size}" if not folder.exists() else f"remount,size={size}"
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"a full disk needs a mounted one, and mounting is not allowed here: {done.stderr.strip()}")
        return folder

    yield mount
    subprocess.run(["umount", folder], capture_output=True)
