"""`candidates` of `top_k`: the full search with all other items excluded, bit for bit.

Few candidates are gone through; many, of a search that scans codes, are a filter of the scan.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from helpers import SCORE_DTYPES, assert_same_bits, gaussian_rows
from hypothesis import given
from hypothesis import strategies as st
from ranking import ITEMS, assert_same, sorted_matrix

import cosim_rs
from cosim_rs import _cosim_rs
from cosim_rs._search import Filter, Segment

Array = npt.NDArray[Any]


def listed(allowed: Array, seed: int = 0) -> list[npt.NDArray[np.int64]]:
    """The allowed items of each user, shuffled, each of them once or twice."""
    generator = np.random.default_rng(seed)
    rows = [np.flatnonzero(row) for row in allowed]
    return [
        generator.permutation(np.concatenate([row, row[generator.random(len(row)) < 0.5]]))
        for row in rows
    ]


def padded(rows: list[npt.NDArray[np.int64]], seed: int = 0) -> npt.NDArray[np.int64]:
    """The lists as one table, with paddings anywhere."""
    table = np.full((len(rows), 3 + max(map(len, rows), default=0)), -1)
    for place, row in zip(table, rows, strict=True):
        place[: len(row)] = row
    return np.random.default_rng(seed).permuted(table, axis=1)


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("users", [1, 3, 70])
@pytest.mark.parametrize("share", [0.03, 0.3])
def test_equals_the_search_with_all_others_excluded(
    share: float, users: int, name: str, dtype: type
) -> None:
    items = ITEMS[name](1500, 20).astype(dtype)
    queries = np.concatenate([np.abs(gaussian_rows(users, 20)), items[:1]])[-users:].astype(dtype)
    allowed = np.random.default_rng(users).random((users, 1500)) < share
    lists, others = padded(listed(allowed)), scipy.sparse.csr_array(~allowed)
    catalogue = cosim_rs.Catalogue(items)
    scores = cosim_rs.cosine_similarity(queries, items)
    for k in (1, 10, 300, 1500):
        found = cosim_rs.top_k(queries, items, k, candidates=lists)
        assert_same(found, sorted_matrix(scores, k, ~allowed))
        assert_same(found, cosim_rs.top_k(queries, items, k, exclude=others))
        assert_same(found, catalogue.top_k(queries, k, candidates=lists))
        assert_same(found, catalogue.top_k(queries, k, exclude=others))


@pytest.mark.parametrize("threads", range(1, 9))
@pytest.mark.parametrize("lengths", [(60_000,), (50_000, 3, 0, 2000), (500,) * 90, (9000,) * 40])
def test_many_parts_and_threads_find_the_same(lengths: tuple[int, ...], threads: int) -> None:
    """Items of whole numbers tie in masses, also between the parts of a list."""
    items = np.random.default_rng(1).integers(-1, 2, (40_000, 64)).astype(np.float32)
    items[:, 8:] = 0
    users = gaussian_rows(len(lengths), 64).round()
    generator = np.random.default_rng(2)
    lists = [generator.integers(0, 40_000, length) for length in lengths]
    banned = np.ones((len(lengths), 40_000), bool)
    for row, own in zip(banned, lists, strict=True):
        row[own] = False
    expected = sorted_matrix(cosim_rs.cosine_similarity(users, items), 20, banned)
    assert_same(cosim_rs.top_k(users, items, 20, candidates=lists, threads=threads), expected)
    found = cosim_rs.Catalogue(items).top_k(users, 20, candidates=lists, threads=threads)
    assert_same(found, expected)


@given(st.data())
def test_any_lists(data: st.DataObject) -> None:
    count, k = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 45))
    lists = data.draw(st.lists(st.lists(st.integers(0, count - 1)), min_size=1, max_size=5))
    items = np.random.default_rng(count).integers(-1, 2, (count, 3)).astype(np.float32)
    users = gaussian_rows(len(lists), 3).round()
    banned = np.array([[item not in own for item in range(count)] for own in lists])
    expected = sorted_matrix(cosim_rs.cosine_similarity(users, items), k, banned)
    assert_same(cosim_rs.top_k(users, items, k, candidates=lists), expected)


class TestForms:
    users = gaussian_rows(30, 8)
    items = np.concatenate([gaussian_rows(100, 8, seed=2)] * 2)  # each score twice
    scores = cosim_rs.cosine_similarity(users, items)
    allowed = np.random.default_rng(3).random(scores.shape) < 0.4
    allowed[0], allowed[1], allowed[2, 1:] = True, False, False
    lists = listed(allowed)
    catalogue = cosim_rs.Catalogue(items)
    names = np.array([f"item {7 * row % 200}" for row in range(200)])
    named = cosim_rs.Catalogue(items, names)

    def check(self, candidates: Any, allowed: Array, k: int = 25, **filters: Any) -> None:
        """The function and the catalogue find the best of what is allowed."""
        expected = sorted_matrix(self.scores, k, ~allowed)
        found = cosim_rs.top_k(self.users, self.items, k, candidates=candidates, **filters)
        assert_same(found, expected)
        found = self.catalogue.top_k(self.users, k, candidates=candidates, **filters)
        assert_same(found, expected)

    @pytest.mark.parametrize("kind", ["csr", "csc matrix", "lists", "nested lists", "padded"])
    def test_of_lists(self, kind: str) -> None:
        candidates: Any = {
            "csr": scipy.sparse.csr_array(self.allowed),
            "csc matrix": scipy.sparse.csc_matrix(self.allowed),
            "lists": self.lists,
            "nested lists": [own.tolist() for own in self.lists],
            "padded": padded(self.lists),
        }[kind]
        self.check(candidates, self.allowed)
        self.check(candidates, self.allowed, k=1000)

    def test_of_narrow_numbers_and_any_layout(self) -> None:
        table = padded(self.lists)
        narrow = np.where(table < 128, table, -1).astype(np.int8)
        self.check(narrow, self.allowed & (np.arange(200) < 128))
        self.check(np.asfortranarray(table), self.allowed)
        self.check(table[:, ::-1], self.allowed)
        memory = np.zeros(table.nbytes + 1, np.uint8)[1:].view(np.int64).reshape(table.shape)
        memory[...] = table
        assert not memory.flags.aligned
        self.check(memory, self.allowed)

    def test_what_is_stored_counts_whatever_its_value(self) -> None:
        stored = scipy.sparse.csr_array((30, 200))
        stored.indptr = np.array([0, 4, 5] + [5] * 28)
        stored.indices = np.array([5, 2, 5, 2, 9, 7, 7])  # two stored twice, and room behind
        stored.data = np.zeros(7)
        allowed = np.zeros_like(self.allowed)
        allowed[0, [2, 5]] = allowed[1, 9] = True
        self.check(stored, allowed)

    def test_with_every_other_filter(self) -> None:
        generator = np.random.default_rng(5)
        banned = generator.random(self.scores.shape) < 0.3
        everyone = generator.random(200) < 0.7
        least = float(np.sort(self.scores, axis=None)[-900])
        is_high = self.scores >= np.float32(least)
        filters: list[tuple[dict[str, Any], Array]] = [
            ({"exclude": scipy.sparse.csr_array(banned)}, ~banned),
            ({"allow": everyone}, np.broadcast_to(everyone, banned.shape)),
            ({"allow": [3, 7]}, np.broadcast_to(np.isin(np.arange(200), [3, 7]), banned.shape)),
            ({"min_score": least}, is_high),
        ]
        for given_filter, left in filters:
            self.check(self.lists, self.allowed & left, **given_filter)
        self.check(
            self.lists,
            self.allowed & ~banned & everyone & is_high,
            exclude=listed(banned),
            allow=everyone,
            min_score=least,
        )

    @pytest.mark.parametrize("best_are_excluded", [False, True])
    def test_what_is_excluded_leaves_room_for_what_comes_after(
        self, best_are_excluded: bool
    ) -> None:
        order = np.argsort(-self.scores, axis=1, kind="stable")
        exclude = order[:, :40] if best_are_excluded else order[:, 40:]
        allowed = np.ones_like(self.allowed)
        np.put_along_axis(allowed, exclude, False, axis=1)
        self.check(np.tile(order, 2), allowed, exclude=exclude)

    def test_with_exclude_self(self) -> None:
        items = self.items[:30]
        scores = cosim_rs.cosine_similarity(items)
        allowed = self.allowed[:, :30]
        found = cosim_rs.top_k(items, items, 30, candidates=listed(allowed), exclude_self=True)
        assert_same(found, sorted_matrix(scores, 30, ~allowed | np.eye(30, dtype=bool)))

    def test_of_one_user(self) -> None:
        allowed, own = self.allowed[3:4], self.lists[3]
        expected = sorted_matrix(self.scores[3:4], 9, ~allowed)
        expected = cosim_rs.TopK(expected.scores[0], expected.indices[0])
        for candidates in (own, own[None], [own], [own.tolist()], scipy.sparse.csr_array(allowed)):
            found = cosim_rs.top_k(self.users[3], self.items, 9, candidates=candidates)
            assert_same(found, expected)
            assert_same(self.catalogue.top_k(self.users[3], 9, candidates=candidates), expected)

    def test_by_id(self) -> None:
        expected = self.catalogue.top_k(self.users, 25, candidates=self.lists)
        names = [self.names[own] for own in self.lists]
        table = np.full((30, 400), "", self.names.dtype)
        for row, own in zip(table, names, strict=True):
            row[1 : 1 + len(own)] = own
        columns = scipy.sparse.csr_array(self.allowed)
        for candidates in (names, [own.tolist() for own in names], table, columns):
            found = self.named.top_k(self.users, 25, candidates=candidates)
            assert_same_bits(found.scores, expected.scores)
            ids = np.where(expected.indices < 0, "", self.names[expected.indices])
            assert found.ids.tolist() == ids.tolist()
        with pytest.raises(KeyError, match="candidates: got 'item 200', which is no id"):
            self.named.top_k(self.users[0], candidates=[["item 200"]])

    def test_each_candidate_is_scored_once_and_nothing_else(self) -> None:
        """Twice listed, or excluded, or not allowed, or the user itself: not scored."""
        starts = np.cumsum([0, *map(len, self.lists)])
        candidates = (starts, np.concatenate(self.lists))
        everyone = np.arange(200) % 3 > 0
        exclude = (np.arange(31) * 2, np.tile([4, 5], 30))

        def scored(**filters: Any) -> int:
            filter = Filter(candidates=candidates, **filters)
            users, items = np.repeat(self.users, 7, axis=0)[:200], self.items
            users = self.users if len(starts) == 31 else users
            found = _cosim_rs.top_k(users, [Segment(items)], 9, filter, 0.0, None)
            assert found is not None
            return found[2]

        assert scored() == self.allowed.sum()
        assert scored(allow=everyone) == (self.allowed & everyone).sum()
        left = self.allowed & ~np.isin(np.arange(200), [4, 5])
        assert scored(exclude=exclude) == left.sum()
        assert scored(exclude=exclude, allow=everyone) == (left & everyone).sum()


def test_many_candidates_are_scanned_for_and_few_are_scored() -> None:
    items, users = gaussian_rows(20_000, 32), gaussian_rows(40, 32, seed=1)
    codes = _cosim_rs.prepare(items, 0.0, None)
    for length, is_scanned in ((1000, False), (2000, True)):
        own = np.random.default_rng(length).permutation(20_000)[:length]
        # What fills up the lists is no candidate.
        own = np.concatenate([own, np.full(2000 - length, -1)])
        lists = (np.arange(41) * 2000, np.tile(own, 40))
        for prepared in (None, codes):
            filter, segments = Filter(candidates=lists), [Segment(items, prepared)]
            found = _cosim_rs.top_k(users, segments, 5, filter, 0.0, None)
            assert found is not None
            assert (found[2] < 40 * length / 2) == is_scanned


@pytest.mark.parametrize("k", [5, 200])
def test_users_without_a_direction_and_items_that_are_none(k: int) -> None:
    items, users = ITEMS["holes"](300, 16), gaussian_rows(8, 16)
    users[::3], users[1::3, 2] = 0, np.nan
    allowed = np.random.default_rng(0).random((8, 300)) < 0.4
    for epsilon in (0.0, 0.7):
        scores = cosim_rs.cosine_similarity(users, items, epsilon=epsilon)
        expected = sorted_matrix(scores, k, ~allowed)
        lists = listed(allowed)
        found = cosim_rs.top_k(users, items, k, candidates=lists, epsilon=epsilon)
        assert_same(found, expected)
        catalogue = cosim_rs.Catalogue(items, epsilon=epsilon)
        assert_same(catalogue.top_k(users, k, candidates=lists), expected)


@pytest.mark.parametrize(("users", "items", "dim"), [(0, 5, 3), (4, 0, 3), (0, 0, 0), (4, 5, 0)])
def test_empty(users: int, items: int, dim: int) -> None:
    rows, table = np.zeros((users, dim)), np.zeros((items, dim))
    shape = (users, min(3, items))
    none = cosim_rs.TopK(np.full(shape, -np.inf), np.full(shape, -1))
    for candidates in (np.full((users, 2), -1), np.zeros((users, 0), int), [[]] * users):
        assert_same(cosim_rs.top_k(rows, table, 3, candidates=candidates), none)
        assert_same(cosim_rs.Catalogue(table).top_k(rows, 3, candidates=candidates), none)
    if items:
        found = cosim_rs.top_k(rows, table, 3, candidates=[[2, 1]] * users)
        assert_same_bits(found.indices, np.broadcast_to([1, 2, -1], shape).copy())


def test_inputs_of_other_dtypes_and_layouts() -> None:
    users, items = gaussian_rows(6, 16, dtype=np.float16), gaussian_rows(90, 16, dtype=np.float64)
    scores = cosim_rs.cosine_similarity(users, items)
    allowed = np.random.default_rng(0).random(scores.shape) < 0.4
    for layout in (items, np.asfortranarray(items), items[::-1].copy()[::-1], items.tolist()):
        found = cosim_rs.top_k(users, layout, 8, candidates=listed(allowed))
        assert_same(found, sorted_matrix(scores, 8, ~allowed))


ERRORS: list[tuple[Any, type[Exception], str]] = [
    ([[1]], ValueError, "candidates: got 1 arrays, expected 2, one a user"),
    ([[1], [-1]], ValueError, "candidates: got index -1, expected 0 to 4"),
    ([[1], [[2]]], ValueError, r"candidates: got shape \(1, 1\), expected \(M,\)"),
    ([["a"], []], TypeError, "candidates: got dtype <U1, expected whole numbers"),
    ("ab", TypeError, "candidates: got str, expected"),
    (7, TypeError, "candidates: got int, expected"),
    (np.array([[1.0], [2.0]]), TypeError, "candidates: got dtype float64, expected whole"),
    (np.array([[1], [5]]), ValueError, "candidates: got index 5, expected -1 to 4"),
    (np.array([[1], [-2]]), ValueError, "candidates: got index -2, expected -1 to 4"),
    (np.array([1, 2]), ValueError, r"candidates: got shape \(2,\), expected \(2, M\)"),
    (scipy.sparse.eye_array(5), ValueError, r"candidates: got shape \(5, 5\), expected"),
]


@pytest.mark.parametrize(("candidates", "error", "message"), ERRORS)
def test_bad_input(candidates: Any, error: type[Exception], message: str) -> None:
    users, items = np.ones((2, 3)), np.ones((5, 3))
    with pytest.raises(error, match=message):
        cosim_rs.top_k(users, items, 2, candidates=candidates)
    with pytest.raises(error, match=message):
        cosim_rs.Catalogue(items).top_k(users, 2, candidates=candidates)
