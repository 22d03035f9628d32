"""`shoal distil`: a folder that shoal, Model2Vec and sentence-transformers read alike, the same bytes, and what is refused.

SHOAL_PEERS names a Python with model2vec and sentence-transformers; by default it is the one that runs the tests.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT, SHOAL, fingerprints, shoal
from test_same_bytes import levels

GOLDEN = ROOT / "tests/golden/encoder"
PEER = """
import json, sys
import numpy as np
import torch
torch.set_num_threads(1)
from model2vec import StaticModel
from sentence_transformers import SentenceTransformer
texts = json.load(open(sys.argv[1]))
for folder in sys.stdin.read().split("\\n"):
    np.save(folder + ".model2vec.npy", StaticModel.from_pretrained(folder).encode(texts))
    np.save(folder + ".st.npy", SentenceTransformer(folder, device="cpu").encode(texts, convert_to_numpy=True))
"""


def answer(*arguments, **options):
    return json.loads(shoal(*arguments, "--json", "--quiet", **options).stdout)


def refused(*arguments):
    done = shoal(*arguments, "--quiet", check=False)
    assert done.returncode not in (0, 1) and done.stderr, done
    return done.stderr


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    path.write_text("".join(json.dumps({"text": text[:400]}) + "\n" for text in texts[:300]))
    return path


@pytest.fixture(scope="module")
def peers():
    python = os.environ.get("SHOAL_PEERS", sys.executable)
    there = subprocess.run([python, "-c", "import model2vec, sentence_transformers"], capture_output=True)
    if there.returncode != 0:
        pytest.skip("model2vec and sentence-transformers are not there; SHOAL_PEERS may name a Python that has them")
    return python


FEW = ["--min-count", 3]
CASES = {"tokenizer": [], "both": ["--corpus", *FEW], "corpus": ["--corpus", "--vocabulary", "corpus", *FEW],
         "context": ["--corpus", "--context", "--min-contexts", 3, "--sentence-pca", 1, *FEW]}


def flags(case, corpus):
    return [part for flag in CASES[case] for part in ([flag, corpus] if flag == "--corpus" else [flag])]


MODELS = ["bert_bare", "mpnet", "roberta", "xlm_roberta"]


@pytest.fixture(scope="module")
def vectors(corpus, peers, texts, tmp_path_factory):
    """By model and case: what distil said, and the vectors of shoal, Model2Vec and sentence-transformers. The peers run
    once for all, and load while shoal works: that takes longer than all that they do."""
    folder = tmp_path_factory.mktemp("three")
    lines = (GOLDEN / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    mine = [json.loads(line) for line in lines] + texts[:60] + ["", "𓀀", "the 𓀀 package", "package " * 700]
    (folder / "texts.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in mine))
    (folder / "texts.json").write_text(json.dumps(mine))
    said = {}
    run = subprocess.Popen([peers, "-c", PEER, folder / "texts.json"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for model in MODELS:
        for case in CASES:
            static = folder / f"{model}-{case}"
            said[model, case] = answer("distil", GOLDEN / model, "--out", static, *flags(case, corpus))
            shoal("embed", folder / "texts.jsonl", "--model", static, "--out", f"{static}.shoal.npy", "--quiet")
    wrong = run.communicate("\n".join(str(folder / f"{model}-{case}") for model, case in said))[1]
    assert run.returncode == 0, wrong
    return {(model, case): (made, *(np.load(folder / f"{model}-{case}.{of}.npy") for of in ["shoal", "model2vec", "st"]))
            for (model, case), made in said.items()}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", CASES)
def test_three_libraries_agree(model, case, vectors):
    made, x, *others = vectors[model, case]
    assert x.shape == (len(others[0]), made["dims"])
    for other in others:
        assert np.abs(x - other).max() < 2e-6, np.abs(x - other).max(axis=1).argmax()
    if case in ("both", "context", "corpus"):
        assert made["words"] > 50
        assert (made["in_context"] > 50) == (case == "context")


def test_words_of_the_corpus_are_whole_tokens(corpus, tmp_path):
    for model in ["bert_bare", "mpnet", "roberta", "xlm_roberta"]:
        plain = answer("distil", GOLDEN / model, "--out", tmp_path / model)
        words = answer("distil", GOLDEN / model, "--out", tmp_path / (model + "-words"), "--corpus", corpus, "--min-count", 3)
        assert words["tokens"] == plain["tokens"] + words["words"] and words["words"] > 100
        tokenizer = json.loads((tmp_path / (model + "-words") / "tokenizer.json").read_text())
        vocab = tokenizer["model"]["vocab"]
        names = [pair[0] for pair in vocab] if isinstance(vocab, list) else list(vocab)
        assert len(names) == words["tokens"] and not {"[CLS]", "[SEP]", "<s>", "</s>", "[MASK]", "<mask>"} & set(names)
        assert any(name.lstrip("Ġ▁") == "package" for name in names)
        assert tokenizer["post_processor"] is None and tokenizer["truncation"] is None


def test_same_bytes_and_done_before(corpus, tmp_path):
    for case in ["both", "context"]:
        made = []
        for threads, level in [(1, None), (3, None)] + [(2, level) for level in levels()]:
            out = tmp_path / f"{case}{threads}{level}" / "static"
            out.parent.mkdir()
            shoal("distil", GOLDEN / "bert_old", "--out", out, *flags(case, corpus), "--threads", threads, "--quiet", level=level)
            made.append(fingerprints(out))
        assert all(m == made[0] for m in made[1:])
        again = answer("distil", GOLDEN / "bert_old", "--out", out, *flags(case, corpus))
        assert again["done_before"] and fingerprints(out) == made[0]
        assert "exists" in refused("distil", GOLDEN / "bert_old", "--out", out, "--dims", 5)
        other = answer("distil", GOLDEN / "bert_old", "--out", out, "--dims", 5, "--overwrite")
        assert not other["done_before"] and other["dims"] == 5 and fingerprints(out) != made[0]


def test_goes_on_where_it_was_stopped(corpus, tmp_path, texts):
    long = tmp_path / "long.jsonl"
    long.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts * 3))
    command = ["distil", GOLDEN / "mpnet", "--corpus", long, "--context", "--threads", "3", "--quiet"]
    shoal(*command, "--out", tmp_path / "whole")
    stopped = 0
    for wait in [0.5, 0.8, 1.2]:
        run = subprocess.Popen([SHOAL, *map(str, command), "--out", tmp_path / "static"], stderr=subprocess.PIPE, text=True)
        time.sleep(wait)
        run.send_signal(signal.SIGINT)
        told = run.communicate()[1]
        if run.returncode == 0:
            break
        assert run.returncode == 130, told
        assert not (tmp_path / "static").exists()
        stopped += (tmp_path / "static.part.safetensors").exists()
    shoal(*command, "--out", tmp_path / "static")
    assert not (tmp_path / "static.part.safetensors").exists()
    for name in ["model.safetensors", "tokenizer.json"]:
        assert (tmp_path / "static" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    if stopped == 0:
        pytest.skip("the machine was too fast or too slow: nothing was stopped on its way")


def test_kept_work_of_other_options_is_not_used(corpus, tmp_path):
    out, part = tmp_path / "static", tmp_path / "static.part.safetensors"
    shoal("distil", GOLDEN / "bert_bare", "--out", tmp_path / "whole", "--quiet")
    weights = (tmp_path / "whole" / "model.safetensors").read_bytes()
    length = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + length])
    header["__metadata__"].update(kind="distil_part", key="of something else")
    text = json.dumps(header).encode()
    part.write_bytes(len(text).to_bytes(8, "little") + text + weights[8 + length :])
    done = shoal("distil", GOLDEN / "bert_bare", "--out", out)
    assert "note: " in done.stderr and "it is not used" in done.stderr and not part.exists()
    assert fingerprints(out)["model.safetensors"] == fingerprints(tmp_path / "whole")["model.safetensors"]
    # A finished folder leaves a file alone that is not its own.
    part.write_bytes(weights)
    assert answer("distil", GOLDEN / "bert_bare", "--out", out)["done_before"] and part.read_bytes() == weights
    assert "was not made by this command" in refused("distil", GOLDEN / "bert_bare", "--out", out, "--dims", 5, "--overwrite")
    assert part.read_bytes() == weights and fingerprints(out)["model.safetensors"] == fingerprints(tmp_path / "whole")["model.safetensors"]


def test_bad_input(corpus, tmp_path):
    out = ["--out", tmp_path / "static"]
    bare = GOLDEN / "bert_bare"
    assert "--dims is 400; the vectors of bert_bare have 32 numbers" in refused("distil", bare, *out, "--dims", 400)
    assert "--dims" in refused("distil", bare, *out, "--dims", 0)
    for flag in [["--context"], ["--weights", "sif"], ["--vocabulary", "both"], ["--sentence-pca", 1]]:
        assert "needs a corpus: --corpus FILE" in refused("distil", bare, *out, *flag)
    assert "--words is of --corpus" in refused("distil", bare, *out, "--words", 5)
    assert "--text is of --corpus" in refused("distil", bare, *out, "--text", "body")
    assert "no model" in refused("distil", tmp_path / "nothing", *out)
    assert "nothing.csv" in refused("distil", bare, *out, "--corpus", tmp_path / "nothing.csv")
    empty = tmp_path / "empty.csv"
    empty.write_text("text\n")
    assert "read once only" in refused("distil", bare, *out, "--corpus", "-")
    assert "empty.csv" in refused("distil", bare, *out, "--corpus", empty)
    few = tmp_path / "few.csv"
    few.write_text("text\none two three\n")
    assert "no word of the corpus" in refused("distil", bare, *out, "--corpus", few, "--vocabulary", "corpus")
    shoal("distil", bare, *out, "--quiet")
    assert "is a static model; a transformer is needed" in refused("distil", tmp_path / "static", "--out", tmp_path / "twice")
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    assert "was not made by this command" in refused("distil", bare, "--out", other, "--overwrite")
    broken = tmp_path / "broken"
    shutil.copytree(bare, broken)
    (broken / "tokenizer.json").write_text("{}")
    assert "tokenizer.json" in refused("distil", broken, "--out", tmp_path / "x")
    assert not (tmp_path / "x").exists() and not list(pathlib.Path(tmp_path).glob(".x*"))


def test_folders_of_model2vec(peers, texts, tmp_path):
    """What Model2Vec writes itself is read, with and without modules.json."""
    names = ["plain", "mapped", "bytes_mapped", "half"]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts[:100]))
    for name in names:
        folder = tmp_path / name
        shutil.copytree(ROOT / "tests/golden/static" / name, folder)
        (folder / "modules.json").unlink(missing_ok=True)
        shown = answer("model", "show", folder)
        assert shown["dims"] == 6
        shoal("embed", tmp_path / "texts.jsonl", "--model", folder, "--out", tmp_path / f"{name}.npy", "--quiet")
    code = ("import json, sys, numpy as np\nfrom model2vec import StaticModel\ntexts = json.load(sys.stdin)\n"
            "for f in sys.argv[1:]:\n    np.save(f + '.theirs.npy', StaticModel.from_pretrained(f).encode(texts))")
    subprocess.run([peers, "-c", code, *(tmp_path / name for name in names)], check=True, input=json.dumps(texts[:100]), text=True, capture_output=True)
    for name in names:
        theirs = np.load(tmp_path / f"{name}.theirs.npy").astype(np.float32)
        assert np.abs(np.load(tmp_path / f"{name}.npy") - theirs).max() < 2e-6 * max(1, np.abs(theirs).max())
