#!/usr/bin/env python3
"""Writes tests/golden/vocabularies: folders with a vocab.txt and no tokenizer.json, and the ids that transformers gives with them.
Needs transformers (5); the pieces are taken from a tokenizer.json of BERT's kind, given as the argument."""
import json
import pathlib
import shutil
import sys

from transformers import BertTokenizer, MPNetTokenizer

OUT = pathlib.Path(__file__).resolve().parent / "vocabularies"
TEXTS = ["Hello World! It's a test.", "Crème BRÛLÉE, naïve Übermut", "北京大学 and 東京", "", "   ", "[CLS] hello [SEP] [MASK] [mask] [UNK]",
         "<s> hello </s> <mask> <pad>", "a" * 99, "b" * 101, "tab\there\nnew\r\nline\x00\x07end", "emoji 👩‍👩‍👧 ok", "don't stop-me now… “quoted”",
         "İstanbul ıĞ ß ﬁ ½", "e\u0301 combining", "NEWTOKEN newtoken a newtoken2b x", "12,345.67 + 3e5", "ελληνικά русский עברית"]
KEPT = [line.strip() for line in "the a and is it test hello world naive cafe creme bru ##lee ul ##ber ##mut emoji ok don t s stop me now quoted "
        "tab here new line end combining istanbul x".split()]


def vocabulary(source, specials):
    pieces = json.loads(pathlib.Path(source).read_text())["model"]["vocab"]
    ordinary = [p for p in sorted(pieces, key=pieces.get) if not p.startswith("[")]
    letters = [p for p in ordinary if len(p.removeprefix("##")) == 1]
    return specials + [p for p in ordinary if p in KEPT or p in letters] + ["É", "##É", "N", "##N", "É", "Hello", "İ"]


def write(name, kind, settings, vocab, extra=None, ends="\n"):
    folder = OUT / name
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_bytes("".join(p + ends for p in vocab).encode())
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": kind.__name__} | settings, indent=1))
    for file, content in (extra or {}).items():
        (folder / file).write_text(json.dumps(content))
    tokenizer = kind.from_pretrained(folder)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    (folder / "want.json").write_text(json.dumps({"texts": TEXTS, "ids": ids}))


def main(source):
    shutil.rmtree(OUT, ignore_errors=True)
    bert = vocabulary(source, ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    mpnet = vocabulary(source, ["<s>", "<pad>", "</s>", "[UNK]"]) + ["<mask>"]
    write("plain", BertTokenizer, {}, bert)
    write("cased", BertTokenizer, {"do_lower_case": False}, bert, ends="\r\n")
    write("accents", BertTokenizer, {"strip_accents": False}, bert)
    write("stripped", BertTokenizer, {"do_lower_case": False, "strip_accents": True}, bert)
    write("han", BertTokenizer, {"tokenize_chinese_chars": False}, bert)
    write("mpnet", MPNetTokenizer, {}, mpnet)
    token = lambda content, **more: {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                                     "special": False} | more
    write("added", BertTokenizer, {"added_tokens_decoder": {
        "0": token("[PAD]", special=True), "2": token("[UNK]", special=True), "3": token("[CLS]", special=True),
        "4": token("[SEP]", special=True), "5": token("[MASK]", special=True), str(len(dict.fromkeys(bert)) + 1): token("newtoken", normalized=True)}}, bert)
    own = [{"[CLS]": "{begin}", "[SEP]": "{end}", "[UNK]": "{what}"}.get(p, p) for p in bert]
    names = {"cls_token": "{begin}", "sep_token": "{end}", "unk_token": "{what}", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    write("renamed", BertTokenizer, names, own)
    write("mapped", BertTokenizer, {}, own, {"special_tokens_map.json": names})


main(sys.argv[1])
