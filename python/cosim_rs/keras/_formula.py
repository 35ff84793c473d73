"""The score by `keras.ops` alone: on any backend and device, traced or not, differentiable.

    score(u, v) = dot(u, v) / (max(|u|, epsilon) * max(|v|, epsilon)), within [-1, 1]

What is not plain about it:

- Squares leave the range of float32 long before its numbers do. So each vector is first multiplied
  by a power of two that brings its largest magnitude (or epsilon) near one; that rounds nothing,
  and the factor is a constant to the gradient.
- Clipping would take the gradient from the very scores that training has brought to 1, and a square
  root has none at 0. The clip is added as a constant; clamped norms are constants; and where
  neither norm nor epsilon is there to divide by, the score is the constant 0.
- Products are summed by `sum` where that takes no more memory than `matmul`'s operands, because
  accelerators may round the operands of a `matmul` to fewer bits.

Where the framework flushes subnormal numbers to zero, as TensorFlow and JAX do on CPUs, they count
as zero here. That changes scores of vectors whose largest numbers are near 1e-38, without epsilon.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cosim_rs.keras._checks import scores_shape

# Largest finite numbers, at which a gradient saturates.
_LARGEST = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": 3.4028234663852886e38,
    "float64": 1.7976931348623157e308,
}

# Exponents of a vector's largest magnitude, and what is added to them: (above, shift) for large
# ones, (below, shift) for small ones, outermost first. What comes out is within 2**±32 in float32
# and within 2**±360 in float64, so squares, products and their quotients stay in range.
_SHIFTS = {
    "float32": (((80, -104), (32, -56)), ((-96, 120), (-32, 64))),
    "float64": (((680, -850), (340, -510)), ((-700, 900), (-340, 520))),
}

# With norms of at least this, no gradient of ordinary size overflows float32.
_SAFE_EPSILON = 1e-30


def batched_cosine_similarity(users: Any, items: Any, *, epsilon: float = 0.0) -> Any:
    """Scores (B, N) of users (B, D) or (B, 1, D) with their items (B, N, D), float32 or float64."""
    scores_shape(users.shape, items.shape)  # or they would be broadcast
    dtype = _scored_dtype(users, items)
    if len(users.shape) == 2:
        users = ops.expand_dims(users, 1)
    users, user_norms = _scaled(users, dtype, epsilon)
    items, item_norms = _scaled(items, dtype, epsilon)
    return _scores(ops.sum(users * items, axis=-1), user_norms, item_norms)


def cosine_similarity(x: Any, y: Any, *, epsilon: float = 0.0) -> Any:
    """Scores (U, N) of all x (U, D) with all y (N, D), float32 or float64."""
    dtype = _scored_dtype(x, y)
    x, x_norms = _scaled(x, dtype, epsilon)
    y, y_norms = _scaled(y, dtype, epsilon)
    dots = ops.matmul(x, ops.transpose(y))
    return _scores(dots, ops.expand_dims(x_norms, 1), ops.expand_dims(y_norms, 0))


def _scored_dtype(x: Any, y: Any) -> str:
    dtypes = {keras.backend.standardize_dtype(side.dtype) for side in (x, y)}
    return "float64" if "float64" in dtypes else "float32"


def _scaled(vectors: Any, dtype: str, epsilon: float) -> tuple[Any, Any]:
    """The vectors (..., D), each times its own power of two, and their clamped norms (...)."""
    vectors = _widened(vectors, dtype, epsilon)
    largest = _largest(ops.abs(ops.stop_gradient(vectors)))
    # Not `maximum`: torch's compiler makes a symbol of epsilon, which Keras asks for its dtype.
    largest = ops.where(largest < epsilon, ops.ones_like(largest) * epsilon, largest)
    scale = _power_of_two(largest, dtype)
    vectors = _times(vectors, scale)
    least = ops.squeeze(scale, -1) * epsilon
    squares = ops.sum(ops.square(vectors), axis=-1)
    is_clamped = squares <= ops.square(least)
    # The inner choice keeps the root's infinite slope at 0 out of the gradient.
    norms = ops.sqrt(ops.where(is_clamped, ops.ones_like(squares), squares))
    return vectors, ops.where(is_clamped, least, norms)


def _power_of_two(largest: Any, dtype: str) -> Any:
    """What to multiply by; 1 also for what is no number."""
    above, below = _SHIFTS[dtype]
    scale = one = ops.ones_like(largest)
    # Not `full_like`, which makes float32 of its number on torch.
    for exponent, shift in reversed(above):
        scale = ops.where(largest > 2.0**exponent, one * 2.0**shift, scale)
    for exponent, shift in reversed(below):
        scale = ops.where(largest < 2.0**exponent, one * 2.0**shift, scale)
    return scale


def _largest(magnitudes: Any) -> Any:
    """The largest of each vector (..., D): (..., 1)."""
    if keras.backend.backend() == "torch":
        import torch

        # Keras' own looks at the type of what it gets, which `torch.compile` does not follow.
        return torch.amax(magnitudes, dim=-1, keepdim=True)
    return ops.max(magnitudes, axis=-1, keepdims=True)


def _times(vectors: Any, scale: Any) -> Any:
    """Their product, also for a compiler that knows the numbers.

    XLA would take the sum of squares of a constant times its scale apart, into factors that are out
    of range; so it is not shown that this is a product and nothing else.
    """
    scaled = vectors * scale
    if keras.backend.backend() != "jax":
        return scaled
    return ops.where(ops.isnan(scaled), vectors, scaled)


def _scores(dots: Any, user_norms: Any, item_norms: Any) -> Any:
    has_user, has_item = ops.not_equal(user_norms, 0), ops.not_equal(item_norms, 0)
    # Not simply 0, as a zero vector with one that holds NaN is NaN.
    dots = ops.where(ops.logical_and(has_user, has_item), dots, ops.stop_gradient(dots))
    scores = dots / ops.where(has_user, user_norms, ops.ones_like(user_norms))
    # One after the other: the product's square, which a gradient may need, is out of range sooner.
    scores = scores / ops.where(has_item, item_norms, ops.ones_like(item_norms))
    exact = ops.stop_gradient(scores)
    ones = ops.ones_like(exact)
    clipped = ops.where(exact > 1, ones, ops.where(exact < -1, -ones, exact))
    return scores + (clipped - exact)  # which makes +0 of -0 as well


def _widened(vectors: Any, dtype: str, epsilon: float) -> Any:
    """The vectors in this dtype, with a gradient that saturates in their own."""
    own = keras.backend.standardize_dtype(vectors.dtype)
    can_overflow = own == "float16" or epsilon < _SAFE_EPSILON
    if own not in _LARGEST or not can_overflow or keras.backend.backend() == "numpy":
        return ops.cast(vectors, dtype)
    largest = _LARGEST[own]

    def widened(vectors: Any) -> tuple[Any, Any]:
        def gradient(*args: Any, upstream: Any = None) -> Any:
            upstream = args[0] if upstream is None else upstream  # torch names it
            return ops.cast(ops.clip(upstream, -largest, largest), own)

        return ops.cast(vectors, dtype), gradient

    return ops.custom_gradient(widened)(vectors)


__all__ = ["batched_cosine_similarity", "cosine_similarity"]
