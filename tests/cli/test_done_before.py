"""The same command on finished work says that it is done; another input, other options or a changed result are refused as ever."""
import json
import shutil
import subprocess

import numpy as np
import pytest
from conftest import SHOAL, fingerprints, shoal


@pytest.fixture(scope="module")
def base(short_csv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    shoal("map", short_csv, "--text", "text", "--limit", 120, "--clusters", 4, "--out", folder / "m.shoal")
    shoal("export", folder / "m.shoal", "--out", folder / "v.npy")
    shoal("cluster", folder / "v.npy", "--clusters", 4, "--layout", "none", "--out", folder / "model")
    shoal("layout", folder / "v.npy", "--n-epochs", 20, "--out", folder / "old")
    return folder


@pytest.fixture
def work(base, short_csv, tmp_path):
    shutil.copytree(base, tmp_path / "w")
    lines = short_csv.read_text().splitlines(keepends=True)
    (tmp_path / "w" / "t.csv").write_text("".join(lines[:81]))
    return tmp_path / "w"


def contents(path):
    return fingerprints(path) if path.is_dir() else path.read_bytes()


# The command, another option, and its input that the test changes.
COMMANDS = {
    "embed.npy": (["embed", "t.csv", "--text", "text", "--out", "x.npy"], ["--max-tokens", "9"], "t.csv"),
    "embed.safetensors": (["embed", "t.csv", "--text", "text", "--out", "x.safetensors"], ["--max-tokens", "9"], "t.csv"),
    "export.csv": (["export", "m.shoal", "--out", "x.csv"], ["--format", "jsonl"], None),
    "export.npy": (["export", "m.shoal", "--out", "x.npy"], ["--features", "one-hot"], None),
    "export.features": (["export", "m.shoal", "--features", "distances", "--out", "x.csv"], ["--features", "one-hot"], None),
    "cluster": (["cluster", "v.npy", "--clusters", "3", "--pca", "0.8", "--out", "x"], ["--standardise"], "v.npy"),
    "cluster.texts": (["cluster", "m.shoal", "--clusters", "3", "--layout", "none", "--out", "x"], ["--seed", "3"], None),
    "layout": (["layout", "v.npy", "--n-epochs", "20", "--out", "x"], ["--min-dist", "0.3"], "v.npy"),
    "layout.on": (["layout", "v.npy", "--on", "old", "--out", "x"], None, "v.npy"),
    "predict": (["classify", "predict", "model", "v.npy", "--layout", "none", "--out", "x"], ["--by", "method"], "v.npy"),
}


def with_option(command, other):
    """The command with `other`, which takes the place of what it has of that name."""
    if other[0] in command:
        at = command.index(other[0])
        return command[:at] + other + command[at + 2 :]
    return command + other


def change(path):
    if path.suffix == ".npy":
        np.save(path, np.load(path)[:-1])
    else:
        path.write_text(path.read_text() + '7,"one more text",a\n')


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_command_is_done_before(work, name):
    command, other, changed = COMMANDS[name]
    out = work / command[-1]
    run = lambda *more, **options: shoal(*command, *more, cwd=work, **options)
    first = json.loads(run("--json").stdout)
    assert first["done_before"] is False
    made = contents(out)
    names = sorted(path.name for path in work.iterdir())
    again = json.loads(run("--json").stdout)
    assert again["done_before"] is True and "receipt" not in again
    assert {key: value for key, value in again.items() if not key.startswith(("seconds", "done_before"))} == {
        key: value for key, value in first.items() if not key.startswith(("seconds", "done_before"))}
    text = run().stdout
    assert text.startswith("done before: ") and out.name in text
    assert contents(out) == made and sorted(path.name for path in work.iterdir()) == names

    def refused(arguments):
        result = shoal(*arguments, cwd=work, check=False)
        assert result.returncode == 2 and f"{out.name} exists" in result.stderr, result.stderr
        assert contents(out) == made

    if other:
        refused(with_option(command, other))
    if changed:
        kept = (work / changed).read_bytes()
        change(work / changed)
        refused(command)
        (work / changed).write_bytes(kept)
        assert json.loads(run("--json").stdout)["done_before"] is True, "the content counts"
        # Where the input lies does not matter.
        moved = work / f"moved{(work / changed).suffix}"
        (work / changed).rename(moved)
        command = [moved.name if part == changed else part for part in command]
        assert json.loads(shoal(*command, "--json", cwd=work).stdout)["done_before"] is True
    # --overwrite makes it anew.
    assert json.loads(shoal(*command, "--overwrite", "--json", cwd=work).stdout)["done_before"] is False
    if not changed:
        assert contents(out) == made
    # What was changed by hand is not what was made.
    victim = out if out.is_file() else next(path for path in sorted(out.iterdir()) if path.suffix == ".csv")
    victim.write_bytes(victim.read_bytes() + b"x")
    made = contents(out)
    refused(command)


def test_a_folder_with_anything_else_in_it_is_refused(work):
    command = COMMANDS["cluster"][0]
    shoal(*command, cwd=work)
    report = work / "x" / "report.json"
    made = json.loads(report.read_text())

    def refused():
        result = shoal(*command, cwd=work, check=False)
        assert result.returncode == 2 and "x exists" in result.stderr, result.stderr

    (work / "x" / "more").mkdir()
    refused()
    (work / "x" / "more").rmdir()
    assert shoal(*command, cwd=work).stdout.startswith("done before")
    for changed in ({"n_clusters": 9}, {"receipt": "x"}, {"receipt": {**made["receipt"], "sha256": 0}}):
        report.write_text(json.dumps({**made, **changed}))
        refused()


def test_another_clustering_is_another_export(work):
    command = ["export", "m.shoal", "--out", "x.csv"]
    shoal(*command, cwd=work)
    shoal("map", "m.shoal", "--clusters", 3, cwd=work)
    result = shoal(*command, cwd=work, check=False)
    assert result.returncode == 2 and "x.csv exists" in result.stderr
    shoal("map", "m.shoal", "--clusters", 4, cwd=work)
    assert shoal(*command, cwd=work).stdout == "done before: 120 rows in x.csv\n"
    # Its vectors are the same all the time.
    shoal("cluster", "m.shoal", "--clusters", 5, "--layout", "none", "--out", "c", cwd=work)
    shoal("map", "m.shoal", "--clusters", 3, cwd=work)
    assert shoal("cluster", "m.shoal", "--clusters", 5, "--layout", "none", "--out", "c", cwd=work).stdout.startswith("done before")


def test_standard_input_is_an_input(work):
    text = "one text\nanother text\na third\n"
    command = ["embed", "-", "--format", "lines", "--out", "x.npy"]
    assert shoal(*command, cwd=work, input=text).stdout.startswith("wrote 3 x ")
    assert shoal(*command, cwd=work, input=text).stdout.startswith("done before: 3 x ")
    assert shoal(*command, cwd=work, input=text + "more\n", check=False).returncode == 2


def test_what_a_killed_run_left_is_removed(work):
    """As it is after a kill between the last rename and the end."""
    command = COMMANDS["embed.npy"][0]
    shoal(*command, cwd=work)
    names = sorted(path.name for path in work.iterdir())
    (work / "x.npy.part.json").write_text("{}")
    for left in ("x.npy.part.safetensors", ".x.npy.part"):
        shutil.copy(work / "x.npy", work / left)
    assert shoal(*command, cwd=work).stdout.startswith("done before")
    assert sorted(path.name for path in work.iterdir()) == names

    command = COMMANDS["layout"][0]
    shoal(*command, cwd=work)
    names = sorted(path.name for path in work.iterdir())
    (work / ".x.lock").touch()
    for left in (".x.part", ".x.old"):
        shutil.copytree(work / "x", work / left)
    assert shoal(*command, cwd=work).stdout.startswith("done before")
    assert sorted(path.name for path in work.iterdir()) == names


def test_killed_at_any_rename_it_comes_to_the_same(work):
    """Stopped by strace right before or after each of its last system calls that change names."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    whole = work / "whole"
    whole.mkdir()
    command = [SHOAL, "embed", work / "t.csv", "--text", "text", "--quiet", "--out"]
    subprocess.run([*command, whole / "x.npy"], check=True, capture_output=True)
    expected = {path.name: path.read_bytes() for path in whole.iterdir()}
    calls = "rename,unlink,unlinkat"
    for when in range(1, 12):
        broken = work / f"broken{when}"
        broken.mkdir()
        subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when={when}",
                        *command, broken / "x.npy"], capture_output=True)
        result = subprocess.run([*command, broken / "x.npy"], capture_output=True, text=True)
        assert result.returncode == 0, (when, result.stderr)
        assert {path.name: path.read_bytes() for path in broken.iterdir()} == expected, when
