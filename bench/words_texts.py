#!/usr/bin/env python3
"""What words by attention are worth in texts: V-measure of spherical k-means with as many clusters as classes.

    bench/words_texts.py --store wordnet.safetensors [--shoal PROGRAM] [--data FOLDER] [--half report] [--out FILE]

Each space embeds the texts with `shoal embed`, and `shoal cluster` parts them, ten starts for each of five seeds; the interval is
that of the mean over the seeds (Student's t). `--half choose` takes the halves that settings are chosen on: banking77's train part, every second
row of stackoverflow20 from the first; `--half report` (default) banking77's test part and the other rows. `known`: the share of tokens that have
a vector. No peer is run: V-measure is computed here.
"""
import argparse
import collections
import csv
import json
import math
import os
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SETS = {"banking77": {"choose": "train.csv", "report": "test.csv"}, "stackoverflow20": {"choose": "data.csv", "report": "data.csv"}}
SPACES = {  # options of `words train`
    "words": [],
    "counts, SVD": ["--space", "closed_form", "--weights", "counts"],
}
# What --text-weights sif, --sif and --forms none make of the first, without training it again: a, whether forms are known.
VARIANTS = {"words, sif 1e-2": (1e-2, True), "words, sif 1e-3": (1e-3, True), "words, sif 1e-4": (1e-4, True), "words, lemmas alone": (None, False)}
TEXTS = "the encoder's token vectors"
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # 97.5% of Student's t, for so many seeds


def load_safetensors(file):
    data = file.read_bytes()
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), memoryview(data)[8 + size :]


def write_static(out, table, tokenizer):
    """A folder of Model2Vec: float32 [tokens, dims], and tokenizer.json as JSON."""
    header = json.dumps({"embeddings": {"dtype": "F32", "shape": list(table.shape), "data_offsets": [0, table.nbytes]}}).encode()
    header += b" " * (-len(header) % 8)
    out.mkdir(exist_ok=True)
    (out / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + table.astype("<f4").tobytes())
    (out / "tokenizer.json").write_text(json.dumps(tokenizer))
    (out / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True, "max_length": None}))
    return out


def tensor(file, ending, dtype):
    header, data = load_safetensors(file)
    name = next(n for n in header if n.endswith(ending))
    begin, end = header[name]["data_offsets"]
    return np.frombuffer(data[begin:end], dtype).reshape(header[name]["shape"])


def variant(words, store, out, a, forms):
    table, tokenizer = tensor(words / "model.safetensors", "embeddings", "<f4").copy(), json.loads((words / "tokenizer.json").read_text())
    frequency = tensor(store, "frequency", "<u8").astype(float)
    of_forms = tensor(store, "form_words", "<u4")
    if a:
        weights = a / (a + frequency / frequency.sum())
        table[1:] *= np.concatenate([weights, weights[of_forms]])[:, None].astype(np.float32)
    if not forms:
        table = table[: 1 + len(frequency)]
        tokenizer["model"]["vocab"] = {w: i for w, i in tokenizer["model"]["vocab"].items() if i < len(table)}
        tokenizer["added_tokens"] = [t for t in tokenizer["added_tokens"] if t["id"] < len(table)]
    return write_static(out, table, tokenizer)


def token_vectors(model, out):
    """A static model of the encoder's input embeddings, as GloVe's vectors would be used: the mean of a text's tokens."""
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    tokenizer.update(post_processor=None, truncation=None, padding=None)
    return write_static(out, tensor(model / "model.safetensors", "word_embeddings.weight", "<f4"), tokenizer)


def v_measure(labels, clusters):
    """Rosenberg and Hirschberg 2007: the harmonic mean of homogeneity and completeness."""
    n = len(labels)

    def entropy(counts):
        return -sum(c / n * math.log(c / n) for c in counts.values())

    both = entropy(collections.Counter(zip(labels, clusters)))
    of_labels, of_clusters = entropy(collections.Counter(labels)), entropy(collections.Counter(clusters))
    shared = of_labels + of_clusters - both
    return 2 * shared / (of_labels + of_clusters) if of_labels + of_clusters else 1.0


def known_share(model, texts):
    """The share of tokens that are not the unknown one; None: the model's tokenizer knows parts of any word."""
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    ids = [i for one in tokenizer.encode_batch(texts, add_special_tokens=False) for i in one.ids]
    return sum(i != 0 for i in ids) / len(ids)


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--shoal", default=str(HERE.parent / "build/release/shoal"))
    ask.add_argument("--data", default=os.environ.get("SHOAL_DATA"))
    ask.add_argument("--store", type=pathlib.Path, required=True, help="what `shoal words prepare` made, as bench/words.py does")
    ask.add_argument("--folder", type=pathlib.Path, default=HERE.parent / "build/bench/words_texts")
    ask.add_argument("--encoder", type=pathlib.Path, default=pathlib.Path.home() / ".local/share/shoal/models/all-MiniLM-L6-v2", help="its folder")
    ask.add_argument("--half", choices=["choose", "report"], default="report")
    ask.add_argument("--only", help="names of the table, parted by ;")
    ask.add_argument("--seeds", type=int, choices=T, default=5)
    ask.add_argument("--threads", default="1")
    ask.add_argument("--out", type=pathlib.Path)
    args = ask.parse_args()
    if not args.data:
        sys.exit("where are the sets? give --data, or set SHOAL_DATA")
    args.folder.mkdir(parents=True, exist_ok=True)

    def shoal(*words):
        done = subprocess.run([args.shoal, *map(str, words), "--threads", args.threads, "--json"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"shoal {' '.join(map(str, words))}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    sets = {}
    for name, files in SETS.items():
        with open(pathlib.Path(args.data) / name / files[args.half], encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if len(set(files.values())) == 1:
            rows = rows[args.half == "report" :: 2]
        table = args.folder / f"{name}-{args.half}.csv"
        with open(table, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["text"], *([r["text"]] for r in rows)])
        sets[name] = table, [r["text"] for r in rows], [r["label"] for r in rows]

    def made(name):
        out = args.folder / name.replace(",", "").replace("'", "").replace(" ", "_")
        if name in SPACES:
            shoal("words", "train", args.store, *SPACES[name], "--out", out)
        elif name in VARIANTS:
            variant(made("words"), args.store, out, *VARIANTS[name])
        elif name == TEXTS:
            token_vectors(args.encoder, out)
        elif name == "distilled":
            shoal("distil", args.encoder, "--out", out)
        else:
            return args.encoder
        return out

    spaces = ["words", *VARIANTS, "counts, SVD", TEXTS, "distilled", "the encoder"]
    if args.only:
        spaces = [n for n in spaces if n in args.only.split(";")]
    lines = ["| space | " + " | ".join(f"{n}: V [95%] | known" for n in sets) + " |", "|---" * (1 + 2 * len(sets)) + "|"]
    for name in spaces:
        model = made(name)
        cells = []
        for set_name, (table, texts, labels) in sets.items():
            vectors = args.folder / "vectors.npy"
            shoal("embed", table, "--text", "text", "--model", model, "--out", vectors, "--overwrite")
            found = []
            for seed in range(args.seeds):
                clusters = args.folder / "clusters"
                shoal("cluster", vectors, "--clusters", len(set(labels)), "--method", "spherical_kmeans", "--n-init", 10, "--seed", seed, "--layout", "none",
                      "--classifier", "none", "--unlike", 0, "--out", clusters, "--overwrite")
                with open(clusters / "labels.csv", newline="") as file:
                    found.append(100 * v_measure(labels, [r["cluster"] for r in csv.DictReader(file)]))
            half = T[args.seeds] * np.std(found, ddof=1) / math.sqrt(len(found))
            known = f"{100 * known_share(model, texts):.1f}%" if name in SPACES or name in VARIANTS else ""
            cells += [f"{np.mean(found):.1f} [{np.mean(found) - half:.1f}, {np.mean(found) + half:.1f}]", known]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], file=sys.stderr, flush=True)
    text = "\n".join(lines) + "\n\nTexts: " + ", ".join(f"{n} {len(t)}" for n, (_, t, _) in sets.items()) + f"; half: {args.half}.\n"
    print(text)
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
