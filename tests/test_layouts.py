"""Whatever its layout in memory, an array gives the bits of its contiguous copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import assert_same_bits, gaussian_rows
from layouts import FOREIGN_LAYOUTS, LAYOUTS
from ml_dtypes import bfloat16

import cosim_rs

ALL_LAYOUTS = LAYOUTS | FOREIGN_LAYOUTS
DTYPES = (np.float32, np.float64, np.float16, bfloat16, np.int8)
SHAPES = ((5, 9, 1), (3, 7, 16), (4, 6, 33), (2, 3, 100))


def inputs(*shape: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Numbers that are whole enough for int8."""
    return (gaussian_rows(*shape) * 30).clip(-127, 127).astype(dtype)


def contiguous(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy in native form."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


@pytest.mark.parametrize("layout", ALL_LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_batched(layout: str, dtype: npt.DTypeLike, shape: tuple[int, ...], tmp_path: Path) -> None:
    batch, _, length = shape
    items = ALL_LAYOUTS[layout](inputs(*shape, dtype=dtype), tmp_path)
    plain_items = contiguous(items)
    for users_shape in ((batch, length), (batch, 1, length)):
        users = ALL_LAYOUTS[layout](inputs(*users_shape, dtype=dtype), tmp_path)
        plain_users = contiguous(users)
        expected = cosim_rs.batched_cosine_similarity(plain_users, plain_items)
        for pair in ((users, items), (plain_users, items), (users, plain_items)):
            assert_same_bits(cosim_rs.batched_cosine_similarity(*pair), expected)


@pytest.mark.parametrize("layout", ALL_LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_paired_and_matrix(
    layout: str, dtype: npt.DTypeLike, shape: tuple[int, ...], tmp_path: Path
) -> None:
    _, count, length = shape
    x = ALL_LAYOUTS[layout](inputs(count, length, dtype=dtype), tmp_path)
    y = ALL_LAYOUTS[layout](inputs(count, length, dtype=dtype)[::-1] + dtype(1), tmp_path)
    plain_x, plain_y = contiguous(x), contiguous(y)
    for function in (cosim_rs.paired_cosine_similarity, cosim_rs.cosine_similarity):
        expected = function(plain_x, plain_y)
        for pair in ((x, y), (plain_x, y), (x, plain_y)):
            assert_same_bits(function(*pair), expected)
    assert_same_bits(cosim_rs.cosine_similarity(x), cosim_rs.cosine_similarity(plain_x))


@pytest.mark.parametrize("layout", ALL_LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_work_for_several_threads(layout: str, dtype: npt.DTypeLike, tmp_path: Path) -> None:
    """Blocks that start in the middle of a view find their rows."""
    users = ALL_LAYOUTS[layout](inputs(2, 65, dtype=dtype), tmp_path)
    items = ALL_LAYOUTS[layout](inputs(2, 4500, 65, dtype=dtype), tmp_path)
    expected = cosim_rs.batched_cosine_similarity(contiguous(users), contiguous(items), threads=1)
    assert_same_bits(cosim_rs.batched_cosine_similarity(users, items, threads=3), expected)
    rows = ALL_LAYOUTS[layout](inputs(800, 65, dtype=dtype), tmp_path)
    expected = cosim_rs.cosine_similarity(contiguous(rows), contiguous(rows), threads=1)
    assert_same_bits(cosim_rs.cosine_similarity(rows, threads=3), expected)
    assert_same_bits(cosim_rs.cosine_similarity(rows, rows[:], threads=3), expected)


def test_inputs_are_left_as_they_were(tmp_path: Path) -> None:
    for layout in ALL_LAYOUTS.values():
        users = layout(inputs(3, 33, dtype=np.float32), tmp_path)
        items = layout(inputs(3, 9, 33, dtype=np.float32), tmp_path)
        before = users.tobytes(), items.tobytes()
        cosim_rs.batched_cosine_similarity(users, items)
        cosim_rs.cosine_similarity(users, items[0])
        cosim_rs.paired_cosine_similarity(users, items[:, 0])
        assert (users.tobytes(), items.tobytes()) == before


def test_rows_that_overlap_one_another() -> None:
    """Sliding windows over a series: rows share their elements."""
    series = gaussian_rows(400)
    windows = np.lib.stride_tricks.sliding_window_view(series, 33)
    assert_same_bits(
        cosim_rs.cosine_similarity(windows), cosim_rs.cosine_similarity(windows.copy())
    )
    items = np.lib.stride_tricks.sliding_window_view(series, (33,))[None, ::-3]
    assert_same_bits(
        cosim_rs.batched_cosine_similarity(windows[:1], items),
        cosim_rs.batched_cosine_similarity(windows[:1].copy(), items.copy()),
    )
