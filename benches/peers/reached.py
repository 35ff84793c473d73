"""Nothing wrong is timed, of searches for all that score enough: what was found against the matrix.

A pair whose true score is within the bound of `checks` of the least one may be found or not, as its
rounding has it. All that reach more must be found, once each, with scores within that bound of the
true ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .cases import Array, Inputs
from .found import Items
from .vectors import directions

ROWS = 512
"""So many at a time: their scores in float64 are a few hundred megabytes."""
MARGIN = 1e-3
"""How far below the least score the truth is known: any bound is smaller."""


class Hits(NamedTuple):
    """Pairs that score enough, in any order, as anything that NumPy can read."""

    scores: Any
    users: Any
    items: Any

    @classmethod
    def of_rows(cls, starts: Any, items: Any, scores: Any) -> Hits:
        """Of each user's, one after the other, as compressed sparse rows have them."""
        counts = np.diff(np.asarray(starts).astype(np.int64))
        return cls(scores, np.repeat(np.arange(len(counts)), counts), items)


class Truth(NamedTuple):
    """All pairs that reach nearly as much, by ascending number."""

    numbers: Items
    """Of the cell in the matrix of users and items."""
    scores: Array


def truth(inputs: Inputs) -> Truth:
    """The pairs, in float64; where users are the items themselves, each unordered one once."""
    is_one_set = inputs.users is inputs.items
    users, items = (directions(of.astype(np.float64)) for of in (inputs.users, inputs.items))
    parts = []
    for start in range(0, len(users), ROWS):
        first = start if is_one_set else 0
        scores = users[start : start + ROWS] @ items[first:].T
        wanted = scores >= inputs.least - MARGIN
        if is_one_set:
            wanted = np.triu(wanted, 1)
        row, column = np.nonzero(wanted)
        parts.append(Truth((start + row) * len(items) + first + column, scores[row, column]))
    return Truth(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def verdict(hits: Hits, truth: Truth, inputs: Inputs, allowed: float) -> str | None:
    """Why what was found is wrong, or None."""
    scores, users, items = (np.asarray(part) for part in hits)
    numbers = users.astype(np.int64) * len(inputs.items) + items.astype(np.int64)
    if len(np.unique(numbers)) < len(numbers):
        return "wrong: a pair found twice"
    if (scores < np.float32(inputs.least)).any():
        return f"wrong: found one of less than {inputs.least}"
    places = np.searchsorted(truth.numbers, numbers).clip(max=len(truth.numbers) - 1)
    if (truth.numbers[places] != numbers).any():
        return f"wrong: found one that truly scores less than {inputs.least}"
    surely = truth.numbers[truth.scores >= inputs.least + allowed]
    if missed := len(np.setdiff1d(surely, numbers)):
        return f"wrong: {missed:,} of {len(surely):,} not found"
    error = float(np.abs(truth.scores[places] - scores).max(initial=0))
    return None if error <= allowed else f"wrong: off by {error:.1e}, allowed {allowed:.1e}"
