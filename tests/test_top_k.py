"""top_k is the stable sort of the full score matrix, bit for bit, whatever is filtered out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from helpers import SCORE_DTYPES, assert_same_bits, gaussian_rows, run_python
from hypothesis import given
from hypothesis import strategies as st
from peak_memory import MIB, SUPPORTED, THREADS
from ranking import ITEMS, assert_same, sorted_matrix

import cosim_rs

Array = npt.NDArray[Any]


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("users", [1, 2, 3, 70])
def test_equals_the_stable_sort_of_the_matrix(name: str, dtype: type, users: int) -> None:
    items = ITEMS[name](1500, 20).astype(dtype)
    queries = np.concatenate([np.abs(gaussian_rows(users, 20)), items[:1]])[-users:].astype(dtype)
    scores = cosim_rs.cosine_similarity(queries, items)
    for k in (1, 10, 300, 1500):
        for threads in (1, 3):
            found = cosim_rs.top_k(queries, items, k, threads=threads)
            assert_same(found, sorted_matrix(scores, k))


@pytest.fixture(scope="module")
def masses_of_ties() -> tuple[Array, Array, cosim_rs.TopK]:
    """Users, items of whole numbers, and the best 20."""
    items = np.random.default_rng(1).integers(-2, 3, (40_000, 64)).astype(np.float32)
    users = gaussian_rows(130, 64).round()
    return users, items, sorted_matrix(cosim_rs.cosine_similarity(users, items), 20)


@pytest.mark.parametrize("threads", range(1, 9))
def test_many_blocks_and_threads_find_the_same(
    masses_of_ties: tuple[Array, Array, cosim_rs.TopK], threads: int
) -> None:
    users, items, expected = masses_of_ties
    assert_same(cosim_rs.top_k(users, items, 20, threads=threads), expected)
    assert_same(cosim_rs.top_k(users[:, None], items, 20, threads=threads), expected)
    one = cosim_rs.top_k(users[0], items, 20, threads=threads)
    assert_same(one, cosim_rs.TopK(expected.scores[0], expected.indices[0]))


def test_long_vectors_go_row_by_row() -> None:
    users, items = gaussian_rows(5, 10_000), gaussian_rows(40, 10_000)
    expected = sorted_matrix(cosim_rs.cosine_similarity(users, items), 7)
    assert_same(cosim_rs.top_k(users, items, 7), expected)


@given(st.integers(0, 40), st.integers(1, 45), st.integers(0, 2**32 - 1))
def test_top_k_is_a_prefix_of_top_k_plus_one(count: int, k: int, seed: int) -> None:
    items = np.random.default_rng(seed).integers(-1, 2, (count, 3)).astype(np.float32)
    users = gaussian_rows(4, 3).round()
    shorter, longer = (cosim_rs.top_k(users, items, length) for length in (k, k + 1))
    assert shorter.scores.shape == (4, min(k, count))
    assert_same_bits(shorter.scores, longer.scores[:, :k])
    assert_same_bits(shorter.indices, longer.indices[:, :k])


class TestFilters:
    users = gaussian_rows(30, 8)
    items = np.concatenate([gaussian_rows(500, 8, seed=2)] * 2)  # each score twice
    scores = cosim_rs.cosine_similarity(users, items)
    banned = np.random.default_rng(3).random(scores.shape) < 0.4
    banned[0], banned[1] = True, False

    def expected(self, banned: Array, k: int = 25) -> cosim_rs.TopK:
        return sorted_matrix(self.scores, k, banned)

    def found(self, **filters: Any) -> cosim_rs.TopK:
        return cosim_rs.top_k(self.users, self.items, 25, **filters)

    @pytest.mark.parametrize("kind", ["csr", "csc matrix", "lists", "padded", "int8 padded"])
    def test_exclude(self, kind: str) -> None:
        lists = [np.flatnonzero(row)[::-1] for row in self.banned]
        padded = np.full((30, 1001), -1)
        for row, listed in zip(padded, lists, strict=True):
            row[1 : 1 + len(listed)] = listed
        banned = self.banned
        exclude: Any = {
            "csr": scipy.sparse.csr_array(self.banned),
            "csc matrix": scipy.sparse.csc_matrix(self.banned),
            "lists": lists,
            "padded": padded,
        }.get(kind)
        if kind == "int8 padded":
            exclude = np.where(padded < 128, padded, -1).astype(np.int8)
            banned = self.banned & (np.arange(1000) < 128)
        assert_same(self.found(exclude=exclude), self.expected(banned))

    @pytest.mark.parametrize("users", [1, 40])
    @pytest.mark.parametrize("count", [100, 9])
    def test_the_best_are_excluded(self, users: int, count: int) -> None:
        """Of each user, so that a scan has them all for candidates; of 9 it is not told by bits."""
        items, queries = gaussian_rows(4000, 16, seed=5).round(), gaussian_rows(users, 16)
        scores = cosim_rs.cosine_similarity(queries, items)
        exclude = np.argsort(-scores, axis=1, kind="stable")[:, :count]
        banned = np.zeros(scores.shape, bool)
        np.put_along_axis(banned, exclude, values=True, axis=1)
        whole, changed = cosim_rs.Catalogue(items), cosim_rs.Catalogue(items[:3003])
        changed.add(items[3003:])  # which begin no sixteen
        every_second = np.arange(4000) % 2 == 0
        for allow in (None, every_second):
            not_allowed = np.zeros_like(banned) if allow is None else ~every_second
            expected = sorted_matrix(scores, 10, banned | not_allowed)
            filters: Any = {"exclude": exclude, "allow": allow}
            assert_same(cosim_rs.top_k(queries, items, 10, **filters), expected)
            assert_same(whole.top_k(queries, 10, **filters, threads=1), expected)
            assert_same(changed.top_k(queries, 10, **filters), expected)

    def test_exclude_counts_what_is_stored_and_leaves_it_as_it_is(self) -> None:
        stored = scipy.sparse.csr_array((30, 1000))
        stored.indptr = np.array([0, 2, 3] + [3] * 28)
        stored.indices = np.array([5, 2, 9, 7, 7])  # with room for two more behind the last row
        stored.data = np.zeros(5)
        banned = np.zeros_like(self.banned)
        banned[0, [2, 5]] = banned[1, 9] = True
        assert_same(self.found(exclude=stored), self.expected(banned))
        assert stored.indices.tolist() == [5, 2, 9, 7, 7]
        stored.indptr = np.repeat(stored.indptr, 2)[::2]  # not one after the other
        assert_same(self.found(exclude=stored), self.expected(banned))
        stored.indices[0] = 1000  # which SciPy does not look at
        with pytest.raises(ValueError, match="exclude: got index 1000, expected 0 to 999"):
            self.found(exclude=stored)

    def test_allow(self) -> None:
        allowed = np.arange(1000) % 3 == 0
        expected = self.expected(np.broadcast_to(~allowed, self.scores.shape))
        for allow in (
            allowed,
            np.flatnonzero(allowed)[::-1],
            [*range(0, 1000, 3)],
            allowed[::-1][::-1],
        ):
            assert_same(self.found(allow=allow), expected)
        assert (self.found(allow=[]).indices == -1).all()

    @pytest.mark.parametrize("step", [2, 20])  # of few, only these are searched
    @pytest.mark.parametrize("true", [2, 255])
    def test_any_byte_but_zero_allows(self, true: int, step: int) -> None:
        """As NumPy has it: its flags may be views of other bytes."""
        bytes = np.zeros(2000, np.uint8)
        bytes[::step] = true
        allowed = bytes.view(np.bool_)
        for allow in (allowed[:1000], allowed[::2]):
            expected = self.expected(np.broadcast_to(np.asarray(allow) == 0, self.scores.shape))
            assert_same(self.found(allow=allow), expected)

    @pytest.mark.parametrize("users", [1, 5, 40])
    def test_few_allowed_items_are_searched_alone(self, users: int) -> None:
        """1,500 of 20,000, so that copies of them fill several panels; with exclusions as well."""
        items, queries = gaussian_rows(20_000, 16).round(), gaussian_rows(users, 16, seed=1)
        allowed = np.random.default_rng(4).permutation(20_000)[:1500]
        scores = cosim_rs.cosine_similarity(queries, items)
        banned = ~np.isin(np.arange(20_000), allowed)[None]
        banned = np.repeat(banned, users, axis=0)
        banned[:, allowed[:100]] = True
        exclude = np.tile(allowed[:100], (users, 1))
        expected = sorted_matrix(scores, 30, banned)
        assert_same(cosim_rs.top_k(queries, items, 30, allow=allowed, exclude=exclude), expected)
        catalogue = cosim_rs.Catalogue(items)
        assert_same(catalogue.top_k(queries, 30, allow=allowed, exclude=exclude), expected)

    def test_min_score_is_inclusive(self) -> None:
        least = float(np.sort(self.scores, axis=None)[-60])
        assert_same(self.found(min_score=least), self.expected(self.scores < least))
        assert (self.found(min_score=least).scores == least).sum() >= 1
        rounded = np.nextafter(least, 2)  # in float64; in the scores' float32 it is the same
        assert_same(self.found(min_score=rounded), self.expected(self.scores < least))
        assert (self.found(min_score=2).indices == -1).all()
        assert_same(self.found(min_score=-np.inf), self.expected(self.scores < -2))

    def test_exclude_self(self) -> None:
        items = self.items[:40]
        scores = cosim_rs.cosine_similarity(items)
        found = cosim_rs.top_k(items, items, 40, exclude_self=True)
        assert_same(found, sorted_matrix(scores, 40, np.eye(40, dtype=bool)))

    def test_all_at_once(self) -> None:
        items, banned = self.items[:30], self.banned[:, :30]
        allowed = np.arange(30) % 4 > 0
        scores = cosim_rs.cosine_similarity(self.users, items)
        out = banned | ~allowed | np.eye(30, dtype=bool) | (scores < np.float32(0.1))
        found = cosim_rs.top_k(
            self.users,
            items,
            25,
            exclude=scipy.sparse.csr_array(banned),
            allow=allowed,
            min_score=0.1,
            exclude_self=True,
        )
        assert_same(found, sorted_matrix(scores, 25, out))

    def test_one_user_has_one_row_of_exclusions(self) -> None:
        user, scores = self.users[2], self.scores[2:3]
        banned = np.arange(1000)[None] % 5 == 0
        expected = sorted_matrix(scores, 9, banned)
        ids = np.arange(0, 1000, 5)
        for exclude in (ids, ids[None], [ids], scipy.sparse.csr_array(banned)):
            found = cosim_rs.top_k(user, self.items, 9, exclude=exclude)
            assert_same(found, cosim_rs.TopK(expected.scores[0], expected.indices[0]))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("least", [None, 0.0, 0.1])
def test_zero_users_get_the_first_items_that_they_may(threads: int, least: float | None) -> None:
    """There may be none, or many before it that they may not get, and some without scores."""
    items, users = gaussian_rows(5000, 16), gaussian_rows(50, 16, seed=1)
    items[[700, 702]], users[::2] = np.nan, 0
    banned = np.zeros((50, 5000), bool)
    banned[:, :695] = banned[7, 20:] = banned[8, 20:] = banned[12] = True
    scores = cosim_rs.cosine_similarity(users, items)
    low = scores < (-2 if least is None else least)
    expected = sorted_matrix(scores, 10, banned | low | np.isnan(scores))
    filters: Any = {"min_score": least, "threads": threads}
    listed, others = scipy.sparse.csr_array(banned), scipy.sparse.csr_array(~banned)
    catalogue = cosim_rs.Catalogue(items)
    for found in (
        cosim_rs.top_k(users, items, 10, exclude=listed, **filters),
        catalogue.top_k(users, 10, exclude=listed, **filters),
        catalogue.top_k(users, 10, candidates=others, **filters),
    ):
        assert_same(found, expected)


@pytest.mark.parametrize(("users", "items", "dim"), [(0, 5, 3), (4, 0, 3), (0, 0, 0), (4, 5, 0)])
def test_empty(users: int, items: int, dim: int) -> None:
    found = cosim_rs.top_k(np.zeros((users, dim)), np.zeros((items, dim)), 3)
    shape = (users, min(3, items))
    assert_same_bits(found.scores, np.zeros(shape))
    assert_same_bits(found.indices, np.broadcast_to(np.arange(3)[: shape[1]], shape))


def test_inputs_of_other_dtypes_and_layouts() -> None:
    users, items = gaussian_rows(6, 16, dtype=np.float16), gaussian_rows(90, 16, dtype=np.float64)
    scores = cosim_rs.cosine_similarity(users, items)
    assert scores.dtype == np.float64
    for layout in (items, np.asfortranarray(items), items[::-1].copy()[::-1], items.tolist()):
        assert_same(cosim_rs.top_k(users, layout, 8), sorted_matrix(scores, 8))
    eight = cosim_rs.top_k(np.int8(users * 9), np.int8(items * 9), 8)
    assert eight.scores.dtype == np.float32


def test_epsilon_counts() -> None:
    users, items = gaussian_rows(3, 4) / 100, gaussian_rows(50, 4)
    scores = cosim_rs.cosine_similarity(users, items, epsilon=0.5)
    assert_same(cosim_rs.top_k(users, items, 5, epsilon=0.5), sorted_matrix(scores, 5))
    assert (scores != cosim_rs.cosine_similarity(users, items)).any()


MEMORY = """
import numpy as np
import cosim_rs
from peak_memory import extra_peak

items = np.random.default_rng(0).standard_normal((200_000, 16), np.float32)
users = items[:2000]
cosim_rs.top_k(users[:100], items, 10, threads=2)
print(extra_peak(lambda: cosim_rs.top_k(users, items, 10, threads=2)))
"""


@pytest.mark.skipif(not SUPPORTED, reason="resets the peak memory in Linux's /proc")
def test_memory_is_that_of_hits_not_of_scores() -> None:
    """2,000 users may hold twice 256 hits of 16 bytes each (a buffer doubles as it grows); besides,
    2 MiB a thread and one more, as in test_memory. The scores would be 1.6 GB.
    """
    assert int(run_python(MEMORY)) < 2000 * 2 * 256 * 16 + (2 * THREADS + 1) * MIB


INTERRUPT = """
import os, signal, threading, time
import numpy as np
import cosim_rs

signal.signal(signal.SIGINT, signal.default_int_handler)
row = np.linspace(-1, 2, 1024, dtype=np.float32)
items = np.broadcast_to(row, (2000, 1024))

def call(users):
    started = time.perf_counter()
    cosim_rs.top_k(np.broadcast_to(row, (users, 1024)), items, threads={threads})
    return time.perf_counter() - started

users = 64
while (seconds := call(users)) < 0.2:
    users *= 2
whole = 8 / seconds
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
started = time.perf_counter()
try:
    call(int(users * whole))
except KeyboardInterrupt:
    print(time.perf_counter() - started < 4)
"""


@pytest.mark.parametrize("threads", [1, 4])
def test_an_interrupt_leaves_most_of_the_work_undone(threads: int) -> None:
    """The call would take eight seconds, of which half must be left."""
    assert run_python(INTERRUPT.format(threads=threads)) == "True\n"
