"""That the library's own kernels compute the scores, and give the bits of the NumPy function.

Nothing here is skipped: it fails where the module of the backend is missing or falls back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from battery import rows_of_every_magnitude
from floating_point_mode import DENORMALS_ARE_ZERO, FLUSH_TO_ZERO, SUPPORTED, extra_mode
from helpers import assert_same_bits, gaussian_rows
from on_backend import compiled, gradients, tensor, with_float64

import cosim_rs
from cosim_rs import _cosim_rs
from cosim_rs.keras import NormalizedDotProductSimilarity

EPSILON = 1e-7


def native_calls() -> tuple[int, int]:
    return tuple(_cosim_rs.native_calls())


RUNS = pytest.mark.parametrize(
    "run", [lambda function: function, compiled], ids=["eager", "compiled"]
)


@RUNS
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_scores_are_native_to_the_bit(run: Callable[..., Any], dtype: str) -> None:
    sides = gaussian_rows(8, 1, 64), gaussian_rows(8, 50, 64, seed=1)
    user, items = (tensor(side, dtype) for side in sides)
    layer = NormalizedDotProductSimilarity(dtype=dtype)
    before = native_calls()
    scores = run(lambda user, items: layer([user, items]))(user, items)
    scores = np.asarray(keras.ops.convert_to_numpy(scores))  # and so waits for it
    assert native_calls()[0] == before[0] + 1
    arrays = (keras.ops.convert_to_numpy(side) for side in (user, items))
    wanted = cosim_rs.batched_cosine_similarity(*arrays, epsilon=EPSILON).astype(
        scores_dtype(dtype)
    )
    assert_same_bits(scores, wanted)


def scores_dtype(dtype: str) -> Any:
    return keras.ops.convert_to_numpy(tensor([], dtype)).dtype


@pytest.mark.skipif(not SUPPORTED, reason="no way to set the floating-point mode of this machine")
@RUNS
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_threads_that_flush_subnormals_give_the_same_bits(
    run: Callable[..., Any], dtype: str
) -> None:
    """Zeros, NaN, infinities, subnormal and huge vectors, enough for several threads."""
    own = "float32" if dtype == "bfloat16" else dtype  # whose range is the same
    users = rows_of_every_magnitude(70, 64, own, seed=1)
    items = rows_of_every_magnitude(70 * 300, 64, own, seed=2).reshape(70, 300, 64)
    with with_float64():
        user, items = tensor(users, dtype), tensor(items, dtype)
        layer = NormalizedDotProductSimilarity(dtype=dtype)
        score = run(lambda user, items: layer([user, items]))
        score(user, items)  # traced, for which the oldest JAX has NumPy measure its numbers
        with extra_mode(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO):
            scores = np.asarray(keras.ops.convert_to_numpy(score(user, items)))
        sides = [keras.ops.convert_to_numpy(side) for side in (user, items)]
    wanted = cosim_rs.batched_cosine_similarity(*sides, epsilon=EPSILON).astype(scores.dtype)
    assert scores.dtype == dtype
    scores, wanted = scores.astype("float64"), wanted.astype("float64")  # which holds them all
    np.testing.assert_array_equal(scores, wanted)
    assert not np.signbit(scores[wanted == 0]).any()


@RUNS
def test_gradients_are_native(run: Callable[..., Any]) -> None:
    user, items = tensor(gaussian_rows(8, 1, 64)), tensor(gaussian_rows(8, 50, 64, seed=1))
    layer = NormalizedDotProductSimilarity()
    before = native_calls()
    loss = run(lambda user, items: keras.ops.sum(layer([user, items])))
    found = [keras.ops.convert_to_numpy(one) for one in gradients(loss, user, items)]
    assert native_calls()[1] > before[1]
    assert all(np.isfinite(one).all() for one in found)


def test_native_false_is_not_native() -> None:
    before = native_calls()
    NormalizedDotProductSimilarity(native=False)(
        [gaussian_rows(8, 1, 64), gaussian_rows(8, 50, 64, seed=1)]
    )
    assert native_calls() == before
