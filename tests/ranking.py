"""What a search must find, the stable sort of the score matrix, and items that make it hard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from helpers import assert_same_bits, gaussian_rows

import cosim_rs

Array = npt.NDArray[Any]


def sorted_matrix(scores: Array, k: int, banned: Array | None = None) -> cosim_rs.TopK:
    """The best k of a score matrix by NumPy's stable sort; NaN and what is banned come last."""
    ranked = np.where(np.isnan(scores), -np.inf, scores).astype(scores.dtype)
    if banned is not None:
        ranked[banned] = -np.inf
    order = np.argsort(-ranked, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(ranked, order, axis=1)
    return cosim_rs.TopK(best, np.where(np.isneginf(best), -1, order))


def assert_same(found: cosim_rs.TopK, expected: cosim_rs.TopK) -> None:
    """Raise unless scores and indices are the same bits."""
    assert_same_bits(found.scores, expected.scores)
    assert_same_bits(found.indices, expected.indices)


def with_holes(rows: Array) -> Array:
    """Some rows zero, NaN or infinite."""
    rows[::7], rows[3::11, 0], rows[5::13, -1] = 0, np.nan, np.inf
    return rows


ITEMS: dict[str, Callable[[int, int], Array]] = {
    "gaussian": gaussian_rows,
    "all alike": lambda n, d: np.ones((n, d)),
    "duplicates": lambda n, d: np.repeat(gaussian_rows(n // 8 + 1, d), 8, axis=0)[:n],
    "near duplicates": lambda n, d: gaussian_rows(1, d) + 1e-7 * gaussian_rows(n, d, seed=1),
    "one giant coordinate": lambda n, d: gaussian_rows(n, d) + 1e6 * (np.arange(d) == 0),
    "one-hot": lambda n, d: np.eye(d)[np.arange(n) % d],
    "holes": lambda n, d: with_holes(gaussian_rows(n, d)),
    "magnitudes": lambda n, d: gaussian_rows(n, d) * 10.0 ** np.linspace(-35, 35, n)[:, None],
    "ascending": lambda n, d: np.linspace(0, 1, n)[:, None] + gaussian_rows(1, d),
    "negative": lambda n, d: -np.abs(gaussian_rows(n, d)),
    "integers": lambda n, d: np.random.default_rng(0).integers(-1, 2, (n, d)).astype(float),
}
