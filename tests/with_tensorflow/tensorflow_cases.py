"""What the tests of TensorFlow share: forms with their inputs, and whether native code ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import tensorflow as tf
from helpers import gaussian_rows

import cosim_rs
import cosim_rs.tensorflow
from cosim_rs._cosim_rs import native_calls
from cosim_rs._reference import cosine_scores

Array = Any
DTYPES = (np.float32, np.float64, np.float16, ml_dtypes.bfloat16)


@dataclass(frozen=True)
class Case:
    """One of the functions: on tensors, on arrays, and as the oracle has it."""

    score: Callable[..., Any]
    score_arrays: Callable[..., Any]
    oracle: Callable[[Array, Array, float], Array]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    plain: Callable[[Any, Any], Any]  # of unit vectors, in TensorFlow's words

    def inputs(self, *dtypes: Any, seed: int = 0) -> tuple[Array, Array]:
        """Gaussian rows, and a zero vector on either side."""
        first, second = dtypes if len(dtypes) == 2 else dtypes * 2
        x = gaussian_rows(*self.shapes[0], seed=seed).astype(first)
        y = gaussian_rows(*self.shapes[1], seed=seed + 1).astype(second)
        x[1] = 0
        y.reshape(-1, y.shape[-1])[2] = 0
        return x, y


CASES = {
    "batched": Case(
        cosim_rs.tensorflow.batched_cosine_similarity,
        cosim_rs.batched_cosine_similarity,
        lambda x, y, epsilon: cosine_scores(x[:, None], y, epsilon),
        ((4, 33), (4, 5, 33)),
        lambda x, y: tf.einsum("bd,bnd->bn", x, y),
    ),
    "paired": Case(
        cosim_rs.tensorflow.paired_cosine_similarity,
        cosim_rs.paired_cosine_similarity,
        cosine_scores,
        ((7, 33), (7, 33)),
        lambda x, y: tf.reduce_sum(x * y, -1),
    ),
    "matrix": Case(
        cosim_rs.tensorflow.cosine_similarity,
        cosim_rs.cosine_similarity,
        lambda x, y, epsilon: cosine_scores(x[:, None], y, epsilon),
        ((4, 33), (6, 33)),
        lambda x, y: tf.matmul(x, y, transpose_b=True),
    ),
}


def plainly(case: Case, x: Any, y: Any, epsilon: float) -> Any:
    """The formula as one would write it, in float64, to be differentiated by TensorFlow."""
    # Within a root of so small a number, a zero vector's norm has a gradient.
    floor = tf.constant(max(epsilon, 1e-150) ** 2, tf.float64)
    units = [
        side / tf.sqrt(tf.maximum(tf.reduce_sum(side * side, -1, keepdims=True), floor))
        for side in (tf.cast(x, tf.float64), tf.cast(y, tf.float64))
    ]
    return case.plain(*units)


@contextmanager
def native(*, forward: int, backward: int = 0) -> Iterator[None]:
    """Check how often scores and gradients are computed by native code in this block."""
    before = native_calls()
    yield
    after = native_calls()
    assert (after[0] - before[0], after[1] - before[1]) == (forward, backward)


def gradients(case: Case, x: Any, y: Any, weights: Any, **options: Any) -> tuple[Any, Any]:
    """The gradients of both sides, as tensors; `weights` broadcast to that of the scores."""
    x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    with tf.GradientTape() as tape:
        tape.watch((x, y))
        scores = case.score(x, y, **options)
    weights = tf.broadcast_to(tf.cast(weights, scores.dtype), tf.shape(scores))
    x_gradient, y_gradient = tape.gradient(scores, (x, y), weights)
    return x_gradient, y_gradient


def weights_of(case: Case, x: Array, y: Array) -> Array:
    """A gradient of the scores."""
    return gaussian_rows(*case.oracle(x, y, 0.0).shape, dtype=np.float64, seed=9)
