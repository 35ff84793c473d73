"""The same formula in TensorFlow's own operations, for where nothing native can run.

Each vector is first multiplied by the power of two that brings its largest element, or epsilon, to
[1, 2); so no square overflows or vanishes, whatever the vector. TensorFlow's threads and XLA treat
subnormal numbers as zeros, so exponents are read from the bits, and vectors of tiny numbers are
first made larger by way of integers. The gradient of the scores is scaled in the same way; the
powers of two come back at the very end, where what is too large becomes the largest finite number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from cosim_rs._tensorflow.arguments import BATCHED, MATRIX, Form
from cosim_rs._tensorflow.native import refuse_second_derivatives


def scores(form: Form, x: Any, y: Any, epsilon: float) -> Any:
    """Score two tensors that were looked at."""
    dtype = tf.float64 if tf.float64 in (x.dtype, y.dtype) else tf.float32
    layout = _LAYOUTS[dtype]

    def compute(x: Any, y: Any) -> Any:
        matrices = _as_matrices(form, x, y)
        left, right = (_Units(tf.cast(side, dtype), layout, epsilon) for side in matrices)
        cosines = _cosines(left.units, right.units)

        def gradient(scores_gradient: Any) -> Any:
            # TensorFlow would differentiate these sums too, wrongly where norms are clamped.
            def compute_gradients(x: Any, y: Any, scores_gradient: Any) -> Any:
                weights = tf.reshape(scores_gradient, tf.shape(cosines))
                sides = ((x, left, right, weights, cosines),
                         (y, right, left, _transposed(weights), _transposed(cosines)))  # fmt: skip
                return tuple(_gradient(*side) for side in sides), refuse_second_derivatives

            return tf.custom_gradient(compute_gradients)(x, y, scores_gradient)

        return _as_scores(form, cosines), gradient

    return tf.custom_gradient(compute)(x, y)


def _as_matrices(form: Form, x: Any, y: Any) -> tuple[Any, Any]:
    """Both sides as (L, U, D) and (L, N, D)."""
    if form is BATCHED:
        batch, _, dim = _lengths(y, 3)
        if x.shape.rank == 2:
            x = tf.expand_dims(x, 1)
        elif x.shape.rank is None:
            x = tf.reshape(x, (batch, 1, dim))
    else:
        # Of unknown rank maybe: two axes they are.
        x, y = (tf.ensure_shape(side, (None, None)) for side in (x, y))
        x, y = (tf.expand_dims(side, 0 if form is MATRIX else 1) for side in (x, y))
    if not (x.shape.is_fully_defined() and y.shape.is_fully_defined()):
        # Lengths that do not fit would be broadcast.
        message = f"cosim_rs: {form.sides[0]} and {form.sides[1]} of shapes that do not fit"
        tf.debugging.assert_equal(tf.shape(x)[0], tf.shape(y)[0], message)
        tf.debugging.assert_equal(tf.shape(x)[-1], tf.shape(y)[-1], message)
        if form is not MATRIX:
            tf.debugging.assert_equal(tf.shape(x)[1], 1, message)
    return x, y


def _lengths(tensor: Any, rank: int) -> Any:
    tensor = tf.ensure_shape(tensor, (None,) * rank)
    return tf.unstack(tf.shape(tensor), rank)


def _as_scores(form: Form, cosines: Any) -> Any:
    if form is BATCHED:
        return cosines[:, 0, :]
    return cosines[0] if form is MATRIX else cosines[:, 0, 0]


def _cosines(left: Any, right: Any) -> Any:
    """All products of the unit vectors of (L, U, D) and (L, N, D), within [-1, 1]."""
    if left.shape[1] == 1:
        # Not by matmul: that of some GPUs rounds its inputs to 10 bits.
        products = tf.expand_dims(tf.reduce_sum(left * right, -1), 1)
    else:
        products = tf.matmul(left, right, transpose_b=True)
    # By comparisons, which let NaN through, and turn -0 into +0.
    products = tf.where(tf.abs(products) > 1, tf.sign(products), products)
    return tf.where(products == 0, tf.zeros_like(products), products)


def _transposed(matrices: Any) -> Any:
    return tf.linalg.matrix_transpose(matrices)


def _gradient(vectors: Any, side: _Units, other: _Units, weights: Any, cosines: Any) -> Any:
    """The gradient of one side, given that of the scores (L, own, others)."""
    layout = side.layout
    weights, exponents = _scaled(weights, layout, _NO_EXPONENT)
    weights = tf.where(tf.math.is_finite(weights), weights, math.nan * tf.ones_like(weights))
    toward = tf.matmul(weights, other.units)
    along = tf.reduce_sum(weights * cosines, -1, keepdims=True) * side.units
    total = toward - tf.where(side.is_raised, tf.zeros_like(along), along)
    total = total / side.divisors
    # A zero vector has no direction to go; beside a NaN it has a NaN.
    has_none = (side.norms == 0) & (total == total)
    total = tf.where(has_none, tf.zeros_like(total), total)
    gradient = _times_power(total, exponents - side.exponents, layout)
    most = tf.constant(vectors.dtype.max, gradient.dtype)
    gradient = tf.where(tf.abs(gradient) > most, tf.sign(gradient) * most, gradient)
    return tf.reshape(tf.cast(gradient, vectors.dtype), tf.shape(vectors))


class _Units:
    """Unit vectors, and what they were divided by: norms times powers of two."""

    def __init__(self, vectors: Any, layout: _Layout, epsilon: float) -> None:
        self.layout = layout
        mantissa, exponent = _parts(epsilon, layout)
        rows, self.exponents = _scaled(vectors, layout, exponent)
        floor = mantissa * tf.ones_like(self.exponents, rows.dtype)
        floor = _times_power(floor, exponent - self.exponents, layout)
        norms = tf.sqrt(tf.reduce_sum(rows * rows, -1, keepdims=True))
        self.is_raised = norms < floor
        norms = tf.where(self.is_raised, floor, norms)
        # An infinite norm would make zeros of finite elements.
        self.norms = tf.where(tf.math.is_finite(norms), norms, math.nan * tf.ones_like(norms))
        self.divisors = tf.where(self.norms == 0, tf.ones_like(norms), self.norms)
        self.units = rows / self.divisors


@dataclass(frozen=True)
class _Layout:
    """How the bits of a number lie, and by how much tiny ones are made larger."""

    bits: Any
    mantissa: int
    bias: int
    lift: int


_LAYOUTS = {
    tf.float32: _Layout(tf.int32, 23, 127, 100),
    tf.float64: _Layout(tf.int64, 52, 1023, 700),
}
_NO_EXPONENT = -5000  # below that of any number


def _parts(epsilon: float, layout: _Layout) -> tuple[float, int]:
    """Epsilon, rounded to the numbers that are computed with, in [1, 2) and its exponent."""
    rounded = float(np.float32(epsilon)) if layout.mantissa == 23 else epsilon
    mantissa, exponent = math.frexp(rounded)
    return (2 * mantissa, exponent - 1) if rounded else (0.0, _NO_EXPONENT)


def _magnitudes(vectors: Any, layout: _Layout) -> Any:
    """The bits without the sign, which are ordered as the magnitudes."""
    bits = tf.bitcast(vectors, layout.bits)
    return tf.bitwise.bitwise_and(bits, tf.constant(layout.bits.max, layout.bits))


def _largest(magnitudes: Any) -> Any:
    """Along the last axis, 0 if that is empty."""
    return tf.maximum(tf.reduce_max(magnitudes, -1, keepdims=True), 0)


def _scaled(vectors: Any, layout: _Layout, least: int) -> tuple[Any, Any]:
    """Each row times a power of two, and the exponent that this took away: `least` at least."""
    magnitudes = _magnitudes(vectors, layout)
    exponent_of_tiny = tf.constant(layout.bias // 2 << layout.mantissa, layout.bits)
    is_tiny = _largest(magnitudes) < exponent_of_tiny
    vectors = tf.where(is_tiny, _lifted(vectors, magnitudes, layout), vectors)
    lift = tf.where(is_tiny, layout.lift, 0)
    own = _largest(_magnitudes(vectors, layout)) // 2**layout.mantissa
    exponents = tf.cast(own, tf.int32) - layout.bias - lift
    # One less than the largest: the power that undoes that is no subnormal.
    exponents = tf.minimum(tf.maximum(exponents, least), layout.bias - 1)
    return _times_power(vectors, -exponents - lift, layout), exponents


def _lifted(vectors: Any, magnitudes: Any, layout: _Layout) -> Any:
    """Tiny numbers times 2**lift; a subnormal one by way of the integer that its bits are."""
    smallest_normal = tf.constant(1 << layout.mantissa, layout.bits)
    unit = 2.0 ** (layout.lift + 1 - layout.bias - layout.mantissa)
    is_negative = tf.bitcast(vectors, layout.bits) < 0
    whole = tf.cast(tf.where(is_negative, -magnitudes, magnitudes), vectors.dtype)
    return tf.where(magnitudes < smallest_normal, whole * unit, vectors * 2.0**layout.lift)


def _times_power(numbers: Any, exponents: Any, layout: _Layout) -> Any:
    """Numbers times powers of two, in two steps, as one power may be out of range.

    TensorFlow's optimiser would multiply the two powers first, if nothing stood between the steps.
    """
    half = exponents // 2
    for part in (half, exponents - half):
        biased = tf.clip_by_value(part, 1 - layout.bias, layout.bias) + layout.bias
        bits = tf.cast(biased, layout.bits) * 2**layout.mantissa
        numbers = tf.where(part == 0, numbers, numbers * tf.bitcast(bits, numbers.dtype))
    return numbers
