"""Columns, of pandas and of what is no number in Arrow, as NumPy arrays.

Columns of Arrow's numbers, in lists or not, are read in Rust, where they lie. What comes here is
converted by its own library, or is taken value by value: strings as ids, arrays as objects.
"""

import math
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cosim_rs import _cosim_rs

Array = NDArray[Any]


def from_pandas(name: str, series: Any) -> Array:
    """A pandas series, index or array: numbers, or arrays as objects."""
    if isinstance(series.dtype, np.dtype):
        array = series.to_numpy()
        return _stacked(name, array) if array.dtype == object else array
    is_null = np.asarray(series.isna())
    if is_null.any():
        _refuse_null(name, int(is_null.argmax()))
    return flat(name, series)


def imported(argument: Any) -> Any:
    """A column of pyarrow of what another object offers; None if pyarrow is not there."""
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None:
        return None
    is_array = hasattr(argument, "__arrow_c_array__")
    return pyarrow.array(argument) if is_array else pyarrow.chunked_array(argument)


def flat(name: str, column: Any) -> Array:
    """A column without lists; what NumPy has no numbers for is taken value by value."""
    try:
        array: Array = np.asarray(column)
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


def _refuse_null(name: str, row: int) -> NoReturn:
    raise ValueError(f"{name}: got a null in row {row}, expected none")


def _refuse_ragged(name: str, row: int, got: tuple[int, ...], wanted: tuple[int, ...]) -> NoReturn:
    raise ValueError(f"{name}: got a row {row} of shape {got}, expected {wanted}, as before it")


__all__ = ["flat", "from_pandas", "imported"]
