"""Columns of vectors and lists in all forms that files have, and a catalogue's file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from helpers import gaussian_rows

import cosim_rs

Array = npt.NDArray[Any]
ITEMS, DIM = 300, 20


def catalogue(folder: Path, ids: Any = None, dtype: Any = np.float32) -> cosim_rs.Catalogue:
    """A catalogue that is in the file `items.safetensors`."""
    path = folder / "items.safetensors"
    items = gaussian_rows(ITEMS, DIM).astype(dtype)
    cosim_rs.Catalogue(items, None if ids is None else ids).save(path)
    return cosim_rs.Catalogue.open(path)


def lists(rows: Sequence[Any], value: pa.DataType | None = None) -> pa.Array:
    """A list a row, or null."""
    return pa.array(
        [None if row is None else list(row) for row in rows], pa.list_(value or pa.int64())
    )


def _offsets(rows: Array) -> Array:
    return np.arange(0, rows.size + 1, rows.shape[1])


def _flat(rows: Array) -> pa.Array:
    return pa.array(np.ascontiguousarray(rows).reshape(-1))


def _tensors(rows: Array, shape: tuple[int, ...]) -> pa.Array:
    kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(rows.dtype), shape)
    return pa.ExtensionArray.from_storage(kind, FORMS["fixed-size list"](rows))


FORMS: dict[str, Callable[[Array], pa.Array]] = {
    "fixed-size list": lambda rows: pa.FixedSizeListArray.from_arrays(_flat(rows), rows.shape[1]),
    "list": lambda rows: pa.ListArray.from_arrays(
        pa.array(_offsets(rows).astype(np.int32)), _flat(rows)
    ),
    "large list": lambda rows: pa.LargeListArray.from_arrays(pa.array(_offsets(rows)), _flat(rows)),
    "tensor": lambda rows: _tensors(rows, (rows.shape[1],)),
    "tensor of an axis of 1": lambda rows: _tensors(rows, (1, rows.shape[1])),
}
"""Rows of numbers as a column."""


def _marks(is_null: Array) -> pa.Buffer:
    """Arrow's own marks of which rows are there."""
    return pa.py_buffer(np.packbits(~is_null, bitorder="little").tobytes())


def nulled(column: pa.Array, is_null: Array) -> pa.Array:
    """The same memory, where some rows are null and what was there is under them."""
    if isinstance(column, pa.ExtensionArray):
        return pa.ExtensionArray.from_storage(column.type, nulled(column.storage, is_null))
    _, *offsets = column.buffers()[: 1 + (not pa.types.is_fixed_size_list(column.type))]
    return pa.Array.from_buffers(
        column.type, len(column), [_marks(is_null), *offsets], children=[column.values]
    )


def found_by(rows: pa.RecordBatch) -> list[list[tuple[Any, float]]]:
    """The items and scores of each row."""
    return [
        [(pair["item_id"], pair["score"]) for pair in row]
        for row in rows.column("recommendations").to_pylist()
    ]


def expected(found: cosim_rs.TopK) -> list[list[tuple[Any, float]]]:
    """The same of what `Catalogue.top_k` finds, without what fills up a row."""
    return [
        [(item, score) for item, score in zip(*row, strict=True) if score > -np.inf]
        for row in zip(found.ids.tolist(), found.scores.tolist(), strict=True)
    ]
