#!/usr/bin/env python3
"""What a page of `shoal words show` keeps: of each word's nearest words at a time, the share that is nearest on the map of that time
too; and how far words move on it from one time to the next, as parts of the map's extent.

usage: words_show.py PAGE.html     needs NumPy
"""
import base64
import gzip
import json
import pathlib
import re
import sys

import numpy as np


def main(path):
    page = pathlib.Path(path).read_text()
    block = lambda name: re.search(rf'id="{name}">(.*?)</script>', page).group(1)
    numbers = lambda name, kind: np.frombuffer(gzip.decompress(base64.b64decode(block(name))), kind)
    meta = json.loads(block("meta"))
    words, times, k = len(meta["words"]), len(meta["epochs"]), meta["near"]
    places = numbers("b-points", np.int16).reshape(times, words, 2) / 32767
    near = numbers("b-near", np.uint16).reshape(times, words, k)
    jumps = np.median(np.linalg.norm(np.diff(places, axis=0), axis=2), axis=1) / 2
    print(f"epoch  kept of the {k} nearest  median way since the time before")
    for t, epoch in enumerate(meta["epochs"]):
        far = ((places[t][:, None] - places[t][None]) ** 2).sum(-1)
        np.fill_diagonal(far, np.inf)
        on_map = np.argpartition(far, k, axis=1)[:, :k]
        kept = np.mean([len(set(a) & set(b)) / k for a, b in zip(on_map, near[t])])
        print(f"{epoch:5d}  {kept:21.3f}  {jumps[t - 1]:.3f}" if t else f"{epoch:5d}  {kept:21.3f}")


main(*sys.argv[1:])
