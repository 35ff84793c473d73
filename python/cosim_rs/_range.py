"""All items that score at least so much: a signature and its documentation, over the border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import ArrayLike, NDArray

from cosim_rs import _arrays, _cosim_rs, _filters
from cosim_rs._arrays import Scores, Vectors
from cosim_rs._filters import Lists
from cosim_rs._naming import Places, Positions
from cosim_rs._search import Filter, Segment, as_search


class RangeResult(NamedTuple):
    """What a range search found: rows of any length, one after the other.

    Row ``u`` is ``indices[indptr[u]:indptr[u + 1]]``, as `scipy.sparse` has compressed sparse rows.

    Attributes
    ----------
    indptr : ndarray of int64, shape (U + 1,)
        Where each user's row begins, and the end.
    indices : ndarray, shape (found,)
        The items' rows (int64), or their ids if a `Catalogue` has ids. In each row scores descend,
        and items of equal score come in their order.
    scores : ndarray, shape (found,)
        float32 or float64.
    ids : ndarray
        The indices, by the name that fits what a `Catalogue` finds.

    Examples
    --------
    >>> import cosim_rs
    >>> items = [[0.0, 2.0], [3.0, 0.0], [4.0, 3.0]]
    >>> found = cosim_rs.range_search([[1.0, 0.0], [-1.0, 0.0]], items, 0.5)
    >>> found.indptr, found.indices
    (array([0, 2, 2]), array([1, 2]))
    """

    indptr: Places
    indices: NDArray[Any]
    scores: Scores

    @property
    def ids(self) -> NDArray[Any]:
        """The indices, by the name that fits what a `Catalogue` finds."""
        return self.indices


RangeResult.indptr.__doc__ = "Where each user's row begins, and the end."
RangeResult.indices.__doc__ = "The rows of what was found, or its ids."
RangeResult.scores.__doc__ = "The scores of what was found."


def range_search(
    users: ArrayLike,
    items: ArrayLike,
    min_score: float,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    threads: int | None = None,
) -> RangeResult:
    """Find all items that score at least `min_score` for each user.

    They are those of the full score matrix, bit for bit, but the matrix is never made: memory is
    needed for what is found.

    Parameters
    ----------
    users : array_like, shape (U, D), (U, 1, D) or (D,)
        As the users of `top_k`. One vector gives one row.
    items : array_like, shape (N, D)
        What is searched, for all users.
    min_score : float
        The least score. It is rounded to the dtype of the scores, as NumPy does in
        ``scores >= min_score``.
    exclude, allow, threads
        As in `top_k`.

    Returns
    -------
    RangeResult
        A named tuple of ``indptr``, ``indices`` and ``scores``. An item whose score is NaN is
        never found.

    Raises
    ------
    TypeError, ValueError, MemoryError
        As `top_k`.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> users = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> items = np.array([[0.0, 2.0], [3.0, 0.0], [4.0, 3.0], [5.0, 0.0]])
    >>> found = cosim_rs.range_search(users, items, 0.7)
    >>> found.indptr, found.indices
    (array([0, 3, 4]), array([1, 3, 2, 0]))
    >>> found.scores
    array([1. , 1. , 0.8, 1. ])
    """
    inputs, is_one_user = as_search(*_arrays.as_inputs(users=users, items=items))
    naming = Positions(len(inputs.right))
    filter = as_filter(min_score, exclude, allow, len(inputs.left), naming, is_one_user)
    threads = _arrays.as_threads(threads)
    return search_range(inputs.left, [Segment(inputs.right)], filter, 0.0, threads)


def as_filter(
    min_score: float,
    exclude: Lists | None,
    allow: ArrayLike | None,
    users: int,
    naming: Positions,
    is_one_user: bool,
) -> Filter:
    """The filter of a range search, of which the least score is the point."""
    return Filter(
        min_score=_filters.as_least_score(min_score),
        exclude=_filters.as_lists("exclude", exclude, users, naming, is_one_user),
        allow=_filters.as_allowed(allow, naming),
    )


def search_range(
    users: Vectors,
    segments: Sequence[Segment],
    filter: Filter,
    epsilon: float,
    threads: int | None,
) -> RangeResult:
    """Search segments for rows of users; the indices are places."""
    found = _cosim_rs.range_search(users, segments, filter, epsilon, threads)
    if found is None:
        raise AssertionError("the border refused arrays that passed every check")
    return RangeResult(*found)


__all__ = ["RangeResult", "as_filter", "range_search", "search_range"]
