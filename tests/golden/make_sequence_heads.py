#!/usr/bin/env python3
"""Makes golden models that give labels, and what transformers answers with them in float32 on the CPU.

Small folders with random weights, one for each architecture, as save_pretrained leaves them. Writes beside
itself sequence_heads/NAME/ and sequence_heads/NAME.safetensors: "logits", "probabilities" (softmax or sigmoid, as
the text-classification pipeline has it) and "features" (what the last linear layer reads) of the texts of
encoder/texts.jsonl. Versions go into __metadata__. An existing output is kept unless --force is given.
"""
import argparse
import json
import pathlib
import shutil

import numpy as np
import safetensors.numpy
import torch
import transformers
from make_encoder import bert_config, byte_bpe, save, shake, wordpiece

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = {"transformers": "5.24.0", "torch": "2.15.0"}
EMOTIONS = ["joy", "anger", "fear; or awe", "neutral"]


def named(labels, **more):
    return {"num_labels": len(labels), "id2label": dict(enumerate(labels)),
            "label2id": {label: i for i, label in enumerate(labels)}, **more}


def roberta_several(folder):
    """As go_emotions models are: a sigmoid for each label."""
    tok = byte_bpe(300)
    tok.model_max_length = 60
    config = transformers.RobertaConfig(
        vocab_size=len(tok), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, type_vocab_size=1, pad_token_id=1,
        **named(EMOTIONS, problem_type="multi_label_classification"))
    return tok, shake(transformers.RobertaForSequenceClassification(config), 11), "classifier.out_proj"


def bert_one(folder):
    """One label a row by a softmax; problem_type says so."""
    tok = wordpiece(250)
    tok.model_max_length = 64
    config = bert_config(tok, hidden_size=16, num_attention_heads=2, intermediate_size=32, max_position_embeddings=64,
                         **named(["sport", "money", "news"], problem_type="single_label_classification"))
    return tok, shake(transformers.BertForSequenceClassification(config), 12), "classifier"


def distilbert_plain(folder):
    """No problem_type: several labels are a softmax."""
    tok = wordpiece(250)
    tok.model_max_length = 64
    config = transformers.DistilBertConfig(vocab_size=len(tok), dim=16, n_layers=1, n_heads=2, hidden_dim=32,
                                           max_position_embeddings=64, pad_token_id=0, **named(["NEGATIVE", "POSITIVE"]))
    return tok, shake(transformers.DistilBertForSequenceClassification(config), 13), "classifier"


def answers(model, tok, texts, last):
    """One text at a time: no padding."""
    read = []
    model.get_submodule(last).register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].detach().numpy()[0]))
    logits = []
    with torch.no_grad():
        for text in texts:
            inputs = tok(text, truncation=True, max_length=tok.model_max_length, return_tensors="pt")
            inputs.pop("token_type_ids", None)
            logits.append(model(**inputs).logits[0])
    logits = torch.stack(logits)
    several = model.config.problem_type == "multi_label_classification"
    probabilities = torch.sigmoid(logits) if several else torch.softmax(logits, -1)
    return {"logits": logits.numpy(), "probabilities": probabilities.numpy(), "features": np.stack(read)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--force", action="store_true")
    force = parser.parse_args().force
    for package, version in VERSIONS.items():
        found = {"transformers": transformers, "torch": torch}[package].__version__.split("+")[0]
        assert found == version, f"{package} is {found}, not {version}"
    texts = [json.loads(line) for line in (HERE / "encoder/texts.jsonl").read_text(encoding="utf-8").splitlines()]
    for make in [roberta_several, bert_one, distilbert_plain]:
        folder = HERE / "sequence_heads" / make.__name__
        if folder.exists() and not force:
            print(f"{folder.name} exists; --force makes it anew")
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tok, model, last = make(folder)
        save(model, tok, folder)
        for file in folder.rglob("*.safetensors"):
            file.chmod(0o644)
        out = answers(model, tok, texts, last)
        safetensors.numpy.save_file(out, folder.parent / f"{folder.name}.safetensors",
                                    {"made_by": "tests/golden/make_sequence_heads.py", **VERSIONS})
        print(folder.name, {k: v.shape for k, v in out.items()}, sum(f.stat().st_size for f in folder.iterdir()), "bytes")


if __name__ == "__main__":
    main()
