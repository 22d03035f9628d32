#!/usr/bin/env python3
"""Writes tests/golden/torch: files as torch.save writes them (a zip of a pickle and storages), by Python's own pickle and zipfile,
beside what their tensors are (safetensors). torch itself is not needed. Needs NumPy."""
import collections
import io
import json
import pathlib
import pickle
import shutil
import struct
import sys
import types
import zipfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "torch"


def module(name, **members):
    made = types.ModuleType(name)
    for key, value in members.items():
        value.__module__, value.__qualname__, value.__name__ = name, key, key
        setattr(made, key, value)
    sys.modules[name] = made
    return made


KINDS = {"FloatStorage": ("F32", "<f4"), "HalfStorage": ("F16", "<f2"), "BFloat16Storage": ("BF16", "<u2"), "DoubleStorage": ("F64", "<f8"),
         "LongStorage": ("I64", "<i8"), "IntStorage": ("I32", "<i4"), "ShortStorage": ("I16", "<i2"), "CharStorage": ("I8", "<i1"),
         "ByteStorage": ("U8", "<u1"), "BoolStorage": ("BOOL", "?")}
torch = module("torch", **{name: type(name, (), {}) for name in KINDS})
utils = module("torch._utils", _rebuild_tensor_v2=lambda *a: None, _rebuild_parameter=lambda *a: None)


class Storage:
    def __init__(self, kind, numbers):
        self.kind, self.numbers = kind, np.ascontiguousarray(numbers, dtype=KINDS[kind][1])


class Tensor:
    """A view of a storage."""

    def __init__(self, storage, shape=None, strides=None, offset=0, parameter=False):
        self.storage, self.offset, self.parameter = storage, offset, parameter
        self.shape = tuple(storage.numbers.shape if shape is None else shape)
        self.strides = strides or tuple(int(np.prod(self.shape[i + 1:])) for i in range(len(self.shape)))

    def __reduce__(self):
        made = (utils._rebuild_tensor_v2, (self.storage, self.offset, self.shape, self.strides, False, collections.OrderedDict()))
        return (utils._rebuild_parameter, (Built(made), True, collections.OrderedDict())) if self.parameter else made

    def numbers(self):
        flat, width = self.storage.numbers.reshape(-1), self.storage.numbers.itemsize
        view = np.lib.stride_tricks.as_strided(flat[self.offset:], self.shape, [s * width for s in self.strides])
        return np.array(view, order="C")  # ascontiguousarray gives a single number a side


class Built:
    def __init__(self, how):
        self.how = how

    def __reduce__(self):
        return self.how


def save(path, state, protocol=2, byteorder=b"little", extra=()):
    storages = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, Storage):
                return None
            if item not in storages:
                storages.append(item)
            return ("storage", getattr(torch, item.kind), str(storages.index(item)), "cpu", item.numbers.size)

    out = io.BytesIO()
    Pickler(out, protocol).dump(state)
    name = pathlib.Path(path).stem
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        put = lambda member, data: file.writestr(zipfile.ZipInfo(f"{name}/{member}"), data)
        put("data.pkl", out.getvalue())
        put("byteorder", byteorder)
        for i, storage in enumerate(storages):
            put(f"data/{i}", storage.numbers.tobytes())
        put("version", b"3\n")
        for member in extra:
            put(member, b"")


def write_safetensors(path, tensors):
    header, at, parts = {}, 0, []
    for name, (dtype, numbers) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(numbers.shape), "data_offsets": [at, at + numbers.nbytes]}
        at += numbers.nbytes
        parts.append(numbers.tobytes())
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    of = {dtype: np.dtype(code) for dtype, code in KINDS.values()}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = (8 + size + at for at in entry["data_offsets"])
            yield name, entry["dtype"], np.frombuffer(data[begin:end], of[entry["dtype"]]).reshape(entry["shape"])


class Calls:
    def __init__(self, function, *arguments):
        self.how = (function, arguments)

    def __reduce__(self):
        return self.how


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    draw = np.random.default_rng(5)
    pool = Storage("FloatStorage", draw.normal(size=60))
    state = collections.OrderedDict()
    for kind, (_, code) in KINDS.items():
        shape = (3, 4)
        raw = draw.integers(0, 2, shape) if code == "?" else draw.normal(size=shape) * 50
        state[kind] = Tensor(Storage(kind, draw.integers(0, 0x7F00, shape) if code == "<u2" else raw.astype(code)))
    state["turned"] = Tensor(Storage("HalfStorage", draw.normal(size=(5, 7))), (7, 5), (1, 7))
    state["part"] = Tensor(pool, (2, 3), offset=7)
    state["same storage"] = Tensor(pool, (10,), offset=50)
    state["every second"] = Tensor(pool, (4, 5), (10, 2), offset=1)
    state["one row"] = Tensor(pool, (1, 6), (999, 1), offset=3)
    state["parameter"] = Tensor(Storage("FloatStorage", draw.normal(size=(2, 2))), parameter=True)
    state["number"] = Tensor(Storage("LongStorage", np.array([7])), ())
    state["empty"] = Tensor(Storage("FloatStorage", np.zeros(0)), (0, 3))
    state._metadata = collections.OrderedDict([("", {"version": 1})])  # as Module.state_dict() has it
    want = {name: (KINDS[t.storage.kind][0], t.numbers()) for name, t in state.items()}
    write_safetensors(OUT / "state.safetensors", want)
    for protocol in (2, 3, 4, 5):
        save(OUT / f"protocol{protocol}.bin", state, protocol)
    save(OUT / "dict.bin", dict(state) | {"epoch": 3, "lr": 0.5, "note": "text", "list": [1, (2, 3)], "none": None, "flag": True})

    with_model = collections.OrderedDict()
    everything = list(read_safetensors(HERE / "encoder" / "bert_old" / "model.safetensors"))
    whole = Storage("FloatStorage", np.concatenate([numbers.reshape(-1) for _, _, numbers in everything]))
    at = 0
    for i, (name, _, numbers) in enumerate(everything):  # one storage for some, columns first for some others
        if i % 3 == 0 or numbers.ndim != 2:
            with_model[name] = Tensor(whole, numbers.shape, offset=at)
        else:
            turned = Storage("FloatStorage", numbers.T)
            with_model[name] = Tensor(turned, numbers.shape, (1, numbers.shape[0]), parameter=i % 2 == 0)
        at += numbers.size
    save(OUT / "model.bin", with_model)

    import os
    good = Tensor(Storage("FloatStorage", np.ones(3)))
    save(OUT / "runs_system.bin", {"w": good, "x": Calls(os.system, "touch /tmp/shoal-was-run")})
    save(OUT / "runs_eval.bin", {"w": Calls(eval, "1 + 1")}, 4)
    save(OUT / "big.bin", {"w": good}, byteorder=b"big")
    save(OUT / "script.bin", {"w": good}, extra=["constants.pkl", "code/x.py"])
    save(OUT / "list.bin", [good])
    save(OUT / "no_tensors.bin", {"a": 1})
    save(OUT / "beyond.bin", {"w": Tensor(good.storage, (2, 2))})
    save(OUT / "beyond_strided.bin", {"w": Tensor(good.storage, (2, 2), (1, 2))})
    save(OUT / "expanded.bin", {"w": Tensor(good.storage, (1 << 20, 1 << 20, 3), (0, 0, 1))})
    for name, times in (("expanded_some.bin", 8), ("expanded_often.bin", 40)):  # 4 MB each when copied
        save(OUT / name, {f"w{i}": Tensor(good.storage, (1 << 20,), (0,)) for i in range(times)})
    save(OUT / "tied.bin", {f"w{i}": Tensor(good.storage) for i in range(100)})
    save(OUT / "sides.bin", {"w": Tensor(good.storage, (1,) * 65, (1,) * 65)})
    save(OUT / "set.bin", {"w": good, "x": {1, 2}}, 4)
    old = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e80024de9032e") + b"\0" * 64  # how files before torch 1.6 begin
    (OUT / "old.bin").write_bytes(old)
    (OUT / "text.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


main()
