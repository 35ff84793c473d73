"""Calls that take as long as a test wants, from hardly any memory.

Their arrays are broadcasts of one long row, which the functions read in place. How many rows
make a second depends on machine and kernel, so a few shorter calls are timed first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import cosim_rs

Array = npt.NDArray[Any]

LENGTH = 65_536
COLUMNS = 32
# Less than this is too little to extrapolate from.
TRIAL_SECONDS = 0.2

# For each: the function, the shapes of its arguments, and of its output, for a number of rows.
_CALLS: dict[str, tuple[Callable[..., Array], Callable[[int], list[tuple[int, ...]]]]] = {
    "batched": (
        cosim_rs.batched_cosine_similarity,
        lambda rows: [(rows, LENGTH), (rows, COLUMNS, LENGTH), (rows, COLUMNS)],
    ),
    "paired": (
        cosim_rs.paired_cosine_similarity,
        lambda rows: [(rows, LENGTH), (rows, LENGTH), (rows,)],
    ),
    "matrix": (
        cosim_rs.cosine_similarity,
        lambda rows: [(rows, LENGTH), (COLUMNS, LENGTH), (rows, COLUMNS)],
    ),
    "symmetric": (
        cosim_rs.cosine_similarity,
        lambda rows: [(rows, LENGTH), (rows, rows)],
    ),
}

LONG_CALLS = tuple(_CALLS)


def long_call(name: str, seconds: float, **options: Any) -> tuple[Callable[[], Array], Array]:
    """A call of about that many seconds, ready to run, and its output, filled with NaN."""
    rows = 16
    while True:
        call, _ = _prepared(name, rows, **options)
        started = time.perf_counter()
        call()
        elapsed = time.perf_counter() - started
        if elapsed >= TRIAL_SECONDS:
            break
        rows *= 2
    growth = seconds / elapsed
    if name == "symmetric":
        growth **= 0.5
    return _prepared(name, int(rows * growth) + 1, **options)


def _prepared(name: str, rows: int, **options: Any) -> tuple[Callable[[], Array], Array]:
    function, shapes_of = _CALLS[name]
    *input_shapes, output_shape = shapes_of(rows)
    row = np.linspace(-1, 2, LENGTH, dtype=np.float32)
    inputs = [np.broadcast_to(row, shape) for shape in input_shapes]
    out = np.full(output_shape, np.nan, np.float32)
    return lambda: function(*inputs, out=out, **options), out
