"""Nothing wrong is timed: every result against a float64 oracle, within a bound that has a reason.

Let u be half a unit in the last place. A dot product of D terms, summed in any order, is off by at
most D · u · |x| · |y| to first order, and a squared norm by D · u of itself; half of the two
squared norms' errors stay under the root. A cosine is thus within (2 D + 8) · u, the 8 for the
last few operations in any formulation. This library promises less: (2 ⌈D / 16⌉ + 12) · u. The
oracle is computed in float64 and adds its own (2 D + 8) · 2⁻⁵³, which only float64 results notice.
"""

from __future__ import annotations

import math

import numpy as np

from .cases import Array, Case, Inputs
from .contenders import Contender

UNIT_FLOAT64 = 2.0**-53


def expected(kind: str, case: Case, inputs: Inputs) -> Array:
    """What the oracle says: cosines, dot products or a sum."""
    if kind == "sum of items":
        return np.asarray(inputs.items.sum(dtype=np.float64))
    if kind == "sum of codes":
        return np.asarray(inputs.codes.sum())
    if case.rows:
        pairs = zip(inputs.users, inputs.ids, strict=True)
        rows = (_of_pairs(kind, user[None], inputs.items[own]) for user, own in pairs)
        return np.concatenate(list(rows))
    if not case.is_batch:
        return _of_pairs(kind, inputs.users, inputs.items)
    pairs = zip(inputs.users, inputs.items, strict=True)
    return np.concatenate([_of_pairs(kind, user, items) for user, items in pairs])


def _of_pairs(kind: str, users: Array, items: Array) -> Array:
    users, items = users.astype(np.float64), items.astype(np.float64)
    dots = users @ items.T
    if kind == "dot":
        return dots
    return dots / np.outer(np.linalg.norm(users, axis=1), np.linalg.norm(items, axis=1))


def bound(contender: Contender, case: Case, inputs: Inputs) -> float:
    """How far from the oracle a result of this contender may be."""
    depth = case.shape[2]
    unit = float(np.finfo(case.dtype).eps) / 2
    if contender.expects == "sum of codes":
        return 0.0  # Whole numbers, which wrap alike for everyone.
    if contender.expects == "sum of items":
        # Partial sums of n standard normal numbers stay near √n, each of n roundings loses at most
        # u of one, and independent losses add up like √n: near n · u, and 16 times that never.
        # The sum itself is near √n, so this still notices a hundredth of the rows left out.
        return 16 * inputs.items.size * (unit + UNIT_FLOAT64)
    if contender.expects == "dot":
        largest = _largest_norm(inputs.users) * _largest_norm(inputs.items)
        return depth * (unit + UNIT_FLOAT64) * largest
    oracle = (2 * depth + 8) * UNIT_FLOAT64
    if contender.needs == ("cosim_rs",):
        return (2 * math.ceil(depth / 16) + 12) * unit + oracle
    return (2 * depth + 8) * unit + oracle + contender.slack


def _largest_norm(rows: Array) -> float:
    return float(np.linalg.norm(rows, axis=-1).max())


def verdict(result: Array, oracle: Array, allowed: float) -> str | None:
    """Why a result is wrong, or None."""
    if not np.isfinite(result).all():
        return "wrong: not every result is finite"
    error = float(np.abs(result - oracle).max())
    return None if error <= allowed else f"wrong: off by {error:.1e}, allowed {allowed:.1e}"
