"""The search: a signature and its documentation, over the native border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs import _arrays, _cosim_rs, _filters
from cosim_rs._arrays import Inputs, Scores, Vectors, fitting
from cosim_rs._filters import Lists
from cosim_rs._naming import Places, Positions


class TopK(NamedTuple):
    """What a search found, best first: a named tuple, ``scores, indices = found``.

    Attributes
    ----------
    scores : ndarray, shape (U, min(k, N)), or (min(k, N),) for one user
        float32 or float64; -inf where there is no item.
    indices : ndarray of the same shape
        The items' rows (int64), or their ids if a `Catalogue` has ids; -1 where there is no item,
        or what else fills up a row, see `Catalogue.top_k`.
    ids : ndarray
        The indices, by the name that fits what a `Catalogue` finds.

    Examples
    --------
    >>> import cosim_rs
    >>> found = cosim_rs.top_k([1.0, 0.0], [[0.0, 2.0], [3.0, 0.0], [4.0, 3.0]], 2)
    >>> found.indices
    array([1, 2])
    >>> scores, indices = found
    >>> scores
    array([1. , 0.8])
    """

    scores: Scores
    indices: NDArray[Any]

    @property
    def ids(self) -> NDArray[Any]:
        """The indices, by the name that fits what a `Catalogue` finds."""
        return self.indices


TopK.scores.__doc__ = "The scores of what was found, best first."
TopK.indices.__doc__ = "The rows of what was found, or its ids."


def top_k(
    users: ArrayLike,
    items: ArrayLike,
    k: int = 10,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    candidates: Lists | None = None,
    min_score: float | None = None,
    exclude_self: bool = False,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> TopK:
    """Find the best items for each user, exactly.

    The result is that of a stable sort of the full score matrix, bit for bit, but the matrix is
    never made: scores descend, and items of equal score come in the order of their indices.

    Parameters
    ----------
    users : array_like, shape (U, D), (U, 1, D) or (D,)
        As the users of `batched_cosine_similarity`. One vector gives one row of results.
    items : array_like, shape (N, D)
        What is searched, for all users.
    k : int, default 10
        How many items to find for each user; at least 1.
    exclude : sparse array (U, N), int array (U, M), or sequence of U int arrays, optional
        Items that a user must not get: the stored entries of a `scipy.sparse` array, whatever
        their values; or rows of indices, filled up with -1; or an array of indices a user.
    allow : array_like, bool of shape (N,) or int indices, optional
        The only items that anyone may get.
    candidates : sparse array (U, N), int array (U, M), or sequence of U int arrays, optional
        The only items that a user may get, of those that the other filters leave, in the forms
        of `exclude`. Only these are scored. An item listed twice counts once.
    min_score : float, optional
        Lower scores do not count. It is rounded to the dtype of the scores, as NumPy does in
        ``scores >= min_score``.
    exclude_self : bool, default False
        Whether user i must not get item i; there must be as many users as items.
    epsilon, threads
        As in `batched_cosine_similarity`.

    Returns
    -------
    TopK
        A named tuple of ``scores`` and ``indices`` (int64), of shape (U, min(k, N)). A place that
        cannot be filled, for all that was excluded, disallowed, no candidate or too low, holds the
        score -inf and the index -1. An item whose score is NaN is never found.

    Raises
    ------
    TypeError
        If an argument is of the wrong type, or vectors are not of real numbers.
    ValueError
        If shapes do not fit, or an argument has a value that is not allowed.
    MemoryError
        If there is none for the result.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> users = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> items = np.array([[0.0, 2.0], [3.0, 0.0], [4.0, 3.0], [5.0, 0.0]])
    >>> cosim_rs.top_k(users, items, 2)
    TopK(scores=array([[1. , 1. ],
           [1. , 0.6]]), indices=array([[1, 3],
           [0, 2]]))
    >>> cosim_rs.top_k(users, items, 2, exclude=[[1], [0]], min_score=0.7).indices
    array([[ 3,  2],
           [-1, -1]])
    >>> cosim_rs.top_k(users, items, 2, candidates=[[2, 3], [3]]).indices
    array([[ 3,  2],
           [ 3, -1]])
    """
    inputs, is_one_user = as_search(*_arrays.as_inputs(users=users, items=items))
    naming = Positions(len(inputs.right))
    if _filters.as_flag("exclude_self", exclude_self) and len(inputs.left) != naming.count:
        got = f"{len(inputs.left)} users and {naming.count} items"
        raise ValueError(f"exclude_self: got {got}, expected as many users as items")
    rows = len(inputs.left), naming, is_one_user
    filter = Filter(
        min_score=_filters.as_min_score(min_score),
        exclude=_filters.as_lists("exclude", exclude, *rows),
        allow=_filters.as_allowed(allow, naming),
        candidates=_filters.as_lists("candidates", candidates, *rows),
        exclude_self=bool(exclude_self),
    )
    numbers = _arrays.as_epsilon(epsilon), _arrays.as_threads(threads)
    segments = [Segment(inputs.right)]
    found = search(inputs.left, segments, _arrays.as_count("k", k), filter, *numbers)
    return TopK(found.scores[0], found.indices[0]) if is_one_user else found


class Filter(NamedTuple):
    """Which items a search may find, as the border takes it; items are known by their slots."""

    min_score: float | None = None
    exclude: tuple[Places, Places] | None = None
    allow: NDArray[np.bool_] | None = None
    candidates: tuple[Places, Places] | None = None
    exclude_self: bool = False


class Segment(NamedTuple):
    """Some of what is searched, as the border takes it.

    The rows of all segments, one after the other, are their slots. Each may have a place of its own
    in the order that settles ties, ascending within a segment.
    """

    items: Vectors
    codes: _cosim_rs.Codes | None = None
    places: Places | None = None


def search(
    users: Vectors,
    segments: Sequence[Segment],
    k: int,
    filter: Filter,
    epsilon: float,
    threads: int | None,
) -> TopK:
    """Search segments for rows of users; the indices are places."""
    found = _cosim_rs.top_k(users, segments, k, filter, epsilon, threads)
    if found is None:
        raise AssertionError("the border refused arrays that passed every check")
    scores, places, _ = found  # and how many pairs had to be scored
    return TopK(scores, places)


def as_search(users: Vectors, items: Vectors, rows: str = "N") -> tuple[Inputs, bool]:
    """Rows of users and of items, `rows` in number, and whether there was but one user, (D,)."""
    if items.ndim != 2:
        raise fitting("items", items.shape, f"({rows}, D)")
    left, is_one_user = as_users(users, items.shape)
    return Inputs(left, items), is_one_user


def as_users(users: Vectors, items: tuple[int, ...]) -> tuple[Vectors, bool]:
    """Rows of users for items of this shape, and whether there was but one user, (D,)."""
    shape, dim = users.shape, items[1]
    if shape not in ((dim,), (*shape[:1], dim), (*shape[:1], 1, dim)):
        wanted = f"(U, {dim}), (U, 1, {dim}) or ({dim},), to fit items of shape {items}"
        raise fitting("users", shape, wanted)
    # Without the axis of one that they may have, or with one for the only user.
    if len(shape) == 1:
        return users[None], True
    return users[:, 0] if len(shape) == 3 else users, False


__all__ = ["Filter", "Segment", "TopK", "as_search", "as_users", "search", "top_k"]
