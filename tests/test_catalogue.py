"""A catalogue finds the stable sort of the full score matrix, bit for bit, on every kernel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import SCORE_DTYPES, assert_same_bits, gaussian_rows, run_python
from hypothesis import given
from hypothesis import strategies as st
from peak_memory import MIB, SUPPORTED, THREADS
from ranking import ITEMS, assert_same, sorted_matrix

import cosim_rs
from cosim_rs import _cosim_rs
from cosim_rs._search import Filter, Segment

Array = npt.NDArray[Any]


def scored_pairs(users: Array, items: Array, k: int) -> int:
    """How many pairs a search of prepared items has to score exactly."""
    codes = _cosim_rs.prepare(items, 0.0, None)
    found = _cosim_rs.top_k(users, [Segment(items, codes)], k, Filter(), 0.0, None)
    assert found is not None
    return found[2]


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("users", [1, 5, 70])
def test_equals_the_stable_sort_of_the_matrix(name: str, dtype: type, users: int) -> None:
    items = ITEMS[name](5000, 24).astype(dtype)
    queries = np.concatenate([np.abs(gaussian_rows(users, 24)), items[:1]])[-users:].astype(dtype)
    scores = cosim_rs.cosine_similarity(queries, items)
    catalogue = cosim_rs.Catalogue(items)
    for k in (1, 10, 130, 5000):
        assert_same(catalogue.top_k(queries, k), sorted_matrix(scores, k))
    assert_same(catalogue.top_k(queries[:, None], 10), sorted_matrix(scores, 10))


@pytest.fixture(scope="module")
def masses_of_ties() -> tuple[Array, Array, cosim_rs.TopK]:
    """Users, items of whole numbers of which many are alike, for tiles, and the best 20."""
    items = np.random.default_rng(1).integers(-2, 3, (60_000, 64)).astype(np.float32)
    items[:40_000] = items[0]
    users = np.concatenate([gaussian_rows(599, 64).round(), items[:1]])
    users[::50], users[1::50] = 0, np.nan  # who are not scanned for, but are in tiles
    return users, items, sorted_matrix(cosim_rs.cosine_similarity(users, items), 20)


@pytest.mark.parametrize("threads", range(1, 9))
def test_many_blocks_and_threads_find_the_same(
    masses_of_ties: tuple[Array, Array, cosim_rs.TopK], threads: int
) -> None:
    users, items, expected = masses_of_ties
    catalogue = cosim_rs.Catalogue(items, threads=threads)
    assert_same(catalogue.top_k(users, 20, threads=threads), expected)
    one = catalogue.top_k(users[-1], 20, threads=threads)
    assert_same(one, cosim_rs.TopK(expected.scores[-1], expected.indices[-1]))


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5, 63, 64, 65, 300, 8191, 8192, 8193])
def test_every_length_of_vectors(dim: int) -> None:
    items, users = gaussian_rows(700, dim), gaussian_rows(6, dim, seed=1)
    expected = sorted_matrix(cosim_rs.cosine_similarity(users, items), 8)
    assert_same(cosim_rs.Catalogue(items).top_k(users, 8), expected)


@pytest.mark.parametrize("users", [1, 4, 40])
def test_users_without_a_direction(users: int) -> None:
    """Zero users, who score 0 with every finite item, NaN users, and users that underflow."""
    items = ITEMS["holes"](3000, 16)
    queries = gaussian_rows(4 * users, 16)
    queries[::4], queries[1::4, 3], queries[2::4] = 0, np.nan, 1e-44
    for epsilon in (0.0, 1e-3, 1e15):
        scores = cosim_rs.cosine_similarity(queries, items, epsilon=epsilon)
        catalogue = cosim_rs.Catalogue(items, epsilon=epsilon)
        for least in (-1.0, 0.0, 0.2):
            banned = scores < np.float32(least)
            found = catalogue.top_k(queries, 12, min_score=least)
            assert_same(found, sorted_matrix(scores, 12, banned))
        exclude = np.tile(np.arange(40), (len(queries), 1))
        banned = np.broadcast_to(np.arange(3000) < 40, scores.shape)
        found = catalogue.top_k(queries, 12, exclude=exclude)
        assert_same(found, sorted_matrix(scores, 12, banned))


@given(st.integers(1, 400), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_top_k_is_a_prefix_of_top_k_plus_one(count: int, k: int, seed: int) -> None:
    items = np.random.default_rng(seed).integers(-1, 2, (count, 3)).astype(np.float32)
    users = gaussian_rows(4, 3).round()
    catalogue = cosim_rs.Catalogue(items)
    shorter, longer = (catalogue.top_k(users, length) for length in (k, k + 1))
    assert shorter.scores.shape == (4, min(k, count))
    assert_same_bits(shorter.scores, longer.scores[:, :k])
    assert_same_bits(shorter.indices, longer.indices[:, :k])


def test_the_bound_rules_out_nearly_everything() -> None:
    """Without it each of these searches would score all 30,000 items for each user."""
    items, users = gaussian_rows(30_000, 64), gaussian_rows(40, 64, seed=1)
    assert scored_pairs(users, items, 10) < 40 * 200
    assert scored_pairs(users[:1], items, 1) < 100
    alike = np.ones((30_000, 64), np.float32)
    assert scored_pairs(users, alike, 10) > 40 * 20_000


class TestItems:
    def test_are_borrowed_and_never_written(self) -> None:
        items = gaussian_rows(500, 16)
        items.flags.writeable = False
        catalogue = cosim_rs.Catalogue(items)
        assert catalogue.nbytes < items.nbytes
        before = items.copy()
        catalogue.top_k(items[:3])
        assert_same_bits(items, before)

    def test_are_copied_on_demand(self) -> None:
        items = gaussian_rows(500, 16)
        expected = cosim_rs.Catalogue(items).top_k(items[:3].copy())
        users = items[:3].copy()
        catalogue = cosim_rs.Catalogue(items, copy=True)
        assert catalogue.nbytes > items.nbytes
        items[:] = 0
        assert_same(catalogue.top_k(users), expected)

    @pytest.mark.parametrize("layout", ["fortran", "reversed", "every other column", "list"])
    def test_of_any_layout(self, layout: str) -> None:
        items = gaussian_rows(300, 16)
        users, expected = gaussian_rows(40, 16), cosim_rs.Catalogue(items).top_k(items[:40])
        users = items[:40].copy()
        given: Any = {
            "fortran": np.asfortranarray(items),
            "reversed": items[::-1].copy()[::-1],
            "every other column": np.repeat(items, 2, axis=1)[:, ::2],
            "list": items.tolist(),
        }[layout]
        found = cosim_rs.Catalogue(given).top_k(users)
        assert_same_bits(found.indices, expected.indices)
        if layout != "list":
            assert_same_bits(found.scores, expected.scores)

    @pytest.mark.parametrize("dtype", [np.float16, np.int8, np.int64])
    def test_of_other_dtypes(self, dtype: type) -> None:
        items = (gaussian_rows(200, 8) * 20).astype(dtype)
        catalogue = cosim_rs.Catalogue(items)
        assert catalogue.dtype == (np.float64 if dtype == np.int64 else np.float32)
        scores = cosim_rs.cosine_similarity(items[:4], items)
        assert_same(catalogue.top_k(items[:4], 5), sorted_matrix(scores, 5))
        borrowed = cosim_rs.Catalogue(items.astype(np.float32)).nbytes
        assert catalogue.nbytes == borrowed + (200 * 8 * 8 if dtype == np.int64 else 0)
        copied = cosim_rs.Catalogue(items, copy=True)
        assert copied.nbytes == borrowed + items.nbytes
        users = items[:4].copy()
        items[:] = 1
        assert_same(copied.top_k(users, 5), sorted_matrix(scores, 5))

    def test_float64_users_are_scored_in_float64(self) -> None:
        items, users = gaussian_rows(2000, 12), gaussian_rows(40, 12, dtype=np.float64)
        scores = cosim_rs.cosine_similarity(users, items)
        found = cosim_rs.Catalogue(items).top_k(users, 7)
        assert found.scores.dtype == np.float64
        assert_same(found, sorted_matrix(scores, 7))

    def test_an_epsilon_that_float32_rounds_far(self) -> None:
        """It is subnormal there, so float32's codes say nothing of float64's scores."""
        items = np.random.default_rng(5).integers(0, 3, (2000, 6)) * np.float32(1.5e-45)
        users = gaussian_rows(40, 6, dtype=np.float64)
        for epsilon in (2.1e-45, 3e-45, 1e-44):
            scores = cosim_rs.cosine_similarity(users, items, epsilon=epsilon)
            found = cosim_rs.Catalogue(items.astype(np.float32), epsilon=epsilon).top_k(users, 7)
            assert_same(found, sorted_matrix(scores, 7))

    @pytest.mark.parametrize(("count", "dim"), [(0, 5), (3, 0), (0, 0)])
    def test_none_or_without_elements(self, count: int, dim: int) -> None:
        catalogue = cosim_rs.Catalogue(np.zeros((count, dim), np.float32))
        found = catalogue.top_k(np.zeros((2, dim), np.float32), 2)
        assert found.scores.shape == (2, min(2, count))
        assert_same_bits(
            found.indices, np.broadcast_to(np.arange(min(2, count)), (2, min(2, count)))
        )
        assert (len(catalogue), catalogue.dim) == (count, dim)

    def test_are_described(self) -> None:
        catalogue = cosim_rs.Catalogue(gaussian_rows(1000, 32), copy=True)
        assert repr(catalogue) == "<cosim_rs.Catalogue: 1000 items of 32 float32>"
        assert (len(catalogue), catalogue.dim, catalogue.dtype) == (1000, 32, np.float32)
        assert_same_bits(catalogue.ids, np.arange(1000))
        # A byte an element, a scale and an error an item, eight bytes for each sixteen, and the
        # copy; blocks are filled up.
        least = 1000 * (32 + 8 + 4 * 32) + 63 * 8
        assert least <= catalogue.nbytes <= least + 16 * 40 + 17 * 64


def test_eight_threads_search_one_catalogue() -> None:
    items, users = gaussian_rows(20_000, 32), gaussian_rows(64, 32, seed=1)
    catalogue = cosim_rs.Catalogue(items)
    expected = sorted_matrix(cosim_rs.cosine_similarity(users, items), 10)

    def search(part: int) -> None:
        rows = slice(8 * part, 8 * part + 8)
        for _ in range(20):
            found = catalogue.top_k(users[rows], threads=1 + part % 3)
            assert_same(found, cosim_rs.TopK(expected.scores[rows], expected.indices[rows]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(search, range(8)))


ERRORS: list[tuple[str, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    ("new", (np.ones(3),), {}, ValueError, r"items: got shape \(3,\), expected \(N, D\)"),
    ("new", (np.ones((2, 3), complex),), {}, TypeError, "items: got dtype complex128"),
    ("new", (np.ones((2, 3)), [1]), {}, ValueError, r"ids: got shape \(1,\), expected \(2,\)"),
    ("new", (np.ones((2, 3)), [1, 1]), {}, ValueError, "ids: got .*1.* twice, expected unique"),
    ("new", (np.ones((2, 3)), ["b", "b"]), {}, ValueError, "ids: got .*b.* twice"),
    ("new", (np.ones((2, 3)), [0.5, 1]), {}, TypeError, "ids: got dtype float64, expected whole"),
    ("new", (np.ones((2, 3)), [None, 1]), {}, TypeError, "ids: got dtype object"),
    ("new", (np.ones((2, 3)),), {"copy": 1}, TypeError, "copy: got int, expected bool"),
    ("new", (np.ones((2, 3)),), {"epsilon": -1.0}, ValueError, "epsilon: got -1.0"),
    ("new", (np.ones((2, 3)),), {"threads": 0}, ValueError, "threads: got 0"),
    (
        "top_k",
        (np.ones(4),),
        {},
        ValueError,
        r"users: got shape \(4,\), expected \(U, 3\), \(U, 1, 3\) or",
    ),
    ("top_k", (np.ones(3), 0), {}, ValueError, "k: got 0"),
    ("top_k", (np.ones(3),), {"exclude": [["x"]]}, KeyError, "exclude: got 'x', which is no id"),
    (
        "top_k",
        (np.ones(3),),
        {"exclude": [[1]]},
        TypeError,
        "exclude: got dtype int64, expected str",
    ),
    ("top_k", (np.ones(3),), {"allow": ["a", "x"]}, KeyError, "allow: got 'x', which is no id"),
    ("top_k", (np.ones(3),), {"min_score": "a"}, TypeError, "min_score: got str"),
    ("similar", ("x",), {}, KeyError, "ids: got 'x', which is no id"),
    ("similar", (1,), {}, TypeError, "ids: got dtype int64, expected strings"),
    ("similar", ([["a"]],), {}, ValueError, r"ids: got shape \(1, 1\), expected \(U,\)"),
    (
        "scores",
        (np.ones((2, 3)), [["a"]]),
        {},
        ValueError,
        r"ids: got shape \(1, 1\), expected \(2, M",
    ),
    ("scores", (np.ones(3), "a"), {}, ValueError, r"ids: got shape \(\), expected \(M,\)"),
    ("scores", (np.ones(3), ["x"]), {}, KeyError, "ids: got 'x', which is no id"),
    ("scores", (np.ones(3), ["a"]), {"out": np.ones(2)}, ValueError, r"out: got shape \(2,\)"),
]


@pytest.mark.parametrize(("method", "arguments", "options", "error", "message"), ERRORS)
def test_bad_input(
    method: str,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    named = cosim_rs.Catalogue(np.ones((2, 3)), ["a", "b"])
    call = cosim_rs.Catalogue if method == "new" else getattr(named, method)
    with pytest.raises(error, match=message):
        call(*arguments, **options)


def test_out_of_range_positions() -> None:
    catalogue = cosim_rs.Catalogue(np.ones((2, 3)))
    with pytest.raises(ValueError, match="ids: got index 2, expected 0 to 1"):
        catalogue.similar([2])
    with pytest.raises(ValueError, match="ids: got index 2, expected -1 to 1"):
        catalogue.scores(np.ones(3), [2])


MEMORY = """
import numpy as np
import cosim_rs
from peak_memory import extra_peak

items = np.random.default_rng(0).standard_normal((200_000, 64), np.float32)
users = items[:2000].copy()
cosim_rs.Catalogue(items[:20_000]).top_k(users[:600], threads=2)
print(extra_peak(lambda: globals().update(catalogue=cosim_rs.Catalogue(items, threads=2))))
print(catalogue.nbytes)
print(extra_peak(lambda: catalogue.top_k(users, 10, threads=2)))
print(extra_peak(lambda: cosim_rs.top_k(users, items, 10, threads=2)))
"""


@pytest.mark.skipif(not SUPPORTED, reason="resets the peak memory in Linux's /proc")
def test_memory_is_that_of_codes_and_hits() -> None:
    """Codes are what `nbytes` says. A search holds 2,000 users' codes and hits, as in test_top_k,
    and for each thread candidates of up to 256 users, 2.5 KiB each; without a catalogue also the
    codes of half a megabyte of items.
    """
    preparing, codes, searching, at_once = map(int, run_python(MEMORY).split())
    assert codes < 200_000 * (64 + 8) * 1.01
    assert preparing < codes + 2 * THREADS * MIB
    own = 2000 * (64 + 2 * 256 * 16)
    assert searching < own + (2 * THREADS + 1) * MIB
    assert at_once < own + (3 * THREADS + 1) * MIB
