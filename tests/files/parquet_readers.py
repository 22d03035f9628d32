#!/usr/bin/env python3
"""What pyarrow, pandas, DuckDB and Polars see in the Parquet files that shoal writes.

    pip install pyarrow pandas duckdb polars
    python3 tests/files/parquet_readers.py build/ci/shoal

Prints the type that each gives the column of vectors; exit status 1 if a column, a type or a value is another.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq

DIMS = 384


def main(shoal):
    rows = [{"text": f"the {word} is here", "id": i, "share": i / 4, "yes": i % 2 == 0, "day": "2024-01-02",
             "at": "2024-01-02T03:04:05", "utc": "2024-01-02T03:04:05.5Z", "nest": {"a": [i]}, "none": None}
            for i, word in enumerate(["cat", "dog", "bank", "stock", "soup", "bread"] * 4)]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        embedded, exported, plain = folder / "e.parquet", folder / "x.parquet", folder / "e.npy"
        for arguments in (["embed", folder / "rows.jsonl", "--text", "text", "--out", embedded],
                          ["map", folder / "rows.jsonl", "--text", "text", "--clusters", "2", "--out", folder / "c.shoal"],
                          ["export", folder / "c.shoal", "--vectors", "--out", exported]):
            subprocess.run([shoal, *map(str, arguments), "--quiet"], check=True)
        expected = {"text": pa.string(), "id": pa.int64(), "share": pa.float64(), "yes": pa.bool_(), "day": pa.date32(),
                    "at": pa.timestamp("us"), "utc": pa.timestamp("us", "UTC"), "nest": pa.string(), "none": pa.string(),
                    "vector": pa.list_(pa.field("element", pa.float32(), False), DIMS)}
        for path in (embedded, exported):
            table = pq.read_table(path)
            table.validate(full=True)
            for name, type in expected.items():
                assert table.schema.field(name).type == type, (path, name, table.schema.field(name).type)
            assert table["id"].to_pylist() == [row["id"] for row in rows]
            vectors = table["vector"].to_pylist()
            frame = pandas.read_parquet(path)
            assert frame["vector"].map(list).tolist() == vectors and len(frame) == len(rows)
            columns = polars.read_parquet(path)
            assert columns["vector"].to_list() == vectors and columns.columns == table.column_names
            relation = duckdb.sql(f"SELECT * FROM '{path}'")
            found = dict(zip(relation.columns, map(str, relation.types)))
            as_array = duckdb.sql(f"SELECT vector::FLOAT[{DIMS}] AS v FROM '{path}'")
            assert [list(row[0]) for row in as_array.fetchall()] == vectors
            print(path.name, "| pyarrow", table.schema.field("vector").type, "| pandas", type_of(frame["vector"][0]), "| polars",
                  columns["vector"].dtype, "| DuckDB", found["vector"])
            assert columns["vector"].dtype == polars.Array(polars.Float32, DIMS)


def type_of(value):
    return f"{type(value).__name__} {getattr(value, 'shape', '')} {getattr(value, 'dtype', '')}"


if __name__ == "__main__":
    main(sys.argv[1])
