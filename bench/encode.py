#!/usr/bin/env python3
"""Encoding beside sentence-transformers, ONNX Runtime and OpenVINO: MiniLM in float32 on Debian's descriptions.

    encode.py --bench build/release/bench/encode_bench [--python VENV/bin/python] [--short N] [--long N] [--out FILE]

Each peer runs in a process of its own, in turn, for several rounds; medians over all rounds. Short texts come from
`apt-cache dumpavail`, long ones from the Translation-en lists (`apt-get -o Acquire::Languages=en update`).
Prints a table, the ratios, the greatest difference between the vectors, and the share of the gemm peak.
"""
import argparse
import array
import glob
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ["st", "ort", "openvino"]


def short_texts():
    dump = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True).stdout.decode("utf-8", "replace")
    lines = (line.partition(": ")[2] for line in dump.splitlines() if line.startswith(("Description: ", "Description-en: ")))
    return sorted(set(lines))


def long_texts():
    found = set()
    for name in glob.glob("/var/lib/apt/lists/*Translation-en*"):
        raw = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", name], check=True, capture_output=True).stdout
        for block in raw.decode("utf-8", "replace").split("\n\n"):
            text = block.partition("\nDescription-en: ")[2].partition("\n")[2]
            if text:
                found.add("\n".join("" if line == " ." else line[1:] for line in text.split("\n")))
    return sorted(found)


def sample(texts, count):
    random.Random(7).shuffle(texts)
    return texts[:count]


def measure(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} {command[1]}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def read_floats(path):
    numbers = array.array("f")
    numbers.frombytes(pathlib.Path(path).read_bytes())
    return numbers


def compare(kind, texts, args, folder):
    file = folder / f"{kind}.jsonl"
    file.write_text("".join(json.dumps(t, ensure_ascii=False) + "\n" for t in texts), encoding="utf-8")
    runs = {who: [] for who in ["shoal", *PEERS]}
    batches = dict.fromkeys(PEERS, "1,2,4,8,16,32,64,128")
    for _ in range(args.turns):
        for who in runs:
            out = folder / f"{who}.f32"
            if who == "shoal":
                found = measure([args.bench, args.model, file, args.rounds, args.threads, out])
            else:
                found = measure([args.python, HERE / "encode_peers.py", who, args.model, file, args.rounds, args.threads,
                                 batches[who], out])
                batches[who] = str(found["batch"])
            runs[who].append(found)
            print(json.dumps(found), file=sys.stderr, flush=True)
    ours = read_floats(folder / "shoal.f32")
    result = {}
    for who, found in runs.items():
        typical = statistics.median(f["texts_per_second"] for f in found)
        other = read_floats(folder / f"{who}.f32")
        result[who] = {**found[-1], "texts_per_second": typical,
                       "max_difference": max(abs(a - b) for a, b in zip(ours, other, strict=True))}
    share = statistics.median(f["share_of_gemm_peak"] for f in runs["shoal"])
    mine = result["shoal"]["texts_per_second"]
    best = max(result[who]["texts_per_second"] for who in ["ort", "openvino"])
    return {"texts": kind, "peers": result, "share_of_gemm_peak": share,
            "times_sentence_transformers": round(mine / result["st"]["texts_per_second"], 2),
            "times_best_of_onnx_runtime_and_openvino": round(mine / best, 2)}


def main():
    data = pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share")
    models = pathlib.Path(os.environ.get("SHOAL_MODELS") or data / "shoal/models")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=HERE.parent / "build/release/bench/encode_bench")
    parser.add_argument("--python", default=sys.executable, help="with the peers installed")
    parser.add_argument("--model", default=os.environ.get("SHOAL_MODEL", models / "all-MiniLM-L6-v2"))
    parser.add_argument("--short", type=int, default=2000)
    parser.add_argument("--long", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=1, help="in each process")
    parser.add_argument("--turns", type=int, default=5, help="processes of each peer, in turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", help="a file for the JSON")
    args = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, texts, count in [("short", short_texts, args.short), ("long", long_texts, args.long)]:
            if count == 0:
                continue
            results.append(compare(kind, sample(texts(), count), args, pathlib.Path(folder)))
    for result in results:
        print(f"\n{result['texts']}: {result['times_sentence_transformers']} times sentence-transformers, "
              f"{result['times_best_of_onnx_runtime_and_openvino']} times the best of ONNX Runtime and OpenVINO, "
              f"{result['share_of_gemm_peak']:.0%} of the gemm peak")
        for who, found in result["peers"].items():
            print(f"  {who:10} {found['texts_per_second']:9.1f} texts/s   batch {found.get('batch', '-'):>4}   "
                  f"greatest difference {found['max_difference']:.1e}")
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
