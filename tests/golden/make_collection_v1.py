"""Makes collection_v1 and collection_v1.csv: a collection as the program wrote it before collections had named
results, and its input.

Usage: make_collection_v1.py SHOAL, a program built from commit 86c1d4b (format version 1), with its model
all-MiniLM-L6-v2. The page and the PCA are left out because they are large; 'shoal map' makes them again.
"""
import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
texts = [json.loads(line) for line in (HERE / "encoder/debian.jsonl").read_text(encoding="utf-8").splitlines()]

with tempfile.TemporaryDirectory() as folder:
    source = HERE / "collection_v1.csv"
    with source.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text", "number", "letter"])
        for i in range(24):
            out.writerow([" ".join(texts[i * 3].split()[:12]), i, "abc"[i % 3]])
    made = pathlib.Path(folder) / "packages.shoal"
    subprocess.run([sys.argv[1], "map", source, "--text", "text", "--clusters", "4", "--out", made, "--quiet"], check=True)
    for large in ("map.html", "pca.safetensors"):
        (made / large).unlink()
    shutil.rmtree(HERE / "collection_v1", ignore_errors=True)
    shutil.copytree(made, HERE / "collection_v1")
