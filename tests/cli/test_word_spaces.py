"""`shoal words train`: the same bytes for any threads and level, and after it was killed; one model for shoal, Model2Vec and
sentence-transformers; a collapse that ends it.

SHOAL_PEERS names a Python with model2vec and sentence-transformers; by default it is the one that runs the tests.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT, SHOAL, fingerprints, shoal
from test_same_bytes import levels

PEER = """
import json, sys
import numpy as np
import torch
torch.set_num_threads(1)
from model2vec import StaticModel
from sentence_transformers import SentenceTransformer
folder, texts, out = sys.argv[1:]
texts = json.load(open(texts))
np.save(out + ".m2v.npy", StaticModel.from_pretrained(folder).encode(texts))
np.save(out + ".st.npy", SentenceTransformer(folder, device="cpu").encode(texts, convert_to_numpy=True))
"""


def answer(*arguments, **options):
    return json.loads(shoal(*arguments, "--json", "--quiet", **options).stdout)


def make_store(folder, topics):
    """600 made-up descriptions of 20 words a topic, and what a tiny model attends to in them."""
    draw = random.Random(4)
    # Words of letters that the tiny model's tokenizer knows; a term of several words among them.
    names = ["a hot dog" if i == 7 else "".join(draw.choice("bdfgklmnprst") + draw.choice("aeiou") for _ in range(3)) for i in range(120)]
    with open(folder / "words.jsonl", "w") as out:
        for _ in range(600):
            topic = draw.randrange(topics)
            head, *others = draw.sample(range(topic * 20, topic * 20 + 20), 5)
            out.write(json.dumps({"word": names[head], "description": " ".join(names[i] for i in others)}) + "\n")
    shutil.copytree(ROOT / "tests/golden/encoder/bert_bare", folder / "tiny")
    shoal("words", "prepare", folder / "words.jsonl", "--model", folder / "tiny", "--out", folder / "store.safetensors", "--quiet")
    return folder / "store.safetensors"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("words"), 6)


SMALL = ["--svd-dims", 12, "--dims", 24]
CASES = {"plain": [], "one by one": ["--block", 1], "gated": ["--gate", "mlp", "--loss", "infonce", "--negatives", 8],
         "simplex": ["--dims", 130, "--targets", "head", "--gate", "fixed"]}


@pytest.mark.parametrize("case", CASES)
def test_the_same_bytes_for_any_threads_and_level(store, tmp_path, case):
    made = []
    small = SMALL[:2] if "--dims" in CASES[case] else SMALL
    for i, (threads, level) in enumerate([(1, None), (3, None), *((2, level) for level in levels())]):
        out = tmp_path / f"out{i}"
        shoal("words", "train", store, *small, "--epochs", 3, *CASES[case], "--word2vec", "--out", out, "--threads", threads, level=level)
        made.append(fingerprints(out))
    assert all(one == made[0] for one in made[1:])


def test_killed_it_goes_on_to_the_same_bytes(store, tmp_path):
    flags = [store, *SMALL, "--epochs", 400, "--block", 64]
    shoal("words", "train", *flags, "--out", tmp_path / "whole")
    part = tmp_path / "killed.part.safetensors"
    command = ["words", "train", *flags, "--out", tmp_path / "killed"]
    for _ in range(50):
        going = subprocess.Popen([SHOAL, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + 20
        while not part.exists() and going.poll() is None and time.time() < end:
            time.sleep(0.002)
        going.send_signal(signal.SIGKILL)
        going.wait()
        if part.exists():
            break
    assert part.exists() and not (tmp_path / "killed").exists()
    told = answer(*command)
    assert 0 < told["resumed_from"] < 400 and not part.exists()
    assert fingerprints(tmp_path / "killed") == fingerprints(tmp_path / "whole")
    assert answer(*command)["done_before"]


def test_a_checkpoint_of_other_options_is_not_used_and_of_others_not_touched(store, tmp_path):
    part = tmp_path / "out.part.safetensors"
    part.write_text("mine")
    done = shoal("words", "train", store, *SMALL, "--out", tmp_path / "out", check=False)
    assert done.returncode == 2 and "was not made by this command" in done.stderr and part.read_text() == "mine"


def test_damaged_checkpoints_are_not_used(store, tmp_path):
    """Numbers that are believed: ids of the course, and how many epochs have a health."""
    flags = [store, *SMALL, "--gate", "mlp", "--targets", "head", "--epochs", 300]
    shoal("words", "train", *flags, "--out", tmp_path / "whole")
    part, whole = tmp_path / "out.part.safetensors", fingerprints(tmp_path / "whole")
    going = subprocess.Popen([SHOAL, "words", "train", *map(str, flags), "--out", tmp_path / "out"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not part.exists() and going.poll() is None:
        time.sleep(0.002)
    going.send_signal(signal.SIGKILL)
    going.wait()
    content = part.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + size])

    def damaged(tensor):
        begin, end = header[tensor]["data_offsets"]
        return content[:8 + size + end - 8] + (2**31).to_bytes(8, "little") + content[8 + size + end:]

    def shorter():
        """One epoch less of health."""
        begin, end = header["health"]["data_offsets"]
        other = json.loads(json.dumps(header))
        for name, tensor in other.items():
            if name == "__metadata__":
                continue
            first, last = tensor["data_offsets"]
            tensor["data_offsets"] = [first - 24 * (first >= end), last - 24 * (last >= end)]
        other["health"]["shape"] = [header["health"]["shape"][0] - 3]
        text = json.dumps(other).encode()
        text += b" " * (-len(text) % 8)
        data = content[8 + size:]
        return len(text).to_bytes(8, "little") + text + data[:end - 24] + data[end:]

    for bad in (damaged("course/ids"), shorter(), content):
        part.write_bytes(bad)
        told = answer("words", "train", *flags, "--out", tmp_path / "out")
        assert (told["resumed_from"] > 0) == (bad is content)
        assert fingerprints(tmp_path / "out") == whole
        shutil.rmtree(tmp_path / "out")


def test_words_with_signs_are_found_in_texts(tmp_path):
    names = ["c", "c++", "c#", "'hood", "node.js", "r2-d2"]
    (tmp_path / "g.json").write_text(json.dumps({name: " ".join(other for other in names if other != name) for name in names}))
    shoal("words", "prepare", tmp_path / "g.json", "--language", "none", "--model", ROOT / "tests/golden/encoder/bert_bare", "--out", tmp_path / "g.safetensors", "--quiet")
    shoal("words", "train", tmp_path / "g.safetensors", "--space", "moved", "--heads", "0.1", "--layers", "0.mean", "--dims", 8, "--epochs", 2,
          "--word2vec", "--out", tmp_path / "space", "--quiet")
    known = dict((line.split(" ")[0], np.array(line.split(" ")[1:], dtype=float)) for line in (tmp_path / "space/vectors.txt").read_text().splitlines()[1:])
    assert set(known) >= {"c", "c++", "c#"}
    (tmp_path / "t.csv").write_text("text\n" + "\n".join(known) + "\n")
    shoal("embed", tmp_path / "t.csv", "--text", "text", "--model", tmp_path / "space", "--out", tmp_path / "t.npy", "--quiet")
    for found, (word, row) in zip(np.load(tmp_path / "t.npy"), known.items()):
        assert np.allclose(found, row / np.linalg.norm(row), atol=1e-5), word


def test_topics_are_found_and_neighbours_are_of_ones_own(store, tmp_path):
    shoal("words", "train", store, *SMALL, "--out", tmp_path / "out")
    words = (tmp_path / "out/words.txt").read_text().splitlines()
    lines = [json.loads(line) for line in (store.parent / "words.jsonl").open()]
    topic = {}
    for line in lines:  # words of one description are of one topic
        for word in [line["word"], *line["description"].split()]:
            topic.setdefault(word, set()).update([line["word"]])
    asked = [w for w in words if " " not in w][:20]
    told = answer("words", "neighbours", tmp_path / "out", *asked, "-k", 5)
    right = sum(bool(topic[one["word"]] & topic.get(near["word"], set())) for one in told["words"] for near in one["neighbours"])
    assert right >= 0.9 * 5 * len(asked)


def test_without_other_words_the_space_collapses_and_that_ends_it(tmp_path):
    done = shoal("words", "train", make_store(tmp_path, 1), "--dims", 24, "--space", "moved", "--negatives", 0, "--epochs", 40, "--out", tmp_path / "out")
    assert "the space collapses: the mean cosine of words" in done.stderr
    told = json.loads((tmp_path / "out/words.json").read_text())
    assert told["harm"] and len(told["epochs"]) < 40 and told["end"]["mean_cosine"] < 0.5 < told["epochs"][-1]["closeness"]


def test_one_model_for_all_three(store, tmp_path):
    python = os.environ.get("SHOAL_PEERS", sys.executable)
    if subprocess.run([python, "-c", "import model2vec, sentence_transformers"], capture_output=True).returncode:
        pytest.skip("model2vec and sentence-transformers are not there; SHOAL_PEERS may name a Python that has them")
    out = tmp_path / "out"
    shoal("words", "train", store, *SMALL, "--epochs", 2, "--out", out)
    words = (out / "words.txt").read_text().splitlines()
    single, term = [w for w in words if " " not in w], [w for w in words if " " in w]
    texts = [" ".join(single[i : i + 4]) for i in range(0, 40, 4)] + [f"{w.upper()}, ({w})!" for w in single[:5]]
    texts += [f"{t} and {single[0]}" for t in term] + ["zzz qqq", single[1] + " zzz"]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    shoal("embed", tmp_path / "texts.jsonl", "--model", out, "--out", tmp_path / "ours.npy")
    subprocess.run([python, "-c", PEER, out, tmp_path / "texts.json", tmp_path / "theirs"], check=True, capture_output=True)
    ours = np.load(tmp_path / "ours.npy")
    np.testing.assert_allclose(ours, np.load(f"{tmp_path}/theirs.m2v.npy"), atol=2e-6)
    np.testing.assert_allclose(ours, np.load(f"{tmp_path}/theirs.st.npy"), atol=2e-6)
    assert np.abs(ours[-2]).max() == 0 and abs(np.linalg.norm(ours[0]) - 1) < 1e-5


def make_wordnet(folder):
    """A WordNet of 24 made-up nouns of two topics, whose glosses use plurals; one is irregular, one a term."""
    draw = random.Random(5)
    words = ["".join(draw.choice("bdfgklmnprt") + draw.choice("aeiou") for _ in range(3)) for _ in range(24)]
    words[3] = f"{words[0]} {words[1]}"
    folder.mkdir()
    data, index = "  1 the licence\n", "  1 the licence\n"
    for i, word in enumerate(words):
        topic = words[i // 12 * 12 : i // 12 * 12 + 12]
        lemma = word.replace(" ", "_")
        offsets = []
        for _ in range(6):
            others = [w for w in draw.sample(topic, 5) if w != word][:4]
            offsets.append(len(data))
            data += f"{len(data):08} 03 n 01 {lemma} 0 000 | " + " ".join(o + "s" * (j % 2) for j, o in enumerate(others)) + "  \n"
        index += f"{lemma} n {len(offsets)} 1 @ {len(offsets)} 0 " + " ".join(f"{o:08}" for o in offsets) + "  \n"
    for name in ("noun", "verb", "adj", "adv"):
        (folder / f"index.{name}").write_text(index if name == "noun" else "  1 the licence\n")
        (folder / f"data.{name}").write_text(data if name == "noun" else "  1 the licence\n")
        (folder / f"{name}.exc").write_text(f"zubidu {words[5]}\n" if name == "noun" else "")
    return words


def test_other_forms_of_words_are_known_in_texts(store, tmp_path):
    words = make_wordnet(tmp_path / "wordnet")
    answer("words", "prepare", tmp_path / "wordnet", "--language", "none", "--model", store.parent / "tiny", "--out", tmp_path / "w.safetensors")
    assert (told := answer("words", "prepare", tmp_path / "wordnet", "--language", "none", "--model", store.parent / "tiny", "--out",
                           tmp_path / "w.safetensors"))["done_before"] and told["words"] == 24
    forms = [w + "s" for w in words]
    written = [" ".join(f) for f in ([words[1], words[0], words[2], words[3]], words[4:8], [words[8]])]
    changed = [f"{words[1]} {forms[0]} {forms[2].upper()} {forms[3]}", f"{words[4]} zubidu {forms[6]}, {forms[7]}", forms[8]]
    for name, texts in (("written", written), ("changed", changed)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    small, vectors = ["--svd-dims", 8, "--dims", 12, "--epochs", 2], {}
    for layout in ("rows", "mapping", "none"):
        told = answer("words", "train", tmp_path / "w.safetensors", *small, "--forms", layout, "--out", tmp_path / layout)
        for texts in ("written", "changed"):
            shoal("embed", tmp_path / f"{texts}.jsonl", "--model", tmp_path / layout, "--out", tmp_path / f"{layout}-{texts}.npy")
            vectors[layout, texts] = np.load(tmp_path / f"{layout}-{texts}.npy")
        mark = json.loads((tmp_path / layout / "words.json").read_text())
        assert mark["forms"] == (0 if layout == "none" else 25)  # the plural of each, and zubidu
    for layout in ("rows", "mapping"):
        np.testing.assert_array_equal(vectors[layout, "changed"], vectors[layout, "written"])
        np.testing.assert_array_equal(vectors[layout, "changed"], vectors["rows", "changed"])
    assert np.abs(vectors["none", "changed"][2]).max() == 0 < np.abs(vectors["none", "written"][2]).max()
    # Rows take part in no neighbours.
    near = answer("words", "neighbours", tmp_path / "rows", words[0], "-k", 23)["words"][0]["neighbours"]
    assert sorted(one["word"] for one in near) == sorted(set(words) - {words[0]})
    python = os.environ.get("SHOAL_PEERS", sys.executable)
    for layout, library in (("rows", "model2vec"), ("mapping", "model2vec"), ("rows", "sentence_transformers")):
        if subprocess.run([python, "-c", f"import {library}"], capture_output=True).returncode:
            continue
        call = "from model2vec import StaticModel as M; m = M.from_pretrained(f)" if library == "model2vec" else \
            "from sentence_transformers import SentenceTransformer as M; m = M(f, device='cpu')"
        (tmp_path / "texts.json").write_text(json.dumps(changed))
        code = f"import json, sys; import numpy as np; f, t, o = sys.argv[1:]; {call}; np.save(o, m.encode(json.load(open(t))))"
        subprocess.run([python, "-c", code, tmp_path / layout, tmp_path / "texts.json", tmp_path / "theirs.npy"], check=True, capture_output=True)
        np.testing.assert_allclose(vectors[layout, "changed"], np.load(tmp_path / "theirs.npy"), atol=2e-6)


def test_frequent_words_weigh_less_by_sif(store, tmp_path):
    from test_words_prepare import load_file
    for weights in ("none", "sif"):
        shoal("words", "train", store, *SMALL, "--epochs", 2, "--text-weights", weights, "--out", tmp_path / weights, "--word2vec")
    plain, weighed = (load_file(tmp_path / w / "model.safetensors")["embeddings"] for w in ("none", "sif"))
    frequency = load_file(store)["frequency"].astype(float)
    expected = 1e-3 / (1e-3 + frequency / frequency.sum())
    known = np.abs(plain[1:]).max(axis=1) > 0
    ratio = np.linalg.norm(weighed[1:][known], axis=1) / np.linalg.norm(plain[1:][known], axis=1)
    np.testing.assert_allclose(ratio, expected[known], rtol=1e-5)
    assert (tmp_path / "none/vectors.txt").read_bytes() == (tmp_path / "sif/vectors.txt").read_bytes()
    done = shoal("words", "train", store, "--sif", "1e-4", "--out", tmp_path / "x", check=False)
    assert done.returncode == 2 and "--sif is of --text-weights sif" in done.stderr
