"""Tokenizers of every kind, trained on the real texts: each as the text of a tokenizer.json."""
import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from charsmap import charsmap

VOCABULARY = 8000
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True)]


def trained(tokenizer, trainer, texts):
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def byte_level_bpe(texts):
    """As RoBERTa's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained(tokenizer, trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=ROBERTA, show_progress=False,
                                           initial_alphabet=pre_tokenizers.ByteLevel.alphabet()), texts)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.enable_padding(length=7)  # ours must not heed it
    tokenizer.enable_truncation(5)
    return tokenizer.to_str()


def unigram(texts):
    """As XLM-RoBERTa's."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Precompiled(charsmap())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    trained(tokenizer, trainers.UnigramTrainer(vocab_size=VOCABULARY, special_tokens=ROBERTA, unk_token="<unk>",
                                               show_progress=False), texts)
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>",
                                                             [("<s>", 0), ("</s>", 2)])
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer.to_str()


def variants(bpe, uni, minilm):
    """Other shapes that real files have, made from the trained ones: {name: tokenizer.json}."""
    found = {}

    def vary(name, source, change):
        config = json.loads(source)
        change(config)
        found[name] = json.dumps(config)

    def old_merges(c):
        c["model"]["merges"] = [" ".join(pair) for pair in c["model"]["merges"]]
        del c["model"]["type"]

    def llama3_split(c):
        c["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
                                          r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"},
             "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}
        c["post_processor"] = {"type": "Sequence", "processors": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
            {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                                                      {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}}]}

    vary("BPE, old merges", bpe, old_merges)
    vary("BPE, llama 3 split", bpe, llama3_split)
    vary("BPE, NFC", bpe, lambda c: c.update(normalizer={"type": "NFC"}))
    vary("BPE, prefix space", bpe, lambda c: c["pre_tokenizer"].update(add_prefix_space=True))

    replace = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}

    def new_xlmr(c):
        c["normalizer"] = {"type": "Sequence", "normalizers": [c["normalizer"], {"type": "Strip", "strip_left": False,
                                                                                 "strip_right": True}, replace]}
        c["pre_tokenizer"] = metaspace

    def albert(c):
        quote = lambda mark: {"type": "Replace", "pattern": {"String": mark}, "content": '"'}
        c["normalizer"] = {"type": "Sequence", "normalizers": [
            quote("``"), quote("''"), {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, c["normalizer"]]}

    def old_metaspace(c):
        c["pre_tokenizer"] = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True, "str_rep": "\u2581"}
        del c["model"]["type"]

    def byte_fallback(c):
        c["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
        c["model"]["byte_fallback"] = True

    def doubles(c):  # of equal pieces the last counts; some pieces can never be, and some scores are equal
        vocab = c["model"]["vocab"]
        vocab += [[piece, score - 1.0] for piece, score in vocab[5:400:3]] + [["", 0.0], ["\u2581\u2581", -9.0], ["<unk><unk>", -3.0]]
        for pair in vocab[400:800]:
            pair[1] = -8.0

    vary("Unigram, new XLM-R", uni, new_xlmr)
    vary("Unigram, doubles", uni, doubles)
    vary("Unigram, ALBERT", uni, albert)
    vary("Unigram, old Metaspace", uni, old_metaspace)
    vary("Unigram, first", uni, lambda c: c.update(pre_tokenizer={**metaspace, "prepend_scheme": "first"}))
    vary("Unigram, NFKC", uni, lambda c: c.update(normalizer={"type": "NFKC"}))
    vary("Unigram, Nmt", uni, lambda c: c.update(normalizer={"type": "Sequence", "normalizers": [{"type": "Nmt"}, {"type": "NFKC"}]}))
    vary("Unigram, bytes", uni, byte_fallback)

    def cased(c):
        c["normalizer"].update(lowercase=False, strip_accents=False)

    def mpnet(c):
        c["post_processor"] = {"type": "RobertaProcessing", "sep": ["[SEP]", 102], "cls": ["[CLS]", 101],
                               "trim_offsets": True, "add_prefix_space": False}
        c["added_tokens"][-1]["lstrip"] = True

    vary("WordPiece, cased", minilm, cased)
    vary("WordPiece, no Chinese", minilm, lambda c: c["normalizer"].update(handle_chinese_chars=False, clean_text=False))
    vary("WordPiece, MPNet", minilm, mpnet)
    vary("WordPiece, no accents kept", minilm, lambda c: c["normalizer"].update(strip_accents=True, lowercase=False))
    return found


def small_bpes(texts):
    """Character-level BPEs and a WordLevel: {name: tokenizer.json}."""
    clip = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    clip.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    clip.pre_tokenizer = pre_tokenizers.Whitespace()
    trained(clip, trainers.BpeTrainer(vocab_size=3000, special_tokens=["<unk>"], end_of_word_suffix="</w>",
                                      show_progress=False), texts)

    llama = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    llama.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    bytes_ = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    llama.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")  # while training only: words stay short
    trained(llama, trainers.BpeTrainer(vocab_size=3000, special_tokens=bytes_, show_progress=False), texts)
    config = json.loads(llama.to_str())
    config["added_tokens"] = config["added_tokens"][:2]
    config["pre_tokenizer"] = None

    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    words.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(),
                                                   pre_tokenizers.Digits(individual_digits=True)])
    trained(words, trainers.WordLevelTrainer(vocab_size=3000, special_tokens=["<unk>"], show_progress=False), texts)
    return {"BPE, CLIP": clip.to_str(), "BPE, Llama": json.dumps(config), "WordLevel": words.to_str()}
