"""The clauses of the numerical contract, each as a property of drawn vectors.

Every property is asked of every entry point. "Ordinary" vectors are of a size at which nothing
underflows; the others may hold any finite number, from subnormal to the largest.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from entry_points import ENTRY_POINTS, EntryPoint
from exact import exact_cosine
from helpers import LENGTHS, SCORE_DTYPES, assert_same_bits, error_bound, gaussian_rows
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import cosim_rs

Array = npt.NDArray[Any]

LONGEST = 32_768

entry_points = st.sampled_from(list(ENTRY_POINTS.values()))
dtypes = st.sampled_from(SCORE_DTYPES)


@st.composite
def rows(draw: st.DrawFn, count: int, *, ordinary: bool = False, non_zero: bool = False) -> Array:
    """Rows of one dtype and one length."""
    dtype = draw(dtypes)
    length = draw(st.integers(1 if non_zero else 0, 70))
    width = np.dtype(dtype).itemsize * 8
    if ordinary:
        magnitudes = st.floats(2.0**-6, 2.0**6, width=width)
        elements = st.one_of(st.just(0.0), magnitudes, magnitudes.map(lambda number: -number))
    else:
        elements = st.floats(width=width, allow_nan=False, allow_infinity=False)
    drawn = draw(arrays(dtype, (count, length), elements=elements))
    if non_zero:
        # A zero row gets a one at a drawn place.
        drawn[~drawn.any(axis=1), draw(st.integers(0, length - 1))] = 1
    return drawn


def exponents_for(dtype: npt.DTypeLike) -> st.SearchStrategy[int]:
    """Powers of two that keep ordinary numbers normal and finite."""
    limits = np.finfo(dtype)
    return st.integers(int(limits.minexp) + 7, int(limits.maxexp) - 8)


@given(entry_points, rows(1, non_zero=True))
def test_one_with_itself_and_minus_one_with_its_negative(score: EntryPoint, row: Array) -> None:
    one = np.ones((1, 1), row.dtype)
    assert_same_bits(score(row, row), one)
    assert_same_bits(score(row, -row), -one)


@given(entry_points, rows(1, ordinary=True, non_zero=True), st.data())
def test_one_with_itself_times_a_power_of_two(
    score: EntryPoint, row: Array, data: st.DataObject
) -> None:
    multiple = np.ldexp(row, data.draw(exponents_for(row.dtype)))
    one = np.ones((1, 1), row.dtype)
    assert_same_bits(score(row, multiple), one)
    assert_same_bits(score(row, -multiple), -one)


@given(entry_points, rows(2, ordinary=True), st.data())
def test_scaling_by_a_power_of_two_keeps_the_bits(
    score: EntryPoint, pair: Array, data: st.DataObject
) -> None:
    scaled = np.ldexp(pair[:1], data.draw(exponents_for(pair.dtype)))
    assert_same_bits(score(scaled, pair[1:]), score(pair[:1], pair[1:]))
    assert_same_bits(score(pair[1:], scaled), score(pair[1:], pair[:1]))


@given(entry_points, rows(5), st.sampled_from([0.0, 0.5]))
def test_symmetry(score: EntryPoint, drawn: Array, epsilon: float) -> None:
    x, y = drawn[:2], drawn[2:]
    assert_same_bits(score(x, y, epsilon=epsilon), score(y, x, epsilon=epsilon).T)


@given(entry_points, rows(2))
def test_error_bound_and_range(score: EntryPoint, pair: Array) -> None:
    value = score(pair[:1], pair[1:])[0, 0]
    assert -1 <= value <= 1
    error = Fraction(float(value)) - exact_cosine(*pair)
    assert abs(error) <= error_bound(pair.shape[1], pair.dtype)


# Epsilon is taken in the precision of the scores, so it is drawn as a float32.
@given(entry_points, rows(2), st.floats(0, 2.0**60, width=32))
def test_error_bound_with_epsilon(score: EntryPoint, pair: Array, epsilon: float) -> None:
    value = score(pair[:1], pair[1:], epsilon=epsilon)[0, 0]
    error = Fraction(float(value)) - exact_cosine(*pair, epsilon=epsilon)
    assert abs(error) <= error_bound(pair.shape[1], pair.dtype)


@given(entry_points, rows(7), st.permutations(range(7)))
def test_permuted_rows_give_permuted_scores(
    score: EntryPoint, drawn: Array, order: list[int]
) -> None:
    first = drawn[:3]
    assert_same_bits(score(first, drawn[order]), score(first, drawn)[:, order])
    assert_same_bits(score(drawn[order], first), score(drawn, first)[order])


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
def test_error_bound_at_every_length(length: int, dtype: type) -> None:
    x, y = gaussian_rows(3, length, dtype=dtype), gaussian_rows(4, length, dtype=dtype)
    scores = cosim_rs.cosine_similarity(x, y)
    for place, value in np.ndenumerate(scores):
        error = Fraction(float(value)) - exact_cosine(x[place[0]], y[place[1]])
        assert abs(error) <= error_bound(length, dtype), place


def long_pairs(dtype: type) -> dict[str, tuple[Array, Array]]:
    """Vectors of the greatest length under contract, at which rounding has most to say."""
    gaussian, other = gaussian_rows(2, LONGEST, dtype=dtype)
    giant = gaussian.copy()
    giant[0] = 1e6
    # A large first group makes every later sum of its lane a rounded one, always the same way.
    one_way = np.full(LONGEST, 1.25 + 2.0**-20, dtype)
    one_way[:16] *= 64
    return {
        "gaussian": (gaussian, other),
        "one giant element": (giant, other),
        "positive": (np.abs(gaussian), np.abs(other)),
        "rounded one way": (one_way, np.ones(LONGEST, dtype)),
        "nearly cancelling": (gaussian, other - gaussian * (other @ gaussian) / LONGEST),
    }


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("kind", long_pairs(np.float32))
def test_error_bound_at_the_greatest_length(kind: str, dtype: type) -> None:
    u, v = (vector.astype(dtype) for vector in long_pairs(dtype)[kind])
    value = cosim_rs.paired_cosine_similarity(u[None], v[None])[0]
    error = Fraction(float(value)) - exact_cosine(u, v)
    assert abs(error) <= error_bound(LONGEST, dtype)
    assert_same_bits(cosim_rs.paired_cosine_similarity(u[None], u[None]), np.ones(1, dtype))
