"""`out` receives the scores and is what comes back, in any layout, and nothing beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import SCORE_DTYPES, assert_same_bits, gaussian_rows

import cosim_rs

Array = npt.NDArray[Any]

# For a place in a larger array: the larger one's shape, and the (5, 7) part that is `out`.
PLACES: dict[str, tuple[tuple[int, int], Any]] = {
    "contiguous": ((5, 7), np.s_[:, :]),
    "middle of a larger array": ((9, 12), np.s_[2:7, 3:10]),
    "strided": ((10, 21), np.s_[::2, 1::3]),
    "reversed columns": ((5, 7), np.s_[:, ::-1]),
    "reversed rows": ((5, 7), np.s_[::-1]),
    "reversed and strided": ((11, 15), np.s_[9::-2, 13::-2]),
}


def x_and_y(dtype: npt.DTypeLike) -> tuple[Array, Array]:
    """Rows for scores of shape (5, 7)."""
    return gaussian_rows(5, 33, dtype=dtype), gaussian_rows(7, 33, dtype=dtype)


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_layout(place: str, order: str, dtype: type, threads: int) -> None:
    x, y = x_and_y(dtype)
    expected = cosim_rs.cosine_similarity(x, y)
    items, ids = np.broadcast_to(y, (5, 7, 33)), np.tile(np.arange(7), (5, 1))
    listed = cosim_rs.candidate_cosine_similarity
    shape, part = PLACES[place]
    for call in (
        lambda out: cosim_rs.cosine_similarity(x, y, out=out, threads=threads),
        lambda out: cosim_rs.batched_cosine_similarity(x, items, out=out, threads=threads),
        lambda out: cosim_rs.batched_cosine_similarity(x[:, None], items, out=out),
        lambda out: listed(x, y, ids, out=out, threads=threads),
    ):
        larger = np.full(shape, 9, dtype, order=order)
        out = larger[part]
        assert call(out) is out
        assert_same_bits(out, expected)
        # Only the scores have changed.
        out[...] = 9
        assert (larger == 9).all()


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("step", [1, 3, -1, -2])
def test_every_stride_of_pairs(step: int, dtype: type) -> None:
    x = gaussian_rows(40, 33, dtype=dtype, seed=1)
    y = gaussian_rows(40, 33, dtype=dtype, seed=2)
    larger = np.full(40 * abs(step), 9, dtype)
    out = larger[::step]
    assert cosim_rs.paired_cosine_similarity(x, y, out=out) is out
    assert_same_bits(out, cosim_rs.paired_cosine_similarity(x, y))
    out[...] = 9
    assert (larger == 9).all()


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_large_work_in_every_layout(order: str, step: int, dtype: type) -> None:
    """Several blocks, several threads, each with its own part of `out`."""
    x, y = gaussian_rows(600, 65, dtype=dtype), gaussian_rows(700, 65, dtype=dtype)
    out = np.zeros((600, 700 * abs(step)), dtype, order=order)[:, ::step]
    assert cosim_rs.cosine_similarity(x, y, out=out, threads=3) is out
    assert_same_bits(out, cosim_rs.cosine_similarity(x, y, threads=1))
    square = np.zeros((600, 600 * abs(step)), dtype, order=order)[:, ::step]
    cosim_rs.cosine_similarity(x, out=square, threads=3)
    assert_same_bits(square, cosim_rs.cosine_similarity(x, threads=1))
    items = gaussian_rows(9, 700, 65, dtype=dtype)
    scores = np.zeros((9, 700 * abs(step)), dtype, order=order)[:, ::step]
    cosim_rs.batched_cosine_similarity(x[:9], items, out=scores, threads=3)
    assert_same_bits(scores, cosim_rs.batched_cosine_similarity(x[:9], items, threads=1))
    ids = np.random.default_rng(0).integers(-1, 700, (600, 700))
    scores = np.zeros((600, 700 * abs(step)), dtype, order=order)[:, ::step]
    cosim_rs.candidate_cosine_similarity(x, y, ids, out=scores, threads=3)
    assert_same_bits(scores, cosim_rs.candidate_cosine_similarity(x, y, ids, threads=1))


def test_a_misaligned_out() -> None:
    x, y = x_and_y(np.float32)
    out = np.zeros(4 * 35 + 1, np.uint8)[1:].view(np.float32).reshape(5, 7)
    assert not out.flags.aligned
    assert cosim_rs.cosine_similarity(x, y, out=out) is out
    assert_same_bits(out, cosim_rs.cosine_similarity(x, y))


def test_nothing_of_its_old_content_survives() -> None:
    x, y = x_and_y(np.float32)
    out = np.full((5, 7), np.nan, np.float32)
    cosim_rs.cosine_similarity(x, y, out=out)
    assert_same_bits(out, cosim_rs.cosine_similarity(x, y))
    out = np.full((5, 7), np.nan, np.float32)
    cosim_rs.cosine_similarity(x[:, :0], y[:, :0], out=out)
    assert_same_bits(out, np.zeros((5, 7), np.float32))


def test_a_subclass_and_a_file_come_back_as_they_are(tmp_path: Path) -> None:
    x, y = x_and_y(np.float32)
    path = tmp_path / "scores.npy"
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(5, 7))
    assert cosim_rs.cosine_similarity(x, y, out=out) is out
    out.flush()
    assert_same_bits(np.load(path), cosim_rs.cosine_similarity(x, y))


def test_one_memory_side_by_side() -> None:
    """Parts of one array that do not overlap may be input and `out`, even when interleaved."""
    for part in (np.s_[:, :33], np.s_[:, ::2]):
        table = np.zeros((5, 66), np.float32)
        x = table[part]
        x[...] = gaussian_rows(5, 33)
        expected = cosim_rs.cosine_similarity(x.copy())
        out = table[:, 33:38] if part == np.s_[:, :33] else table[:, 1:11:2]
        assert cosim_rs.cosine_similarity(x, out=out) is out
        assert_same_bits(out, expected)
        assert_same_bits(x, gaussian_rows(5, 33))


def test_an_empty_out_overlaps_nothing() -> None:
    x = gaussian_rows(5, 33)
    out = x[:0, :5]
    assert cosim_rs.cosine_similarity(x[:0], x[:5], out=out) is out


def test_the_same_x_twice_is_no_overlap() -> None:
    x = gaussian_rows(5, 33)
    assert_same_bits(cosim_rs.cosine_similarity(x, x), cosim_rs.cosine_similarity(x))
