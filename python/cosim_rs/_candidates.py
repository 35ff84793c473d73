"""Scores of candidates that are listed for each user, out of one table of items.

As everywhere, what the border takes as it stands goes straight through. What it refuses becomes
one table of places in here: lists of unlike lengths are filled up with -1, whatever the items are
known by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs import _arrays, _cosim_rs, _search
from cosim_rs._arrays import Inputs, Scores, Vectors, fitting
from cosim_rs._filters import rows_of
from cosim_rs._interchange import as_array
from cosim_rs._search import Segment

Listed = NDArray[np.integer[Any]]
ToPlaces = Callable[[NDArray[Any], tuple[int, ...]], Listed]
"""Makes ids places, or raises; the second is the row they are in, if they are one."""


def candidate_cosine_similarity(
    users: ArrayLike,
    items: ArrayLike,
    ids: ArrayLike,
    *,
    out: Scores | None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> Scores:
    """Score each user against its own list of items, out of one table for all users.

    The scores are those of ``batched_cosine_similarity(users, items[ids])``, bit for bit, but
    the array (B, N, D) is never made: each listed row is read where it lies.

    Parameters
    ----------
    users : array_like, shape (B, D), (B, 1, D) or (D,)
        As the users of `batched_cosine_similarity`. One vector gives one row of scores.
    items : array_like, shape (M, D)
        The table that the lists refer to, in any of these dtypes.
    ids : array_like of whole numbers, shape (B, N), or (N,) for one vector
        The rows of `items` to score for each user, 0 to M - 1, in any order and as often as one
        likes; -1 fills up a row. Of any integer dtype: int32 and int64 arrays are used where they
        lie, others are converted. Or a sequence of B arrays of any lengths, the longest of which
        has N.
    out : ndarray, shape (B, N) or (N,), optional
        Where to write the scores, as in `batched_cosine_similarity`.
    epsilon, threads
        As in `batched_cosine_similarity`.

    Returns
    -------
    ndarray, shape (B, N) or (N,)
        The scores in [-1, 1]: float64 if either side is, else float32. Where `ids` is -1, or a
        user's array has ended, the score is -inf. `out`, if given.

    Raises
    ------
    IndexError
        If an id is no row of `items`. The message tells which, and its row and column.
    TypeError, ValueError
        As `batched_cosine_similarity`; `ids` must be whole numbers. `out` is untouched after any
        error.

    See Also
    --------
    Catalogue.scores : The same for items that are known by ids of their own.
    top_k : With `candidates`, the best of each list.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> users = np.array([[1, 0], [3, 4]], dtype=np.float32)
    >>> items = np.array([[2, 0], [0, 5], [-3, 0], [6, 8]], dtype=np.float32)
    >>> cosim_rs.candidate_cosine_similarity(users, items, np.array([[2, 0, -1], [3, 0, 1]]))
    array([[-1. ,  1. , -inf],
           [ 1. ,  0.6,  0.8]], dtype=float32)
    >>> cosim_rs.candidate_cosine_similarity(users, items, [[1], [3, 0]])
    array([[ 0. , -inf],
           [ 1. ,  0.6]], dtype=float32)
    """
    scores = _cosim_rs.candidate_cosine_similarity(users, items, ids, out, epsilon, threads)
    if scores is None:
        given = _arrays.as_inputs(users=users, items=items)
        inputs, is_one_user = _search.as_search(*given, rows="M")
        count = len(inputs.right)
        places = as_places(
            ids, len(inputs.left), is_one_user, lambda ids, row: _checked(ids, row, count), "N"
        )
        scores = score(inputs.left, [Segment(inputs.right)], places, out, epsilon, threads)
    return scores


def as_places(
    ids: ArrayLike,
    users: int,
    is_one_user: bool,
    to_places: ToPlaces,
    length: str,
) -> Listed:
    """A row of places a user, filled up with -1, or just the one row of the one user."""
    if not is_one_user and _are_unlike(ids):
        rows = rows_of("ids", ids, users, length)
        places = np.full((users, max((len(row) for row in rows), default=0)), -1, np.int64)
        for user, row in enumerate(rows):
            places[user, : len(row)] = to_places(row, (user,))
        return places
    given = as_array("ids", ids)
    if is_one_user:
        if given.ndim != 1:
            raise fitting("ids", given.shape, f"({length},)")
    elif given.ndim != 2 or len(given) != users:
        raise fitting("ids", given.shape, f"({users}, {length}), a row a user")
    return to_places(given, ())


def score(
    users: Vectors,
    segments: Sequence[Segment],
    slots: Listed,
    out: Scores | None,
    epsilon: float,
    threads: int | None,
) -> Scores:
    """Score rows of users against listed slots of segments, into the shape of the lists."""
    if isinstance(out, np.ndarray) and np.shares_memory(out, slots):
        raise ValueError("out: got an array that overlaps ids, expected memory of its own")
    first, *others = segments
    table = np.atleast_2d(slots)
    if not others:
        inputs = Inputs(users, first.items)
        return _arrays.score_listed(inputs, table, slots.shape, out, epsilon, threads)
    if out is not None:
        for segment in segments:
            _arrays.check_out(out, slots.shape, Inputs(users, segment.items))
    scores = np.full(slots.shape, -np.inf, Inputs(users, first.items).dtype)
    begin = 0
    for items in (segment.items for segment in segments):
        end = begin + len(items)
        rows = np.where((table >= begin) & (table < end), table - begin, -1)
        own = _arrays.score_listed(Inputs(users, items), rows, slots.shape, None, epsilon, threads)
        np.copyto(scores, own, where=rows.reshape(slots.shape) >= 0)
        begin = end
    if out is None:
        return scores
    out[...] = scores
    return out


def _are_unlike(ids: ArrayLike) -> TypeGuard[Sequence[ArrayLike]]:
    """Whether ids are a sequence whose rows differ in length, or that has none."""
    if not isinstance(ids, Sequence) or isinstance(ids, (str, bytes)):
        return False
    return len({len(row) if isinstance(row, Sized) else None for row in ids}) != 1


def _checked(ids: NDArray[Any], row: tuple[int, ...], count: int) -> Listed:
    """Numbers of rows as the border takes them, each -1 or one of `count` rows."""
    if ids.size == 0:
        return np.empty(ids.shape, np.int64)  # an empty list is an array of floats
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids: got dtype {ids.dtype}, expected whole numbers")
    is_outside = (ids < -1) | (ids >= count)
    if is_outside.any():
        place = tuple(np.argwhere(is_outside)[0].tolist())
        raise IndexError(f"ids: got {ids[place]} at {(*row, *place)}, expected -1 to {count - 1}")
    is_taken = ids.dtype in (np.dtype(np.int32), np.dtype(np.int64))
    return np.require(ids, ids.dtype if is_taken else np.int64, "A")


__all__ = ["as_places", "candidate_cosine_similarity", "score"]
