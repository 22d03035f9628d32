"""Maps that are neutral to a column or to languages, texts laid out once, and models that do not fit the texts."""
import csv
import json
import math
import sqlite3
from collections import Counter

import pytest
from conftest import shoal

TOPICS = {
    "cat": ["sleeps on the sofa", "caught a mouse", "drinks milk", "purrs when it is happy", "plays with wool", "climbed the tree",
            "hates the dog", "scratched the chair", "had five kittens", "eats fish"],
    "bank": ["raised interest rates", "refused the loan", "closed the account", "lost the transfer", "charged a fee",
             "sells its bonds", "approved the mortgage", "published its profit", "fights inflation", "opened a branch"],
    "rocket": ["reached orbit", "carried a satellite", "exploded at launch", "burns liquid hydrogen", "landed on the moon",
               "left the atmosphere", "docked at the station", "lost its engine", "took astronauts to space", "flew past Mars"],
}
STYLES = {"letter": "Dear Sir or Madam, I am writing to you because the {} {}. Yours faithfully, the customer service department.",
          "chat": "omg lol u won't believe this haha the {} {} !!! :D :D check my youtube channel pls"}


def entropy(counts):
    total = sum(counts.values())
    return -sum(n / total * math.log(n / total) for n in counts.values())


def v_measure(a, b):
    joint = Counter(zip(a, b))
    both = entropy(Counter(a)) + entropy(Counter(b))
    return 2 * (both - entropy(joint)) / both


def labels(collection, column="cluster"):
    with sqlite3.connect(f"file:{collection}/rows.sqlite?mode=ro", uri=True) as database:
        return [value for (value,) in database.execute(f"SELECT {column} FROM rows ORDER BY id")]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Three topics in two styles, in which the style speaks louder."""
    folder = tmp_path_factory.mktemp("mixed")
    with (folder / "m.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text", "topic", "style"])
        for style, form in STYLES.items():
            for topic, ends in TOPICS.items():
                for end in ends:
                    out.writerow([form.format(topic, end), topic, style])
    shoal("map", folder / "m.csv", "--text", "text", "--out", folder / "m.shoal", "--clusters", "3", "--quiet")
    return folder


@pytest.fixture
def collection(mixed, tmp_path):
    import shutil
    return shutil.copytree(mixed / "m.shoal", tmp_path / "m.shoal")


def test_topics_not_styles(collection, tmp_path):
    topic, style = labels(collection, "topic"), labels(collection, "style")
    before = labels(collection)
    answer = json.loads(shoal("map", collection, "--neutral", "style", "--json").stdout)
    after = labels(collection)
    assert v_measure(style, after) < 0.05 < v_measure(style, before)
    assert v_measure(topic, after) > 0.9 > v_measure(topic, before)
    assert abs(answer["left_of_groups"]) < 0.2
    assert "whole" in shoal("inspect", collection, "--check").stdout
    with sqlite3.connect(f"file:{collection}/rows.sqlite?mode=ro", uri=True) as database:
        groups = database.execute("SELECT name, size FROM clusters WHERE clustering = 'neutral' ORDER BY id").fetchall()
    assert groups == [("chat", 30), ("letter", 30)]

    again = json.loads(shoal("map", collection, "--json").stdout)
    assert {"groups", "neutral", "cluster"} <= set(again["done_before"]), "the option is kept"
    shoal("map", collection, "--neutral", "", "--quiet")
    assert labels(collection) == before and not (collection / "neutral.safetensors").exists()


def test_clusters_that_follow_a_column_are_told_of(mixed, tmp_path):
    done = shoal("map", mixed / "m.csv", "--text", "text", "--out", tmp_path / "m.shoal", "--clusters", "2")
    assert 'clusters follow column "style": 100.0% of a cluster' in done.stderr and "--neutral style" in done.stderr
    quiet = shoal("map", tmp_path / "m.shoal", "--neutral", "style", "--clusters", "3")
    assert 'follow column "style"' not in quiet.stderr


def test_new_rows_and_searches_are_made_neutral_too(collection, mixed, tmp_path):
    shoal("map", collection, "--neutral", "style", "--quiet")
    hits = json.loads(shoal("search", collection, "the bank wants money", "--group", "chat", "--top", "20", "--json").stdout)["hits"]
    topic, style = labels(collection, "topic"), labels(collection, "style")
    assert Counter(topic[hit["row"]] for hit in hits)["bank"] >= 18
    assert min(Counter(style[hit["row"]] for hit in hits).values()) >= 6, "of both styles"

    model = tmp_path / "model"
    shoal("cluster", collection, "--clusters", "3", "--layout", "none", "--out", model, "--quiet")
    assert (model / "neutral.safetensors").exists()
    shoal("classify", "predict", model, mixed / "m.shoal", "--layout", "none", "--out", tmp_path / "p", "--quiet")
    with (model / "labels.csv").open() as own, (tmp_path / "p/predictions.csv").open() as placed:
        assert [r["cluster"] for r in csv.DictReader(own)] == [r["likeliest"] for r in csv.DictReader(placed)]
    shoal("export", collection, "--out", tmp_path / "v.npy", "--quiet")
    done = shoal("classify", "predict", model, tmp_path / "v.npy", "--out", tmp_path / "q", check=False)
    assert done.returncode == 2 and 'neutral to groups ("chat", "letter")' in done.stderr and "--group NAME" in done.stderr
    shoal("classify", "predict", model, tmp_path / "v.npy", "--group", "chat", "--out", tmp_path / "q", "--quiet")


@pytest.mark.parametrize("arguments, message", [
    (["--neutral", "nothing"], '--neutral is nothing: no such column; there are: "topic", "style"'),
    (["--neutral", "language"], "the texts are all in one language (en): there is nothing to take away"),
])
def test_what_cannot_be_neutral(collection, arguments, message):
    done = shoal("map", collection, *arguments, check=False)
    assert done.returncode in (2, 3) and message in done.stderr
    assert shoal("map", collection, "--neutral", "").returncode == 0


def test_groups_where_there_are_none(collection, tmp_path):
    done = shoal("search", collection, "a bank", "--group", "chat", check=False)
    assert done.returncode == 2 and "--neutral" in done.stderr


def test_equal_texts_are_laid_out_once(mixed, tmp_path):
    rows = list(csv.reader((mixed / "m.csv").open()))
    with (tmp_path / "d.csv").open("w", newline="") as file:
        csv.writer(file).writerows([*rows, *rows[1:20], *rows[1:5]])
    done = shoal("map", tmp_path / "d.csv", "--text", "text", "--out", tmp_path / "d.shoal", "--unique")
    assert "23 texts are equal to one before them and share its point" in done.stderr
    x = labels(tmp_path / "d.shoal", "x")
    assert x[60:79] == x[:19] and x[79:] == x[:4] and len(set(x)) > 50


def test_a_model_that_does_not_know_the_language_says_so_before_the_work(tmp_path):
    russian = ["Банк повысил процентную ставку", "Кошка спит на диване", "Ракета вышла на орбиту", "Погода сегодня хорошая"]
    (tmp_path / "ru.txt").write_text("\n".join(f"{text} номер {i}" for i in range(10) for text in russian) + "\n𓀀𓀀\n")
    done = shoal("map", tmp_path / "ru.txt", "--out", tmp_path / "ru.shoal")
    assert "of the texts are in language 'ru', which the model all-MiniLM-L6-v2 was not made for" in done.stderr
    assert "--model multilingual-e5-small" in done.stderr
    assert "1 of 41 texts has nothing that the model knows" in done.stderr and "row 40" in done.stderr
    assert done.stderr.index("was not made for") < done.stderr.index("has nothing that the model knows")
    embedded = shoal("embed", tmp_path / "ru.txt", "--out", tmp_path / "ru.npy")
    assert "was not made for" in embedded.stderr and "1 of 41 texts" in embedded.stderr


def test_neutral_off_and_on_again_leaves_no_trace(collection, tmp_path):
    import shutil
    shoal("map", collection, "--neutral", "style", "--quiet")
    neutral = labels(collection)
    shoal("map", collection, "--neutral", "", "--quiet")
    with sqlite3.connect(f"file:{collection}/rows.sqlite?mode=ro", uri=True) as database:
        assert not database.execute("SELECT * FROM steps WHERE name IN ('groups', 'neutral')").fetchall()
        assert not database.execute("SELECT * FROM manifest WHERE key LIKE '%neutral%' AND key LIKE 'sha256%'").fetchall()
    shoal("map", collection, "--neutral", "style", "--quiet")
    assert labels(collection) == neutral
    again = shutil.copytree(collection, tmp_path / "again.shoal")
    shoal("map", again, "--neutral", "topic", "--quiet")
    shoal("map", again, "--neutral", "style", "--quiet")
    assert labels(again) == neutral
