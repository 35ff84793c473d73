"""Columns of a record batch, as arrays.

A column may be a slice of a longer one, and what lies under a null is anything. Vectors without
nulls are read where they lie. Where there are nulls the others are copied, and each null becomes a
vector of NaN: it finds nothing then and has no score, as the contract says, without a rule of its
own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cosim_rs import _arrays
from cosim_rs._arrays import Vectors
from cosim_rs.batch._errors import ColumnError
from cosim_rs.batch._plain import plain

LISTS = (pa.types.is_fixed_size_list, pa.types.is_list, pa.types.is_large_list)
NUMBERS = (pa.types.is_floating, pa.types.is_integer)


class Rows(NamedTuple):
    """The vectors of a column."""

    vectors: Vectors
    """Shape (U, D); where there is none, all NaN."""
    missing: NDArray[np.bool_]
    """Where there is none, for a null or one inside."""

    def not_finite(self, suspects: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows have a NaN or an infinity, if all such are among the suspects.

        What such a one finds, or scores, gives it away; so the usual batch has no suspects.
        """
        found = suspects.copy()
        if suspects.any():
            found[suspects] = ~np.isfinite(self.vectors[suspects]).all(axis=1)
        return found

    def skipped(self, not_finite: NDArray[np.bool_]) -> dict[str, int]:
        """How many rows have no vector, and how many others one that is not finite."""
        null = int(np.count_nonzero(self.missing))
        return {"null": null, "not finite": int(np.count_nonzero(not_finite)) - null}


class Lists(NamedTuple):
    """The lists of a column."""

    starts: NDArray[np.int64]
    """Where each row begins, and the last one ends."""
    values: pa.Array
    """What they hold, row after row."""


def check_batch(batch: pa.RecordBatch) -> None:
    """TypeError if it is none."""
    if not isinstance(batch, pa.RecordBatch):
        raise TypeError(f"batch: got {type(batch).__name__}, expected pyarrow.RecordBatch")


def column_of(batch: pa.RecordBatch, name: str) -> pa.Array:
    """The column of this name, of which there must be one, in a plain form."""
    found = batch.schema.get_all_field_indices(name)
    if len(found) != 1:
        got = "columns of that name" if found else f"only {', '.join(batch.schema.names) or 'none'}"
        raise ColumnError(name, None, f"got {got}, expected one column")
    return plain(batch.column(found[0]))


def is_vectors(kind: pa.DataType) -> bool:
    """Whether columns of this type hold vectors."""
    if isinstance(kind, pa.FixedShapeTensorType):
        lengths: list[int] = kind.shape
        return sum(length > 1 for length in lengths) <= 1
    value = kind.value_type if _is_list(kind) else kind
    return _is_list(kind) and any(is_kind(value) for is_kind in NUMBERS)


def _is_list(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in LISTS)


def dim_of(batch: pa.RecordBatch, name: str) -> int | None:
    """The length of the vectors in a column, if it has any or its type says it."""
    column = _stored(batch, name)
    if pa.types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    lengths = pc.list_value_length(column).drop_null()
    return int(lengths[0].as_py()) if len(lengths) else None


def vectors_of(batch: pa.RecordBatch, name: str, dim: int, alike: str = "as the items") -> Rows:
    """The vectors of a column, each of length `dim`, as what is named by `alike`."""
    column = _stored(batch, name)
    if pa.types.is_fixed_size_list(column.type) and column.type.list_size != dim:
        got = f"got vectors of {column.type.list_size} numbers, expected {dim}, {alike}"
        raise ColumnError(name, None, got)
    missing = _missing(column)
    lengths = pc.list_value_length(column).fill_null(0).to_numpy()
    differs = ~missing & (lengths != dim)
    if differs.any():
        row = int(differs.argmax())
        got = f"got a vector of {lengths[row]} numbers, expected {dim}, {alike}"
        raise ColumnError(name, row, got)
    has_all = not missing.any()
    present = column if has_all else column.filter(pa.array(~missing))
    vectors = _arrays.as_input(name, present).reshape(len(present), dim)
    return Rows(vectors if has_all else _spread(vectors, missing), missing)


def _stored(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column of vectors, as lists."""
    column = column_of(batch, name)
    if not is_vectors(column.type):
        wanted = "lists of numbers, of fixed size or not, or fixed-shape tensors"
        raise ColumnError(name, None, f"got {column.type}, expected {wanted}")
    # Of a tensor's axes all but one have the length 1, so their order is all one.
    return column.storage if isinstance(column, pa.FixedShapeTensorArray) else column


def _missing(column: pa.Array) -> NDArray[np.bool_]:
    """Which lists are null or hold a null."""
    missing = ~np.asarray(column.is_valid())
    values = column.flatten()  # of the lists that are not null
    if values.null_count:
        missing[pc.list_parent_indices(column).filter(values.is_null()).to_numpy()] = True
    return missing


def _spread(present: Vectors, missing: NDArray[np.bool_]) -> Vectors:
    """All rows, with NaN where there is none, in a dtype that has NaN and keeps the scores."""
    dtype = present.dtype if present.dtype.kind == "f" else np.dtype(np.float32)
    vectors = np.full((len(missing), present.shape[1]), np.nan, dtype)
    vectors[~missing] = present
    return vectors


def lists_of(batch: pa.RecordBatch, name: str) -> Lists:
    """The lists of a column; a null is an empty one."""
    column = column_of(batch, name)
    if not _is_list(column.type):
        raise ColumnError(name, None, f"got {column.type}, expected lists of items")
    lengths = pc.list_value_length(column).fill_null(0).to_numpy()
    starts = np.zeros(len(column) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return Lists(starts, column.flatten())


__all__ = [
    "Lists",
    "Rows",
    "check_batch",
    "column_of",
    "is_vectors",
    "lists_of",
    "plain",
    "vectors_of",
]
