"""Pairs of items that are most alike: signatures and their documentation, over the border."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cosim_rs import _arrays, _cosim_rs, _filters
from cosim_rs._arrays import Scores, Vectors, fitting
from cosim_rs._naming import Places


class Pairs(NamedTuple):
    """Pairs that were mined, best first: by score descending, then by `i`, then by `j`.

    Attributes
    ----------
    scores : ndarray, shape (P,)
        float32 or float64.
    i : ndarray of int64, shape (P,)
        Rows of the first set.
    j : ndarray of int64, shape (P,)
        Rows of the second set; or of the same, each after its `i`.

    Examples
    --------
    >>> import cosim_rs
    >>> scores, i, j = cosim_rs.mine_pairs([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]], min_score=0.5)
    >>> i, j
    (array([0]), array([2]))
    """

    scores: Scores
    i: Places
    j: Places


Pairs.scores.__doc__ = "The scores of the pairs, best first."
Pairs.i.__doc__ = "Rows of the first set."
Pairs.j.__doc__ = "Rows of the second set, or of the same."


def mine_pairs(
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    min_score: float,
    max_pairs: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Pairs:
    """Find the pairs that score at least `min_score`: near-duplicates, translations, paraphrases.

    With one set, each two of its rows are one pair. The pairs are those of the full score matrix,
    exactly, but the matrix is never made.

    Parameters
    ----------
    x : array_like, shape (M, D)
        One set of vectors.
    y : array_like, shape (N, D), optional
        Another set; each pair has a row of either then.
    min_score : float
        The least score, rounded to the dtype of the scores.
    max_pairs : int, optional
        Find no more than so many, the best: memory is needed for twice as many.
    threads : int, optional
        The most threads to use.
    progress : bool, default False
        Whether to show a bar of the rows of `x` that are done. It needs tqdm.

    Returns
    -------
    Pairs
        A named tuple of ``scores``, ``i`` and ``j``.

    Raises
    ------
    ImportError
        If a bar is asked for where tqdm is not installed.
    TypeError, ValueError
        If an argument is of the wrong type, or has a shape or value that is not allowed.
    MemoryError
        If there is none for all pairs; `max_pairs` bounds them.

    See Also
    --------
    group_pairs : Which rows belong together by their pairs.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 0.1], [0.1, 5.0]])
    >>> pairs = cosim_rs.mine_pairs(x, min_score=0.9, max_pairs=10)
    >>> list(zip(pairs.i.tolist(), pairs.j.tolist(), pairs.scores.round(4).tolist()))
    [(1, 3, 0.9998), (0, 2, 0.9994)]
    """
    left = _as_set("x", x)
    right = None if y is None else _as_set("y", y)
    if right is not None and right.shape[1] != left.shape[1]:
        raise fitting("y", right.shape, f"(N, {left.shape[1]}), to fit x of shape {left.shape}")
    least = _filters.as_least_score(min_score)
    most = None if max_pairs is None else _arrays.as_count("max_pairs", max_pairs)
    threads = _arrays.as_threads(threads)
    if not _filters.as_flag("progress", progress):
        return mined(left, right, least, most, None, threads)
    with _progress_bar(len(left)) as bar:
        return mined(left, right, least, most, lambda done: bar.update(done - bar.n), threads)


def mined(
    x: Vectors, y: Vectors | None, least: float, most: int | None, tell: Any, threads: int | None
) -> Pairs:
    """Find pairs of arrays that were checked; `tell` is called with how many rows are done."""
    found = _cosim_rs.mine_pairs(x, y, least, most, tell, 0.0, threads)
    if found is None:
        raise AssertionError("the border refused arrays that passed every check")
    return Pairs(*found)


def _as_set(name: str, vectors: ArrayLike) -> Vectors:
    given = _arrays.as_input(name, vectors)
    if given.ndim != 2:
        raise fitting(name, given.shape, "(N, D)")
    return given


def _progress_bar(rows: int) -> Any:
    try:
        bars = importlib.import_module("tqdm.auto")
    except ImportError:
        raise ImportError("progress: got True, which needs tqdm: pip install tqdm") from None
    return bars.tqdm(total=rows, unit="row")


def group_pairs(pairs: Pairs, count: int) -> Places:
    """Group rows that are connected by pairs: near-duplicates of each other, or of one between.

    Parameters
    ----------
    pairs : Pairs
        What `mine_pairs` found in one set.
    count : int
        How many rows the set has, or 0.

    Returns
    -------
    ndarray of int64, shape (count,)
        The number of each row's group. Groups are numbered in the order of their first rows, and a
        row without a pair is a group of its own.

    Raises
    ------
    ImportError
        If SciPy is not installed.
    TypeError, ValueError
        If `count` is no whole number, or a pair has a row beyond it.

    Examples
    --------
    >>> import cosim_rs
    >>> x = [[1.0, 0.0], [0.0, 1.0], [3.0, 0.1], [0.1, 5.0], [1.0, 1.0]]
    >>> cosim_rs.group_pairs(cosim_rs.mine_pairs(x, min_score=0.9), len(x))
    array([0, 1, 0, 1, 2])
    """
    try:
        sparse = importlib.import_module("scipy.sparse")
        graphs = importlib.import_module("scipy.sparse.csgraph")
    except ImportError:
        raise ImportError("group_pairs: needs SciPy: pip install scipy") from None
    count = _arrays.as_count("count", count, least=0)
    last = max((int(rows.max()) for rows in (pairs.i, pairs.j) if rows.size), default=-1)
    if last >= count:
        raise ValueError(f"count: got {count}, expected more than row {last} of the pairs")
    if not count:
        return np.empty(0, np.int64)
    ones = np.ones(len(pairs.i), np.bool_)
    graph = sparse.coo_array((ones, (pairs.i, pairs.j)), shape=(count, count))
    _, labels = graphs.connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


__all__ = ["Pairs", "group_pairs", "mine_pairs", "mined"]
