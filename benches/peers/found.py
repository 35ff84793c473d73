"""Nothing wrong is timed, of searches: what was found against the best there is.

Each score of an exact search is within the bound of `checks` of the true one, so the i-th best
score is within that bound of the true i-th best: places are compared, and ties may go either way.
That the scores belong to the items found is a second question, and that no item is found twice a
third. Of an approximate search the share of the best that it found is measured and not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import checks
from .cases import Array, Inputs
from .vectors import directions

Items = NDArray[np.int64]

USERS = 64
"""So many at a time: a million scores of each, in float64, are half a gigabyte."""


class Found(NamedTuple):
    """What a search returns: users in rows, best first, as anything that NumPy can read."""

    scores: Any
    items: Any
    setting: str = ""
    """What it was tuned to."""


def best(inputs: Inputs, excluded: Items | None = None) -> Array:
    """The true scores of the best items, but for those that the rows of `excluded` name."""
    found = []
    for rows, scores in _true_scores(inputs):
        if excluded is not None:
            np.put_along_axis(scores, excluded[rows], -np.inf, axis=1)
        found.append(-np.sort(-np.partition(scores, -inputs.k, axis=1)[:, -inputs.k :], axis=1))
    return np.concatenate(found)


def best_items(inputs: Inputs, count: int) -> Items:
    """The best items themselves, in no order."""
    return np.concatenate(
        [np.argpartition(scores, -count, axis=1)[:, -count:] for _, scores in _true_scores(inputs)]
    )


def _true_scores(inputs: Inputs) -> Iterator[tuple[slice, Array]]:
    transposed = directions(inputs.items.astype(np.float64)).T
    for start in range(0, len(inputs.users), USERS):
        rows = slice(start, start + USERS)
        yield rows, directions(inputs.users[rows].astype(np.float64)) @ transposed


def verdict(found: Found, oracle: Array, inputs: Inputs, allowed: float) -> str | None:
    """Why what was found is wrong, or None."""
    scores, items = np.asarray(found.scores), np.asarray(found.items).astype(np.int64)
    if scores.shape != oracle.shape or items.shape != oracle.shape:
        return f"wrong: found shapes {scores.shape} and {items.shape}, not {oracle.shape}"
    if (np.diff(np.sort(items, axis=1), axis=1) == 0).any():
        return "wrong: an item found twice"
    return checks.verdict(scores, oracle, allowed) or checks.verdict(
        scores, scores_of(items, inputs), allowed
    )


def recall(found: Found, oracle: Array, inputs: Inputs) -> str:
    """The share of the best that was found, and how."""
    # The oracle's last place decides: an item with that score is as good as the one it has. Two
    # sums of one product in float64 differ by less than the margin, and two scores by more.
    scores = scores_of(np.asarray(found.items).astype(np.int64), inputs)
    share = float((scores >= oracle[:, -1:] - 1e-12).mean())
    return ", ".join(filter(None, [f"recall {share:.3f}", found.setting]))


def scores_of(items: Items, inputs: Inputs) -> Array:
    """The true scores of each user's items; -inf where an item is none (-1)."""
    found = np.empty(items.shape)
    for user, own, scores in zip(inputs.users, items, found, strict=True):
        vectors = directions(inputs.items[own].astype(np.float64))
        scores[:] = vectors @ directions(user[None].astype(np.float64))[0]
    return np.where(items >= 0, found, -np.inf)
