"""Every function that scores pairs, put into one form: rows x, rows y, scores (len(x), len(y)).

The contract gives a pair of vectors one score, whoever computes it; in this form a test can say
so for all entry points at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from helpers import CANONICAL_NAN

import cosim_rs

Array = npt.NDArray[Any]
EntryPoint = Callable[..., Array]


def batched(x: Array, y: Array, **options: Any) -> Array:
    """One batch entry a row of x, each with all of y as its items."""
    items = np.broadcast_to(y, (len(x), *y.shape))
    return cosim_rs.batched_cosine_similarity(x, items, **options)


def batched_items_apart(x: Array, y: Array, **options: Any) -> Array:
    """The same with an axis for the one user, and items that each lie in their own memory."""
    items = np.repeat(y[None], len(x), axis=0)
    return cosim_rs.batched_cosine_similarity(x[:, None, :], items, **options)


def paired(x: Array, y: Array, **options: Any) -> Array:
    """Every pair written out."""
    left = np.repeat(x, len(y), axis=0)
    right = np.tile(y, (len(x), 1))
    return cosim_rs.paired_cosine_similarity(left, right, **options).reshape(len(x), len(y))


def matrix(x: Array, y: Array, **options: Any) -> Array:
    """All pairs of two sets."""
    return cosim_rs.cosine_similarity(x, y, **options)


def symmetric(x: Array, y: Array, **options: Any) -> Array:
    """All pairs of one set, x before y; the upper right part of its square."""
    both = np.concatenate([x, y])
    return cosim_rs.cosine_similarity(both, **options)[: len(x), len(x) :]


def symmetric_lower(x: Array, y: Array, **options: Any) -> Array:
    """The lower left part of the same square, y before x."""
    both = np.concatenate([y, x])
    return cosim_rs.cosine_similarity(both, **options)[len(y) :, : len(y)]


def top_k(x: Array, y: Array, **options: Any) -> Array:
    """All of y found for each row of x, put back in its places; what is not found scored NaN."""
    return in_places(cosim_rs.top_k(x, y, max(1, len(y)), **options), len(y))


def catalogue(x: Array, y: Array, epsilon: float = 0.0, **options: Any) -> Array:
    """The same from a catalogue."""
    prepared = cosim_rs.Catalogue(y, epsilon=epsilon, **options)
    return in_places(prepared.top_k(x, max(1, len(y)), **options), len(y))


def in_places(found: cosim_rs.TopK, count: int) -> Array:
    """What was found for each row, put back in its places."""
    dtype = found.scores.dtype
    scores = np.full((len(found.scores), count), CANONICAL_NAN[dtype.type], dtype)
    rows, places = np.nonzero(found.indices >= 0)
    scores[rows, found.indices[rows, places]] = found.scores[rows, places]
    return scores


def candidates(x: Array, y: Array, **options: Any) -> Array:
    """Each row of x with listed rows of a larger table, last first, among them paddings."""
    table = np.concatenate([y[:1], y, y[:2]])
    ids = np.full((len(x), 2 * len(y)), -1)
    ids[:, ::2] = np.arange(1, len(y) + 1)[::-1]
    return cosim_rs.candidate_cosine_similarity(x, table, ids, **options)[:, ::2][:, ::-1]


def top_k_of_candidates(x: Array, y: Array, **options: Any) -> Array:
    """All of y as each row's own candidates, found and put back in their places."""
    lists = np.tile(np.arange(len(y))[::-1], (len(x), 2))
    found = cosim_rs.top_k(x, y, max(1, len(y)), candidates=lists, **options)
    return in_places(found, len(y))


def catalogue_scores(x: Array, y: Array, epsilon: float = 0.0, **options: Any) -> Array:
    """Each row of x with rows of a catalogue by their places, last first."""
    prepared = cosim_rs.Catalogue(y, epsilon=epsilon)
    ids = np.broadcast_to(np.arange(len(y))[::-1], (len(x), len(y)))
    return prepared.scores(x, ids, **options)[:, ::-1]


ENTRY_POINTS: dict[str, EntryPoint] = {
    function.__name__: function
    for function in (
        batched,
        batched_items_apart,
        paired,
        matrix,
        symmetric,
        symmetric_lower,
        top_k,
        top_k_of_candidates,
        catalogue,
        candidates,
        catalogue_scores,
    )
}
