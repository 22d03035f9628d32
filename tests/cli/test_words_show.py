"""`shoal words show`: the course of words that training keeps, the page, and why a word is where it is, against NumPy."""
import base64
import gzip
import json
import pathlib
import random
import re
import signal
import subprocess
import time

import numpy as np
import pytest
from conftest import SHOAL, fingerprints, shoal
from test_same_bytes import levels
from test_word_spaces import SMALL, answer, make_store
from test_words_prepare import load_file, words_of


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("words"), 6)


@pytest.fixture(scope="module")
def space(store, tmp_path_factory):
    out = tmp_path_factory.mktemp("space") / "space"
    shoal("words", "train", store, *SMALL, "--epochs", 4, "--course-words", 30, "--out", out)
    return out


def course_of(folder):
    """Half floats as float32, by the rules of the format alone."""
    data = (folder / "course.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    kinds = {"F16": np.float16, "I64": np.int64}
    out = {}
    for name, one in header.items():
        if name != "__metadata__":
            begin, end = (8 + size + at for at in one["data_offsets"])
            out[name] = np.frombuffer(data[begin:end], kinds[one["dtype"]]).reshape(one["shape"])
    return out


def test_the_course_is_the_way_from_start_to_end(store, tmp_path):
    words = words_of(load_file(store))
    (tmp_path / "watch.txt").write_text(f"{words[100].upper()}\n{words[5]}\nnowhere\n")
    done = shoal("words", "train", store, "--dims", 24, "--space", "moved", "--read-out", "own", "--epochs", 5, "--course-every", 2,
                 "--course-words", 10, "--watch", tmp_path / "watch.txt", "--out", tmp_path / "out")
    assert 'note: 1 word of --watch has no vector, the first: nowhere' in done.stderr
    course = course_of(tmp_path / "out")
    assert course["ids"].tolist() == [*range(10), 100] and course["watched"].tolist() == [5, 100]
    assert course["epochs"].tolist() == [0, 2, 4, 5]
    frames = course["vectors"].reshape(4, 11, 24)
    ids = course["ids"]
    assert np.array_equal(frames[0], course["start"][ids]) and np.array_equal(frames[-1], course["end"][ids])
    table = load_file(tmp_path / "out/model.safetensors")["embeddings"][1:]
    assert np.abs(table - course["end"]).max() < 1e-3  # what was read out, to half floats
    assert np.abs(np.linalg.norm(frames.astype(float), axis=2) - 1).max() < 2e-3
    assert (np.abs(frames[1:] - frames[:-1]).max(axis=(1, 2)) > 1e-3).all()
    told = json.loads((tmp_path / "out/words.json").read_text())
    assert told["course"] == {"words": 11, "watch_missing": 1}
    assert [e["epoch"] for e in told["epochs"]] == [1, 2, 3, 4, 5]
    assert told["epochs"][-1]["uniformity"] == told["end"]["uniformity"] != told["epochs"][0]["uniformity"]


def test_what_is_watched_changes_nothing_else(store, space, tmp_path):
    shoal("words", "train", store, *SMALL, "--epochs", 4, "--course-words", 0, "--out", tmp_path / "out")
    with_course, without = fingerprints(space), fingerprints(tmp_path / "out")
    assert "course.safetensors" not in without and with_course["model.safetensors"] == without["model.safetensors"]
    done = shoal("words", "show", tmp_path / "out", "--out", tmp_path / "x.html", check=False)
    assert done.returncode == 2 and "keeps no course of its words" in done.stderr and not (tmp_path / "x.html").exists()


def test_killed_it_goes_on_to_the_same_course(store, tmp_path):
    flags = [store, *SMALL, "--epochs", 300, "--course-every", 7, "--course-words", 60]
    shoal("words", "train", *flags, "--out", tmp_path / "whole", "--threads", 1)
    command = [SHOAL, "words", "train", *map(str, flags), "--out", str(tmp_path / "killed"), "--quiet"]
    kills = 0
    for wait in [0.4, 0.7, 1.1, 60, 60, 60]:
        going = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + wait
        part = tmp_path / "killed.part.safetensors"
        before = part.stat().st_mtime_ns if part.exists() else 0
        while going.poll() is None and time.time() < end and kills < 3:
            if part.exists() and part.stat().st_mtime_ns != before and time.time() > end - wait * 0.5:
                break
            time.sleep(0.002)
        if kills < 3 and going.poll() is None:
            going.send_signal(signal.SIGKILL)
            kills += 1
        if going.wait() == 0:
            break
    assert kills > 0 and fingerprints(tmp_path / "killed") == fingerprints(tmp_path / "whole")
    assert course_of(tmp_path / "whole")["epochs"].tolist() == [*range(0, 300, 7), 300]


def test_an_epoch_that_was_taken_back_is_not_in_the_course(tmp_path):
    store = make_store(tmp_path, 1)
    shoal("words", "train", store, "--dims", 24, "--space", "moved", "--negatives", 0, "--learning-rate", 0.02, "--epochs", 40, "--out", tmp_path / "out")
    told = json.loads((tmp_path / "out/words.json").read_text())
    done = len(told["epochs"])
    assert told["harm"] and told["epochs"][-1]["taken_back"] and "taken_back" not in told["epochs"][-2]
    course = course_of(tmp_path / "out")
    assert course["epochs"].tolist() == list(range(done))
    assert np.array_equal(course["vectors"].reshape(done, -1, 24)[-1], course["end"][course["ids"]])
    shoal("words", "show", tmp_path / "out", "--out", tmp_path / "x.html", "--layout", "pca")
    meta = meta_of(tmp_path / "x.html")
    assert f"epoch {done} taken back: " in meta["notes"][0]
    assert [c["epochs"][-1] for c in meta["curves"]] == [done - 1] * 3


def meta_of(page):
    return json.loads(re.search(r'id="meta">(.*?)</script>', page.read_text()).group(1))


def block_of(page, name, kind):
    return np.frombuffer(gzip.decompress(base64.b64decode(re.search(rf'id="{name}">(.*?)</script>', page.read_text()).group(1))), kind)


@pytest.mark.parametrize("layout", ["umap", "pca"])
def test_the_page_has_the_course(space, tmp_path, layout):
    page = tmp_path / "moves.html"
    told = answer("words", "show", space, "--out", page, "--layout", layout, "--neighbours", 4)
    assert (told["words"], told["frames"], told["done_before"]) == (30, 5, False) and told["bytes"] == page.stat().st_size
    meta, course = meta_of(page), course_of(space)
    words = (space / "words.txt").read_text().splitlines()
    assert meta["words"] == words[:30] and meta["epochs"] == [0, 1, 2, 3, 4] and meta["chosen"] == []
    mark = json.loads((space / "words.json").read_text())
    loss, uniformity, cosine = meta["curves"]
    assert loss["values"] == [e["loss"] for e in mark["epochs"]] and loss["epochs"] == [1, 2, 3, 4]
    assert uniformity["values"] == [mark["start"]["uniformity"], *(e["uniformity"] for e in mark["epochs"])]
    assert cosine["values"][-1] == mark["end"]["mean_cosine"]
    frames = course["vectors"].astype(np.float64).reshape(5, 30, 24)
    unit = frames / np.linalg.norm(frames, axis=2, keepdims=True)
    near, cosines = block_of(page, "b-near", np.uint16).reshape(5, 30, 4), block_of(page, "b-cosines", np.int16).reshape(5, 30, 4)
    for f in range(5):
        products = unit[f] @ unit[f].T - 9 * np.eye(30)
        best = -np.sort(-products, axis=1)[:, :4]
        assert np.abs(np.take_along_axis(products, near[f].astype(int), 1) - best).max() < 1e-5
        assert np.abs(cosines[f] / 1e4 - best).max() < 1e-4
    places = block_of(page, "b-points", np.int16).reshape(5, 30, 2) / 32767
    assert np.ptp(places.reshape(-1, 2), axis=0).max() == pytest.approx(2, abs=1e-3)
    if layout == "pca":  # one linear map for all times
        mean = frames[-1].mean(axis=0)
        plane = np.linalg.svd(frames[-1] - mean)[2][:2]
        ours = places.reshape(-1, 2) - places[-1].mean(axis=0)
        theirs = ((frames - mean) @ plane.T).reshape(-1, 2)
        signs = np.sign((ours * theirs).sum(axis=0))
        scale = np.linalg.norm(ours) / np.linalg.norm(theirs)
        assert np.abs(ours - theirs * signs * scale).max() < 2e-3
    else:  # from one time to the next words stay near where they are
        spread = places[-1].std()
        assert np.median(np.linalg.norm(np.diff(places, axis=0), axis=2)) < spread


def test_the_same_page_and_no_other(space, tmp_path):
    pages = []
    for threads, level in [(1, None), (3, None), *((2, level) for level in levels())]:
        pages.append(tmp_path / f"{len(pages)}.html")
        shoal("words", "show", space, "--out", pages[-1], "--threads", threads, level=level)
    assert all(page.read_bytes() == pages[0].read_bytes() for page in pages)
    assert "done before" in shoal("words", "show", space, "--out", pages[0]).stdout
    other = shoal("words", "show", space, "--out", pages[0], "--layout", "pca", check=False)
    assert other.returncode == 2 and "--overwrite replaces it" in other.stderr
    shoal("words", "show", space, "--out", pages[0], "--layout", "pca", "--overwrite")
    assert pages[0].read_bytes() != pages[1].read_bytes()
    inside = shoal("words", "show", space, "--out", space / "moves.html", check=False)
    assert inside.returncode == 2 and "--out lies in" in inside.stderr and not (space / "moves.html").exists()


def heads_of(path):
    data = path.read_bytes()
    said = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return said["heads"].split(","), said["pairs"].split(",")


def contexts_by_numpy(store, mark):
    """(target, description, {context: weight}) as docs/words.md says, from the store and what words.json records."""
    t, said = load_file(store), mark["options"]
    heads, pairs = heads_of(store)
    attention = said["weights"] == "attention"
    heads = [heads.index(h) for h in mark["heads"].split(",")] if attention else []
    layers = [pairs.index(p) for p in mark["layers"].split(",")] if mark["layers"] else []
    offsets, members = t["offsets"].astype(int), t["members"].astype(int)
    sizes = np.diff(offsets)
    ahead, back, pair = (t[name].astype(np.float64) for name in ("head_from", "head_to", "pairs"))
    entries, both = (sizes - 1).sum(), (sizes * (sizes - 1)).sum()
    scale = lambda sums, n: np.where(sums > 0, n / np.where(sums > 0, sums, 1), 0)
    by_ahead, by_back, by_pair = scale(ahead.sum(0), entries), scale(back.sum(0), entries), scale(pair.sum(0), both)
    starts = np.concatenate([[0], np.cumsum(sizes**2)])
    for d, n in enumerate(sizes):
        if n < 2:
            continue
        own = members[offsets[d] : offsets[d + 1]]
        rows = slice(offsets[d], offsets[d + 1])
        first = float(said["floor"]) + sum(ahead[rows, h] * by_ahead[h] + back[rows, h] * by_back[h] for h in heads)
        square = pair[starts[d] : starts[d + 1]].reshape(n, n, -1)
        for i in range(n if said["targets"] == "all" else 1):
            weights = np.ones(n) if not attention else first if i == 0 else sum(square[i, :, l] * by_pair[l] for l in layers)
            others = [j for j in range(n) if j != i]
            total = sum(weights[j] for j in others)
            kept = sorted(others, key=lambda j: -weights[j])[: int(said["most"]) if attention else n]
            share = 1 if i == 0 else float(said["others"])
            if total > 0:
                yield own[i], d, {own[j]: share * weights[j] / total for j in kept if weights[j] > 0}


@pytest.mark.parametrize("flags", [[], ["--targets", "head", "--most", 2, "--moves", "target"], ["--others", 0.7, "--most", 3, "--floor", 0.5],
                                   ["--weights", "uniform"]])
def test_why_sums_what_numpy_sums(store, tmp_path, flags):
    shoal("words", "train", store, *SMALL, "--epochs", 2, *flags, "--out", tmp_path / "out")
    mark = json.loads((tmp_path / "out/words.json").read_text())
    words, course = words_of(load_file(store)), course_of(tmp_path / "out")
    contexts = list(contexts_by_numpy(store, mark))
    unit = lambda x: x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    start, end = unit(course["start"]), unit(course["end"])
    for word in random.Random(2).sample(range(len(words)), 5):
        why = answer("words", "show", tmp_path / "out", "--why", words[word].upper(), "--attention", store)["why"]
        assert why["word"] == words[word]
        own, along = {}, {}
        for target, d, weights in contexts:
            if target == word:
                for c, w in weights.items():
                    own.setdefault(c, []).append(w)
            elif word in weights and "target" not in flags:
                along.setdefault(target, []).append(weights[word])
        for told, expected in (why["contexts"], own), (why["targets"], along):
            assert {one["word"]: one["descriptions"] for one in told} == {words[c]: len(w) for c, w in expected.items()}
            for one in told:
                other = words.index(one["word"])
                assert one["weight"] == pytest.approx(sum(expected[other]), rel=1e-4)
                assert one["cosine_before"] == pytest.approx(start[word] @ start[other], abs=1e-5)
                assert one["cosine_after"] == pytest.approx(end[word] @ end[other], abs=1e-5)
            assert [one["weight"] for one in told] == sorted((one["weight"] for one in told), reverse=True)
        assert why["turned_degrees"] == pytest.approx(np.degrees(np.arccos(start[word] @ end[word])), abs=0.1)
        descriptions = {d: weights for target, d, weights in contexts if target == word}
        assert sorted(one["description"] for one in why["descriptions"]) == sorted(descriptions)
        texts = words_of(load_file(store), "texts", "text_ends")
        for one in why["descriptions"]:
            assert one["text"] == texts[one["description"]]
            assert {c["word"]: pytest.approx(c["weight"], rel=1e-4) for c in one["contexts"]} == {words[c]: w for c, w in descriptions[one["description"]].items()}
        own_first = [one["describes"] == words[word] for one in why["descriptions"]]
        assert own_first == sorted(own_first, reverse=True)
        order = [w for w in np.argsort(-(end @ end[word]), kind="stable") if w != word][:8]
        assert [one["word"] for one in why["near_after"]] == [words[w] for w in order]


def test_bad_input_is_told(store, space, tmp_path):
    def refused(*arguments):
        done = shoal("words", "show", *arguments, check=False)
        assert done.returncode != 0 and done.stdout == ""
        return done.stderr

    word = (space / "words.txt").read_text().splitlines()[0]
    other = make_store(tmp_path, 5)
    assert "what to show?" in refused(space)
    assert "give its file by --attention" in refused(space, "--why", word)
    assert "--attention is of --why" in refused(space, "--attention", store, "--out", tmp_path / "x.html")
    assert "--layout is of --out" in refused(space, "--attention", store, "--why", word, "--layout", "pca")
    assert "is not the attention that" in refused(space, "--attention", other, "--why", word)
    assert f'does not know "{word}x"; it knows {word}' in refused(space, "--attention", store, "--why", word + "x").replace(", ", "; it knows ", 0)
    assert "is no folder of 'shoal words train'" in refused(tmp_path, "--out", tmp_path / "x.html")
    assert "there is no" in refused(tmp_path / "nothing", "--out", tmp_path / "x.html")
    assert "is not a whole safetensors file" in refused(space, "--attention", space / "words.txt", "--why", word)
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", space, broken], check=True)
    course = (broken / "course.safetensors").read_bytes()
    (broken / "course.safetensors").write_bytes(course[:-7])
    assert "is not a whole safetensors file" in refused(broken, "--out", tmp_path / "x.html")
    (broken / "course.safetensors").write_bytes(course)
    told = (broken / "words.json").read_text()
    (broken / "words.json").write_text(told.replace('"uniformity"', '"uniform"'))
    assert "words.json is damaged" in refused(broken, "--out", tmp_path / "x.html")
    (broken / "words.json").write_text(told)
    (broken / "words.txt").write_text("one\n")
    assert "has 1" in refused(broken, "--out", tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists() and not pathlib.Path(tmp_path / ".x.html.part").exists()
