"""Arguments that do not fit are refused, in words that name them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from cosim_rs.tensorflow import (
    batched_cosine_similarity,
    cosine_similarity,
    paired_cosine_similarity,
)

BATCHED, PAIRED, MATRIX = (
    batched_cosine_similarity,
    paired_cosine_similarity,
    cosine_similarity,
)
SHAPES = {
    "items of 2 axes": (BATCHED, (2, 3), (2, 3), "items: got shape (2, 3), expected (B, N, D)"),
    "users of 1 axis": (
        BATCHED, (3,), (2, 5, 3),
        "users: got shape (3,), expected (2, 3) or (2, 1, 3), to fit items of shape (2, 5, 3)",
    ),
    "other users": (BATCHED, (4, 3), (2, 5, 3), "users: got shape (4, 3), expected (2, 3) or"),
    "longer users": (BATCHED, (2, 4), (2, 5, 3), "users: got shape (2, 4), expected (2, 3) or"),
    "users of two rows": (BATCHED, (2, 2, 3), (2, 5, 3), "users: got shape (2, 2, 3), expected"),
    "x of 3 axes": (PAIRED, (2, 3, 4), (2, 3, 4), "x: got shape (2, 3, 4), expected (B, D)"),
    "another y": (PAIRED, (2, 3), (1, 3), "y: got shape (1, 3), expected (2, 3), as x has"),
    "y of 1 axis": (PAIRED, (2, 3), (3,), "y: got shape (3,), expected (2, 3), as x has"),
    "x of 1 axis": (MATRIX, (3,), (2, 3), "x: got shape (3,), expected (U, D)"),
    "longer y": (MATRIX, (2, 3), (2, 4), "y: got shape (2, 4), expected (N, 3), to fit x of shape"),
    "y of 3 axes": (MATRIX, (2, 3), (1, 2, 3), "y: got shape (1, 2, 3), expected (N, 3), to fit x"),
}  # fmt: skip


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("kind", SHAPES)
def test_shapes(kind: str, is_compiled: bool) -> None:
    function, x, y, words = SHAPES[kind]
    function = tf.function(function) if is_compiled else function
    with pytest.raises(ValueError, match=re.escape(words)):
        function(tf.ones(x), tf.ones(y))


@pytest.mark.parametrize("dtype", [tf.int8, tf.int32, tf.bool, tf.complex64, tf.string, tf.uint16])
@pytest.mark.parametrize("is_compiled", [False, True])
def test_dtypes(dtype: Any, is_compiled: bool) -> None:
    wrong = tf.fill((2, 3), "a") if dtype == tf.string else tf.cast(tf.ones((2, 3)), dtype)
    function = tf.function(PAIRED) if is_compiled else PAIRED
    wanted = f"got dtype {dtype.name}, expected float32, float64, float16 or bfloat16"
    with pytest.raises(TypeError, match=f"x: {wanted}"):
        function(wrong, tf.ones((2, 3)))
    with pytest.raises(TypeError, match=f"y: {wanted}"):
        function(tf.ones((2, 3)), wrong)


@pytest.mark.parametrize(
    "value",
    [tf.sparse.from_dense(np.eye(2)), tf.ragged.constant([[1.0], [2.0, 3.0]]), object(), None],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_tensor(value: Any) -> None:
    with pytest.raises(TypeError, match=f"x: got {type(value).__name__}, expected a dense tensor"):
        MATRIX(value)


def test_a_tensor_of_a_graph_outside_of_it() -> None:
    leaked: list[Any] = []

    @tf.function(autograph=False)
    def leak(x: Any) -> Any:
        leaked.append(x + 1)
        return x

    leak(tf.ones((2, 3)))
    with pytest.raises(TypeError, match="x: got a symbolic tensor outside of its graph"):
        MATRIX(leaked[0])


@pytest.mark.parametrize("function", [BATCHED, PAIRED, MATRIX])
@pytest.mark.parametrize("epsilon", [-1.0, np.nan, np.inf, 1e39, -1e-300])
def test_epsilon_out_of_range(function: Any, epsilon: float) -> None:
    x, y = tf.ones((2, 3)), tf.ones((2, 5, 3) if function is BATCHED else (2, 3))
    with pytest.raises(ValueError, match=re.escape(f"epsilon: got {epsilon}, expected a finite")):
        function(x, y, epsilon=epsilon)


@pytest.mark.parametrize("epsilon", ["1", None, True, 1j, [0.5], tf.constant(0.5)])
def test_epsilon_that_is_no_real_number(epsilon: Any) -> None:
    with pytest.raises(TypeError, match=r"epsilon: got \w+, expected a real number"):
        MATRIX(tf.ones((2, 3)), epsilon=epsilon)


def test_epsilon_by_its_name_only() -> None:
    with pytest.raises(TypeError, match="positional"):
        MATRIX(tf.ones((2, 3)), tf.ones((2, 3)), 0.5)  # type: ignore[misc]
