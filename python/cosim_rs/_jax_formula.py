"""The scores and their gradients by JAX's own operations, for where native ones are not.

Each vector is first multiplied by the power of two that brings its largest element (or epsilon) to
[1, 2), as the core does for gradients; then nothing leaves the range, and the powers are undone at
the very end. XLA's CPU threads flush subnormals, so vectors of nothing else are lifted by their
bits before any arithmetic.

All shapes are ``(..., U, D)`` and ``(..., N, D)`` to ``(..., U, N)``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

Array = jax.Array


class _Scaled(NamedTuple):
    """Vectors divided by their norms, and what gives them back, with a last axis of 1."""

    directions: Array
    norms: Array  # on the scale, at least epsilon
    exponents: Array  # of the power of two that each was divided by
    is_raised: Array  # whether epsilon is the norm


class _Format(NamedTuple):
    """Of a binary floating-point type."""

    bits: Any  # the signed integer of its width
    mantissa: int
    bias: int
    lift: int  # the exponent that small vectors are lifted by


_FORMATS = {
    np.dtype(np.float32): _Format(np.int32, 23, 127, 96),
    np.dtype(np.float64): _Format(np.int64, 52, 1023, 600),
}


def scores(x: Array, y: Array, epsilon: float) -> Array:
    """The scores, within [-1, 1]; float64 if either side is, else float32."""
    dtype = result_dtype(x, y)
    own, other = _scaled(x, epsilon, dtype), _scaled(y, epsilon, dtype)
    cosines = jnp.clip(_cosines(own, other), -1, 1)
    return jnp.where(cosines == 0, 0, cosines).astype(dtype)  # no -0


def gradients(
    x: Array, y: Array, weights: Array, epsilon: float, wanted: tuple[bool, bool]
) -> list[Array]:
    """The gradients of the wanted sides, given that of the scores."""
    dtype = result_dtype(x, y)
    x_scaled, y_scaled = _scaled(x, epsilon, dtype), _scaled(y, epsilon, dtype)
    cosines = _cosines(x_scaled, y_scaled)
    has_no_direction = x_scaled.norms * jnp.swapaxes(y_scaled.norms, -1, -2) == 0
    weights = jnp.where(jnp.isfinite(weights), weights, jnp.nan)
    weights = jnp.where(has_no_direction, 0, weights)
    sides = []
    if wanted[0]:
        sides.append(_gradient(x_scaled, y_scaled, cosines, weights, x.dtype))
    if wanted[1]:
        cosines, weights = jnp.swapaxes(cosines, -1, -2), jnp.swapaxes(weights, -1, -2)
        sides.append(_gradient(y_scaled, x_scaled, cosines, weights, y.dtype))
    return sides


def result_dtype(x: Any, y: Any) -> np.dtype[Any]:
    """Of the scores."""
    is_double = np.float64 in (x.dtype, y.dtype)
    return np.dtype(np.float64 if is_double else np.float32)


def _einsum(subscripts: str, left: Array, right: Array) -> Array:
    return jnp.einsum(subscripts, left, right, precision=jax.lax.Precision.HIGHEST)


def _cosines(x: _Scaled, y: _Scaled) -> Array:
    return _einsum("...ud,...nd->...un", x.directions, y.directions)


def _gradient(
    own: _Scaled, other: _Scaled, cosines: Array, weights: Array, dtype: np.dtype[Any]
) -> Array:
    """Σ weight · (other - cosine · own) / norm, of directions; a raised norm has no second term."""
    # Weights on their own scale, so that their sum is none of infinities.
    exponents = _exponents(jnp.max(jnp.abs(weights), -1, keepdims=True, initial=0))
    weights = _times_power(weights, -exponents)
    toward = _einsum("...un,...nd->...ud", weights, other.directions)
    along = jnp.sum(weights * cosines, -1, keepdims=True) * own.directions
    norms = jnp.where(own.norms == 0, 1, own.norms)
    gradient = (toward - jnp.where(own.is_raised, 0, along)) / norms
    gradient = _times_power(gradient, exponents - own.exponents)
    largest = jnp.asarray(float(ml_dtypes.finfo(dtype).max), gradient.dtype)
    return jnp.clip(gradient, -largest, largest).astype(dtype)


def _scaled(vectors: Array, epsilon: float, dtype: np.dtype[Any]) -> _Scaled:
    own_dtype = np.dtype(np.float64 if vectors.dtype == np.float64 else np.float32)
    elements = vectors.astype(own_dtype)  # exact; float32 beside float64 is widened when lifted
    floor = float(dtype.type(epsilon))
    lifted = jnp.zeros_like(elements[..., :1], bool)
    if floor < 2.0**-62:
        elements, lifted = _lift(elements, _FORMATS[own_dtype])
    elements = elements.astype(dtype)
    lift = _FORMATS[own_dtype].lift
    raised_floor = floor * 2.0**lift if floor < 2.0**-62 else floor
    floors = jnp.where(lifted, dtype.type(raised_floor), dtype.type(floor))
    largest = jnp.max(jnp.abs(elements), -1, keepdims=True, initial=0)
    exponents = _exponents(jnp.maximum(largest, floors))
    elements, floors = _times_power(elements, -exponents), _times_power(floors, -exponents)
    norms = jnp.sqrt(_einsum("...d,...d->...", elements, elements))[..., None]
    is_raised = norms < floors
    norms = jnp.where(is_raised, floors, norms)
    directions = elements / jnp.where(norms == 0, 1, norms)
    return _Scaled(directions, norms, exponents - jnp.where(lifted, lift, 0), is_raised)


def _lift(elements: Array, form: _Format) -> tuple[Array, Array]:
    """Vectors of nothing but small elements times a power of two, and which those are."""
    bits = jax.lax.bitcast_convert_type(elements, form.bits)
    magnitudes = bits & np.iinfo(form.bits).max
    largest = jnp.max(magnitudes, -1, keepdims=True, initial=0)
    is_small = largest < (form.bias - 62) << form.mantissa
    # What is subnormal is a whole number of smallest ones.
    unit = elements.dtype.type(2.0 ** (1 - form.bias - form.mantissa + form.lift))
    subnormal = magnitudes.astype(elements.dtype) * unit
    subnormal = jnp.where(bits < 0, -subnormal, subnormal)
    normal = elements * elements.dtype.type(2.0**form.lift)
    small = jnp.where(magnitudes >> form.mantissa == 0, subnormal, normal)
    return jnp.where(is_small, small, elements), is_small


def _exponents(numbers: Array) -> Array:
    """Of the power of two in each; 0 for 0 and for what is not finite."""
    form = _FORMATS[np.dtype(numbers.dtype)]
    bits = jax.lax.bitcast_convert_type(numbers, form.bits)
    exponents = (bits >> form.mantissa) - form.bias
    return jnp.where((exponents > -form.bias) & (exponents <= form.bias), exponents, 0)


def _times_power(numbers: Array, exponents: Array) -> Array:
    """Times powers of two, in three steps, as not all of these are numbers."""
    form = _FORMATS[np.dtype(numbers.dtype)]
    third = exponents // 3
    for part in (third, third, exponents - 2 * third):
        power = ((part + form.bias) << form.mantissa).astype(form.bits)
        numbers = numbers * jax.lax.bitcast_convert_type(power, numbers.dtype)
    return numbers
