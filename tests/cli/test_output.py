"""What the program writes: to a full disk, to a terminal that can only print, and texts that are cut to be shown."""
import json
import os
import pty
import subprocess

import pytest
from conftest import ROOT, SHOAL, shoal

VECTORS = ROOT / "tests/cases/offset300.npy"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["map", "--help"], ["model", "--help"],
                                       ["inspect", VECTORS], ["inspect", VECTORS, "--json"], ["model", "list"],
                                       ["model", "list", "--json"]])
def test_an_output_that_cannot_be_written_is_an_error(arguments):
    with open("/dev/full", "w") as full:
        result = subprocess.run([SHOAL, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 4
    assert result.stderr == "shoal: standard output cannot be written\n"


def test_a_closed_output_is_an_error():
    for arguments in (["--help"], ["--version"], ["inspect", str(VECTORS)]):
        result = subprocess.run(["sh", "-c", '"$0" "$@" >&-', SHOAL, *arguments], stderr=subprocess.PIPE, text=True)
        assert result.returncode == 4, arguments


def said_to_terminal(arguments, term):
    """What standard error says where it is a terminal of the kind `term`."""
    environment = {k: v for k, v in os.environ.items() if k != "TERM"}
    if term is not None:
        environment["TERM"] = term
    ours, theirs = pty.openpty()
    with subprocess.Popen([SHOAL, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as run:
        os.close(theirs)
        said = b""
        try:
            while chunk := os.read(ours, 65536):
                said += chunk
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert run.returncode == 0, said
    return said


@pytest.mark.parametrize("term", ["dumb", "", None])
def test_a_terminal_that_can_only_print_gets_no_steering(tmp_path, term):
    said = said_to_terminal(["cluster", VECTORS, "--clusters", 3, "--out", tmp_path / "c"], term)
    assert b"\x1b" not in said and b"\r" not in said.replace(b"\r\n", b"\n")


def test_another_terminal_gets_a_bar(tmp_path):
    assert b"\x1b[K" in said_to_terminal(["cluster", VECTORS, "--clusters", 3, "--out", tmp_path / "c"], "xterm")


@pytest.mark.parametrize("letter", ["é", "中", "e\u0301", "👩\u200d👩\u200d👧", "กำ", "🇩🇪", "한"])
def test_no_letter_of_a_shown_text_is_cut(tmp_path, letter):
    """At every place of the letter around the byte where a text is cut."""
    for before in range(200 - len(letter.encode()), 201):
        path = tmp_path / "t.txt"
        text = "a" * before + letter + "b" * 50
        path.write_text(text, encoding="utf-8")
        first = json.loads(shoal("inspect", path, "--json").stdout)["first"]
        fits = before + len(letter.encode()) <= 200
        assert first == (text.encode()[:200].decode() if fits else "a" * before)


def test_a_number_with_one_cluster_is_passed_over(tmp_path):
    for criterion in ("silhouette", "davies_bouldin", "elbow"):
        out = tmp_path / criterion
        report = json.loads(shoal("cluster", VECTORS, "--method", "vmf_mixture", "--clusters", "auto", "--criterion", criterion,
                                  "--layout", "none", "--out", out, "--json").stdout)
        assert report["n_clusters"] >= 2
        assert "passed_over" in [one["code"] for one in report["against"]]
        assert all(one["found"] >= 2 for one in report["tried"])
