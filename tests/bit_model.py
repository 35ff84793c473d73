"""The numerical contract as slow, plain Python: the bits that every kernel must give.

Sixteen lanes add up products, lane j those of elements j, j + 16, j + 32 and on, by fused
multiply-add; a fixed tree adds up the lanes, 16 to 8 (j with j + 8) to 4 to 2 to 1. A vector
whose square is far from one is first multiplied by the power of two that brings its largest
element (or epsilon, if larger) into [1, 2). Then

    score(u, v) = clamp(dot(u, v) / sqrt(square(u) * square(v)), -1, 1) + 0

Only the fused multiply-add needs a model, by exact fractions: NumPy's own sum, product, root
and quotient of two floats are correctly rounded.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from helpers import CANONICAL_NAN

LANES = 16
# A square between 2**-e and 2**e is used as it is.
SAFE_EXPONENT = 60

Vector = npt.NDArray[Any]


def modelled_score(u: Vector, v: Vector, epsilon: float = 0.0) -> np.floating[Any]:
    """The score of two vectors of one dtype, float32 or float64, bit for bit."""
    scalar = u.dtype.type
    if not (np.isfinite(u).all() and np.isfinite(v).all()):
        return CANONICAL_NAN[scalar]
    u, u_square = _prepared(u, scalar(epsilon))
    v, v_square = _prepared(v, scalar(epsilon))
    if u_square == 0 or v_square == 0:
        return scalar(0)
    quotient = lanes_dot(u, v) / np.sqrt(u_square * v_square)
    return np.clip(quotient, scalar(-1), scalar(1)) + scalar(0)


def _prepared(vector: Vector, epsilon: np.floating[Any]) -> tuple[Vector, np.floating[Any]]:
    """The vector as it enters the dot product, and its square raised to epsilon's."""
    with np.errstate(over="ignore"):
        square = np.maximum(lanes_dot(vector, vector), epsilon * epsilon)
    largest = np.max(np.abs(vector), initial=epsilon)
    bound = 2.0**SAFE_EXPONENT
    if 1 / bound <= square <= bound or largest == 0:
        return vector, square
    exponent = int(np.frexp(largest)[1]) - 1
    scaled = np.array([times_power_of_two(element, -exponent) for element in vector], vector.dtype)
    least = times_power_of_two(epsilon, -exponent)
    return scaled, np.maximum(lanes_dot(scaled, scaled), least * least)


def lanes_dot(u: Vector, v: Vector) -> np.floating[Any]:
    """The dot product in the contract's order of rounding."""
    lanes = np.zeros(LANES, u.dtype)
    for index, (a, b) in enumerate(zip(u, v, strict=True)):
        lanes[index % LANES] = fused_multiply_add(a, b, lanes[index % LANES])
    with np.errstate(over="ignore"):
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = lanes[:half] + lanes[half:]
    return lanes[0]


def fused_multiply_add(
    a: np.floating[Any], b: np.floating[Any], c: np.floating[Any]
) -> np.floating[Any]:
    """A * b + c, rounded once, for finite a and b."""
    if not np.isfinite(c):
        return c
    return rounded(Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c)), a.dtype)


def times_power_of_two(number: np.floating[Any], exponent: int) -> np.floating[Any]:
    """Number * 2**exponent, rounded once: exact save for underflow."""
    return rounded(Fraction(float(number)) * Fraction(2) ** exponent, number.dtype)


def rounded(value: Fraction, dtype: npt.DTypeLike) -> np.floating[Any]:
    """The nearest float, ties to even, with subnormals; zero has the sign +."""
    limits = np.finfo(dtype)
    scalar = np.dtype(dtype).type
    if value == 0:
        return scalar(0)
    exponent = max(floor_log2(abs(value)), int(limits.minexp))
    spacing = Fraction(2) ** (exponent - int(limits.nmant))
    nearest = round(value / spacing) * spacing
    if abs(nearest) > Fraction(float(limits.max)):
        return scalar(np.inf if value > 0 else -np.inf)
    return scalar(float(nearest))


def floor_log2(value: Fraction) -> int:
    """The exponent e of a positive value in [2**e, 2**(e + 1))."""
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if value >= Fraction(2) ** guess else guess - 1
