"""One array laid out in memory in every way that NumPy allows and a kernel may meet.

A layout takes a contiguous array of at least two axes and a folder for files, and returns an
array of the same shape and dtype. Its values are the same too, but for the two broadcast ones,
which repeat the first row or the first column: compare with the answer for a fresh copy.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Layout = Callable[[Array, Path], Array]


def _embedded(array: Array, *steps: int) -> Array:
    """The array as every ``steps``-th element of a larger one, with a margin all around."""
    shape = [abs(step) * length + 2 for step, length in zip(steps, array.shape, strict=True)]
    larger = np.full(shape, 99, array.dtype)
    view = larger[
        tuple(
            slice(1, 1 + abs(step) * length, abs(step))
            for step, length in zip(steps, array.shape, strict=True)
        )
    ]
    view = view[tuple(slice(None, None, -1 if step < 0 else 1) for step in steps)]
    view[...] = array
    return view


def _steps(array: Array, first: int, last: int) -> tuple[int, ...]:
    return (first, *(1 for _ in array.shape[1:-1]), last)


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _memory_mapped(array: Array, folder: Path) -> Array:
    # A file of its own: writing to one that is still mapped would change another array.
    path = folder / f"{len(list(folder.iterdir()))}.npy"
    np.save(path, array)
    # NumPy cannot map an empty file; such an array is loaded whole. bfloat16 is saved as bits.
    return np.load(path, mmap_mode="r" if array.size else None).view(array.dtype)


LAYOUTS: dict[str, Layout] = {
    "contiguous": lambda array, _: array.copy(),
    "fortran": lambda array, _: np.asfortranarray(array),
    "axes swapped": lambda array, _: array.swapaxes(0, 1).copy().swapaxes(0, 1),
    "strided last axis": lambda array, _: _embedded(array, *_steps(array, 1, 2)),
    "strided rows": lambda array, _: _embedded(array, *_steps(array, 3, 1)),
    "reversed last axis": lambda array, _: _embedded(array, *_steps(array, 1, -1)),
    "reversed rows": lambda array, _: _embedded(array, *_steps(array, -1, 1)),
    "reversed and strided": lambda array, _: _embedded(array, *(-2 for _ in array.shape)),
    "middle of a larger array": lambda array, _: _embedded(array, *(1 for _ in array.shape)),
    "broadcast rows": lambda array, _: np.broadcast_to(array[:1].copy(), array.shape),
    "broadcast last axis": lambda array, _: np.broadcast_to(array[..., :1].copy(), array.shape),
    "read-only": lambda array, _: _read_only(array),
    "memory-mapped": _memory_mapped,
}

# What NumPy allows but a kernel cannot read in place: copied to the native form of its dtype.
FOREIGN_LAYOUTS: dict[str, Layout] = {
    "foreign byte order": lambda array, _: array.astype(array.dtype.newbyteorder("S")),
    "misaligned": lambda array, _: _misaligned(array),
}


def _misaligned(array: Array) -> Array:
    buffer = np.empty(array.nbytes + 1, np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view
