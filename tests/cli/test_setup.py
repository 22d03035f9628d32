"""tools/setup and tools/cargo: nothing of the user's is deleted, and an old cargo is not taken."""
import json
import os
import pathlib
import subprocess

from conftest import ROOT, shoal


def setup_model(models):
    return subprocess.run([ROOT / "tools/setup", "model"], capture_output=True, text=True, env=os.environ | {"SHOAL_MODELS": str(models)})


def test_a_model_folder_of_other_weights_is_left_alone(tmp_path):
    weights = tmp_path / "all-MiniLM-L6-v2" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_text("fine-tuned for a week")
    result = setup_model(tmp_path)
    assert result.returncode == 1 and "left as it is" in result.stderr
    assert weights.read_text() == "fine-tuned for a week"


def test_the_same_weights_from_elsewhere_are_taken(tmp_path):
    folder = tmp_path / "all-MiniLM-L6-v2"
    folder.mkdir()
    elsewhere = json.loads(shoal("model", "path", "--json").stdout)["path"]
    (folder / "model.safetensors").symlink_to(pathlib.Path(elsewhere) / "model.safetensors")
    result = setup_model(tmp_path)
    assert result.returncode == 0 and "fetching" not in result.stdout, result.stdout + result.stderr
    assert (folder / ".checked").exists()


def test_an_old_cargo_first_on_the_path_is_not_taken(tmp_path):
    old = tmp_path / "cargo"
    old.write_text("#!/bin/sh\necho 'cargo 1.65.0 (4bc8f24d3 2022-10-20)'\n")
    old.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    result = subprocess.run([ROOT / "tools/cargo"], capture_output=True, text=True, env=os.environ | {"PATH": path}, check=True)
    assert pathlib.Path(result.stdout.strip()) != old
    version = subprocess.run([result.stdout.strip(), "--version"], capture_output=True, text=True, check=True).stdout
    assert int(version.split()[1].split(".")[1]) >= 89
    alone = subprocess.run([ROOT / "tools/cargo"], capture_output=True, text=True, env=os.environ | {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert str(old) not in alone.stdout
