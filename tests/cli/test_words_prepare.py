"""shoal words prepare and shoal embed --attention: files, resuming, bad input."""
import json
import pathlib
import signal
import subprocess
import time

import numpy as np
import pytest

from conftest import ROOT, SHOAL, shoal

WORDNET = pathlib.Path("/usr/share/wordnet")

GLOSSARY = {
    "Cat": ["a small furry animal that people keep", "a small  furry animal that people keep", "it hunts mice; a <b>dog</b> hunts cats"],
    "dog": ["an animal that barks at a cat", ""],
    "hot dog": ["a sausage, not a dog"],
    "animal": "a living thing, like a cat or a dog",
    "кошка": ["домашнее животное"],
    "...": ["three points"],
    "long": ["animal " * 400],
}


DTYPES = {"U8": np.uint8, "U32": np.uint32, "U64": np.uint64, "F16": np.float16, "F32": np.float32, "F64": np.float64}


def load_file(path):
    """The tensors of a safetensors file, read by the rules of the format alone."""
    data = pathlib.Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    out = {}
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        out[name] = np.frombuffer(data[8 + size + begin:8 + size + end], DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
    return out


def prepare(*arguments, check=True):
    done = shoal("words", "prepare", *arguments, "--json", "--quiet", check=False)
    if check:
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return done


def words_of(tensors, name="words", ends="word_ends"):
    out, at = [], 0
    for end in tensors[ends]:
        out.append(tensors[name][at:int(end)].tobytes().decode())
        at = int(end)
    return out


@pytest.fixture(scope="module")
def glosses(tmp_path_factory):
    """3,000 descriptions of real words, of real texts."""
    path = tmp_path_factory.mktemp("glosses") / "glosses.jsonl"
    lines = (pathlib.Path(__file__).parents[1] / "golden/encoder/debian.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line) for line in lines]
    with path.open("w") as file:
        for i in range(3000):
            words = [w for w in texts[i % 1000].split() if w.isalpha()]
            if words:
                file.write(json.dumps({"word": words[i // 1000 % len(words)], "description": " ".join(words[:12])}) + "\n")
    return path


def test_json_csv_and_jsonl_give_the_same_bytes(tmp_path):
    rows = [(w, d) for w, texts in GLOSSARY.items() for d in ([texts] if isinstance(texts, str) else texts)]
    (tmp_path / "a.json").write_text(json.dumps(GLOSSARY), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps([{"Word": w, "definitions": d} for w, d in GLOSSARY.items()], indent=1))
    (tmp_path / "c.jsonl").write_text("".join(json.dumps({"word": w, "descriptions": d if isinstance(d, list) else [d]}) + "\n" for w, d in GLOSSARY.items()))
    (tmp_path / "d.jsonl").write_text("".join(json.dumps({"term": w, "gloss": d}) + "\n" for w, d in rows))
    (tmp_path / "e.csv").write_text("word,description\n" + "".join(f'"{w}","{d}"\n' for w, d in rows), encoding="utf-8")
    made = []
    for name in ["a.json", "b.json", "c.jsonl", "d.jsonl", "e.csv"]:
        answer = prepare(tmp_path / name, "--out", tmp_path / f"{name}.safetensors", "--language", "en")
        assert answer["read"] == 10, name
        made.append((tmp_path / f"{name}.safetensors").read_bytes())
    assert all(one == made[0] for one in made)


def test_threads_and_instruction_sets_change_nothing(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(GLOSSARY), encoding="utf-8")
    made = []
    for name, threads, level in [("a", 1, None), ("b", 3, "base"), ("c", 2, "avx2")]:
        shoal("words", "prepare", tmp_path / "a.json", "--out", tmp_path / f"{name}.safetensors", "--threads", threads, "--quiet",
              level=level)
        made.append((tmp_path / f"{name}.safetensors").read_bytes())
    assert made[0] == made[1] == made[2]


def test_what_is_changed_and_left_out_is_told(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(GLOSSARY), encoding="utf-8")
    answer = prepare(tmp_path / "a.json", "--out", tmp_path / "a.safetensors", "--language", "en")
    left, changed = answer["left_out"], answer["changed"]
    assert left["duplicates"]["count"] == 1 and "Cat" in left["duplicates"]["first"]
    assert left["no_description"]["count"] == 1
    assert left["no_word"]["count"] == 1
    assert left["alone"]["count"] == 1  # кошка
    assert changed["markup"]["count"] == 1
    assert changed["blanks"]["count"] == 2
    assert changed["truncated"]["count"] == 1 and changed["truncated"]["first"].startswith("long: animal")
    tensors = load_file(tmp_path / "a.safetensors")
    words = words_of(tensors)
    assert set(words) == {"cat", "dog", "hot dog", "animal", "long", "кошка"}
    assert words[0] in ("animal", "dog")
    texts = words_of(tensors, "texts", "text_ends")
    assert "Cat: it hunts mice; a dog hunts cats" in texts
    d = texts.index("hot dog: a sausage, not a dog")
    members = [words[m] for m in tensors["members"][tensors["offsets"][d]:tensors["offsets"][d + 1]]]
    assert members == ["hot dog", "dog"]
    assert tensors["head_from"].shape == (len(tensors["members"]), 72)
    shares = tensors["shares"]
    assert shares.shape == (6, 7)
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-4)
    assert (shares[:, 0] + shares[:, 1] > 0.1).all(), "much goes to [CLS] and [SEP]"


def test_numbers_are_those_of_the_tokens(tmp_path):
    """The same by hand, from embed --attention."""
    (tmp_path / "a.json").write_text(json.dumps({"catfish": "a fish that a catfish eats", "fish": "it swims"}))
    prepare(tmp_path / "a.json", "--out", tmp_path / "a.safetensors", "--language", "en", "--heads", "1.3,4.mean", "--pairs", "2.5")
    ours = load_file(tmp_path / "a.safetensors")
    text = "catfish: a fish that a catfish eats"
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": text}) + "\n")
    shoal("embed", tmp_path / "t.jsonl", "--attention", tmp_path / "t.safetensors", "--attention-heads", "1.3,4.mean,2.5")
    t = load_file(tmp_path / "t.safetensors")
    n = len(t["tokens"])
    weights = t["weights"].reshape(3, n, n)
    places = [tuple(p) for p in t["places"]]
    inside = lambda begin, end: [i for i, (b, e) in enumerate(places) if b < end and e > begin]
    head = [inside(0, 7), inside(text.rindex("catfish"), text.rindex("catfish") + 7)]
    fish = inside(text.index(" fish") + 1, text.index(" fish") + 5)
    words = words_of(ours)
    assert [words[m] for m in ours["members"]] == ["catfish", "fish"]
    mean = lambda w, places: np.mean([w[p].mean(axis=0) for p in places], axis=0)
    for c in range(2):
        assert np.isclose(ours["head_from"][1, c], mean(weights[c], head)[fish].sum(), atol=1e-3)
        assert np.isclose(ours["head_to"][1, c], mean(weights[c], [fish])[sum(head, [])].sum(), atol=1e-3)
    pairs = ours["pairs"].reshape(2, 2)
    assert np.isclose(pairs[0, 1], mean(weights[2], head)[fish].sum(), atol=1e-3)
    assert np.isclose(pairs[1, 0], mean(weights[2], [fish])[sum(head, [])].sum(), atol=1e-3)
    assert pairs[0, 0] == pairs[1, 1] == 0


def test_killed_again_and_again_ends_with_the_same_bytes(glosses, tmp_path):
    options = ["--min-count", "3", "--language", "en"]
    began = time.monotonic()
    prepare(glosses, "--out", tmp_path / "whole.safetensors", "--threads", "1", *options)
    seconds = time.monotonic() - began
    broken, kills = tmp_path / "broken.safetensors", 0
    for attempt in range(30):
        process = subprocess.Popen([SHOAL, "words", "prepare", glosses, "--out", broken, "--threads", "2", "--quiet", *options],
                                   stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=seconds * (0.2 + attempt / 10))
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    assert process.returncode == 0 and kills >= 1
    assert broken.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".broken.safetensors.shoal", ".whole.safetensors.shoal",
                                                          "broken.safetensors", "whole.safetensors"]
    again = prepare(glosses, "--out", broken, *options)
    assert again["done_before"]
    other = prepare(glosses, "--out", broken, "--min-count", "4", "--language", "en", check=False)
    assert other.returncode == 2 and "--overwrite replaces it" in other.stderr


def test_ctrl_c_keeps_what_is_done(glosses, tmp_path):
    out = tmp_path / "a.safetensors"
    command = [SHOAL, "words", "prepare", glosses, "--out", out, "--min-count", "3", "--language", "en", "--threads", "1", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "a.safetensors.part.safetensors").exists() and process.poll() is None:
        time.sleep(0.01)
    # Past the first block: the file's second tensor is written by then.
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was done before it could be stopped")
    assert process.returncode == 130
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    if (tmp_path / "a.safetensors.part.json").exists():
        pytest.fail("the state stayed")
    assert json.loads(done.stdout)["descriptions"] > 0


@pytest.mark.parametrize("content, says", [
    ('[{"description": "no word"}]', "entry 1: no word"),
    ('{"cat": 5}', "a description is 5"),
    ('[{"word": "cat"}]', "no description"),
    ('"cat"', "neither an object"),
    ("{}", "no description is left of 0"),
    ('{"cat": ""}', "no description is left of 1"),
    ('{"cat": "zzz"}', "no description is left"),
    ('{"cat": ' + "[" * 100000 + '"x y"' + "]" * 100000 + "}", "more than 512 deep"),
    ('{"cat": "a small animal", "dog": ', "broken JSON at byte"),
])
def test_bad_json(tmp_path, content, says):
    (tmp_path / "a.json").write_text(content)
    done = prepare(tmp_path / "a.json", "--out", tmp_path / "a.safetensors", check=False)
    assert done.returncode == 3, done.stderr
    assert says in done.stderr
    assert not (tmp_path / "a.safetensors").exists()


def test_a_name_that_comes_twice_has_all_its_descriptions(tmp_path):
    (tmp_path / "a.json").write_text('{"cat": "a small animal dog", "dog": "a tame animal cat", "cat": "a feline animal dog"}')
    done = prepare(tmp_path / "a.json", "--out", tmp_path / "a.safetensors")
    assert done["read"] == 3 and done["descriptions"] == 3


def test_files_of_others_are_not_touched(tmp_path):
    (tmp_path / "a.json").write_text('{"cat": "a small animal dog", "dog": "a tame animal cat"}')
    for name in ("u.safetensors.part.safetensors", "u.safetensors.part.json"):
        (tmp_path / name).write_text("mine")
        done = prepare(tmp_path / "a.json", "--out", tmp_path / "u.safetensors", check=False)
        assert done.returncode == 2 and "was not made by this command" in done.stderr
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()
    texts, part = tmp_path / "t.csv", tmp_path / "v.safetensors.part.safetensors"
    texts.write_text("text\na cat\n")
    part.write_text("mine")
    done = shoal("embed", texts, "--text", "text", "--model", ROOT / "tests/golden/encoder/bert_bare", "--attention", tmp_path / "v.safetensors", check=False)
    assert done.returncode == 2 and "was not made by this command" in done.stderr and part.read_text() == "mine"


def test_sentences_with_the_word_inside(tmp_path):
    (tmp_path / "a.csv").write_text("word,sentence\nкошка,Кошка ест рыбу\nрыба,Здесь ничего нет\nест,кто ест кошка\n", encoding="utf-8")
    answer = prepare(tmp_path / "a.csv", "--out", tmp_path / "a.safetensors", "--head", "inside", "--language", "ru")
    assert answer["left_out"]["word_missing"] == {"count": 1, "first": "рыба: Здесь ничего нет"}
    assert answer["descriptions"] == 2


def test_flags_that_do_nothing_are_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"cat": "a dog", "dog": "a cat"}')
    for flags, says in [(["--senses", "2"], "--senses is of WordNet"), (["--heads", "7.0"], "--heads is 7.0"),
                        (["--heads", "none", "--pairs", "none"], "--heads and --pairs are none"),
                        (["--language", "klingon"], "--language is klingon")]:
        done = prepare(tmp_path / "a.json", "--out", tmp_path / "a.safetensors", *flags, check=False)
        assert done.returncode == 2 and says in done.stderr, done.stderr
    for flags, says in [(["--attention-heads", "0"], "--attention, which is not given"), ([], "--out is required")]:
        done = shoal("embed", tmp_path / "a.json", *flags, check=False)
        assert done.returncode == 2 and says in done.stderr, done.stderr


@pytest.mark.skipif(not (WORDNET / "index.noun").exists(), reason="tools/setup wordnet installs it")
def test_wordnet(tmp_path):
    keep = tmp_path / "keep.txt"
    keep.write_text("midday\nnoon\ncord\nsmile\nunheard-of-word\n")
    options = ["wordnet", "--keep", keep, "--max-words", "300", "--senses", "1", "--examples", "kept"]
    answer = prepare(*options, "--out", tmp_path / "w.safetensors", "--heads", "1.1", "--pairs", "none")
    assert answer["keep_missing"] == 1
    tensors = load_file(tmp_path / "w.safetensors")
    words = words_of(tensors)
    assert len(words) == 300 and {"midday", "noon", "cord", "smile"} <= set(words)
    texts = words_of(tensors, "texts", "text_ends")
    assert any(text.startswith("smile: ") for text in texts)
    forms = dict(zip(words_of(tensors, "forms", "form_ends"), (words[i] for i in tensors["form_words"])))
    assert {"smiles": "smile", "smiling": "smile", "cords": "cord"}.items() <= forms.items()
    assert not set(forms) & set(words) and answer["forms"] == len(forms)
    assert len(set(texts)) == len(texts)
    apart = prepare(*options, "--apart", "senses", "--out", tmp_path / "s.safetensors", "--heads", "1.1", "--pairs", "none")
    assert apart["words"] > 300
    assert "smile.v.1" in words_of(load_file(tmp_path / "s.safetensors"))


def test_attention_of_texts(tmp_path):
    texts = ["naïve café", "", "the quick brown fox", "漢字 x"]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    full, half = tmp_path / "f.safetensors", tmp_path / "h.safetensors"
    shoal("embed", tmp_path / "t.jsonl", "--attention", full)
    shoal("embed", tmp_path / "t.jsonl", "--attention", half, "--attention-type", "float16", "--attention-heads", "mean", "--threads", "1")
    f, h = load_file(full), load_file(half)
    assert f["weights"].dtype == np.float32 and h["weights"].dtype == np.float16
    for i, text in enumerate(texts):
        n = int(f["token_offsets"][i + 1] - f["token_offsets"][i])
        a = f["weights"][f["weight_offsets"][i]:f["weight_offsets"][i + 1]].reshape(6, 12, n, n)
        b = h["weights"][h["weight_offsets"][i]:h["weight_offsets"][i + 1]].reshape(6, n, n)
        assert np.allclose(a.sum(axis=-1), 1, atol=1e-5)
        assert np.allclose(a.mean(axis=1), b, atol=1e-3)
        places = f["places"][f["token_offsets"][i]:f["token_offsets"][i + 1]]
        assert places[0].tolist() == places[-1].tolist() == [0, 0]
        assert "".join(text[b:e] for b, e in places) == text.replace(" ", "")
    assert shoal("embed", tmp_path / "t.jsonl", "--attention", full).stdout.startswith("done before")
    done = shoal("embed", tmp_path / "t.jsonl", "--attention", full, "--attention-heads", "mean", check=False)
    assert done.returncode == 2 and "exists" in done.stderr
    done = shoal("embed", tmp_path / "t.jsonl", "--attention", full, "--out", tmp_path / "v.npy", check=False)
    assert done.returncode == 2
