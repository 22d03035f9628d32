"""Killed at any moment, the same command goes on and ends with the same bytes as an unbroken run."""
import random
import signal
import subprocess
import time

from conftest import SHOAL, fingerprints, shoal


def test_killed_again_and_again_ends_with_the_same_bytes(short_csv, tmp_path):
    # Small, since `make torture` kills hundreds of times.
    options = ["--text", "text", "--limit", "500", "--clusters", "12", "--threads", "2", "--quiet"]
    whole, broken = tmp_path / "whole" / "m.shoal", tmp_path / "broken" / "m.shoal"
    whole.parent.mkdir()
    broken.parent.mkdir()
    began = time.monotonic()
    shoal("map", short_csv, "--out", whole, *options)
    seconds = time.monotonic() - began
    expected = fingerprints(whole)
    assert {"rows.sqlite", "vectors.safetensors", "umap.safetensors", "map.html"} <= set(expected)

    chooser, kills = random.Random(7), 0
    for attempt in range(40):
        process = subprocess.Popen([SHOAL, "map", short_csv, "--out", broken, *options], stdout=subprocess.DEVNULL)
        try:
            # Short at first, to hit reading and embedding; longer later, so that it comes to an end.
            process.wait(timeout=chooser.uniform(0.02, seconds * (0.1 + attempt / 20)))
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    assert process.returncode == 0, "it never came to an end"
    assert kills >= 3, "the test killed nothing"
    assert fingerprints(broken) == expected


def test_embed_resumes_to_the_same_bytes(short_csv, tmp_path):
    whole, broken = tmp_path / "whole.npy", tmp_path / "broken.npy"
    shoal("embed", short_csv, "--text", "text", "--out", whole)
    process = subprocess.Popen([SHOAL, "embed", short_csv, "--text", "text", "--out", broken],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "broken.npy.part.json").exists() and process.poll() is None:  # the first batch is committed
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not broken.exists()
    shoal("embed", short_csv, "--text", "text", "--out", broken)
    assert broken.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".broken.npy.shoal", ".whole.npy.shoal", "broken.npy", "whole.npy"]


def test_ctrl_c_says_so_and_goes_on(short_csv, tmp_path):
    out = tmp_path / "m.shoal"
    command = [SHOAL, "map", short_csv, "--text", "text", "--out", out, "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (out / ".vectors.safetensors.part").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on" in error
    assert subprocess.run(command, capture_output=True, check=True).returncode == 0


def test_two_at_once_do_not_spoil_each_other(short_csv, tmp_path):
    command = [SHOAL, "map", short_csv, "--text", "text", "--out", tmp_path / "m.shoal", "--quiet"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "m.shoal" / ".vectors.safetensors.part").exists() and first.poll() is None:
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # a lock is waited for: the first must not end within that time
    second = subprocess.run(command, capture_output=True, text=True)
    first.send_signal(signal.SIGCONT)
    assert first.wait() == 0
    assert second.returncode == 4 and "another" in second.stderr
