"""Empty shapes of every kind have scores of the right shape; empty vectors score 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import assert_same_bits
from layouts import FOREIGN_LAYOUTS, LAYOUTS

import cosim_rs

Shape = tuple[int, ...]

# Two inputs (or one) and the scores.
BATCHED: list[tuple[Shape, Shape, Shape]] = [
    ((0, 4), (0, 3, 4), (0, 3)),
    ((0, 1, 4), (0, 3, 4), (0, 3)),
    ((2, 4), (2, 0, 4), (2, 0)),
    ((2, 1, 4), (2, 0, 4), (2, 0)),
    ((2, 0), (2, 3, 0), (2, 3)),
    ((2, 1, 0), (2, 3, 0), (2, 3)),
    ((0, 0), (0, 0, 0), (0, 0)),
    ((0, 4), (0, 10**9, 4), (0, 10**9)),
    ((10**6, 4), (10**6, 0, 4), (10**6, 0)),
]
PAIRED: list[tuple[Shape, Shape, Shape]] = [
    ((0, 4), (0, 4), (0,)),
    ((3, 0), (3, 0), (3,)),
    ((0, 0), (0, 0), (0,)),
]
MATRIX: list[tuple[Shape, Shape | None, Shape]] = [
    ((0, 4), (3, 4), (0, 3)),
    ((3, 4), (0, 4), (3, 0)),
    ((2, 0), (3, 0), (2, 3)),
    ((2000, 0), (3000, 0), (2000, 3000)),
    ((0, 4), (0, 4), (0, 0)),
    ((0, 0), (0, 0), (0, 0)),
    ((0, 4), None, (0, 0)),
    ((3, 0), None, (3, 3)),
    ((0, 0), None, (0, 0)),
]
CASES = [
    (function, *shapes)
    for function, cases in (
        (cosim_rs.batched_cosine_similarity, BATCHED),
        (cosim_rs.paired_cosine_similarity, PAIRED),
        (cosim_rs.cosine_similarity, MATRIX),
    )
    for shapes in cases
]

every_case = pytest.mark.parametrize(("function", "first", "second", "expected"), CASES)


@every_case
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8, np.int64])
def test_shape_dtype_and_zeros(
    function: Any, first: Shape, second: Shape | None, expected: Shape, dtype: npt.DTypeLike
) -> None:
    inputs = [np.ones(shape, dtype) for shape in (first, second) if shape is not None]
    score_dtype = np.float64 if dtype in (np.float64, np.int64) else np.float32
    zeros = np.zeros(expected, score_dtype)
    assert_same_bits(function(*inputs), zeros)
    out = np.full(expected, 7, score_dtype)
    assert function(*inputs, out=out, epsilon=0.5, threads=4) is out
    assert_same_bits(out, zeros)


@every_case
@pytest.mark.parametrize("layout", LAYOUTS | FOREIGN_LAYOUTS)
def test_every_layout(
    function: Any,
    first: Shape,
    second: Shape | None,
    expected: Shape,
    layout: str,
    tmp_path: Path,
) -> None:
    make = (LAYOUTS | FOREIGN_LAYOUTS)[layout]
    shapes = [shape for shape in (first, second) if shape is not None]
    if max(max(shape) for shape in shapes) > 10_000:
        # Some layouts of these would fill the memory or the disk.
        shapes = [tuple(min(length, 10) for length in shape) for shape in shapes]
        expected = tuple(min(length, 10) for length in expected)
    inputs = [make(np.ones(shape, np.float32), tmp_path) for shape in shapes]
    assert_same_bits(function(*inputs), np.zeros(expected, np.float32))


def test_empty_lists() -> None:
    assert_same_bits(cosim_rs.cosine_similarity([[]], [[], []]), np.zeros((1, 2)))
    assert_same_bits(cosim_rs.paired_cosine_similarity([[], []], [[], []]), np.zeros(2))
    assert_same_bits(cosim_rs.batched_cosine_similarity([[]], [[[], []]]), np.zeros((1, 2)))
