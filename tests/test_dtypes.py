"""Which dtypes go in and which come out; wider ones than needed change no score."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from entry_points import ENTRY_POINTS, EntryPoint
from helpers import assert_same_bits, gaussian_rows
from ml_dtypes import bfloat16

import cosim_rs
from cosim_rs import _cosim_rs

NATIVE = ("float32", "float64")
WIDENED_TO_FLOAT32 = ("float16", "bfloat16", "int8")
CONVERTED_TO_FLOAT64 = (
    "bool",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "longdouble",
)
ALL = (*NATIVE, *WIDENED_TO_FLOAT32, *CONVERTED_TO_FLOAT64)

every_entry_point = pytest.mark.parametrize("score", ENTRY_POINTS.values(), ids=ENTRY_POINTS)


def dtype_named(name: str) -> np.dtype[Any]:
    """The dtype, also of the one that NumPy does not have."""
    if name == "bfloat16":
        return np.dtype(bfloat16)
    return np.dtype(name)


def compute_dtype(*names: str) -> type[np.floating[Any]]:
    """float32 unless a side is neither float32 nor widened to it."""
    narrow = ("float32", *WIDENED_TO_FLOAT32)
    return np.float32 if all(name in narrow for name in names) else np.float64


def rows(count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Small whole numbers, which every dtype holds: not below zero, as some are unsigned."""
    return np.abs(gaussian_rows(count, 33) * 20).round().clip(0, 100).astype(dtype)


@pytest.mark.parametrize("x_name", ALL)
@pytest.mark.parametrize("y_name", ALL)
def test_dtype_and_scores_of_every_mixture(x_name: str, y_name: str) -> None:
    x, y = rows(3, dtype_named(x_name)), rows(4, dtype_named(y_name))
    wide = compute_dtype(x_name, y_name)
    expected = cosim_rs.cosine_similarity(x.astype(wide), y.astype(wide))
    assert expected.dtype == wide
    for name, score in ENTRY_POINTS.items():
        # The one set of the symmetric form has one dtype.
        if x_name == y_name or not name.startswith("symmetric"):
            assert_same_bits(score(x, y), expected)


@every_entry_point
@pytest.mark.parametrize("name", WIDENED_TO_FLOAT32)
def test_narrow_numbers_are_widened_exactly(score: EntryPoint, name: str) -> None:
    """Every bit pattern of the narrow types, among them subnormals, infinities and NaN."""
    dtype = dtype_named(name)
    patterns = np.arange(2 ** (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}")
    numbers = np.random.default_rng(1).permutation(patterns).view(dtype).reshape(-1, 32)
    x, y = numbers[:20], numbers[20:]
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
        expected = score(x.astype(np.float32), y.astype(np.float32))
    assert_same_bits(score(x, y), expected)


@every_entry_point
@pytest.mark.parametrize("dim", [1, 33, 64, 1024, 1025, 5000])
def test_bytes_and_whole_numbers_are_multiplied_exactly(score: EntryPoint, dim: int) -> None:
    """The largest products, up to where all their sums are exact in float32, and beyond."""
    random = np.random.default_rng(dim)
    x, y = (random.choice(np.array([-128, -1, 127], np.int8), (count, dim)) for count in (20, 40))
    x[0] = y[0] = -128
    x[1] = y[1] = 127
    wide = [rows.astype(np.float32) for rows in (x, y)]
    expected = score(*wide)
    assert_same_bits(score(x, y), expected)
    assert_same_bits(score(x.astype(np.float16), y), expected)


@every_entry_point
@pytest.mark.parametrize("name", ["float32", "float64", "float16", "int16", "int64"])
def test_foreign_byte_order(score: EntryPoint, name: str) -> None:
    x, y = rows(3, name), rows(4, name)
    foreign = np.dtype(name).newbyteorder("S")
    actual = score(x.astype(foreign), y.astype(foreign))
    assert_same_bits(actual, score(x, y))
    assert actual.dtype.isnative


def test_lists_and_what_offers_an_array() -> None:
    x, y = [[3, 4], [1.5, 0]], [[4, 3], [0, -2]]
    expected = cosim_rs.cosine_similarity(np.float64(x), np.float64(y))
    assert_same_bits(cosim_rs.cosine_similarity(x, y), expected)
    assert_same_bits(cosim_rs.cosine_similarity(tuple(x), np.array(y)), expected)
    assert_same_bits(cosim_rs.paired_cosine_similarity(x, y), np.diagonal(expected).copy())
    assert_same_bits(cosim_rs.batched_cosine_similarity(x[:1], [y]), expected[:1])
    assert_same_bits(cosim_rs.cosine_similarity(x, Offering(np.float64(y))), expected)


def test_an_offered_array_keeps_its_dtype() -> None:
    x = gaussian_rows(2, 5)
    expected = cosim_rs.cosine_similarity(x)
    assert_same_bits(cosim_rs.cosine_similarity(Offering(x)), expected)
    assert_same_bits(cosim_rs.cosine_similarity(memoryview(x)), expected)
    buffer = memoryview(array.array("f", [3, 4])).cast("B").cast("f", (1, 2))
    assert_same_bits(cosim_rs.cosine_similarity(buffer), np.ones((1, 1), np.float32))


def test_whole_numbers_beyond_float32_are_scored_in_float64() -> None:
    x = np.array([[2**40 + 1, 1], [1, 2**40 + 1]])
    expected = cosim_rs.cosine_similarity(x.astype(np.float64))
    assert_same_bits(cosim_rs.cosine_similarity(x), expected)
    assert_same_bits(cosim_rs.cosine_similarity(x.astype(np.uint64)), expected)


@every_entry_point
def test_results_are_plain_new_arrays(score: EntryPoint) -> None:
    class Labelled(np.ndarray):
        pass

    x, y = gaussian_rows(3, 5).view(Labelled), gaussian_rows(4, 5).view(Labelled)
    scores = score(x, y)
    assert type(scores) is np.ndarray
    assert scores.flags.writeable
    assert not np.shares_memory(scores, x)


def test_new_results_are_contiguous() -> None:
    x, y = gaussian_rows(3, 5), gaussian_rows(4, 5)
    items = gaussian_rows(3, 6, 5)
    assert cosim_rs.cosine_similarity(np.asfortranarray(x), y).flags.c_contiguous
    assert cosim_rs.batched_cosine_similarity(x, np.asfortranarray(items)).flags.c_contiguous
    assert cosim_rs.cosine_similarity(x[:, ::-1]).flags.c_contiguous


class Offering:
    """An object of another library, as far as NumPy can tell."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        del copy
        return self._values if dtype is None else self._values.astype(dtype)


def test_the_border_takes_no_misaligned_data() -> None:
    """x86 would forgive a misaligned read, so no score shows it; another machine need not."""
    memory = np.zeros(4 * 6 + 1, np.uint8)
    misaligned = memory[1:].view(np.float32).reshape(2, 3)
    aligned = np.ones((2, 3), np.float32)
    for pair in ((misaligned, aligned), (aligned, misaligned)):
        assert _cosim_rs.paired_cosine_similarity(*pair, None, 0.0, None) is None
    assert _cosim_rs.paired_cosine_similarity(aligned, aligned, None, 0.0, None) is not None


@every_entry_point
def test_bits_marked_as_bfloat16(score: EntryPoint) -> None:
    """What the tensors of others come as where `ml_dtypes` is not there."""
    x, y = rows(3, bfloat16), rows(4, bfloat16)
    for align in (True, False):
        mark = np.dtype([("bfloat16", np.uint16)], align=align)
        assert_same_bits(score(x.view(mark), y.view(mark)), score(x, y))


def test_the_border_takes_no_other_mark() -> None:
    """Of structures only bits that are named so, two bytes long and aligned."""
    bits = np.ones((2, 4), np.uint16)
    aligned = np.dtype([("bfloat16", np.uint16)], align=True)
    assert border(bits.view(aligned)) is not None
    for field in (np.dtype(">u2"), np.float16, np.int16):
        assert border(bits.view(np.dtype([("bfloat16", field)], align=True))) is None
    assert border(bits.view(np.dtype([("float16", np.uint16)], align=True))) is None
    for other in ([("bfloat16", np.uint16)], [("bfloat16", np.uint8), ("rest", np.uint8)]):
        assert border(bits.view(other)) is None
    assert border(np.ones((2, 4), [("bfloat16", np.uint32)])) is None
    assert border(bits) is None
    swapped = bits.astype(np.float16).astype(">f2")
    assert border(swapped) is None
    assert border(np.ones((2, 4), np.uint8)) is None


def border(rows: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """The border's own answer to rows paired with themselves."""
    return _cosim_rs.paired_cosine_similarity(rows, rows, None, 0.0, None)
