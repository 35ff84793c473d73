"""Arrays in files, of which is known what they are before they are read.

What a header says is compared with the length of the file before anything is mapped or made room
for. So a file can claim what it likes: it is refused, and costs no memory.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosim_rs.cli._errors import BadData

Array = NDArray[Any]

# What names the arrays of formats that have no names for them.
ID, VECTOR = "id", "vector"


class Stored(NamedTuple):
    """An array in a file: what it is, and how to get it."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    load: Callable[[], Array]


Arrays = dict[str, Stored]


@contextlib.contextmanager
def told_of(path: Path) -> Iterator[None]:
    """Tell what is wrong with a file, whatever its parser raises at it."""
    try:
        yield
    except (BadData, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # EINVAL is for a place before the beginning, which an archive may name
        message = str(error).removeprefix(f"{path}: ") or type(error).__name__
        raise BadData(message, path) from None


def mapped(
    path: Path,
    start: int,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    order: Literal["C", "F"] = "C",
) -> Stored:
    """An array that begins somewhere in a file, which must be long enough."""
    end, size = start + math.prod(shape) * dtype.itemsize, os.path.getsize(path)
    if end > size:
        raise ValueError(f"got {size} bytes, expected {end} for shape {shape}: it was cut off")

    def load() -> Array:
        if not math.prod(shape) * dtype.itemsize:
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", start, shape, order)

    return Stored(dtype, shape, load)


__all__ = ["ID", "VECTOR", "Array", "Arrays", "Stored", "mapped", "told_of"]
