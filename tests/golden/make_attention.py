#!/usr/bin/env python3
"""Makes the golden attention: what transformers answers with output_attentions, "eager", in float32 on the CPU.

    make_attention.py [--force]

For the models of encoder/ and all-MiniLM-L6-v2 writes attention/NAME.safetensors: for text i of encoder/texts.jsonl
(MiniLM: encoder/debian.jsonl) "i" of layers x heads x tokens x tokens, "i.ids", and "i.offsets" in characters, 0, 0 for
special tokens. Versions go into __metadata__. An existing output is kept unless --force is given.
"""
import argparse
import json
import pathlib

import numpy as np
import safetensors.numpy
import torch
import transformers

from make_encoder import minilm_folder

VERSIONS = {"transformers": "5.24.0"}
HERE = pathlib.Path(__file__).resolve().parent
TINY = ["bert_old", "bert_new", "bert_bare", "bert_poolings", "roberta", "xlm_roberta", "distilbert", "mpnet"]
TEXTS = [0, 3, 4, 6, 8, 9, 10, 12, 13, 18, 19]
LIMITS = {"bert_old": 64, "bert_new": 80, "bert_bare": 48, "bert_poolings": 40, "roberta": 70, "xlm_roberta": 50,
          "distilbert": 60, "mpnet": 200, "all-MiniLM-L6-v2": 256}
PROMPTS = {"roberta": "search_document: "}  # put before each text by default
LONG = {"bert_old": [25], "mpnet": [22]}  # one that is cut, one of more than 32 positions


def attention_of(folder, texts, name):
    tok = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    lower = name == "distilbert"  # do_lower_case of sentence-transformers, which leaves special tokens as they are
    prompt = PROMPTS.get(name, "")
    out = {}
    for i, text in texts:
        whole = prompt + (text.lower() if lower else text)
        enc = tok(whole, truncation=True, max_length=LIMITS[name], return_offsets_mapping=True, return_tensors="pt")
        offsets = enc.pop("offset_mapping")[0].numpy().astype(np.int32)
        with torch.no_grad():
            layers = model(**enc, output_attentions=True).attentions
        out[str(i)] = torch.stack([layer[0] for layer in layers]).numpy().astype(np.float32)
        out[f"{i}.ids"] = enc["input_ids"][0].numpy().astype(np.int32)
        out[f"{i}.offsets"] = np.maximum(offsets - len(prompt), 0)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force", action="store_true")
    args = parser.parse_args()
    seen = {"transformers": transformers.__version__}
    if seen != VERSIONS:
        raise SystemExit(f"these are the versions {seen}, but the golden data are made with {VERSIONS}")
    torch.set_num_threads(1)
    lines = lambda name: [json.loads(line) for line in (HERE / "encoder" / name).read_text(encoding="utf-8").splitlines()]
    tiny, debian = lines("texts.jsonl"), lines("debian.jsonl")
    short = sorted((i for i in range(len(debian)) if 40 < len(debian[i]) < 70))[:3]
    (HERE / "attention").mkdir(exist_ok=True)
    for name in TINY + ["all-MiniLM-L6-v2"]:
        path = HERE / "attention" / f"{name}.safetensors"
        if path.exists() and not args.force:
            print(f"{path.name} exists; --force makes it anew")
            continue
        if name in TINY:
            folder = HERE / "encoder" / name
            folder = folder / "0_Transformer" if name == "distilbert" else folder
            texts = [(i, tiny[i]) for i in TEXTS + LONG.get(name, []) if name != "distilbert" or "[" not in tiny[i]]
        else:
            folder, texts = minilm_folder(), [(i, debian[i]) for i in short]
        out = attention_of(folder, texts, name)
        safetensors.numpy.save_file(out, path, {"made_by": "tests/golden/make_attention.py", "torch": torch.__version__,
                                                **VERSIONS})
        print(f"{name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
