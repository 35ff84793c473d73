"""The exact oracle: cosines in whole numbers, right to two hundred binary places.

Every finite float is a whole number of smallest float64 subnormals, 2**-1074, and a cosine does
not depend on the unit. So dot products and squares are exact in Python's integers, and only the
square root is cut off, at a place far beyond any rounding under test.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import isqrt

UNITS = 2**1074
PLACES = 200


def exact_cosine(u: Iterable[float], v: Iterable[float], epsilon: float = 0.0) -> Fraction:
    """The cosine of two finite vectors, less than 2**-200 too near to zero.

    Norms are first raised to at least epsilon; a zero norm scores 0.
    """
    u_units, v_units = _in_units(u), _in_units(v)
    least_square = _in_units([epsilon])[0] ** 2
    dot = sum(a * b for a, b in zip(u_units, v_units, strict=True))
    squares = max(_square(u_units), least_square) * max(_square(v_units), least_square)
    if squares == 0:
        return Fraction(0)
    root = Fraction(isqrt(dot**2 * 4**PLACES // squares), 2**PLACES)
    return root if dot >= 0 else -root


def _in_units(vector: Iterable[float]) -> list[int]:
    ratios = (float(element).as_integer_ratio() for element in vector)
    return [numerator * (UNITS // denominator) for numerator, denominator in ratios]


def _square(units: list[int]) -> int:
    return sum(unit**2 for unit in units)
