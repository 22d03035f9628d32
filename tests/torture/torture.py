#!/usr/bin/env python3
"""Kills shoal, fills its disks and damages its files; compares bytes with those of an undisturbed run.

    torture.py SHOAL [--seed 1] [--kills 300] [--disks 40] [--corruptions 200]

After a kill, half of them at system calls, and after a full disk the same command ends with the same bytes. A damaged file
gives a message and a known exit status, or the right answer; `inspect --check` finds what is damaged in a collection.
Exit status 1 if any of that does not hold. A few minutes; the input is made here, the model is one of tests/golden.
"""
import argparse
import concurrent.futures
import csv
import itertools
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent / "golden/encoder/bert_new"
KNOWN = {2, 3, 4, 5, 6}  # exit statuses that say what is wrong
TIMEOUT = 120

# Commands, each run in a folder that holds what is named before the colon.
STEPS = {
    "map": ("", "map t.csv --model model --clusters 5 --out m.shoal --color letter"),
    "embed": ("", "embed t.csv --model model --out v.npy"),
    "map again": ("m.shoal", "map m.shoal --model model --clusters 4 --variance 0.9"),
    "embed again": ("m.shoal", "map m.shoal --model model --max-tokens 6"),
    "map anew": ("m.shoal", "map t.csv --model model --clusters 3 --out m.shoal --overwrite"),
    "cluster": ("v.npy", "cluster v.npy --clusters 2..5 --out c.clusters"),
    "predict": ("v.npy c.clusters", "classify predict c.clusters v.npy --out p.predictions"),
    "layout": ("v.npy", "layout v.npy --out l.layout"),
    "export": ("m.shoal", "export m.shoal --out x.csv"),
    "export npy": ("m.shoal", "export m.shoal --out x.npy"),
}
# What is asked of files that may be damaged. The answer on standard output is compared.
QUESTIONS = {
    "m.shoal": ["inspect m.shoal", "search m.shoal one --model model --json", "search m.shoal one --words", "explain m.shoal",
                "explain m.shoal --outcome letter", "export m.shoal --out -", "map again", "embed again", "export npy"],
    "model": ["embed", "map"],
    "v.npy": ["cluster", "layout", "inspect v.npy"],
    "c.clusters": ["predict", "inspect c.clusters"],
}


class Torture:
    def __init__(self, shoal, work, seed):
        self.shoal, self.work, self.draw, self.faults = shoal, work, random.Random(seed), []
        self.numbers = itertools.count()
        self.whole, self.seconds, self.calls = {}, {}, {}  # of each step undisturbed

    def run(self, command, folder, wait=TIMEOUT, **environment):
        """Exit status (None if it had to be killed), standard output, standard error."""
        arguments = STEPS[command][1] if command in STEPS else command
        if not (folder / "model").exists():  # a collection keeps the model's path: the same for all that are compared
            arguments = arguments.replace("--model model", f"--model {self.work}/whole/model")
        def limits():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        process = subprocess.Popen([self.shoal, *arguments.split(), "--threads", "2", "--quiet"], cwd=folder, preexec_fn=limits,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment})
        try:
            out, err = process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, b"", b""
        return process.returncode, out, err.decode(errors="replace")

    def fresh(self, needs="", folder=None):
        """A folder with the input and what else is needed."""
        if folder is None:
            folder = self.work / f"case{next(self.numbers)}"
            folder.mkdir()
        for name in ["t.csv", *needs.split()]:
            source = self.work / "whole" / name
            shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
        return folder

    def fault(self, what):
        self.faults.append(what)
        print(f"  {what}", flush=True)

    def prepare(self):
        """The input and what each step makes of it when nothing disturbs."""
        whole = self.work / "whole"
        shutil.copytree(MODEL, whole / "model")
        words = [w for w in json.loads((MODEL / "tokenizer.json").read_text())["model"]["vocab"] if w.isalpha()]
        chooser = random.Random(3)
        with (whole / "t.csv").open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["text", "letter"])
            out.writerows([" ".join(chooser.choices(words, k=chooser.randrange(3, 15))), "abc"[i % 3]] for i in range(250))
        self.shim = self.work / "kill_at.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.shim, HERE / "kill_at.c", "-ldl"], check=True)
        for step, (needs, _) in STEPS.items():
            folder, count = self.fresh(needs), self.work / "count"
            began = time.monotonic()
            status, _, err = self.run(step, folder, LD_PRELOAD=str(self.shim), COUNT_TO=str(count))
            if status != 0:
                sys.exit(f"torture: '{step}' undisturbed ends with {status}: {err}")
            self.whole[step], self.seconds[step] = contents(folder), time.monotonic() - began
            self.calls[step] = int(count.read_text())
            for made in folder.iterdir():  # the first that makes a thing leaves it for others
                if not (whole / made.name).exists():
                    shutil.copytree(made, whole / made.name) if made.is_dir() else shutil.copy(made, whole / made.name)
            shutil.rmtree(folder)
        print("undisturbed: " + ", ".join(f"{s} {self.seconds[s]:.1f} s {self.calls[s]} calls" for s in STEPS), flush=True)

    def ends_right(self, step, folder, what):
        """The same command now ends, with the bytes of an undisturbed run."""
        status, _, err = self.run(step, folder)
        if status != 0:
            return self.fault(f"{what}: the same command ends with {status}: {err.strip()[:300]}")
        now, whole = contents(folder), self.whole[step]
        if now != whole:
            wrong = sorted(name for name in now.keys() | whole.keys() if now.get(name) != whole.get(name))
            self.fault(f"{what}: other bytes than undisturbed: {', '.join(wrong)}")

    def kill(self, step, at, again):
        """Killed once or more, each time somewhere else. Whether anything was."""
        folder, died = self.fresh(STEPS[step][0]), 0
        for place in [at, *again]:
            if isinstance(place, float):
                status, _, err = self.run(step, folder, wait=place)
                dead = status is None
            else:
                status, _, err = self.run(step, folder, LD_PRELOAD=str(self.shim), KILL_AT=place)
                dead = status == -9
            died += dead
            if not dead and status != 0:
                self.fault(f"{step}, killed at {at}, then run: ends with {status}: {err.strip()[:300]}")
        self.ends_right(step, folder, f"{step}, killed at {' and '.join(map(str, [at, *again]))}")
        shutil.rmtree(folder)
        return died

    def disk(self, step, size):
        """A disk that is full after so many bytes, then one that is not. Whether it was full."""
        folder = self.work / f"disk{next(self.numbers)}"
        folder.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m", "tmpfs", folder], capture_output=True).returncode == 0
        try:
            self.fresh(STEPS[step][0], folder)
            used = sum(f.stat().st_blocks * 512 for f in folder.rglob("*"))
            if mounted:
                subprocess.run(["mount", "-o", f"remount,size={used + size}", folder], check=True, capture_output=True)
                status, _, err = self.run(step, folder)
                subprocess.run(["mount", "-o", "remount,size=512m", folder], check=True, capture_output=True)
            else:
                before = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
                status, _, err = self.run(step, folder)
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            if status not in (0, 4) or (status == 4 and len(err.strip().splitlines()) != 1):
                self.fault(f"{step} on a disk with {size} bytes free: ends with {status}: {err.strip()[:300]}")
            self.ends_right(step, folder, f"{step} after a disk with {size} bytes free")
        finally:
            if mounted:
                subprocess.run(["umount", folder], capture_output=True)
        return status == 4

    def corrupt(self, thing, file, harm, question, answers):
        """A file is damaged, then asked for. Whether the program said so."""
        folder = self.fresh(" ".join({thing, *STEPS.get(question, (thing,))[0].split()}))
        path = folder / file
        damage(path, harm, random.Random(f"{file}{harm}"))
        what = f"{file} {harm}, then {question}"
        found = None
        if thing in ("m.shoal", "model"):
            status, out, err = self.run(f"inspect {thing} --json" + (" --check" if thing == "m.shoal" else ""), folder)
            found = status in KNOWN or (thing == "model" and out != answers[thing])  # another model has another id
            if status not in KNOWN | {0} or (thing == "m.shoal" and not found):
                self.fault(f"{file} {harm}: inspect --check ends with {status}: {err.strip()[:300]}")
        status, out, err = self.run(question, folder)
        if status in KNOWN and not err.strip() or status not in KNOWN | {0}:
            self.fault(f"{what}: ends with {status}: {err.strip()[:300]}")
        elif status == 0 and thing == "m.shoal":
            now = contents(folder) if question in STEPS else out
            expected = self.whole[question] if question in STEPS else answers[question]
            if question in STEPS and not question.startswith("export"):
                if now != expected:
                    self.fault(f"{what}: wrong bytes and no word of it")
            elif question in STEPS:
                made = [n for n in expected if not n.startswith("m.shoal/")]
                if any(now.get(n) != expected[n] for n in made) and not found:
                    self.fault(f"{what}: a wrong file and no word of it")
            elif now != expected and not found:
                self.fault(f"{what}: a wrong answer and no word of it")
        elif status == 0 and thing == "model" and not found and any(
                contents(folder)[name] != data for name, data in self.whole[question].items() if "rows.sqlite" not in name):
            self.fault(f"{what}: other vectors from what passes for the same model")
        shutil.rmtree(folder)
        return status in KNOWN or bool(found)

    def without(self, step, names):
        return {n: b for n, b in self.whole[step].items() if n.split("/")[0] not in names}


def contents(folder):
    """Each file's bytes, by its path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def damage(path, harm, draw):
    data = bytearray(path.read_bytes())
    if harm == "cut":
        del data[draw.randrange(len(data)):]
    elif harm == "with zeros":
        at = draw.randrange(len(data))
        size = min(512, len(data) - at)
        data[at:at + size] = bytes(0 if b else 255 for b in data[at:at + size])
    else:
        for _ in range(int(harm.split()[1])):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shoal", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--disks", type=int, default=40)
    parser.add_argument("--corruptions", type=int, default=200)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        torture = Torture(options.shoal.resolve(), pathlib.Path(work), options.seed)
        (torture.work / "whole").mkdir()
        torture.prepare()
        draw, steps = torture.draw, list(STEPS)

        def place(step, at_call):
            if at_call:
                return f"{draw.randrange(1, torture.calls[step] + 1)}{draw.choice(['', '+'])}"
            return round(draw.uniform(0.01, torture.seconds[step]), 3)

        # Each step at its last calls too: after the rename that ends it.
        cases = [(s, f"{torture.calls[s] - back}{mark}", []) for s in steps for back, mark in ((0, ""), (0, "+"), (1, ""))]
        cases += [(s, place(s, i % 2), [place(s, not i % 2)] * draw.choice([0, 0, 1]))
                  for i, s in enumerate(steps[i % len(steps)] for i in range(max(0, options.kills - len(cases))))]
        kills = sum(pool.map(lambda case: torture.kill(*case), cases))
        at_calls = sum(isinstance(p, str) for _, at, again in cases for p in [at, *again])
        print(f"killed {kills} times; {at_calls} kills were meant for system calls", flush=True)

        sizes = [(steps[i % len(steps)], None) for i in range(options.disks)]
        sizes = [(s, 4096 * draw.randrange(1, 2 + sum(map(len, torture.without(s, {"t.csv"}).values())) // 4096))
                 for s, _ in sizes]
        full = sum(torture.disk(*case) for case in sizes)
        print(f"{len(sizes)} small disks, of which {full} were full", flush=True)

        whole = torture.work / "whole"
        answers = {q: torture.run(q, torture.fresh("m.shoal"))[1] for q in QUESTIONS["m.shoal"] if q not in STEPS}
        answers["model"] = torture.run("inspect model --json", torture.fresh("model"))[1]
        files = {t: [str(p.relative_to(whole)) for p in [whole / t, *(whole / t).rglob("*")] if p.is_file() and p.stat().st_size]
                 for t in QUESTIONS}
        harms = ["by 1 bit", "by 8 bits", "cut", "with zeros"]
        harms = [h.replace("by", "damaged:") for h in harms]
        things = [*QUESTIONS, "m.shoal", "m.shoal"]
        cases = []
        for i in range(options.corruptions):
            thing = things[i % len(things)]
            file = files[thing][i // len(things) % len(files[thing])] if thing == "m.shoal" else draw.choice(files[thing])
            cases.append((thing, file, draw.choice(harms), draw.choice(QUESTIONS[thing]), answers))
        told = sum(pool.map(lambda case: torture.corrupt(*case), cases))
        print(f"{len(cases)} files damaged, of which {told} were told")
        print(f"torture: {len(torture.faults)} faults, {time.monotonic() - began:.0f} s (seed {options.seed})")
    sys.exit(1 if torture.faults or kills < min(100, options.kills) else 0)


if __name__ == "__main__":
    main()
