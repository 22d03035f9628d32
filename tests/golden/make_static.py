#!/usr/bin/env python3
"""Makes golden static models, and what Model2Vec and sentence-transformers answer with them on the CPU.

Small folders with random tables over the tokenizers of encoder/. Writes beside itself static/NAME/ as save_pretrained of
Model2Vec or save of sentence-transformers leaves them (but for the model card), and static/NAME.safetensors: "vectors"
of the texts of encoder/texts.jsonl and of a few more (static/texts.jsonl). Versions go into __metadata__. An existing
output is kept unless --force is given.
"""
import argparse
import json
import pathlib
import shutil

import model2vec
import numpy as np
import safetensors.numpy
import sentence_transformers
import torch
from model2vec import StaticModel
from model2vec.model import quantize_model
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = {"model2vec": "0.10.0", "sentence_transformers": "6.2.0", "torch": "2.15.0"}
DIMS = 6


def tokenizer(name):
    return Tokenizer.from_file(str(HERE / "encoder" / name / "tokenizer.json"))


def table(tok, seed, scale=1.0):
    rows = tok.get_vocab_size()
    lengths = 10.0 ** np.random.default_rng(seed + 100).uniform(-1, 1, size=(rows, 1))
    return (np.random.default_rng(seed).normal(size=(rows, DIMS)) * lengths * scale).astype(np.float32)


def static(name, seed, **more):
    tok = tokenizer(name)
    return StaticModel(table(tok, seed), tok, **more)


def save(model, folder, modules=True):
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    if not modules:
        (folder / "modules.json").unlink()
    return lambda texts: StaticModel.from_pretrained(folder).encode(texts)


def plain(folder):
    """float32, scaled to length 1, 512 tokens; WordPiece, whose unknown token is left out."""
    return save(static("bert_bare", 1, normalize=True), folder)


def short(folder):
    """Texts are cut after 7 tokens, and before that after 7 times the median length of a token in letters."""
    return save(static("mpnet", 2, normalize=False, max_length=7), folder, modules=False)


def mapped(folder):
    """The vocabulary quantised: a row for several tokens, and a weight for each token."""
    return save(quantize_model(static("bert_bare", 3, normalize=False, max_length=None), vocabulary_quantization=40),
                folder, modules=False)


def half(folder):
    """float16, Unigram, scaled to length 1."""
    return save(quantize_model(static("xlm_roberta", 4, normalize=True), quantize_to="float16"), folder)


def bytes_(folder):
    """int8, byte-level BPE, not scaled."""
    return save(quantize_model(static("roberta", 5, normalize=False), quantize_to="int8"), folder, modules=False)


def bytes_mapped(folder):
    """int8 with mapping and weights, scaled to length 1."""
    return save(quantize_model(static("bert_bare", 6, normalize=True), 40, "int8"), folder)


def double(folder):
    """float64 with weights of tokens."""
    tok = tokenizer("mpnet")
    weights = np.random.default_rng(8).uniform(size=tok.get_vocab_size())
    return save(StaticModel(table(tok, 7).astype(np.float64), tok, weights=weights), folder)


def sentence(folder):
    """Of sentence-transformers: unknown tokens count, and tokenizer.json's truncation holds."""
    tok = tokenizer("bert_bare")
    tok.enable_truncation(9)
    tok.enable_padding()
    model = SentenceTransformer(modules=[StaticEmbedding(tok, embedding_weights=table(tok, 9)), Normalize()], device="cpu")
    model.save(str(folder), create_model_card=False)
    return lambda texts: SentenceTransformer(str(folder), device="cpu").encode(texts, convert_to_numpy=True)


def folded(folder):
    """Model2Vec's tensors where no config.json says that they are: as StaticEmbedding folds them."""
    save(quantize_model(static("bert_bare", 10), vocabulary_quantization=40), folder)
    (folder / "config.json").unlink()
    return lambda texts: SentenceTransformer(str(folder), device="cpu").encode(texts, convert_to_numpy=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--force", action="store_true")
    force = parser.parse_args().force
    torch.set_num_threads(1)
    found = {"model2vec": model2vec.__version__, "sentence_transformers": sentence_transformers.__version__,
             "torch": torch.__version__.split("+")[0]}
    assert found == VERSIONS, f"{found}, not {VERSIONS}"
    texts = [json.loads(line) for line in (HERE / "encoder/texts.jsonl").read_text(encoding="utf-8").splitlines()]
    texts += ["𓀀", "𓀀 the 𐎠 map", "[UNK] map", "the map of the work " * 120, "wörter " * 600, "é" * 40 + " a map"]
    (HERE / "static").mkdir(exist_ok=True)
    lines = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts)
    (HERE / "static/texts.jsonl").write_text(lines, encoding="utf-8")
    for make in [plain, short, mapped, half, bytes_, bytes_mapped, double, sentence, folded]:
        folder = HERE / "static" / make.__name__.strip("_")
        if folder.exists() and not force:
            print(f"{folder.name} exists; --force makes it anew")
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        encode = make(folder)
        for file in folder.rglob("*.safetensors"):
            file.chmod(0o644)
        vectors = np.asarray(encode(texts), dtype=np.float32)
        safetensors.numpy.save_file({"vectors": vectors}, folder.parent / f"{folder.name}.safetensors",
                                    {"made_by": "tests/golden/make_static.py", **VERSIONS})
        print(folder.name, vectors.shape, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()), "bytes")


if __name__ == "__main__":
    main()
