"""Items, and users with what they have seen: ``python -m benches.batch.data FOLDER USERS``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import cosim_rs

ITEMS, DIM, SEEN = 50_000, 64, 20
GROUP = 65_536
"""Rows of a row group."""


def vectors(rows: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), DIM)


def main() -> None:
    folder, users = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    ids = 1000 + rng.permutation(ITEMS)
    items = rng.standard_normal((ITEMS, DIM), dtype=np.float32)
    cosim_rs.Catalogue(items, ids).save(folder / "items.safetensors")
    pq.write_table(pa.table({"item_id": ids, "vector": vectors(items)}), folder / "items.parquet")
    writer = None
    for first in range(0, users, GROUP):
        count = min(GROUP, users - first)
        starts = np.arange(0, count * SEEN + 1, SEEN, dtype=np.int32)
        seen = rng.choice(ids, count * SEEN)
        columns = {
            "user_id": np.arange(first, first + count),
            "vector": vectors(rng.standard_normal((count, DIM), dtype=np.float32)),
            "seen": pa.ListArray.from_arrays(pa.array(starts), pa.array(seen)),
        }
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(folder / "users.parquet", table.schema)
        writer.write_table(table, row_group_size=GROUP)
    assert writer is not None
    writer.close()


if __name__ == "__main__":
    main()
