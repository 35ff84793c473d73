"""The ends of the number range: zeros, NaN, infinity, subnormal and largest numbers, epsilon."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from bit_model import modelled_score
from entry_points import ENTRY_POINTS, EntryPoint
from exact import exact_cosine
from helpers import CANONICAL_NAN, SCORE_DTYPES, assert_same_bits, error_bound, gaussian_rows

pytestmark = [
    pytest.mark.parametrize("dtype", SCORE_DTYPES),
    pytest.mark.parametrize("score", ENTRY_POINTS.values(), ids=ENTRY_POINTS),
]

LENGTHS = (1, 5, 16, 17, 33)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("epsilon", [0.0, 1e-40, 2.0])
def test_zero_vectors_score_plus_zero(
    score: EntryPoint, dtype: type, length: int, epsilon: float
) -> None:
    limits = np.finfo(dtype)
    numbers = [0.0, -0.0, 1.0, -1.0, limits.smallest_subnormal, limits.max, -limits.max]
    finite = np.array([np.full(length, number) for number in numbers], dtype)
    zeros = np.zeros((len(numbers), 2), dtype)
    assert_same_bits(score(finite, finite[:2], epsilon=epsilon), zeros)
    assert_same_bits(score(finite[:2], finite, epsilon=epsilon), zeros.T)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("epsilon", [0.0, 2.0])
def test_not_finite_scores_the_canonical_nan(
    score: EntryPoint, dtype: type, length: int, epsilon: float
) -> None:
    """Wherever it stands, whatever its payload, whoever its partner is."""
    unsigned = np.dtype(f"u{np.dtype(dtype).itemsize}")
    quiet = CANONICAL_NAN[dtype].view(unsigned)
    odd_nans = np.array([quiet + 123, quiet - 5, ~unsigned.type(0)], unsigned).view(dtype)
    bad_numbers = [CANONICAL_NAN[dtype], np.inf, -np.inf, *odd_nans]
    bad = np.tile(gaussian_rows(1, length, dtype=dtype), (len(bad_numbers) * 2, 1))
    bad[: len(bad_numbers), 0] = bad_numbers
    bad[len(bad_numbers) :, -1] = bad_numbers
    limits = np.finfo(dtype)
    partners = np.array(
        [np.full(length, number) for number in (0.0, 1.0, limits.tiny / 8, limits.max, np.inf)],
        dtype,
    )
    expected = np.full((len(bad), len(partners)), CANONICAL_NAN[dtype])
    assert_same_bits(score(bad, partners, epsilon=epsilon), expected)
    assert_same_bits(score(partners, bad, epsilon=epsilon), expected.T)


def test_bad_rows_leave_their_neighbours_alone(score: EntryPoint, dtype: type) -> None:
    x, y = gaussian_rows(9, 33, dtype=dtype), gaussian_rows(21, 33, dtype=dtype)
    clean = score(x, y)
    x[4, 7], y[3, 32], y[17, 0] = np.nan, np.inf, np.nan
    scores = score(x, y)
    x_kept, y_kept = np.arange(9) != 4, ~np.isin(np.arange(21), [3, 17])
    assert_same_bits(scores[np.ix_(x_kept, y_kept)], clean[np.ix_(x_kept, y_kept)])
    assert np.isnan(scores[4]).all()
    assert np.isnan(scores[:, [3, 17]]).all()


def test_no_score_is_minus_zero(score: EntryPoint, dtype: type) -> None:
    limits = np.finfo(dtype)
    lowest = int(limits.minexp - limits.nmant)
    half = lowest // 2
    # The dot products are the smallest negative number, which the division by 64 takes to -0,
    # and a quarter of it, which is -0 from the start.
    x = np.array([[8, 2.0**half, 0], [8, 2.0 ** (half - 2), 0]], dtype)
    y = np.array([[0, -(2.0 ** (lowest - half)), 8]], dtype)
    assert_same_bits(score(x, y), np.zeros((2, 1), dtype))
    assert_same_bits(score(x, -y), np.zeros((2, 1), dtype))
    # Products of zeros of either sign, and of opposite terms that cancel.
    x = np.array([[0.0, -1], [-0.0, 1], [1, 1]], dtype)
    y = np.array([[-1, 0.0], [1, -0.0], [-1, 1]], dtype)
    scores = score(x, y)
    assert not np.signbit(scores[scores == 0]).any()
    assert (scores == 0).sum() == 5


@pytest.mark.parametrize("length", LENGTHS)
def test_subnormal_and_largest_vectors_are_like_any_other(
    score: EntryPoint, dtype: type, length: int
) -> None:
    limits = np.finfo(dtype)
    numbers = [limits.smallest_subnormal, limits.tiny, 1e-20, 1, 1e20, limits.max]
    rows = np.array([np.full(length, number) for number in numbers], dtype)
    scores = score(rows, rows)
    # The rows are multiples of one another, by powers of two or not.
    assert np.all(1 - scores <= error_bound(length, dtype))
    assert_same_bits(np.diagonal(scores).copy(), np.ones(len(rows), dtype))
    assert_same_bits(score(rows, -rows), -scores)


def test_magnitudes_over_the_whole_range(score: EntryPoint, dtype: type) -> None:
    decades = np.linspace(-44, 37, 28) if dtype is np.float32 else np.linspace(-322, 307, 28)
    directions = gaussian_rows(28, 19, seed=1).clip(-2, 2)
    x = (directions * 10.0 ** decades[:, None]).astype(dtype)
    y = (directions[::-1] * 10.0 ** decades[:, None]).astype(dtype)
    assert x.any(axis=1).all()
    scores = score(x, y)
    for (i, j), value in np.ndenumerate(scores):
        error = Fraction(float(value)) - exact_cosine(x[i], y[j])
        assert abs(error) <= error_bound(19, dtype), (i, j)


def test_magnitudes_within_one_vector(score: EntryPoint, dtype: type) -> None:
    limits = np.finfo(dtype)
    exponents = np.linspace(limits.minexp - limits.nmant, limits.maxexp - 1, 40).astype(int)
    ladder = np.ldexp(dtype(1), exponents).astype(dtype)
    rows = np.array([ladder[start : start + 8] for start in range(33)])
    scores = score(rows, rows[:, ::-1])
    for (i, j), value in np.ndenumerate(scores):
        error = Fraction(float(value)) - exact_cosine(rows[i], rows[j, ::-1])
        assert abs(error) <= error_bound(8, dtype), (i, j)


class TestEpsilon:
    def test_raises_each_norm(self, score: EntryPoint, dtype: type) -> None:
        rows = np.array([[3, 4], [30, 40], [0, 0]], dtype)
        expected = np.array([[0.25, 0.5, 0], [0.5, 1, 0], [0, 0, 0]], dtype)
        assert_same_bits(score(rows, rows, epsilon=10), expected)
        assert_same_bits(score(rows, -rows, epsilon=np.float32(10)), 0 - expected)

    @pytest.mark.parametrize("epsilon", [0, np.float64(0), 1e-3, np.float32(5), 5])
    def test_below_every_norm_changes_nothing(
        self, score: EntryPoint, dtype: type, epsilon: Any
    ) -> None:
        rows = np.array([[3, 4], [-30, 41], [1e25, 7]], dtype)
        assert_same_bits(score(rows, rows, epsilon=epsilon), score(rows, rows))

    # 1e-45 is the smallest float32; the square of 1e-30 is below float32, that of 1e30 above.
    @pytest.mark.parametrize("epsilon", [1e-45, 1e-38, 1e-30, 1e-9, 1.0, 1e9, 1e30, 3e38])
    def test_of_every_size(self, score: EntryPoint, dtype: type, epsilon: float) -> None:
        norms = 10.0 ** np.arange(-44.0, 37, 20)
        x = (gaussian_rows(5, 17, seed=1).clip(-2, 2) * norms[:, None]).astype(dtype)
        y = (gaussian_rows(5, 17, seed=2).clip(-2, 2) * norms[:, None]).astype(dtype)
        scores = score(x, y, epsilon=epsilon)
        for (i, j), value in np.ndenumerate(scores):
            # Epsilon is taken in the precision of the scores.
            exact = exact_cosine(x[i], y[j], epsilon=float(dtype(epsilon)))
            assert abs(Fraction(float(value)) - exact) <= error_bound(17, dtype), (i, j)
            assert_same_bits(value, modelled_score(x[i], y[j], epsilon))
