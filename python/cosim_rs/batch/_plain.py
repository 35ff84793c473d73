"""Columns in the few forms that all of Arrow's functions take.

Of views, which are how Polars writes strings, little can be made in Arrow yet. What lies under a
null list some functions leave out and others do not. So a column is brought to a plainer form where
it is first looked at; most have it, and stay where they lie.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def plain(column: pa.Array) -> pa.Array:
    """A column without a dictionary or views, and without anything under a list that is null."""
    kind = _plain(column.type)
    if column.type != kind:
        column = column.cast(kind)
    if pa.types.is_dictionary(kind):
        return column.dictionary_decode()
    has_offsets = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return _emptied(column) if has_offsets and column.null_count else column


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type without views."""
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _plain(kind.value_type), kind.ordered)
    if pa.types.is_list(kind):
        return pa.list_(_item(kind))
    if pa.types.is_large_list(kind):
        return pa.large_list(_item(kind))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_item(kind), kind.list_size)
    # Large ones hold the same, whatever its size.
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def _item(lists: pa.DataType) -> pa.Field:
    return lists.value_field.with_type(_plain(lists.value_type))


def _emptied(lists: pa.Array) -> pa.Array:
    """The same lists, with nothing under those that are null."""
    is_null = lists.is_null()
    starts = lists.offsets.to_numpy()
    lengths = np.where(is_null, 0, np.diff(starts))
    if lengths.sum() == starts[-1] - starts[0]:
        return lists
    packed = np.concatenate([[0], np.cumsum(lengths)]).astype(starts.dtype)
    made = pa.array(packed), lists.flatten()
    return type(lists).from_arrays(*made, type=lists.type, mask=is_null)


__all__ = ["plain"]
