"""A range search finds, bit for bit, what the full matrix of scores holds at least so much of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from helpers import assert_same_bits, gaussian_rows
from ranking import ITEMS

import cosim_rs

Array = npt.NDArray[Any]


def expected(scores: Array, least: float, banned: Array | None = None) -> cosim_rs.RangeResult:
    """Each row of a matrix, by NumPy's stable sort, down to the least score."""
    wanted = scores >= scores.dtype.type(least)
    if banned is not None:
        wanted &= ~banned
    order = np.argsort(-np.where(wanted, scores, -np.inf), axis=1, kind="stable")
    counts = wanted.sum(axis=1)
    kept = np.arange(scores.shape[1]) < counts[:, None]
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return cosim_rs.RangeResult(indptr, order[kept], np.take_along_axis(scores, order, 1)[kept])


def assert_same(found: cosim_rs.RangeResult, wanted: cosim_rs.RangeResult) -> None:
    assert found.indptr.dtype == np.int64
    assert found.indptr.tolist() == wanted.indptr.tolist()
    assert_same_bits(found.indices, wanted.indices)
    assert_same_bits(found.scores, wanted.scores)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("users", [1, 5, 70])
def test_equals_the_rows_of_the_matrix(name: str, dtype: type, users: int) -> None:
    items = ITEMS[name](3000, 24).astype(dtype)
    queries = np.concatenate([np.abs(gaussian_rows(users, 24)), items[:1]])[-users:].astype(dtype)
    scores = cosim_rs.cosine_similarity(queries, items)
    catalogue = cosim_rs.Catalogue(items)
    for least in (-1.0, 0.0, 0.3, 0.7, 1.0, 1.5, -np.inf, np.inf):
        wanted = expected(scores, least)
        assert_same(cosim_rs.range_search(queries, items, least), wanted)
        assert_same(catalogue.range_search(queries, least), wanted)


def test_filters() -> None:
    users, items = gaussian_rows(40, 16), gaussian_rows(2000, 16, seed=1)
    scores = cosim_rs.cosine_similarity(users, items)
    banned = np.random.default_rng(0).random(scores.shape) < 0.3
    flags = np.random.default_rng(1).random(2000) < 0.5
    few = np.arange(2000) % 50 == 3
    lists = [np.flatnonzero(row) for row in banned]
    for exclude in (lists, scipy.sparse.csr_array(banned)):
        wanted = expected(scores, 0.2, banned)
        assert_same(cosim_rs.range_search(users, items, 0.2, exclude=exclude), wanted)
        for allow in (flags, few, np.flatnonzero(few)):
            allowed = np.isin(np.arange(2000), allow) if allow.dtype != np.bool_ else allow
            wanted = expected(scores, 0.2, banned | ~allowed)
            found = cosim_rs.range_search(users, items, 0.2, exclude=exclude, allow=allow)
            assert_same(found, wanted)
    ids = np.array([f"item {7 * row % 2000}" for row in range(2000)])
    named = cosim_rs.Catalogue(items, ids)
    found = named.range_search(users, 0.2, exclude=[ids[row] for row in lists], allow=ids[few])
    wanted = expected(scores, 0.2, banned | ~few)
    assert found.ids.tolist() == ids[wanted.indices].tolist()
    assert_same_bits(found.scores, wanted.scores)
    with pytest.raises(KeyError, match="allow: got 'nothing', which is no id"):
        named.range_search(users, 0.2, allow=["nothing"])


def test_one_user_is_one_row() -> None:
    items = gaussian_rows(300, 8)
    found = cosim_rs.range_search(items[0], items, 0.5)
    assert_same(found, cosim_rs.range_search(items[:1], items, 0.5))
    assert_same(found, cosim_rs.range_search(items[:1, None], items, 0.5))


def test_a_changed_catalogue() -> None:
    items = gaussian_rows(500, 8)
    catalogue = cosim_rs.Catalogue(items)
    catalogue.remove([3, 77])
    catalogue.update([5], items[:1])
    catalogue.add(items[9:12])
    left = np.concatenate([items, items[9:12]])
    left[5] = items[0]
    kept = np.setdiff1d(np.arange(503), [3, 77])
    wanted = cosim_rs.range_search(items[:40], left[kept], 0.4)
    found = catalogue.range_search(items[:40], 0.4)
    assert_same(found, wanted._replace(indices=kept[wanted.indices]))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_change_nothing(threads: int) -> None:
    users, items = gaussian_rows(300, 32), gaussian_rows(20_000, 32, seed=1)
    wanted = expected(cosim_rs.cosine_similarity(users, items), 0.5)
    assert_same(cosim_rs.range_search(users, items, 0.5, threads=threads), wanted)


@pytest.mark.parametrize(("users", "items", "dim"), [(0, 5, 3), (4, 0, 3), (0, 0, 0), (4, 5, 0)])
def test_empty_sides(users: int, items: int, dim: int) -> None:
    x, y = np.ones((users, dim)), np.ones((items, dim))
    scores = cosim_rs.cosine_similarity(x, y)
    for found in (cosim_rs.range_search(x, y, -1), cosim_rs.Catalogue(y).range_search(x, -1)):
        assert_same(found, expected(scores, -1))


@pytest.mark.parametrize(
    ("least", "error", "message"),
    [
        (np.nan, ValueError, "min_score: got nan, expected a number"),
        (None, TypeError, "min_score: got NoneType, expected a real number"),
        ("1", TypeError, "min_score: got str, expected a real number"),
    ],
)
def test_what_is_no_score_is_refused(least: Any, error: type[Exception], message: str) -> None:
    items = np.eye(3)
    with pytest.raises(error, match=message):
        cosim_rs.range_search(items, items, least)
    with pytest.raises(error, match=message):
        cosim_rs.Catalogue(items).range_search(items, least)
