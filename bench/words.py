#!/usr/bin/env python3
"""What spaces of words are worth: attention moved and in closed form, beside counts, other weights, other gates and the encoder.

    words.py [--shoal build/release/shoal] [--data SHOAL_DATA] [--folder FOLDER] [--heads auto|pilot] [--only NAME,...]
             [--threads 1] [--out FILE.md] [--choose]

Descriptions: WordNet (wordnet-base), 15,000 lemmas, those of the evaluation sets among them; of these all senses and
examples, of the others four senses a part of speech; "all descriptions" are all of WordNet's. Everything is made in FOLDER once and taken up again. Sets: the
similarity part of WordSim-353, MEN, RG-65 and YP-130, all of which are covered; words of the sets are looked up as
their lemmas (WordNet's lists and rules). MEN is cut by a fixed rule: with --choose only the 1,000 pairs for choosing
(and MTurk-287) are told, without it only the other 2,000 count, and all of the others. Groups: BLESS; analogies: 1,000
of Google's whose words are covered, every so many. Numbers are shoal's own, with its intervals over words.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PILOT = ["--heads", "1.1,2.9,1.0,2.4,4.5", "--layers", "1.mean,2.mean"]
RULES = {"noun": [("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y")],
         "verb": [("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")],
         "adj": [("er", ""), ("est", ""), ("er", "e"), ("est", "e")]}
GATED = ["--space", "moved", "--targets", "head"]
NCE = [*GATED, "--loss", "infonce", "--negatives", "20"]
BEST = "**both, closed form of all descriptions**"
# name in the table: flags of `shoal words train`; "heads" stands for those of --heads, "wide" for the store of all of WordNet.
SPACES = {
    "uniform start": ["--space", "moved", "--epochs", "0", "--read-out", "own", "--weights", "uniform"],
    "counts, head word only, SVD 200": ["--space", "closed_form", "--weights", "counts", "--targets", "head"],
    "counts, SVD 200": ["--space", "closed_form", "--weights", "counts"],
    "counts, SVD 300": ["--space", "closed_form", "--weights", "counts", "--svd-dims", "300"],
    "attention, SVD 200": ["heads", "--space", "closed_form"],
    "moved, uniform weights": ["--space", "moved", "--weights", "uniform"],
    "moved by attention": ["heads", "--space", "moved"],
    "moved, one by one": ["heads", "--space", "moved", "--block", "1"],
    "moved, only the target": ["heads", "--space", "moved", "--moves", "target"],
    "moved, no negatives": ["heads", "--space", "moved", "--negatives", "0"],
    "moved, read out by contexts alone": ["heads", "--space", "moved", "--read-out", "contexts"],
    "moved, own vectors alone": ["heads", "--space", "moved", "--read-out", "own"],
    "moved, second order": ["heads", "--space", "moved", "--read-out", "second_order"],
    "both, uniform weights": ["--weights", "uniform"],
    "both of the first store": ["heads"],
    "counts of all descriptions, SVD 200": ["--space", "closed_form", "--weights", "counts", "wide"],
    "counts of all descriptions, SVD 300": ["--space", "closed_form", "--weights", "counts", "--svd-dims", "300", "wide"],
    "attention, all descriptions, SVD 200": ["heads", "--space", "closed_form", "wide"],
    "both, closed form of all descriptions, uniform weights": ["--weights", "uniform", "wide"],
    BEST: ["heads", "wide"],
    "head word only, hinge, no gate": ["heads", *GATED],
    "head word only, hinge, fixed gate, same contexts": ["heads", *GATED, "--gate", "fixed", "--gate-contexts", "same"],
    "head word only, hinge, fixed gate": ["heads", *GATED, "--gate", "fixed"],
    "head word only, hinge, fixed gate, 80 epochs": ["heads", *GATED, "--gate", "fixed", "--epochs", "80"],
    "head word only, hinge, mlp gate, same contexts": ["heads", *GATED, "--gate", "mlp", "--gate-contexts", "same"],
    "head word only, hinge, mlp gate": ["heads", *GATED, "--gate", "mlp"],
    "head word only, infonce, no gate": ["heads", *NCE],
    "head word only, infonce, mlp gate": ["heads", *NCE, "--gate", "mlp"],
    "head word only, infonce, fixed gate": ["heads", *NCE, "--gate", "fixed"],
}
SETS = ["wordsim353_similarity", "men", "rg65", "yp130"]


def lemmas(wordnet, words):
    """The lemma of each word that is a form of one, by WordNet's lists and rules; itself if it is a lemma."""
    known = {p: set() for p in ("noun", "verb", "adj", "adv")}
    irregular = {}
    for part in known:
        for line in open(wordnet / f"index.{part}"):
            if not line.startswith("  "):
                known[part].add(line.split(" ", 1)[0].replace("_", " "))
        for line in open(wordnet / f"{part}.exc"):
            form, lemma, *_ = line.split()
            irregular.setdefault(form, lemma.replace("_", " "))
    every = set().union(*known.values())
    out = {}
    for word in words:
        if word in every:
            out[word] = word
        elif irregular.get(word) in every:
            out[word] = irregular[word]
        else:
            for part, rules in RULES.items():
                found = [word[: len(word) - len(a)] + b for a, b in rules if word.endswith(a) and word[: len(word) - len(a)] + b in known[part]]
                if found:
                    out[word] = found[0]
                    break
    return out


def rows_of(file):
    with open(file, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def write(file, rows):
    with open(file, "w", newline="", encoding="utf-8") as out:
        table = csv.DictWriter(out, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def prepare_sets(data, wordnet, folder, choose):
    """The sets as files of FOLDER, the words to keep, and the forms."""
    sets = {name: rows_of(data / f"wordsim/{name}.csv") for name in [*SETS, "mturk287"]}
    groups, analogies = rows_of(data / "wordgroups/bless.csv"), rows_of(data / "wordgroups/google_analogies.csv")
    words = {r[k].lower() for rows in [*sets.values()] for r in rows for k in ("word_a", "word_b")}
    for file in ("mc30", "wordsim353", "wordsim353_relatedness"):
        words |= {r[k].lower() for r in rows_of(data / f"wordsim/{file}.csv") for k in ("word_a", "word_b")}
    words |= {r["text"].lower() for r in groups} | {r[k].lower() for r in analogies for k in ("word_a", "word_b", "word_c", "word_d")}
    of = lemmas(wordnet, sorted(words))
    (folder / "keep.txt").write_text("".join(w + "\n" for w in sorted(set(of.values()))))
    write(folder / "forms.csv", [{"form": a, "word": b} for a, b in sorted(of.items()) if a != b])
    men = sets["men"]
    parts = {"men_choose": [r for i, r in enumerate(men) if i % 3 == 0], "men": [r for i, r in enumerate(men) if i % 3 != 0]}
    names = ["men_choose", "mturk287"] if choose else SETS
    for name in names:
        write(folder / f"{name}.csv", parts.get(name) or sets[name])
    if not choose:
        covered = [r for r in analogies if len({of.get(r[k].lower()) for k in ("word_a", "word_b", "word_c", "word_d")} - {None}) == 4]
        write(folder / "analogies.csv", covered[:: max(1, len(covered) // 1000)][:1000])
        write(folder / "bless.csv", groups)
        names = [*names, "analogies", "bless"]
    return [folder / f"{name}.csv" for name in names]


def token_vectors(model, words, file):
    """The mean of the encoder's input embeddings of each word's tokens, as word2vec text."""
    import numpy as np
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer
    table = next(v for k, v in load_file(model / "model.safetensors").items() if k.endswith("word_embeddings.weight"))
    tokens = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokens.no_padding()
    with open(file, "w", encoding="utf-8") as out:
        out.write(f"{len(words)} {table.shape[1]}\n")
        for word in words:
            v = table[tokens.encode(word, add_special_tokens=False).ids].mean(0).astype(np.float32)
            out.write(word.replace(" ", "_") + " " + " ".join(map(str, v.tolist())) + "\n")


def gloss_vectors(store, sets, forms, shoal, file):
    """Of each word of the sets the mean of the encoder's vectors of its descriptions, as word2vec text."""
    import numpy as np
    from safetensors.numpy import load_file
    tensors = load_file(store)

    def texts(name, ends):
        content, at = tensors[name].tobytes(), tensors[ends].astype(int).tolist()
        return [content[a:b].decode() for a, b in zip([0, *at], at)]

    of = {r["form"]: r["word"] for r in rows_of(forms)}
    asked = {w.lower() for s in sets for r in rows_of(s) for k, w in r.items() if k in ("word_a", "word_b", "word_c", "word_d", "text")}
    asked = {of.get(w, w) for w in asked}
    words = texts("words", "word_ends")
    heads = [words[i] for i in tensors["members"][tensors["offsets"][:-1].astype(int)]]
    chosen = [(w, t) for w, t in zip(heads, texts("texts", "text_ends")) if w.lower() in asked]
    write(file.with_suffix(".csv"), [{"text": t} for _, t in chosen])
    shoal("embed", file.with_suffix(".csv"), "--text", "text", "--out", file.with_suffix(".npy"))
    sums = {}
    for (word, _), vector in zip(chosen, np.load(file.with_suffix(".npy"))):
        sums[word] = sums.get(word, 0) + vector
    with open(file, "w", encoding="utf-8") as out:
        out.write(f"{len(sums)} {len(vector)}\n")
        for word, v in sums.items():
            out.write(word.replace(" ", "_") + " " + " ".join(map(str, v.tolist())) + "\n")


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--shoal", default=str(HERE.parent / "build/release/shoal"))
    ask.add_argument("--data", default=os.environ.get("SHOAL_DATA"))
    ask.add_argument("--wordnet", type=pathlib.Path, default=pathlib.Path("/usr/share/wordnet"))
    ask.add_argument("--folder", type=pathlib.Path, default=HERE.parent / "build/bench/words")
    ask.add_argument("--store", type=pathlib.Path, help="what `shoal words prepare` made, instead of making it")
    ask.add_argument("--wide-store", type=pathlib.Path, help="the same of all words, senses and examples of WordNet")
    ask.add_argument("--heads", choices=["auto", "pilot"], default="auto")
    ask.add_argument("--only", help="names of the table, parted by ;")
    ask.add_argument("--token-vectors", type=pathlib.Path, metavar="MODEL_FOLDER", help="the means of its token vectors too")
    ask.add_argument("--glosses", action="store_true", help="the default encoder's vectors of the words' descriptions too")
    ask.add_argument("--model", help="an encoder that reads each word as a text")
    ask.add_argument("--choose", action="store_true")
    ask.add_argument("--threads", default="1")
    ask.add_argument("--out", type=pathlib.Path)
    args = ask.parse_args()
    if not args.data:
        sys.exit("where are the sets? give --data, or set SHOAL_DATA")
    args.folder.mkdir(parents=True, exist_ok=True)

    def shoal(*words):
        done = subprocess.run([args.shoal, *map(str, words), "--threads", args.threads, "--json"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"shoal {' '.join(map(str, words))}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    sets = prepare_sets(pathlib.Path(args.data), args.wordnet, args.folder, args.choose)
    store = args.store or args.folder / "wordnet.safetensors"
    if not args.store:
        told = shoal("words", "prepare", args.wordnet, "--max-words", "15000", "--keep", args.folder / "keep.txt", "--senses", "4",
                     "--examples", "kept", "--out", store)
        print(json.dumps(told)[:400], file=sys.stderr)
    chosen = [n for n in SPACES if not args.only or n in args.only.split(";")]
    wide = args.wide_store or args.folder / "all.safetensors"
    if not args.wide_store and any("wide" in SPACES[n] for n in chosen):
        shoal("words", "prepare", args.wordnet, "--keep", args.folder / "keep.txt", "--out", wide)
    stands_for = {"heads": PILOT if args.heads == "pilot" else [], "wide": ["--closed-form-store", wide]}
    spaces, times = {}, {}
    for name in chosen:
        flags = [f for flag in SPACES[name] for f in stands_for.get(flag, [flag])]
        if "--targets" in flags and "--layers" in flags:
            at = flags.index("--layers")
            del flags[at : at + 2]
        out = args.folder / (re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") + ("" if args.heads == "auto" else "_pilot"))
        told = shoal("words", "train", store, *flags, "--out", out)
        spaces[name], times[name] = out, told["seconds_total"]
        print(f"{name}: {told['seconds_total']:.1f} s", file=sys.stderr)
    if args.token_vectors:
        file = args.folder / "token_vectors.txt"
        token_vectors(args.token_vectors, (next(iter(spaces.values())) / "words.txt").read_text().splitlines(), file)
        spaces["the encoder's token vectors"] = file
    if args.glosses:
        spaces["the encoder's vectors of glosses"] = args.folder / "glosses.txt"
        gloss_vectors(store, sets, args.folder / "forms.csv", shoal, args.folder / "glosses.txt")
    if args.model:
        spaces["the encoder, word alone"] = args.model
    best = BEST if BEST in spaces else next(iter(spaces))
    order = [best, *(n for n in spaces if n != best)]
    more = [f for n in order[1:] for f in ("--compare", spaces[n])]
    found = shoal("words", "evaluate", spaces[best], *sets, *more, "--forms", args.folder / "forms.csv")
    results = dict(zip(order, found["spaces"]))
    names = [s["set"] for s in found["spaces"][0]["sets"]]
    lines = ["| space | " + " | ".join(names) + " | mean [95%] | best less it |", "|---" * (len(names) + 3) + "|"]

    def interval(m, sign=""):
        return f"{m['value']:{sign}.3f} [{m['low']:{sign}.3f}, {m['high']:{sign}.3f}]"

    for name in spaces:
        r = results[name]
        apart = interval(r["mean"]["difference"], "+") if "difference" in r["mean"] else ""
        lines.append(f"| {name} | " + " | ".join(f"{s['value']:.3f}" for s in r["sets"]) + f" | {interval(r['mean'])} | {apart} |")
    lines.append("")
    lines.append("Rows: " + ", ".join(f"{s['set']} {s['tried']} of {s['rows']}" for s in found["spaces"][0]["sets"]) + ".")
    text = "\n".join(lines) + "\n"
    print(text)
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
