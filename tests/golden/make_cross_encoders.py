#!/usr/bin/env python3
"""Makes golden cross-encoders: what sentence-transformers' CrossEncoder answers in float32 on the CPU.

Small folders with random weights, each architecture with one label and with three. Writes beside itself
cross/pairs.jsonl, cross/NAME/ and cross/NAME.safetensors:
  ids, types, starts   what the tokenizer makes of the pairs (types: absent if the network is not told them)
  logits, scores       of each pair; scores after the folder's activation
  LOSS, LOSS.targets   of all pairs as one batch: bce or mse (one label), or ce (three)
  LOSS/PARAMETER       the loss's gradient by each parameter
Versions go into __metadata__. An existing output is kept unless --force is given.
"""
import argparse
import json
import pathlib
import shutil

import numpy as np
import safetensors.numpy
import sentence_transformers
import torch
import transformers
from make_encoder import byte_bpe, shake, unigram, words_to_learn
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import losses
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent / "cross"
VERSIONS = {"sentence-transformers": "6.2.0", "transformers": "5.24.0", "torch": "2.15.0"}
LONG = "the contributor grants a licence in any form "
PAIRS = [
    ["a map", "The Quick Brown Fox"], ["", ""], ["", "a"], ["the licence of the work", ""],
    ["a", "of text and of maps"], ["You may reproduce copies of the Work.", "in any form, under the terms"],
    ["naïve café, Ærøskøbing", "Ελληνικά και кириллица"], ["emoji 😀 done", "漢字かな交じり文"],
    ["[SEP] is not the end", "<pad> <s> </s> [CLS]"], ["no", LONG * 5], [LONG * 5, "no"], [LONG * 5, LONG * 6],
    [LONG * 6, LONG * 5], [LONG, LONG * 4], ["word " * 14, "mixed CASE Words " * 4], ["x" * 90, "!" * 40],
]


def wordpiece(special):
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer()
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.train_from_iterator([line.lower() for line in words_to_learn()], trainers.WordPieceTrainer(
        vocab_size=110, limit_alphabet=40, special_tokens=special, show_progress=False))
    return tok.get_vocab()


def bert_words():
    return wordpiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])


def pieces():
    vocab = json.loads(unigram(130).backend_tokenizer.to_str())["model"]["vocab"]
    return [(piece, score) for piece, score in vocab]


def bytes_and_merges():
    model = json.loads(byte_bpe(280).backend_tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def sizes(tok, **more):
    return dict(vocab_size=len(tok), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
                max_position_embeddings=48, **more)


def bert(labels):
    tok = transformers.BertTokenizer(vocab=bert_words())
    config = transformers.BertConfig(**sizes(tok, pad_token_id=0, num_labels=labels))
    return tok, transformers.BertForSequenceClassification(config)


def distilbert(labels):
    tok = transformers.DistilBertTokenizer(vocab=bert_words())
    config = transformers.DistilBertConfig(vocab_size=len(tok), dim=8, n_layers=2, n_heads=2, hidden_dim=16,
                                           max_position_embeddings=48, pad_token_id=0, num_labels=labels)
    return tok, transformers.DistilBertForSequenceClassification(config)


def mpnet(labels):
    tok = transformers.MPNetTokenizer(vocab=wordpiece(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]))
    config = transformers.MPNetConfig(**sizes(tok, pad_token_id=1, num_labels=labels))
    return tok, transformers.MPNetForSequenceClassification(config)


def roberta(labels):
    vocab, merges = bytes_and_merges()
    tok = transformers.RobertaTokenizer(vocab=vocab, merges=merges)
    config = transformers.RobertaConfig(**sizes(tok, type_vocab_size=1, pad_token_id=1, num_labels=labels))
    return tok, transformers.RobertaForSequenceClassification(config)


def xlm_roberta(labels):
    tok = transformers.XLMRobertaTokenizer(vocab=pieces())
    config = transformers.XLMRobertaConfig(**sizes(tok, type_vocab_size=1, pad_token_id=1, num_labels=labels))
    return tok, transformers.XLMRobertaForSequenceClassification(config)


def camembert(labels):
    tok = transformers.CamembertTokenizer(vocab=pieces(), additional_special_tokens=[])
    config = transformers.CamembertConfig(**sizes(tok, type_vocab_size=1, pad_token_id=1, num_labels=labels))
    return tok, transformers.CamembertForSequenceClassification(config)


def gradients(model, loss, targets):
    model.zero_grad()
    value = loss([[a for a, _ in PAIRS], [b for _, b in PAIRS]], torch.tensor(targets))
    value.backward()
    return float(value.detach()), {name: p.grad.numpy() for name, p in model[0].model.named_parameters()
                                   if p.grad is not None}


def answers(model, labels, seed):
    out = {}
    rows = [model.preprocess([pair]) for pair in PAIRS]
    out["ids"] = np.concatenate([row["input_ids"][0].numpy() for row in rows]).astype(np.int32)
    if "token_type_ids" in rows[0]:
        out["types"] = np.concatenate([row["token_type_ids"][0].numpy() for row in rows]).astype(np.int32)
    out["starts"] = np.cumsum([0] + [row["input_ids"].shape[1] for row in rows]).astype(np.int32)
    # One pair at a time: no padding.
    predict = lambda **more: np.stack([model.predict([pair], **more)[0] for pair in PAIRS]).reshape(len(PAIRS), labels)
    out["logits"] = predict(activation_fn=torch.nn.Identity())
    out["scores"] = predict()
    random = np.random.default_rng(seed)
    if labels > 1:
        kinds = {"ce": (losses.CrossEntropyLoss(model), random.integers(0, labels, len(PAIRS)))}
    elif model[0].model.config.model_type in ("bert", "mpnet"):
        kinds = {"mse": (losses.MSELoss(model), random.normal(size=len(PAIRS)).astype(np.float32).round(2))}
    else:
        kinds = {"bce": (losses.BinaryCrossEntropyLoss(model), random.random(len(PAIRS), np.float32).round(2))}
    model.eval()
    for name, (loss, targets) in kinds.items():
        value, slopes = gradients(model, loss, targets)
        out[name] = np.array([value], np.float32)
        out[f"{name}.targets"] = targets.astype(np.float32)
        out.update({f"{name}/{parameter}": slope for parameter, slope in slopes.items()})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--force", action="store_true")
    force = parser.parse_args().force
    torch.set_num_threads(1)
    for package, version in VERSIONS.items():
        module = {"sentence-transformers": sentence_transformers, "transformers": transformers, "torch": torch}[package]
        found = module.__version__.split("+")[0]
        assert found == version, f"{package} is {found}, not {version}"
    HERE.mkdir(exist_ok=True)
    (HERE / "pairs.jsonl").write_text("".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in PAIRS),
                                      encoding="utf-8")
    for number, make in enumerate([bert, roberta, xlm_roberta, camembert, distilbert, mpnet]):
        for labels in [1, 3]:
            folder = HERE / f"{make.__name__}_{labels}"
            if folder.exists() and not force:
                print(f"{folder.name} exists; --force makes it anew")
                continue
            shutil.rmtree(folder, ignore_errors=True)
            tok, network = make(labels)
            tok.model_max_length = 32 + labels // 2  # an odd and an even number of places for two texts
            shake(network, 130 + 2 * number + labels // 2)
            network.save_pretrained(folder)
            tok.save_pretrained(folder)
            ours = (number + labels // 2) % 2 == 1  # every other one as CrossEncoder saves it
            model = CrossEncoder(str(folder), device="cpu", activation_fn=torch.nn.Tanh() if folder.name == "roberta_1" else None)
            if ours:
                shutil.rmtree(folder)
                model.save_pretrained(str(folder), create_model_card=False)
                model = CrossEncoder(str(folder), device="cpu")
            for file in folder.rglob("*.safetensors"):
                file.chmod(0o644)
            out = answers(model, labels, 50 + number)
            safetensors.numpy.save_file(out, HERE / f"{folder.name}.safetensors",
                                        {"made_by": "tests/golden/make_cross_encoders.py", **VERSIONS})
            (HERE / f"{folder.name}.safetensors").chmod(0o644)
            print(folder.name, "as CrossEncoder" if ours else "as transformers", out["scores"][:3].tolist(),
                  sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()), "bytes")


if __name__ == "__main__":
    main()
