"""Arrays of other libraries as NumPy arrays, in the same memory wherever there is a way to it.

No library is imported here. An object is known by the names of its classes, so its library is
loaded already; what a class offers is found out when the first of its objects comes.

An array that is returned is the argument itself, or has a base (it lies in another's memory), or
is a copy that is ours alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim_rs import _columns, _cosim_rs, _tensors

Reader = Callable[[str, Any], NDArray[Any]]


def as_array(name: str, argument: object) -> NDArray[Any]:
    """Make an array of an argument, without a copy where it lies in memory as one."""
    kind = type(argument)
    return (_seen.get(kind) or _reader(kind))(name, argument)


def _from_numpy(name: str, array: NDArray[Any]) -> NDArray[Any]:
    del name
    return np.asarray(array)  # of a subclass, the plain array


def _from_any(name: str, argument: Any) -> NDArray[Any]:
    """What NumPy itself knows: buffers, ``__array__``, nested sequences, numbers."""
    try:
        array = _cosim_rs.in_default_mode(lambda: np.asarray(argument))
    except ValueError as error:  # a ragged list
        raise ValueError(f"{name}: cannot be made an array: {error}") from None
    # What `__array__` gives may be what the object keeps.
    return array.view() if hasattr(argument, "__array__") else array


def _from_arrow_array(name: str, argument: Any) -> NDArray[Any]:
    """What offers Arrow data by its PyCapsule interface, in one piece."""
    array = _cosim_rs.arrow_array(name, argument.__arrow_c_array__())
    return _from_other_arrow(name, argument) if array is None else array


def _from_arrow_stream(name: str, argument: Any) -> NDArray[Any]:
    """What offers it in chunks; several are put together by a copy."""
    array = _cosim_rs.arrow_chunks(name, argument.__arrow_c_stream__())
    return _from_other_arrow(name, argument) if array is None else array


def _from_other_arrow(name: str, argument: Any) -> NDArray[Any]:
    """Arrow data that are no column of numbers: strings, say, or a table as a matrix."""
    if _root(type(argument)) in ("pyarrow", "polars"):
        return _columns.flat(name, argument)
    if hasattr(argument, "__array__"):
        return _from_any(name, argument)
    column = _columns.imported(argument)
    if column is None:
        got = f"{name}: got {type(argument).__name__}, which offers Arrow data that are no numbers"
        raise TypeError(f"{got}; expected pyarrow to be imported, which reads it")
    return _columns.flat(name, column)


def _from_pandas(name: str, series: Any) -> NDArray[Any]:
    """A series, index or array: numbers, Arrow's columns, or arrays as objects."""
    if hasattr(series.dtype, "pyarrow_dtype"):
        return _from_arrow_stream(name, getattr(series, "array", series).__arrow_array__())
    return _columns.from_pandas(name, series)


def _from_dlpack(name: str, argument: Any) -> NDArray[Any]:
    """What offers its memory by DLPack, or else an array."""
    _tensors.refuse_other_devices(name, argument)
    try:
        return np.from_dlpack(argument)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        if hasattr(argument, "__array__"):
            return _from_any(name, argument)
        raise TypeError(f"{name}: NumPy cannot take {type(argument).__name__}: {error}") from None


# By the root of the package that a class says it is from, and the name of the class.
_KNOWN: dict[tuple[str, str], Reader] = {
    ("numpy", "ndarray"): _from_numpy,
    ("torch", "Tensor"): _tensors.from_torch,
    ("jaxlib", "ArrayImpl"): _tensors.from_jax,
    ("tensorflow", "Variable"): _tensors.from_tensorflow_variable,
    ("tensorflow", "Tensor"): _tensors.from_tensorflow,
    ("pyarrow", "Array"): _from_arrow_array,
    ("pyarrow", "ChunkedArray"): _from_arrow_stream,
    ("pyarrow", "RecordBatch"): _from_any,
    ("pyarrow", "Table"): _from_any,
    ("pandas", "Series"): _from_pandas,
    ("pandas", "Index"): _from_pandas,
    ("pandas", "ExtensionArray"): _from_pandas,
    ("pandas", "DataFrame"): _from_any,
    ("polars", "Series"): _from_arrow_stream,
    ("polars", "DataFrame"): _from_any,
}


# Classes met before. Only those of known libraries: a class of the caller's own may be made anew
# for each call, and must not be kept from going.
_seen: dict[type, Reader] = {list: _from_any, tuple: _from_any}


def _root(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _reader(kind: type) -> Reader:
    """Say what reads objects of a class."""
    for base in kind.__mro__:
        reader = _KNOWN.get((_root(base), base.__name__))
        if reader is not None:
            if _root(kind) == _root(base):
                _seen[kind] = reader
            return reader
    if hasattr(kind, "__arrow_c_array__"):
        return _from_arrow_array
    if hasattr(kind, "__arrow_c_stream__"):
        return _from_arrow_stream
    if hasattr(kind, "__dlpack_device__"):
        return _from_dlpack
    return _tensors.refuse_cuda if hasattr(kind, "__cuda_array_interface__") else _from_any


__all__ = ["as_array"]
