"""One fixed, broad run of every entry point, and its digests.

Two runs with the same digests gave the same bits: that is how kernels, thread counts and
floating-point modes are compared, also across processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from entry_points import ENTRY_POINTS
from helpers import LENGTHS, SCORE_DTYPES, gaussian_rows

import cosim_rs

Array = npt.NDArray[Any]


def digests(**options: Any) -> dict[str, str]:
    """A short hash of the scores of each case; the options go to every call."""
    return {
        name: hashlib.sha256(scores.tobytes()).hexdigest()[:16]
        for name, scores in _cases(**options)
    }


def rows_of_every_magnitude(count: int, length: int, dtype: npt.DTypeLike, seed: int) -> Array:
    """Gaussian rows over the whole range of the dtype, some with zeros, NaN and infinity."""
    rows = gaussian_rows(count, length, seed=seed).astype(dtype)
    limits = np.finfo(dtype)
    # Three rows of four keep their size; the others step through the whole range.
    exponents = np.linspace(limits.minexp - limits.nmant, limits.maxexp - 3, count).astype(int)
    own_exponents = np.where(np.arange(count) % 4 == 0, exponents, 0)
    rows = np.ldexp(rows, own_exponents[:, None]).astype(dtype)
    if length:
        for place, value in enumerate((np.nan, np.inf, -np.inf)):
            rows[5 + 7 * place :: 29, place % length] = value
        rows[2::17] = -0.0
        rows[3::17, ::2] = 0.0
    return rows


def _cases(**options: Any) -> Iterator[tuple[str, Array]]:
    for dtype in SCORE_DTYPES:
        for length in LENGTHS:
            x = rows_of_every_magnitude(9, length, dtype, seed=1)
            y = rows_of_every_magnitude(37, length, dtype, seed=2)
            for name, entry_point in ENTRY_POINTS.items():
                case = f"{name} {dtype.__name__} {length}"
                yield case, entry_point(x, y, **options)
                yield f"{case} epsilon", entry_point(x, y, epsilon=0.7, **options)
        yield from _large_cases(dtype, **options)


def _large_cases(dtype: type[np.floating[Any]], **options: Any) -> Iterator[tuple[str, Array]]:
    """Work of several blocks, so that more than one thread takes part."""
    name = dtype.__name__
    for batch, count, length in ((3, 1500, 128), (70, 700, 33), (1, 9001, 65)):
        users = rows_of_every_magnitude(batch, length, dtype, seed=3)
        items = rows_of_every_magnitude(batch * count, length, dtype, seed=4)
        scores = cosim_rs.batched_cosine_similarity(
            users, items.reshape(batch, count, length), **options
        )
        yield f"large batched {name} {length}", scores
    x = rows_of_every_magnitude(30001, 31, dtype, seed=5)
    y = rows_of_every_magnitude(30001, 31, dtype, seed=6)
    yield f"large paired {name}", cosim_rs.paired_cosine_similarity(x, y, **options)
    x = rows_of_every_magnitude(301, 100, dtype, seed=7)
    y = rows_of_every_magnitude(2003, 100, dtype, seed=8)
    yield f"large matrix {name}", cosim_rs.cosine_similarity(x, y, **options)
    yield f"tall matrix {name}", cosim_rs.cosine_similarity(y, x, **options)
    yield f"large symmetric {name}", cosim_rs.cosine_similarity(y[:901], **options)
