"""The NumPy oracle in the package agrees with the exact one, at every magnitude."""

from __future__ import annotations

import doctest
from fractions import Fraction

import numpy as np
import pytest
from exact import exact_cosine
from helpers import LENGTHS, SCORE_DTYPES, gaussian_rows

from cosim_rs import _reference
from cosim_rs._reference import cosine_scores


def allowed_error(length: int) -> float:
    """NumPy may add up in any order: D rounded terms each in the dot product and the norms."""
    return (2 * length + 12) * 2.0**-53


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("epsilon", [0.0, 1e-300, 3.0, 1e200])
def test_agrees_with_the_exact_oracle(length: int, epsilon: float) -> None:
    u, v = gaussian_rows(2, length, dtype=np.float64)
    error = Fraction(float(cosine_scores(u, v, epsilon))) - exact_cosine(u, v, epsilon)
    assert abs(error) <= allowed_error(length)


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("u_share", np.linspace(0, 1, 6))
@pytest.mark.parametrize("v_share", np.linspace(0, 1, 6))
def test_every_magnitude(dtype: type, u_share: float, v_share: float) -> None:
    limits = np.finfo(dtype)
    lowest, highest = limits.minexp - limits.nmant, limits.maxexp - 3
    u, v = (
        np.ldexp(gaussian_rows(9, dtype=dtype, seed=seed), int(lowest + share * (highest - lowest)))
        for seed, share in ((1, u_share), (2, v_share))
    )
    error = Fraction(float(cosine_scores(u, v))) - exact_cosine(u, v)
    assert abs(error) <= allowed_error(9)


def test_zeros_and_what_is_not_finite() -> None:
    rows = np.array([[0.0, -0.0], [1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0]])
    scores = cosine_scores(rows[:, None], rows)
    nan = np.nan
    np.testing.assert_allclose(
        scores, [[0, 0, nan, nan], [0, 1, nan, nan], [nan] * 4, [nan] * 4], rtol=2**-52
    )
    assert not np.signbit(scores[:2, :2]).any()


def test_leading_axes_broadcast() -> None:
    users, items = gaussian_rows(3, 1, 5), gaussian_rows(3, 4, 5)
    scores = cosine_scores(users, items)
    assert scores.shape == (3, 4)
    assert scores.dtype == np.float64
    assert scores[2, 3] == cosine_scores(users[2, 0], items[2, 3])
    assert cosine_scores(users[:0], items[:0]).shape == (0, 4)
    np.testing.assert_array_equal(cosine_scores(users[..., :0], items[..., :0]), np.zeros((3, 4)))


def test_the_example_in_its_docstring() -> None:
    outcome = doctest.testmod(_reference)
    assert outcome.attempted > 0
    assert outcome.failed == 0
