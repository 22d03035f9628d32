#!/usr/bin/env python3
"""What an ensemble of MiniLM and counted words gains over its parts, by `shoal ensemble fit` and `evaluate`.

Learnt from the texts of the training part (without labels), measured on the test part; stackoverflow20 has one part. Defaults throughout.
Prints the table of docs/frozen.md, section "Ensembles". usage: bench/ensembles.py [--shoal PROGRAM] [--data DATA] [--model NAME]
[--parts PARTS] [--weights WEIGHTS] [--pool POOL] [--json FILE] [SET ...]
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# set: (texts to learn from, what is measured on, flags)
SETS = {
    "banking77": ("banking77/train.csv", "banking77/test.csv", ["--label", "label"]),
    "stackoverflow20": ("stackoverflow20/data.csv", "stackoverflow20/data.csv", ["--label", "label"]),
    "stsb": ("stsb/en_train.csv", "stsb/en_test.csv", ["--pairs", "text_a,text_b", "--score", "score"]),
    "trec": ("trec/train.csv", "trec/test.csv", ["--label", "label"]),
    "snips": ("snips/train.csv", "snips/test.csv", ["--label", "label"]),
}


def run(shoal, *arguments):
    done = subprocess.run([shoal, *map(str, arguments), "--json", "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return json.loads(done.stdout)


def shown(m, sign=""):
    form = f"{{:{sign}.3f}}"
    return f"{form.format(m['value'])} [{form.format(m['low'])}, {form.format(m['high'])}]"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--shoal", default=str(ROOT / "build/ci/shoal"))
    parser.add_argument("--data", default=os.environ.get("SHOAL_DATA", "/data"))
    parser.add_argument("--parts", default="all-MiniLM-L6-v2,tfidf")
    parser.add_argument("--weights")
    parser.add_argument("--pool", default="concatenate")
    parser.add_argument("--json")
    options = parser.parse_args()
    data, answers = pathlib.Path(options.data), {}
    print("| set | measure | ensemble | parts alone | gain over the best part | verdict |")
    print("|---|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sets or list(SETS):
            texts, measured, flags = SETS[name]
            model = pathlib.Path(folder) / name
            more = ["--weights", options.weights] if options.weights else []
            text = ["--text", "text_a", "--text", "text_b"] if name == "stsb" else ["--text", "text"]
            run(options.shoal, "ensemble", "fit", data / texts, *text, "--parts", options.parts, "--pool", options.pool, *more, "--out", model)
            text = [] if name == "stsb" else ["--text", "text"]
            answers[name] = run(options.shoal, "ensemble", "evaluate", model, data / measured, *text, *flags)
            for gain in answers[name]["gains"]:
                best = next(p for p in gain["parts"] if p["name"] == gain["best_part"])
                alone = ", ".join(f"{p['name']} {p['alone']['value']:.3f}" for p in gain["parts"])
                print(f"| {name} | {gain['measure']} | {shown(gain['ensemble'])} | {alone} | {shown(best['gain'], '+')} | {gain['verdict']} |", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    main()
