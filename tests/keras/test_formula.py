"""The score by `keras.ops` alone: within the bound, in every range, with the right gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from helpers import LENGTHS, error_bound, gaussian_rows
from numpy.typing import NDArray
from on_backend import array, compiled, gradients, tensor, with_float64

from cosim_rs._reference import cosine_scores
from cosim_rs.keras import _formula

EPSILON = 1e-7
SMALLEST_NORMAL = 2.0**-126


def exact(users: NDArray[Any], items: NDArray[Any], epsilon: float) -> NDArray[np.float64]:
    return cosine_scores(users.reshape(len(users), 1, -1), items, epsilon)


def no_small_numbers(rows: NDArray[Any]) -> NDArray[Any]:
    """Away from 0 by at least 1, so that scaled ones are not subnormal, which may be flushed."""
    return rows + np.sign(rows)


@pytest.mark.parametrize("run", [lambda function: function, compiled], ids=["eager", "compiled"])
@pytest.mark.parametrize("length", [length for length in LENGTHS if length])
def test_batched_scores_are_within_the_bound(length: int, run: Callable[..., Any]) -> None:
    users, items = gaussian_rows(8, length), gaussian_rows(8, 9, length, seed=1)
    score = run(lambda u, i: _formula.batched_cosine_similarity(u, i, epsilon=EPSILON))
    scores = array(score(tensor(users), tensor(items)))
    assert np.abs(scores - exact(users, items, EPSILON)).max() <= error_bound(length, np.float32)


@pytest.mark.parametrize("length", [length for length in LENGTHS if length])
def test_the_matrix_is_within_the_bound(length: int) -> None:
    x, y = gaussian_rows(8, length), gaussian_rows(9, length, seed=1)
    scores = array(_formula.cosine_similarity(tensor(x), tensor(y)))
    assert np.abs(scores - cosine_scores(x[:, None], y)).max() <= error_bound(length, np.float32)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_half_types_are_computed_in_float32(dtype: str) -> None:
    users, items = (tensor(gaussian_rows(*shape), dtype) for shape in [(4, 1, 33), (4, 5, 33)])
    scores = _formula.batched_cosine_similarity(users, items)
    assert keras.backend.standardize_dtype(scores.dtype) == "float32"
    wanted = exact(array(users), array(items), 0.0)
    assert np.abs(array(scores) - wanted).max() <= error_bound(33, np.float32)


def test_float64_is_computed_in_float64() -> None:
    users, items = gaussian_rows(4, 33, dtype=np.float64), gaussian_rows(4, 5, 33, dtype=np.float32)
    users[0] *= 1e200
    users[1] *= 1e-250
    with with_float64():
        scores = _formula.batched_cosine_similarity(tensor(users, "float64"), tensor(items))
        found = keras.ops.convert_to_numpy(scores)
    assert found.dtype == np.float64
    assert np.abs(found - exact(users, items, 0.0)).max() <= error_bound(33, np.float64)


@pytest.mark.parametrize("user_exponent", [-125, -97, -60, -33, 0, 31, 33, 79, 81, 120])
@pytest.mark.parametrize("item_exponent", [-125, -95, -31, 0, 32, 120])
def test_no_length_is_out_of_range(user_exponent: int, item_exponent: int) -> None:
    users = no_small_numbers(gaussian_rows(3, 16)) * np.float32(2.0**user_exponent)
    items = no_small_numbers(gaussian_rows(3, 4, 16, seed=1)) * np.float32(2.0**item_exponent)
    scores = array(_formula.batched_cosine_similarity(tensor(users), tensor(items)))
    assert np.abs(scores - exact(users, items, 0.0)).max() <= error_bound(16, np.float32)


@pytest.mark.parametrize("exponent", [-125, -60, 0, 60, 120])
def test_compilers_may_know_the_numbers(exponent: int) -> None:
    """They may not rearrange the products of constants, whose squares are out of range."""
    items = no_small_numbers(gaussian_rows(5, 8)) * np.float32(2.0**exponent)
    items[2] = 0.0
    known = tensor(items)
    users = gaussian_rows(3, 8, seed=1)
    wanted = cosine_scores(users[:, None], items)
    scores = array(compiled(lambda u: _formula.cosine_similarity(u, known))(tensor(users)))
    assert np.abs(scores - wanted).max() <= error_bound(8, np.float32)
    scores = array(compiled(lambda u: _formula.cosine_similarity(known, u))(tensor(users)))
    assert np.abs(scores - wanted.T).max() <= error_bound(8, np.float32)


@pytest.mark.parametrize("size", [SMALLEST_NORMAL, 3e-9, 1e-7, 1e-3, 1.0, 1e30])
@pytest.mark.parametrize("epsilon", [1e-37, 1e-7, 1.0, 1e30])
def test_norms_are_raised_to_epsilon(size: float, epsilon: float) -> None:
    users = no_small_numbers(gaussian_rows(3, 16)) * np.float32(size)
    items = gaussian_rows(3, 4, 16, seed=1)
    score = _formula.batched_cosine_similarity
    scores = array(score(tensor(users), tensor(items), epsilon=epsilon))
    wanted = exact(users, items, float(np.float32(epsilon)))
    # Relative to what epsilon leaves of the cosine.
    lengths = np.linalg.norm(users.astype(np.float64), axis=-1, keepdims=True)
    left = np.minimum(lengths / epsilon, 1) * np.minimum(4 / epsilon, 1)
    # The products in it may be flushed to zero.
    tiny = 17 * np.finfo(np.float32).tiny / min(epsilon, 1)
    assert (np.abs(scores - wanted) <= error_bound(16, np.float32) * left + tiny).all()


@pytest.mark.parametrize("epsilon", [0.0, EPSILON])
def test_zero_vectors_score_plus_zero(epsilon: float) -> None:
    users, items = gaussian_rows(3, 8), gaussian_rows(3, 4, 8)
    users[0], items[1] = 0.0, -0.0
    scores = array(_formula.batched_cosine_similarity(tensor(users), tensor(items)))
    assert (scores[:2] == 0).all()
    assert not np.signbit(scores[:2]).any()
    assert (scores[2] != 0).all()


def test_orthogonal_vectors_score_plus_zero() -> None:
    users, items = [[1.0, 0.0]], [[[-0.0, -1.0], [0.0, 3.0]]]
    scores = array(_formula.batched_cosine_similarity(tensor(users), tensor(items)))
    assert (scores == 0).all()
    assert not np.signbit(scores).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("epsilon", [0.0, EPSILON])
def test_what_is_not_finite_gives_nan(bad: float, epsilon: float) -> None:
    items = gaussian_rows(4, 3, 8)
    users = gaussian_rows(4, 8)
    users[0, 3] = users[1, 0] = bad
    items[0, 1] = items[2, :, 3:] = 0.0
    items[2, 1, 7] = bad
    for transposed in (False, True):
        score = _formula.batched_cosine_similarity
        if transposed:
            columns = [tensor(items[:, n]) for n in range(3)]
            found = [score(c, tensor(users[:, None]), epsilon=epsilon) for c in columns]
            scores = np.concatenate([array(one) for one in found], axis=1)
        else:
            scores = array(score(tensor(users), tensor(items), epsilon=epsilon))
        assert np.isnan(scores[:2]).all()
        assert np.isnan(scores[2]).tolist() == [False, True, False]
        assert np.isfinite(scores[3]).all()


def test_scores_are_never_beyond_one() -> None:
    users = gaussian_rows(500, 37)
    items = np.stack([users * np.float32(3.7), -users * np.float32(1.3)], axis=1)
    scores = array(_formula.batched_cosine_similarity(tensor(users), tensor(items)))
    assert np.abs(scores).max() <= 1
    assert np.abs(np.abs(scores) - 1).max() <= error_bound(37, np.float32)


def differences(
    users: NDArray[Any], items: NDArray[Any], weights: NDArray[Any], epsilon: float
) -> list[NDArray[np.float64]]:
    """The gradient of sum(weights * scores), by central differences of the reference."""
    sides = [users.astype(np.float64), items.astype(np.float64)]
    found = []
    for side in sides:
        gradient = np.empty_like(side)
        for place in np.ndindex(side.shape):
            value = side[place]
            step = 1e-5 * max(abs(value), 1e-3 * float(np.abs(side).max()))
            ends = []
            for end in (value + step, value - step):
                side[place] = end
                ends.append(float((weights * exact(sides[0], sides[1], epsilon)).sum()))
            side[place] = value
            gradient[place] = (ends[0] - ends[1]) / (2 * step)
        found.append(gradient)
    return found


@pytest.mark.parametrize("size", [1e-20, 1e-9, 1.0, 1e15])
@pytest.mark.parametrize("epsilon", [0.0, EPSILON, 100.0])
def test_gradients_are_those_of_the_clamped_formula(size: float, epsilon: float) -> None:
    users = gaussian_rows(3, 5) * np.float32(size)
    items, weights = gaussian_rows(3, 4, 5, seed=1), gaussian_rows(3, 4, seed=2)

    factors = tensor(weights)

    def loss(u: Any, i: Any) -> Any:
        return keras.ops.sum(_formula.batched_cosine_similarity(u, i, epsilon=epsilon) * factors)

    wanted = differences(users, items, weights, epsilon)
    for run in (loss, compiled(loss)):
        for found, right in zip(gradients(run, tensor(users), tensor(items)), wanted, strict=True):
            # A few roundings of float32, and the differences' own error of about 1e-8.
            assert np.abs(array(found) - right).max() <= 1e-5 * np.abs(right).max()


def test_gradients_are_not_cut_off_at_one() -> None:
    """Rounding brings some of these scores above 1 before they are clipped."""
    users = gaussian_rows(200, 37)
    items, weights = users[:, None] * np.float32(3.7), np.ones((200, 1))
    mixed = np.concatenate([items, gaussian_rows(200, 1, 37, seed=1)], axis=1)

    def loss(u: Any) -> Any:
        return keras.ops.sum(_formula.batched_cosine_similarity(u, tensor(mixed))[:, :1] * 1.0)

    (found,) = gradients(loss, tensor(users))
    assert np.abs(array(found)).max() <= 1e-6  # the true one is 0
    right = differences(users[:2], items[:2] * 0.5 + mixed[:2, 1:] * 1e-4, weights[:2], 0.0)[0]

    def near(u: Any) -> Any:
        near_items = tensor(items * 0.5 + mixed[:, 1:] * 1e-4)
        return keras.ops.sum(_formula.batched_cosine_similarity(u, near_items))

    (found,) = gradients(near, tensor(users))
    assert np.abs(array(found)[:2] - right).max() <= 1e-6
    assert (np.abs(array(found)).max(axis=1) > 1e-8).all()


def test_the_gradient_at_a_zero_vector() -> None:
    """Nought without epsilon, where there is none; that of the clamped formula with it."""
    users, items = gaussian_rows(2, 4), gaussian_rows(2, 3, 4, seed=1)
    users[0] = items[1, 0] = 0.0

    def loss(epsilon: float) -> Callable[..., Any]:
        score = _formula.batched_cosine_similarity
        return lambda u, i: keras.ops.sum(score(u, i, epsilon=epsilon))

    user, item = (array(one) for one in gradients(loss(0.0), tensor(users), tensor(items)))
    assert (user[0] == 0).all()
    assert (item[0] == 0).all()
    assert (item[1, 0] == 0).all()
    assert (user[1] != 0).all()
    user, item = (array(one) for one in gradients(loss(0.5), tensor(users), tensor(items)))
    units = items[0] / np.linalg.norm(items[0], axis=-1, keepdims=True)
    assert np.allclose(user[0], units.sum(axis=0) / 0.5, rtol=1e-5)
    assert np.allclose(item[1, 0], users[1] / np.linalg.norm(users[1]) / 0.5, rtol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "size", "epsilon"),
    [("float32", 2.0**-125, 0.0), ("bfloat16", 2.0**-125, 0.0), ("float16", 2.0**-20, EPSILON)],
)
def test_gradients_saturate(dtype: str, size: float, epsilon: float) -> None:
    users = tensor(gaussian_rows(3, 4) * size, dtype)
    items = tensor(gaussian_rows(3, 5, 4, seed=1), dtype)

    def loss(u: Any, i: Any) -> Any:
        scores = _formula.batched_cosine_similarity(u, i, epsilon=epsilon)
        return keras.ops.sum(scores) * 100.0

    for found in gradients(loss, users, items):
        assert keras.backend.standardize_dtype(found.dtype) == dtype
        assert np.isfinite(array(found)).all()
    largest = np.abs(array(gradients(loss, users, items)[0])).max()
    assert largest == _formula._LARGEST[dtype]
