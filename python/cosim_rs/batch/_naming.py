"""Ids of a catalogue looked up for whole columns, and rows named.

Numbers that lie close together are looked up in a table; others, and the bytes of strings, by
Arrow's `index_in`, which hashes all ids anew in each call. That grows with the items as the scan of
them does that follows, and is little beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from cosim_rs._arrays import fitting
from cosim_rs._interchange import as_array
from cosim_rs.batch._plain import plain

Places = NDArray[np.int64]

TEXTS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
)

SPARSEST = 8
"""The most entries of a table for an id."""


class Naming:
    """Ids, no two alike, by their places."""

    def __init__(self, ids: pa.Array) -> None:
        """Prepare the looking up."""
        self.ids = ids
        # Bytes may be no text, so texts are compared as bytes. Any number of them fits a large one.
        self._keys = ids.cast(pa.large_binary()) if _is_text(ids.type) else ids
        self._table, self._least = _table(ids)

    @classmethod
    def of(cls, ids: NDArray[Any]) -> Naming:
        """Ids as a catalogue has them."""
        return cls(column_of_ids(ids))

    def find(self, values: pa.Array) -> Places:
        """The places of the values, and -1 of what is no id; TypeError if none could be."""
        if pa.types.is_dictionary(values.type):
            places: Places = np.append(self.find(values.dictionary), -1)
            # In a type that has a number for the place behind all values, too.
            rows = np.asarray(values.indices.cast(pa.int64()).fill_null(len(places) - 1))
            return places.take(rows)
        if pa.types.is_null(values.type) or pa.types.is_null(self.ids.type):
            return np.full(len(values), -1)
        alike = self._alike(values)
        if self._table is None:
            found = pc.index_in(alike, value_set=self._keys, skip_nulls=True)
            return np.asarray(found.fill_null(-1), np.int64)
        offsets = np.asarray(alike.fill_null(0)).astype(np.int64) - self._least
        is_inside = (offsets >= 0) & (offsets < len(self._table))
        if alike.null_count:
            is_inside &= np.asarray(alike.is_valid())
        if is_inside.all():
            return self._table.take(offsets)
        return np.where(is_inside, self._table.take(np.where(is_inside, offsets, 0)), -1)

    def _alike(self, values: pa.Array) -> pa.Array:
        """Values in the type that ids are looked up in; what it cannot hold is null."""
        kind = self._keys.type
        are_numbers = pa.types.is_integer(kind)
        fits = pa.types.is_integer if are_numbers else _is_text
        if not fits(values.type):
            wanted = "whole numbers" if are_numbers else "strings"
            raise TypeError(f"got {values.type}, expected {wanted}, as the ids")
        if values.type == kind:
            return values
        return (_within(values, kind) if are_numbers else values).cast(kind)

    def named(self, places: Places) -> pa.Array:
        """The ids at these places."""
        if pa.types.is_integer(self.ids.type):
            return pa.array(self.ids.to_numpy()[places])
        return self.ids.take(pa.array(places))


def given_ids(argument: str, ids: ArrayLike | pa.Array) -> pa.Array:
    """Ids in any form as a column; TypeError or ValueError if they have no axis, or several."""
    if isinstance(ids, pa.Array):
        return plain(ids)
    array = as_array(argument, ids)
    if array.ndim == 0:
        raise TypeError(f"{argument}: got {type(ids).__name__}, expected an array of ids")
    if array.ndim != 1:
        raise fitting(argument, array.shape, "(M,) of ids")
    return column_of_ids(array)


def column_of_ids(ids: NDArray[Any]) -> pa.Array:
    """Numbers, texts or bytes, as a column."""
    if ids.dtype.kind in "iuU":
        return pa.array(ids)
    return pa.array(ids.tolist(), {"T": pa.string(), "S": pa.binary()}.get(ids.dtype.kind))


def _table(ids: pa.Array) -> tuple[Places | None, int]:
    """The place of each number from the least id to the greatest, if they lie close together."""
    if not pa.types.is_integer(ids.type) or not len(ids):
        return None, 0
    least, most = (int(value) for value in pc.min_max(ids).as_py().values())
    span = most - least + 1
    if most >= 2**63 or span > SPARSEST * len(ids) + 1024:
        return None, 0
    table = np.full(span, -1)
    table[ids.to_numpy().astype(np.int64) - least] = np.arange(len(ids))
    return table, least


def _within(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Whole numbers, and null for those that a type cannot hold."""
    least, most = _limits(values.type), _limits(kind)
    low, high = max(least[0], most[0]), min(least[1], most[1])
    is_inside = pc.and_(
        pc.greater_equal(values, pa.scalar(low, values.type)),
        pc.less_equal(values, pa.scalar(high, values.type)),
    )
    return pc.if_else(is_inside, values, pa.scalar(None, values.type))


def _limits(kind: pa.DataType) -> tuple[int, int]:
    limits = np.iinfo(kind.to_pandas_dtype())
    return int(limits.min), int(limits.max)


def _is_text(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in TEXTS)


__all__ = ["Naming", "Places", "given_ids"]
