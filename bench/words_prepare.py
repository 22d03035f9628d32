#!/usr/bin/env python3
"""`shoal words prepare` beside the same in Python: transformers with output_attentions, merged into words by NumPy.

    words_prepare.py [--descriptions 2000] [--model FOLDER] [--shoal build/release/shoal] [--python VENV/bin/python]
                     [--threads 2] [--turns 3]

Both read the same descriptions, drawn evenly from WordNet's glosses, and keep of each the attention of all heads from the
head word to the others and back, and each layer's mean between all words. The peer sorts by length, runs batches of 32
and, as the quickest way that we found in NumPy, multiplies by matrices of words x tokens, for all heads at once. Both
results are compared. Times are of the work alone: without loading the model, and for the peer without reading its input.
CPU seconds, which a busy machine changes less, are of shoal's whole process, but of the peer's work alone.
VENV needs torch, transformers, numpy and safetensors.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PEER = r'''
import json, sys, time
import numpy as np, torch, transformers
torch.set_num_threads(int(sys.argv[3]))
folder, store, out = sys.argv[1], sys.argv[2], sys.argv[4]
rows = [json.loads(line) for line in open(store, encoding="utf-8")]
tok = transformers.AutoTokenizer.from_pretrained(folder)
model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
order = sorted(range(len(rows)), key=lambda i: -len(rows[i]["text"]))
result = [None] * len(rows)
begin, cpu = time.perf_counter(), time.process_time()
for at in range(0, len(order), 32):
    batch = order[at:at + 32]
    enc = tok([rows[i]["text"] for i in batch], padding=True, truncation=True, max_length=256,
              return_offsets_mapping=True, return_tensors="pt")
    offsets = enc.pop("offset_mapping").numpy()
    with torch.inference_mode():
        layers = model(**enc, output_attentions=True).attentions
    layers = torch.stack(layers).numpy()
    for b, i in enumerate(batch):
        n = int(enc["attention_mask"][b].sum())
        weights = layers[:, b, :, :n, :n]
        members = {}
        begins, ends = offsets[b, :n, 0], offsets[b, :n, 1]
        for word, first, last in rows[i]["words"]:
            inside = np.flatnonzero((begins < last) & (ends > first))
            if len(inside):
                members.setdefault(word, []).append(inside)
        mean, total = np.zeros((len(members), n), np.float32), np.zeros((len(members), n), np.float32)
        for m, places in enumerate(members.values()):
            for place in places:
                mean[m, place] += 1 / len(place) / len(places)
                total[m, place] = 1
        merged = mean @ weights @ total.T  # layers, heads, members, members
        head_from = merged[:, :, 0, :].astype(np.float16)
        head_to = merged[:, :, :, 0].astype(np.float16)
        pairs = merged.mean(axis=1).astype(np.float16)
        result[i] = (list(members), head_from, head_to, pairs)
seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
flat = np.concatenate([r[1][:, :, 1:].transpose(2, 0, 1).reshape(-1, r[1].shape[0] * r[1].shape[1]) for r in result])
np.save(out, flat)
print(json.dumps({"seconds": seconds, "cpu": cpu, "members": sum(len(r[0]) for r in result)}))
'''


def store_of(path):
    """What shoal wrote, for the peer: texts, and words with their places in characters; and head_from."""
    import numpy as np
    import safetensors.numpy
    t = safetensors.numpy.load_file(path)
    texts, at = [], 0
    for end in t["text_ends"]:
        texts.append(t["texts"][at:end].tobytes().decode())
        at = int(end)
    words, at = [], 0
    for end in t["word_ends"]:
        words.append(t["words"][at:end].tobytes().decode())
        at = int(end)
    return t, texts, words


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--descriptions", type=int, default=2000)
    parser.add_argument("--model")
    parser.add_argument("--shoal", default="build/release/shoal")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    import numpy as np
    model = args.model or subprocess.run([args.shoal, "model", "path"], capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        glosses = folder / "glosses.jsonl"
        rows = []
        for line in open("/usr/share/wordnet/data.noun", encoding="latin-1"):
            if line.startswith("  "):
                continue
            lemma = line.split(" ")[4]
            gloss = line.split(" | ", 1)[1].split('; "')[0].strip()
            # Plain words alone, so that the peer finds the same words by splitting.
            if lemma.isalpha() and lemma.islower() and gloss.isascii() and all(c.isalpha() or c == " " for c in gloss):
                rows.append((lemma, gloss))
        step = max(1, len(rows) // args.descriptions)
        rows = rows[::step][:args.descriptions]
        glosses.write_text("".join(json.dumps({"word": w, "description": g}) + "\n" for w, g in rows), encoding="utf-8")

        times, cpu, peer_cpu = [], [], []
        for turn in range(args.turns):
            before = os.times()
            out = folder / "ours.safetensors"
            out.unlink(missing_ok=True)
            done = subprocess.run([args.shoal, "words", "prepare", glosses, "--out", out, "--language", "none", "--min-count", "1",
                                   "--model", model, "--threads", str(args.threads), "--json", "--overwrite"],
                                  capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            after = os.times()
            cpu.append(after.children_user + after.children_system - before.children_user - before.children_system)
            answer = json.loads(done.stdout)
            times.append(sum(s for step, s in answer["seconds"].items() if step != "load model"))
        t, texts, words = store_of(out)
        peer_rows = []
        for d, text in enumerate(texts):
            head = words[t["members"][t["offsets"][d]]]
            places, at = [], 0
            for part in text.replace(":", " ").split(" "):
                if part:
                    places.append((part.lower(), at, at + len(part)))
                at += len(part) + 1
            peer_rows.append({"text": text, "words": places})
            assert places[0][0] == head, (places[0], head)
        store = folder / "store.jsonl"
        store.write_text("".join(json.dumps(row) + "\n" for row in peer_rows), encoding="utf-8")
        peer_times = []
        for turn in range(args.turns):
            done = subprocess.run([args.python, "-c", PEER, model, str(store), str(args.threads), str(folder / "peer.npy")],
                                  capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr[-3000:])
            answer_peer = json.loads(done.stdout.splitlines()[-1])
            peer_times.append(answer_peer["seconds"])
            peer_cpu.append(answer_peer["cpu"])
        theirs = np.load(folder / "peer.npy").astype(np.float32)
        heads = np.zeros(len(t["members"]), bool)
        heads[t["offsets"][:-1]] = True
        ours = t["head_from"][~heads].astype(np.float32)
        print(json.dumps({
            "descriptions": answer["descriptions"], "tokens": answer["tokens"], "threads": args.threads,
            "shoal_seconds": round(statistics.median(times), 2), "peer_seconds": round(statistics.median(peer_times), 2),
            "ratio": round(statistics.median(peer_times) / statistics.median(times), 2),
            "shoal_cpu_seconds": round(statistics.median(cpu), 2), "peer_cpu_seconds": round(statistics.median(peer_cpu), 2),
            "cpu_ratio": round(statistics.median(peer_cpu) / statistics.median(cpu), 2),
            "shoal_tokens_a_second": round(answer["tokens"] / statistics.median(times)),
            "same_members": ours.shape == theirs.shape,
            "largest_difference": float(np.abs(ours - theirs).max()) if ours.shape == theirs.shape else None}, indent=1))


if __name__ == "__main__":
    main()
