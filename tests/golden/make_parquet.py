#!/usr/bin/env python3
"""Makes the Parquet files of parquet/ and what their cells are, for src/shoal/read/parquet_test.cpp.

    pip install pyarrow==26.0.1
    python3 tests/golden/make_parquet.py

types.parquet: a column of each type, with nulls, in three row groups; types.json: their cells as [kind, text], kind s a
string, n null, j JSON. codec_*.parquet: the same small table under each compression and both versions of pages.
vectors_*.parquet: lists of float16, float32 and float64. vectors_bad_*: a null, another length.
"""
import datetime
import decimal
import json
import pathlib
import uuid

import numpy
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent / "parquet"
HERE.mkdir(exist_ok=True)
N = 7
UTC = datetime.timezone.utc


def some(values):
    """The values round and round, every fourth row null."""
    return [None if i % 4 == 3 else values[i % len(values)] for i in range(N)]


def cells(values, kind, text):
    return [["n", ""] if v is None else [kind, text(v)] for v in values]


columns, expected = {}, {}


def column(name, values, type, kind, text=str):
    columns[name] = pa.array(values, type)
    expected[name] = cells(values, kind, text)


words = some(["plain", "two\nlines, \"quoted\"", "\u0434\u043e\u043c \u00e9\u6f22"])
columns["text"] = pa.array(["text %d of the file" % i for i in range(N)])
expected["text"] = [["s", "text %d of the file" % i] for i in range(N)]
column("word", words, pa.string(), "s")
column("large_word", words, pa.large_string(), "s")
column("dictionary", words, pa.dictionary(pa.int32(), pa.string()), "s")
column("binary", some([b"as text", b"\xff\x00\x01"]), pa.binary(), "s",
       lambda b: "as text" if b == b"as text" else "/wAB")
for bits in (8, 16, 32, 64):
    column(f"int{bits}", some([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0]), getattr(pa, f"int{bits}")(), "j")
    column(f"uint{bits}", some([2**bits - 1, 1]), getattr(pa, f"uint{bits}")(), "j")
column("half", some([numpy.float16(1.5), numpy.float16(-0.1), numpy.float16(6e-8)]), pa.float16(), "j",
       lambda x: str(numpy.float32(x)))
column("single", some([numpy.float32(0.1), numpy.float32(1e20), numpy.float32(-3)]), pa.float32(), "j", str)
column("double", some([0.1, 1e300, -2.0, 1e-7, 123456789012345680.0]), pa.float64(), "j", repr)
columns["odd"] = pa.array([float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1e16, 1e15])
expected["odd"] = [["j", t] for t in ["NaN", "Infinity", "-Infinity", "0.0", "-0.0", "1e+16", "1000000000000000.0"]]
column("yes", some([True, False]), pa.bool_(), "j", lambda b: str(b).lower())
column("price", some([decimal.Decimal("12.50"), decimal.Decimal("-0.05"), decimal.Decimal("99999.99")]),
       pa.decimal128(7, 2), "j")
column("huge", some([decimal.Decimal(10) ** 30, decimal.Decimal(-7)]), pa.decimal256(50, 0), "j", lambda d: str(int(d)))
column("date", some([datetime.date(2024, 2, 29), datetime.date(1, 1, 1), datetime.date(1969, 12, 31)]), pa.date32(), "s",
       lambda d: d.isoformat())
column("time_ms", some([datetime.time(9, 5), datetime.time(23, 59, 59, 7000)]), pa.time32("ms"), "s",
       lambda t: t.isoformat("milliseconds" if t.microsecond else "seconds"))
column("time_us", some([datetime.time(9, 5, 1, 25)]), pa.time64("us"), "s", lambda t: t.isoformat())
moments = some([datetime.datetime(2024, 2, 29, 1, 2, 3), datetime.datetime(1950, 1, 1, 23, 0, 0, 120000)])
iso = lambda t: t.isoformat("T", "milliseconds" if t.microsecond else "seconds")
for unit in ("ms", "us", "ns"):
    column(f"stamp_{unit}", moments, pa.timestamp(unit), "s", iso)
    column(f"utc_{unit}", [t and t.replace(tzinfo=UTC) for t in moments], pa.timestamp(unit, "UTC"), "s",
           lambda t: iso(t.replace(tzinfo=None)) + "Z")
column("list", some([[1, 2], [], [3, None]]), pa.list_(pa.int32()), "j", lambda v: json.dumps(v, separators=(",", ":")))
column("lists", some([[["a"], []], [None, ["b", "c"]]]), pa.list_(pa.list_(pa.string())), "j",
       lambda v: json.dumps(v, separators=(",", ":")))
column("struct", some([{"a": 1, "b": "x"}, {"a": None, "b": "\"y\""}]), pa.struct([("a", pa.int64()), ("b", pa.string())]),
       "j", lambda v: json.dumps(v, separators=(",", ":")))
column("structs", some([[{"d": datetime.date(2020, 1, 2)}], []]), pa.list_(pa.struct([("d", pa.date32())])), "j",
       lambda v: json.dumps([{"d": x["d"].isoformat()} for x in v], separators=(",", ":")))
column("map", some([[("k", 1), ("l", None)], []]), pa.map_(pa.string(), pa.int32()), "j",
       lambda v: json.dumps(dict(v), separators=(",", ":")))
column("short_floats", some([[0.5, 1.0], []]), pa.list_(pa.float32()), "j", lambda v: json.dumps(v, separators=(",", ":")))
column("uuid", some([uuid.UUID(int=2**100 + 5).bytes]), pa.uuid(), "s", lambda b: str(uuid.UUID(bytes=b)))
column("nothing", [None] * N, pa.null(), "s")
columns["vector"] = pa.array([[float(i + j) for j in range(16)] for i in range(N)], pa.list_(pa.float32(), 16))

pq.write_table(pa.table(columns), HERE / "types.parquet", row_group_size=3, compression="zstd")
(HERE / "types.json").write_text(json.dumps({"pyarrow": pa.__version__, "cells": expected}, indent=0) + "\n")

small = pa.table({"text": ["row %d says hello to you" % (i % 50) for i in range(300)],
                  "n": pa.array([None if i % 7 == 0 else i for i in range(300)], pa.int64())})
for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
    for version in ("1.0", "2.0"):
        pq.write_table(small, HERE / f"codec_{codec}_{version[0]}.parquet", compression=codec, data_page_version=version,
                       row_group_size=128)
stamps = pa.table({"text": ["a", "b"], "t": pa.array([datetime.datetime(2024, 2, 29, 1, 2, 3), None], pa.timestamp("ns"))})
pq.write_table(stamps, HERE / "int96.parquet", use_deprecated_int96_timestamps=True)

numbers = numpy.arange(40, dtype="float64").reshape(10, 4) / 8
for name, type in (("half", pa.float16()), ("single", pa.float32()), ("double", pa.float64())):
    for shape, size in (("fixed", 4), ("list", -1)):
        values = [row.astype("float16") if name == "half" else row for row in numbers]
        column_of = pa.array([list(v) for v in values], pa.list_(type, size))
        pq.write_table(pa.table({"id": list(range(10)), "v": column_of}), HERE / f"vectors_{name}_{shape}.parquet",
                       row_group_size=4)
pq.write_table(pa.table({"v": pa.array([[1.0, 2.0], None], pa.list_(pa.float32()))}), HERE / "vectors_bad_null.parquet")
pq.write_table(pa.table({"v": pa.array([[1.0, 2.0], [1.0, None]], pa.list_(pa.float32()))}), HERE / "vectors_bad_inside.parquet")
pq.write_table(pa.table({"v": pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float32()))}), HERE / "vectors_bad_length.parquet")
pq.write_table(pa.table({"v": pa.array(numpy.ones((3, 20), "float32").tolist(), pa.list_(pa.float32(), 20))}),
               HERE / "vectors_alone.parquet")

# Small files of much: they must be read, a batch at a time.
long = "the same long text, over and over " * 600
pq.write_table(pa.table({"text": [long] * 5000, "n": list(range(5000))}), HERE / "long_same.parquet", compression="zstd")
pq.write_table(pa.table({"text": ["a zero"] * 500, "v": pa.array([[0.0] * 10000] * 500, pa.list_(pa.float32()))}),
               HERE / "zeros.parquet", compression="zstd")
pq.write_table(pa.table({"text": ["no %d" % i for i in range(3000)], "v": pa.array([[None] * 3000] * 3000, pa.list_(pa.int32()))}),
               HERE / "nulls.parquet", compression="zstd", write_statistics=False)
pq.write_table(pa.table({"text": [long + str(i) for i in range(3000)]}), HERE / "long_delta.parquet", compression="zstd",
               use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"}, write_statistics=False)
pq.write_table(pa.table({"text": pa.array([], pa.string())}), HERE / "no_rows.parquet")
pq.write_table(pa.table({}), HERE / "no_columns.parquet")
pq.write_table(pa.table({"text": ["a", "b"], "title": pa.array([[1.0, 0.0], [0.0, 1.0]], pa.list_(pa.float32(), 2)),
                         "body": pa.array([[0.0, 1.0], [1.0, 0.0]], pa.list_(pa.float64(), 2))}), HERE / "vectors_two.parquet")


# Hostile files: what they claim stands in runs, and takes no room. By hand, since no library writes them.
def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def struct(*fields):
    """Thrift's compact protocol: fields as (number, type, bytes)."""
    out, last = b"", 0
    for number, kind, value in fields:
        out += bytes([number - last << 4 | kind]) + value
        last = number
    return out + b"\0"


def i32(number, value):
    return (number, 5, zigzag(value))


def i64(number, value):
    return (number, 6, zigzag(value))


def text(number, value):
    return (number, 8, varint(len(value)) + value.encode())


def listed(number, kind, items):
    return (number, 9, bytes([len(items) << 4 | kind]) + b"".join(items))


def page(first, levels, definition, physical):
    """A page of a list that goes on over pages: only the first level of the first page begins a row."""
    rep = (varint(1 << 1) + b"\0" if first else b"") + varint((levels - first) << 1) + b"\1"
    runs = varint(levels << 1) + bytes([definition])
    data = len(rep).to_bytes(4, "little") + rep + len(runs).to_bytes(4, "little") + runs
    if definition == 3:  # all are the dictionary's first
        data += b"\1" + varint(levels << 1) + b"\0"
    header = struct(i32(1, 0), i32(2, len(data)), i32(3, len(data)),
                    (5, 12, struct(i32(1, levels), i32(2, 8 if definition == 3 else 0), i32(3, 3), i32(4, 3))))
    return header + data


def hostile(path, pages, levels, definition, columns=1):
    body, metadata, schema = b"PAR1", [], [struct(text(4, "schema"), i32(5, columns + 1))]
    chunks = []

    def add(data, names, physical, values, dictionary):
        nonlocal body
        begin = len(body)
        body += data
        offsets = [i64(9, begin + dictionary), *([i64(11, begin)] if dictionary else [])]
        chunks.append(struct(i64(2, begin), (3, 12, struct(
            i32(1, physical), listed(2, 5, [zigzag(0), zigzag(3), zigzag(8)]),
            listed(3, 8, [varint(len(n)) + n.encode() for n in names]), i32(4, 0), i64(5, values),
            i64(6, len(data)), i64(7, len(data)), *offsets))))

    value = (4).to_bytes(4, "little") + b"evil"
    schema.append(struct(i32(1, 6), i32(3, 0), text(4, "text"), i32(6, 0)))
    header = struct(i32(1, 0), i32(2, len(value)), i32(3, len(value)), (5, 12, struct(i32(1, 1), i32(2, 0), i32(3, 3), i32(4, 3))))
    add(header + value, ["text"], 6, 1, 0)
    for c in range(columns):
        schema += [struct(i32(3, 1), text(4, f"v{c}"), i32(5, 1), i32(6, 3)), struct(i32(3, 2), text(4, "list"), i32(5, 1)),
                   struct(i32(1, 6), i32(3, 1), text(4, "element"), i32(6, 0))]
        data = b""
        if definition == 3:
            data = struct(i32(1, 2), i32(2, len(value)), i32(3, len(value)), (7, 12, struct(i32(1, 1), i32(2, 0)))) + value
        dictionary = len(data)
        data += b"".join(page(i == 0, levels, definition, 6) for i in range(pages))
        add(data, [f"v{c}", "list", "element"], 6, pages * levels, dictionary)
    group = struct(listed(1, 12, chunks), i64(2, len(body)), i64(3, 1))
    elements = bytes([0xF0 | 12]) + varint(len(schema)) + b"".join(schema)
    footer = struct(i32(1, 1), (2, 9, elements), i64(3, 1), listed(4, 12, [group]))
    path.write_bytes(body + footer + len(footer).to_bytes(4, "little") + b"PAR1")


hostile(HERE / "hostile_honest.parquet", 3, 10, 3)  # that what follows is refused for its claims alone
hostile(HERE / "hostile_nulls.parquet", 40, 1 << 24, 2)
hostile(HERE / "hostile_words.parquet", 40, 200_000, 3)  # no page is too much, a few are
hostile(HERE / "hostile_page.parquet", 1, (1 << 31) - 1, 2)
hostile(HERE / "hostile_columns.parquet", 1, 1 << 18, 3, 12)
