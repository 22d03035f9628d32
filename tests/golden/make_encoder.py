#!/usr/bin/env python3
"""Makes the encoder's golden data: what sentence-transformers answers in float32 on the CPU.

    make_encoder.py tiny          small models with random weights, one for each architecture, and their vectors
    make_encoder.py texts FILE..  1,000 Debian descriptions of 3 to over 256 tokens, from Translation-en files
    make_encoder.py minilm        the vectors of those texts by all-MiniLM-L6-v2

Writes beside itself: encoder/NAME/ (model folders), encoder/NAME.safetensors ("vectors", and a tensor for each
prompt), encoder/texts.jsonl, encoder/debian.jsonl, encoder/minilm_{0,1}.safetensors. Versions go into
__metadata__. An existing output is kept unless --force is given. Run with the versions in VERSIONS.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess

import numpy as np
import safetensors.numpy
import safetensors.torch
import sentence_transformers
import tokenizers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

VERSIONS = {"sentence-transformers": "6.0.0", "transformers": "5.23.0", "tokenizers": "0.23.2"}
HERE = pathlib.Path(__file__).resolve().parent / "encoder"
LIMIT = 256  # of all-MiniLM-L6-v2

TEXTS = [
    "", " ", "a", "A map.", "the licence of the work", "The Quick Brown Fox Jumps Over The Lazy Dog",
    "in any form, under the terms and conditions of this License", "[SEP] is not the end", "<pad> <s> </s> [CLS]",
    "a [PAD] inside <pad> a text [MASK] <mask>", "naïve café, Ærøskøbing, ǅ", "Ελληνικά και кириллица",
    "漢字かな交じり文", "emoji 😀👩‍👩‍👧 done", "tabs\tand\nlines\r\nand   spaces", "1234567890 3.14159 1e-9",
    "x" * 150, "!" * 40, "e\u0301 combining, \u200bzero width, \ufeffmark", "ALL CAPITALS ARE SHOUTED",
    "query: what is a derivative work?", "search_document: the work", "word " * 30, "mixed CASE Words " * 12,
    "the contributor grants a licence " * 9, "long text that goes over the limit of every model here " * 30,
    "patent claims licensable by such contributor " * 14, "no", "No!", "You may reproduce copies of the Work.",
]


def words_to_learn():
    return "\n".join(TEXTS).splitlines()


def wordpiece(size, lowercase=True, lower_in_file=True):
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=lowercase and lower_in_file)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    lines = [line.lower() for line in words_to_learn()] if lowercase else words_to_learn()
    tok.train_from_iterator(lines, trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tok.decoder = decoders.WordPiece()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tok, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", clean_up_tokenization_spaces=False)


def with_angles(tok, size, trainer):
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tok.train_from_iterator(words_to_learn(), trainer(size, specials))
    ids = [("<s>", tok.token_to_id("<s>")), ("</s>", tok.token_to_id("</s>"))]
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ids)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tok, bos_token="<s>", pad_token="<pad>", eos_token="</s>", cls_token="<s>", sep_token="</s>",
        unk_token="<unk>", mask_token="<mask>", clean_up_tokenization_spaces=False)


def byte_bpe(size):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    return with_angles(tok, size, lambda n, specials: trainers.BpeTrainer(
        vocab_size=n, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))


def unigram(size):
    tok = Tokenizer(models.Unigram())
    tok.normalizer = normalizers.NFKC()
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.decoder = decoders.Metaspace()
    return with_angles(tok, size, lambda n, specials: trainers.UnigramTrainer(
        vocab_size=n, special_tokens=specials, unk_token="<unk>", show_progress=False))


def shake(model, seed):
    """Weights large enough that attention, activations and biases all matter."""
    gen = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=gen)
            if "LayerNorm.weight" in name or "layer_norm.weight" in name:
                p.copy_(1 + 0.2 * noise)
            elif p.dim() == 1:
                p.copy_(0.2 * noise)
            elif "embeddings" in name or "relative_attention_bias" in name:
                p.copy_(0.7 * noise)
            else:
                p.copy_(1.2 * noise / p.shape[1] ** 0.5)
    return model.eval()


def dump(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def old_modules(folder, steps, inner=""):
    kinds = [("Transformer", inner)] + [(kind, f"{i}_{kind}") for i, kind in enumerate(steps, 1)]
    dump(folder / "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)])


def new_modules(folder, steps):
    where = {"Pooling": "sentence_transformer.modules.pooling", "Dense": "base.modules.dense",
             "Normalize": "base.modules.normalize", "LayerNorm": "sentence_transformer.modules.layer_norm"}
    rows = [("base.modules.transformer.Transformer", "")]
    rows += [(f"{where[kind]}.{kind}", f"{i}_{kind}") for i, kind in enumerate(steps, 1)]
    dump(folder / "modules.json", [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.{kind}"}
                                   for i, (kind, path) in enumerate(rows)])


def old_pooling(path, dims, **on):
    keys = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    flags = {f"pooling_mode_{key}": bool(on.get(key, False)) for key in keys}
    dump(path / "config.json", {"word_embedding_dimension": dims, **flags})


def dense(path, rows, cols, activation, seed, bias=True, residual=False):
    gen = torch.Generator().manual_seed(seed)
    tensors = {"linear.weight": torch.randn(rows, cols, generator=gen) / cols**0.5}
    if bias:
        tensors["linear.bias"] = 0.2 * torch.randn(rows, generator=gen)
    config = {"in_features": cols, "out_features": rows, "bias": bias, "activation_function": activation}
    if residual:
        config["use_residual"] = True
        if rows != cols:
            tensors["residual.weight"] = torch.randn(rows, cols, generator=gen) / cols**0.5
    dump(path / "config.json", config)
    safetensors.torch.save_file(tensors, path / "model.safetensors")


def save(model, tok, folder, dtype=torch.float32, **extra):
    model.to(dtype).save_pretrained(folder, **extra)
    tok.save_pretrained(folder)


def bert_config(tok, **changes):
    return transformers.BertConfig(**{**dict(
        vocab_size=len(tok), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=96, pad_token_id=0), **changes})


def bert_old(folder):
    """Old modules.json, mean and Normalize, a head size that is no power of two, an odd width."""
    tok = wordpiece(400)
    save(shake(transformers.BertModel(bert_config(tok, hidden_size=36, num_attention_heads=3, intermediate_size=70)), 1),
         tok, folder)
    old_modules(folder, ["Pooling", "Normalize"])
    old_pooling(folder / "1_Pooling", 36, mean_tokens=True)
    dump(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})


def bert_new(folder):
    """modules.json of version 6, cls, f16 weights with the prefix "bert.", tanh GELU, LayerNorm after pooling."""
    tok = wordpiece(400)
    tok.model_max_length = 80
    config = bert_config(tok, hidden_act="gelu_new", num_hidden_layers=3, layer_norm_eps=1e-5)
    save(shake(transformers.BertForMaskedLM(config), 2), tok, folder, torch.float16)
    new_modules(folder, ["Pooling", "LayerNorm"])
    dump(folder / "1_Pooling/config.json", {"embedding_dimension": 32, "pooling_mode": "cls", "include_prompt": True})
    gen = torch.Generator().manual_seed(22)
    dump(folder / "2_LayerNorm/config.json", {"dimension": 32})
    safetensors.torch.save_file({"norm.weight": 1 + 0.3 * torch.randn(32, generator=gen),
                                 "norm.bias": 0.3 * torch.randn(32, generator=gen)}, folder / "2_LayerNorm/model.safetensors")
    dump(folder / "sentence_bert_config.json", {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings",
         "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}})


def bert_bare(folder):
    """No modules.json: mean over the transformer. silu; the old names gamma and beta."""
    tok = wordpiece(400)
    tok.model_max_length = 48
    save(shake(transformers.BertModel(bert_config(tok, hidden_act="silu"), add_pooling_layer=False), 3), tok, folder)
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    renamed = {k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v
               for k, v in weights.items()}
    safetensors.torch.save_file(renamed, folder / "model.safetensors", {"format": "pt"})


def bert_poolings(folder):
    """All six poolings at once in the old configuration; relu; prompts inside the pooling."""
    tok = wordpiece(400)
    save(shake(transformers.BertModel(bert_config(tok, hidden_act="relu")), 4), tok, folder)
    old_modules(folder, ["Pooling"])
    old_pooling(folder / "1_Pooling", 32, cls_token=True, mean_tokens=True, max_tokens=True, mean_sqrt_len_tokens=True,
                weightedmean_tokens=True, lasttoken=True)
    dump(folder / "sentence_bert_config.json", {"max_seq_length": 40, "do_lower_case": False})
    dump(folder / "config_sentence_transformers.json", {"__version__": {}, "prompts": {"query": "query: ", "none": ""},
                                                        "default_prompt_name": None, "similarity_fn_name": "cosine"})


def roberta(folder):
    """Byte-level BPE, default prompt that is kept out of the pooling, a list of poolings, Dense with Tanh."""
    tok = byte_bpe(460)
    tok.model_max_length = 70
    config = transformers.RobertaConfig(vocab_size=len(tok), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                                        intermediate_size=64, max_position_embeddings=74, type_vocab_size=1, pad_token_id=1)
    save(shake(transformers.RobertaModel(config), 5), tok, folder)
    new_modules(folder, ["Pooling", "Dense", "Normalize"])
    dump(folder / "1_Pooling/config.json", {"embedding_dimension": 32, "pooling_mode": ["max", "mean", "weightedmean", "cls"],
                                            "include_prompt": False})
    dense(folder / "2_Dense", 24, 128, "torch.nn.modules.activation.Tanh", 55)
    dump(folder / "sentence_bert_config.json", {})
    dump(folder / "config_sentence_transformers.json",
         {"prompts": {"query": "search_query: ", "document": "search_document: "}, "default_prompt_name": "document"})


def xlm_roberta(folder):
    """Unigram, bf16 weights with the prefix "roberta.", lasttoken, Dense without bias, then one with a residual."""
    tok = unigram(400)
    config = transformers.XLMRobertaConfig(vocab_size=len(tok), hidden_size=40, num_hidden_layers=2, num_attention_heads=5,
                                           intermediate_size=48, max_position_embeddings=66, type_vocab_size=1, pad_token_id=1)
    save(shake(transformers.XLMRobertaForMaskedLM(config), 6), tok, folder, torch.bfloat16)
    old_modules(folder, ["Pooling", "Dense", "Dense"])
    old_pooling(folder / "1_Pooling", 40, lasttoken=True)
    dense(folder / "2_Dense", 20, 40, "torch.nn.modules.linear.Identity", 66, bias=False)
    dense(folder / "3_Dense", 12, 20, "torch.nn.modules.activation.GELU", 67, residual=True)
    dump(folder / "sentence_xlm-roberta_config.json", {"max_seq_length": 50, "do_lower_case": False})


def distilbert(folder):
    """In a folder of its own, shards, do_lower_case, mean_sqrt_len_tokens, Dense with ReLU and truncate_dim."""
    tok = wordpiece(400, lower_in_file=False)
    config = transformers.DistilBertConfig(vocab_size=len(tok), dim=32, n_layers=2, n_heads=4, hidden_dim=64,
                                           max_position_embeddings=64, pad_token_id=0)
    save(shake(transformers.DistilBertModel(config), 7), tok, folder / "0_Transformer", max_shard_size="60KB")
    old_modules(folder, ["Pooling", "Dense"], "0_Transformer")
    old_pooling(folder / "1_Pooling", 32, mean_sqrt_len_tokens=True)
    dense(folder / "2_Dense", 32, 32, "torch.nn.modules.activation.ReLU", 77, residual=True)
    dump(folder / "0_Transformer/sentence_distilbert_config.json", {"max_seq_length": 60, "do_lower_case": True})
    dump(folder / "config_sentence_transformers.json", {"truncate_dim": 20})


def mpnet(folder):
    """Relative position bias over more than 128 positions."""
    tok = with_mpnet_tokens(400)
    config = transformers.MPNetConfig(vocab_size=len(tok), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                                      intermediate_size=64, max_position_embeddings=210, pad_token_id=1)
    save(shake(transformers.MPNetModel(config), 8), tok, folder)
    old_modules(folder, ["Pooling", "Normalize"])
    old_pooling(folder / "1_Pooling", 32, mean_tokens=True)
    dump(folder / "sentence_bert_config.json", {"max_seq_length": 200, "do_lower_case": False})


def with_mpnet_tokens(size):
    tok = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return with_angles(tok, size, lambda n, specials: trainers.WordPieceTrainer(
        vocab_size=n, special_tokens=specials, show_progress=False))


def load(folder):
    return SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})


def prompts_of(folder):
    config = folder / "config_sentence_transformers.json"
    return json.loads(config.read_text(encoding="utf-8")).get("prompts", {}) if config.exists() else {}


def metadata():
    return {"made_by": "tests/golden/make_encoder.py", "torch": torch.__version__, **VERSIONS}


def absent(path, force):
    if path.exists() and not force:
        print(f"{path.name} exists; --force makes it anew")
        return False
    return True


def make_tiny(force):
    HERE.mkdir(exist_ok=True)
    (HERE / "texts.jsonl").write_text("".join(json.dumps(t, ensure_ascii=False) + "\n" for t in TEXTS), encoding="utf-8")
    for make in [bert_old, bert_new, bert_bare, bert_poolings, roberta, xlm_roberta, distilbert, mpnet]:
        folder = HERE / make.__name__
        if not absent(folder, force):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        make(folder)
        model = load(folder)
        out = {"vectors": model.encode(TEXTS, batch_size=7)}
        for name in prompts_of(folder):  # model.prompts also has the names query and document, always
            if name != model.default_prompt_name:
                out[f"prompt:{name}"] = model.encode(TEXTS, prompt_name=name)
        assert all(np.isfinite(v).all() for v in out.values())
        for file in folder.rglob("*.safetensors"):
            file.chmod(0o644)
        safetensors.numpy.save_file(out, HERE / f"{make.__name__}.safetensors", metadata())
        kept = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        print(f"{make.__name__}: {out['vectors'].shape}, limit {model.max_seq_length}, {kept} bytes")


def descriptions(files):
    """Descriptions-en fields: the first line is the short one; " ." stands for an empty line."""
    for name in files:
        raw = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", name], check=True, capture_output=True).stdout
        for block in raw.decode("utf-8", "replace").split("\n\n"):
            if "\nDescription-en: " not in block:
                continue
            short, _, rest = block.split("\nDescription-en: ", 1)[1].partition("\n")
            yield short
            yield "\n".join("" if line == " ." else line[1:] for line in rest.split("\n"))


def make_texts(files, force):
    path = HERE / "debian.jsonl"
    if not absent(path, force):
        return
    found = sorted(set(t for t in descriptions(files) if t.strip()))
    random.Random(1).shuffle(found)
    tok = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tok.no_truncation()
    tok.no_padding()
    by_length = {}
    for text, enc in zip(found[:40000], tok.encode_batch(found[:40000])):
        by_length.setdefault(len(enc.ids), []).append(text)
    chosen = []
    for i in range(1000):  # short ones more often; the last tenth goes over the limit
        want = 3 + round((i / 1000) ** 2 * 290)
        while not by_length.get(want):
            want = want + 1 if want < 400 else 3
        chosen.append(by_length[want].pop())
    random.Random(2).shuffle(chosen)
    path.write_text("".join(json.dumps(t, ensure_ascii=False) + "\n" for t in chosen), encoding="utf-8")
    lengths = [len(e.ids) for e in tok.encode_batch(chosen)]
    print(f"{path.name}: {path.stat().st_size} bytes, {min(lengths)} to {max(lengths)} tokens, "
          f"{sum(n > LIMIT for n in lengths)} over {LIMIT}, mean {np.mean(lengths):.1f}")


def minilm_folder():
    """$SHOAL_MODEL, else where `shoal model list` looks (cli/session.h)."""
    data = os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share"
    models = os.environ.get("SHOAL_MODELS") or pathlib.Path(data) / "shoal/models"
    return pathlib.Path(os.environ.get("SHOAL_MODEL") or pathlib.Path(models) / "all-MiniLM-L6-v2")


def make_minilm(force):
    texts = [json.loads(line) for line in (HERE / "debian.jsonl").read_text(encoding="utf-8").splitlines()]
    if not absent(HERE / "minilm_0.safetensors", force):
        return
    vectors = load(minilm_folder()).encode(texts, batch_size=16)
    for half in range(2):
        part = {"vectors": np.ascontiguousarray(vectors[half * 500:(half + 1) * 500])}
        safetensors.numpy.save_file(part, HERE / f"minilm_{half}.safetensors", metadata())
    print(f"minilm: {vectors.shape}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tiny", "texts", "minilm"])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--force", action="store_true")
    args = parser.parse_args()
    seen = {"sentence-transformers": sentence_transformers.__version__, "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__}
    if seen != VERSIONS:
        raise SystemExit(f"these are the versions {seen}, but the golden data are made with {VERSIONS}")
    torch.set_num_threads(2)
    if args.what == "tiny":
        make_tiny(args.force)
    elif args.what == "texts":
        make_texts(args.files, args.force)
    else:
        make_minilm(args.force)


if __name__ == "__main__":
    main()
