#!/usr/bin/env python3
"""Writes tests/golden/numpy: one table of numbers in every type and order that NumPy keeps it in, and what NumPy itself makes of it
as float32 (NAME.want.npy beside NAME). Needs NumPy."""
import json
import pathlib
import shutil
import struct

import numpy as np

OUT = pathlib.Path(__file__).resolve().parent / "numpy"
ROWS, COLS = 70, 3  # more rows than one tile that is turned


def table(kind):
    """Numbers that use the type's range, at odd places too."""
    draw = np.random.default_rng(11)
    if kind.kind == "b":
        return draw.random((ROWS, COLS)) < 0.5
    if kind.kind in "iu":
        info = np.iinfo(kind)
        x = draw.integers(info.min, info.max, (ROWS, COLS), dtype=kind.newbyteorder("="), endpoint=True)
        x[0] = [info.min, info.max, 1]
        return x.astype(kind)
    x = draw.normal(size=(ROWS, COLS)) * 10.0 ** draw.integers(-6, 5, (ROWS, COLS))
    x[0] = [np.nan, np.inf, -np.inf]
    x[1] = [-0.0, 1e-7, 65504.0]
    if kind.itemsize == 8:
        x[2] = [3.4028234663852886e38, 1e-45, 1e-60]  # the largest float32, a subnormal one, and what becomes 0
        x[3] = [1 + 2.0**-24, 1 + 3 * 2.0**-24, 16777217.0]  # ties
    with np.errstate(over="ignore"):
        return x.astype(kind)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    want = lambda name, x: np.save(OUT / f"{name}.want.npy", np.ascontiguousarray(x.astype("<f4")))
    for code in ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]:
        one_byte = np.dtype(code).itemsize == 1
        for order in ["<"] if one_byte else ["<", ">"]:
            x = table(np.dtype(order + code))
            for fortran in [False, True]:
                name = f"{x.dtype.name}_{'big' if order == '>' else 'little'}_{'fortran' if fortran else 'c'}.npy"
                np.save(OUT / name, np.asfortranarray(x) if fortran else x)
                want(name, x)
    x, y = table(np.dtype("<f8")), table(np.dtype(">i4"))
    words = np.array([["a", "bc"], ["d", "e"]])
    np.savez(OUT / "stored.npz", numbers=x, ids=np.arange(ROWS), words=words, objects=np.array([[None, 1]], dtype=object))
    want("stored.npz", x)
    np.savez_compressed(OUT / "packed.npz", ids=np.arange(ROWS), x=np.asfortranarray(y))
    want("packed.npz", y)
    np.savez_compressed(OUT / "named.npz", a=y, embeddings=x, b=y)
    want("named.npz", x)
    np.savez(OUT / "one.npz", x)  # arr_0
    want("one.npz", x)

    bits = np.random.default_rng(3).integers(0, 1 << 16, (ROWS, COLS), dtype="<u2")
    for name, tensors in {"bf16.safetensors": {"vectors": ("BF16", bits)}, "f64.safetensors": {"x": ("F64", x)},
                          "two.safetensors": {"a": ("F32", x.astype("<f4")), "embeddings": ("F64", x)}}.items():
        header, at = {}, 0
        for key, (kind, values) in tensors.items():
            header[key] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
            at += values.nbytes
        text = json.dumps(header).encode()
        (OUT / name).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(v.tobytes() for _, v in tensors.values()))
    want("bf16.safetensors", (bits.astype("<u4") << 16).view("<f4"))
    want("f64.safetensors", x)
    want("two.safetensors", x)


main()
