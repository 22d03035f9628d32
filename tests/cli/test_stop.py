"""Ctrl-C is heard wherever shoal waits or works, and says that the command goes on only where it does."""
import json
import signal
import subprocess
import time

import pytest

from conftest import SHOAL, shoal


def listens(process):
    """True once SIGINT is blocked: another thread takes it then."""
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith("SigBlk:"):
            return int(line.split()[1], 16) & (1 << (signal.SIGINT - 1))
    return False


@pytest.mark.parametrize("arguments", [["map", "-", "--out", "m.shoal"], ["embed", "-", "--out", "v.npy"], ["inspect", "-"]])
@pytest.mark.parametrize("begun", [b"", b"text,n\n" + b"some words,1\n" * 1000])
def test_while_standard_input_gives_nothing(tmp_path, arguments, begun):
    process = subprocess.Popen([SHOAL, *arguments], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdin.write(begun)
    process.stdin.flush()
    while not listens(process):
        time.sleep(0.01)
    time.sleep(1)  # until it waits
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert process.wait(timeout=20) == 130
    assert time.monotonic() - began < 2
    error = process.stderr.read().decode()
    assert "interrupted" in error
    assert ("goes on" in error) == (tmp_path / "m.shoal").exists()


def test_two_embed_into_one_file(short_csv, tmp_path):
    command = [SHOAL, "embed", short_csv, "--text", "text", "--out", tmp_path / "v.npy"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "v.npy.part.safetensors").exists() and first.poll() is None:
        time.sleep(0.005)
    first.send_signal(signal.SIGSTOP)  # a lock is waited for: the first must not end within that time
    second = subprocess.run(command, capture_output=True, text=True)
    first.send_signal(signal.SIGCONT)
    assert first.wait() == 0
    assert second.returncode == 4 and "another shoal process is writing to" in second.stderr, second.stderr
    alone = tmp_path / "alone.npy"
    shoal("embed", short_csv, "--text", "text", "--out", alone)
    assert (tmp_path / "v.npy").read_bytes() == alone.read_bytes()


def test_export_leaves_other_files_alone(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    shoal("map", short_csv, "--text", "text", "--limit", 30, "--out", out)
    mine = tmp_path / "t.csv.part"
    mine.write_text("mine")
    shoal("export", out, "--out", tmp_path / "t.csv")
    assert mine.read_text() == "mine"
    result = shoal("export", out, "--out", "/dev/null", "--format", "csv", "--overwrite", check=False)
    assert result.returncode == 4 and "device" in result.stderr


def test_errors_are_json_whatever_the_order(tmp_path):
    for arguments in (["map", "x.csv", "--clusters", "none", "--json"], ["map", "--json", "x.csv", "--clusters", "none"],
                      ["nothing", "--json"], ["export", "x.shoal", "--out", "-", "--json"]):
        result = shoal(*arguments, check=False, cwd=tmp_path)
        told = json.loads(result.stdout)
        assert told["status"] == result.returncode and result.returncode in (2, 4) and told["error"]
