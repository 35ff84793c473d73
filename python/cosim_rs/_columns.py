"""Columns of vectors, of Arrow, pandas and polars, as NumPy arrays of the same memory.

Lists of one length lie one after the other in a flat column of numbers. So a reader goes down from
the lists to what they hold, keeps the length at each level, and shapes the flat numbers once. A
slice is a start and a length at the top; what lies below still begins at its own beginning.
"""

import math
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cosim_rs import _cosim_rs

Array = NDArray[Any]

# Arrow's own numbers of its types.
EXTENSION, FIXED_SIZE_LIST = 31, 32
NUMBERS: dict[int, np.dtype[Any]] = {
    3: np.dtype(np.int8),
    10: np.dtype(np.float16),
    11: np.dtype(np.float32),
    12: np.dtype(np.float64),
}


def from_arrow(name: str, array: Any, first: int = 0) -> Array:
    """A pyarrow array, whose rows are counted from `first`."""
    kind = array.type
    if kind.id == EXTENSION and type(array).__name__ == "FixedShapeTensorArray":
        rows = from_arrow(name, array.storage, first).reshape(len(array), *kind.shape)
        axes = kind.permutation
        return rows if axes is None else rows.transpose(0, *(axis + 1 for axis in axes))
    whole = _whole(array, kind)
    return _rows(name, array, first) if whole is None else whole


def from_chunked(name: str, column: Any) -> Array:
    """A pyarrow chunked array; several chunks are put together by a copy."""
    if column.num_chunks == 1:
        return from_arrow(name, column.chunk(0))
    arrays: list[Array] = []
    first = 0
    for chunk in column.chunks:
        if len(chunk):
            array = from_arrow(name, chunk, first)
            if arrays and array.shape[1:] != arrays[0].shape[1:]:
                _refuse_ragged(name, first, array.shape[1:], arrays[0].shape[1:])
            arrays.append(array)
            first += len(chunk)
    return np.concatenate(arrays) if arrays else from_arrow(name, column.combine_chunks())


def _whole(array: Any, kind: Any) -> Array | None:
    """Lists without nulls that fill their buffer, so that no level can begin elsewhere.

    What most columns are, in a third of the time that going down the levels takes.
    """
    count = len(array)
    shape = [count]
    while kind.id == FIXED_SIZE_LIST:
        size = kind.list_size
        shape.append(size)
        count *= size
        kind = kind.value_type
    dtype = NUMBERS.get(kind.id)
    if dtype is None:
        return None
    buffers = array.buffers()
    numbers = buffers.pop()
    if numbers is None or any(buffers):  # the others are marks of nulls
        return None
    return np.ndarray(shape, dtype, numbers) if numbers.size == count * dtype.itemsize else None


def _rows(name: str, array: Any, first: int) -> Array:
    """Any other array, level by level."""
    shape = [len(array)]
    while True:
        if array.null_count:
            is_null = array.is_null().to_numpy(zero_copy_only=False)
            _refuse_null(name, first + _row(is_null, shape))
        kind = type(array).__name__
        if kind == "FixedSizeListArray":
            size = array.type.list_size
            start = array.offset * size
        elif kind in ("ListArray", "LargeListArray"):
            offsets = array.offsets.to_numpy()
            size = _common_length(name, np.diff(offsets), first, shape)
            start = int(offsets[0])
        else:
            return _flat(name, array, zero_copy_only=False).reshape(shape)
        shape.append(size)
        array, count = array.values, math.prod(shape)
        if len(array) != count:
            array = array.slice(start, count)


def from_polars(name: str, series: Any) -> Array:
    """A polars series; several chunks are put together by a copy."""
    shape = [len(series)]
    while True:
        if series.null_count():
            _refuse_null(name, _row(series.is_null().to_numpy(), shape))
        kind = series.dtype.base_type().__name__
        if kind == "Array":
            size = series.dtype.size
        elif kind == "List":
            size = _common_length(name, series.list.len().to_numpy(), 0, shape)
        else:
            return _flat(name, series).reshape(shape)
        shape.append(size)
        series = series.explode().head(math.prod(shape))  # an empty list may leave a null


def from_pandas(name: str, series: Any) -> Array:
    """A pandas series, index or array: numbers, Arrow's columns, or arrays as objects."""
    if isinstance(series.dtype, np.dtype):
        array = series.to_numpy()
        return _stacked(name, array) if array.dtype == object else array
    if hasattr(series.dtype, "pyarrow_dtype"):
        return from_chunked(name, getattr(series, "array", series).__arrow_array__())
    is_null = np.asarray(series.isna())
    if is_null.any():
        _refuse_null(name, int(is_null.argmax()))
    return _flat(name, series)


def imported(argument: Any) -> Any:
    """What an object offers by Arrow's PyCapsule interface; None if nothing here can read it."""
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None:
        return None
    is_array = hasattr(argument, "__arrow_c_array__")
    return pyarrow.array(argument) if is_array else pyarrow.chunked_array(argument)


def is_table(column: Any) -> bool:
    """Say whether a row has fields with names."""
    return str(column.type).startswith("struct")


def _flat(name: str, column: Any, **options: Any) -> Array:
    """A column without lists; what NumPy has no numbers for is taken value by value."""
    try:
        array: Array = column.to_numpy(**options)
        array = _stacked(name, array) if array.dtype == object else array
    except (NotImplementedError, TypeError):
        array = np.empty(0, object)
    if array.dtype == object or array.ndim != 1:  # records, and what else has parts
        kind = getattr(column, "type", None) or column.dtype
        raise TypeError(f"{name}: got a column of {kind}, expected numbers")
    return array


def _stacked(name: str, values: Iterable[Any]) -> Array:
    """Arrays or lists of one shape, a row each, in a new array."""
    return _cosim_rs.in_default_mode(lambda: _stack(name, values))


def _stack(name: str, values: Iterable[Any]) -> Array:
    rows: list[Array] = []
    for row, value in enumerate(values):
        try:
            rows.append(np.asarray(value))
        except (RuntimeError, TypeError, ValueError) as error:  # a tensor elsewhere, a ragged list
            kind = ValueError if isinstance(error, ValueError) else TypeError
            raise kind(f"{name}: row {row} cannot be made an array: {error}") from None
        # pandas writes NaN for a row that is missing.
        is_missing = isinstance(value, float) and math.isnan(value)
        holds_null = rows[row].dtype == object and any(_is_null(one) for one in rows[row].flat)
        if is_missing or holds_null:
            _refuse_null(name, row)
        if rows[row].shape != rows[0].shape:
            _refuse_ragged(name, row, rows[row].shape, rows[0].shape)
    return np.stack(rows) if rows else np.empty(0)


def _is_null(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _row(is_null: Array, shape: list[int]) -> int:
    """The row of the first null in the flat values of a level."""
    return int(is_null.argmax()) // math.prod(shape[1:])


def _common_length(name: str, lengths: Array, first: int, shape: list[int]) -> int:
    """The length of all the lists of a level."""
    if not len(lengths):
        return 0
    differs = lengths != lengths[0]
    if differs.any():
        row = first + _row(differs, shape)
        _refuse_ragged(name, row, (int(lengths[differs.argmax()]),), (int(lengths[0]),))
    return int(lengths[0])


def _refuse_null(name: str, row: int) -> NoReturn:
    raise ValueError(f"{name}: got a null in row {row}, expected none")


def _refuse_ragged(name: str, row: int, got: tuple[int, ...], wanted: tuple[int, ...]) -> NoReturn:
    raise ValueError(f"{name}: got a row {row} of shape {got}, expected {wanted}, as before it")


__all__ = ["from_arrow", "from_pandas", "from_polars", "imported", "is_table"]
