"""The same job in pyarrow and NumPy: ``python -m benches.batch.peer WAY FOLDER OUTPUT``.

``blas``: the matrix product on all threads. ``workers``: a thread a CPU, each with products of its
own. Either way an argpartition of each row of scores. ``groups``: as the workers, but the greatest
score of each of 1,000 groups of items is found first, and only the k best groups, which must hold
the k best items, are partitioned. That is no job anyone would call the obvious one, and shows how
much of the ratio is argpartition's.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

WAY = sys.argv[1]
if WAY != "blas":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402 -- after its threads were set
import pyarrow as pa  # noqa: E402
import pyarrow.compute as pc  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

K, GROUPS = 10, 1000
BATCH, BLOCK = 8192, 128
"""Rows that are read, and that are multiplied, at a time: more than that was slower."""

Array = np.ndarray[Any, Any]


def unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def matrix(column: pa.Array) -> Array:
    return column.flatten().to_numpy().reshape(len(column), -1)


def best_of(scores: Array) -> Array:
    return np.argpartition(scores, -K, axis=1)[:, -K:]


def best_by_groups(scores: Array) -> Array:
    """Item i is in group i modulo GROUPS, so that a maximum runs along the memory."""
    groups = best_of(scores.reshape(len(scores), -1, GROUPS).max(axis=1))
    members = np.arange(0, scores.shape[1], GROUPS)
    candidates = (groups[:, :, None] + members).reshape(len(scores), -1)
    best = best_of(np.take_along_axis(scores, candidates, 1))
    return np.take_along_axis(candidates, best, 1)


def block(users: Array, items: Array, rows: Array, seen: Array) -> tuple[Array, Array]:
    scores = users @ items
    scores[rows, seen] = -np.inf
    best = best_by_groups(scores) if WAY == "groups" else best_of(scores)
    found = np.take_along_axis(scores, best, 1)
    order = np.argsort(-found, axis=1, kind="stable")
    return np.take_along_axis(best, order, 1), np.take_along_axis(found, order, 1)


def blocks(batch: pa.RecordBatch, ids: pa.Array, items: Array) -> list[tuple[Array, ...]]:
    """The arguments of `block` for a batch."""
    users, seen = unit(matrix(batch["vector"])), batch["seen"]
    lengths = pc.list_value_length(seen).to_numpy()
    starts = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.repeat(np.arange(len(batch)), lengths)
    places = pc.index_in(seen.flatten(), value_set=ids).to_numpy()
    cuts = [(first, min(first + BLOCK, len(batch))) for first in range(0, len(batch), BLOCK)]
    return [
        (
            users[first:end],
            items,
            rows[starts[first] : starts[end]] - first,
            places[starts[first] : starts[end]],
        )
        for first, end in cuts
    ]


def main() -> None:
    folder, output = Path(sys.argv[2]), Path(sys.argv[3])
    output.mkdir()
    table = pq.read_table(folder / "items.parquet").combine_chunks()
    ids = table["item_id"].chunk(0)
    items = np.ascontiguousarray(unit(matrix(table["vector"].chunk(0))).T)
    writer = None
    users = pq.ParquetFile(folder / "users.parquet", pre_buffer=False, buffer_size=1 << 18)
    with ThreadPoolExecutor(1 if WAY == "blas" else os.cpu_count()) as pool:
        for batch in users.iter_batches(BATCH):
            done = list(pool.map(lambda some: block(*some), blocks(batch, ids, items)))
            best, found = (np.concatenate(parts) for parts in zip(*done, strict=True))
            pairs = [ids.take(pa.array(best.ravel())), pa.array(found.ravel())]
            lists = pa.ListArray.from_arrays(
                pa.array(np.arange(0, best.size + 1, K, dtype=np.int32)),
                pa.StructArray.from_arrays(pairs, ["item_id", "score"]),
            )
            result = pa.table({"user_id": batch["user_id"], "recommendations": lists})
            writer = writer or pq.ParquetWriter(output / "all.parquet", result.schema)
            writer.write_table(result)
    assert writer is not None
    writer.close()


if __name__ == "__main__":
    main()
