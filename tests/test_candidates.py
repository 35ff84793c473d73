"""Listed candidates score as `batched_cosine_similarity` scores copies of them, in every form.

A catalogue takes what the function takes, so each test here is one of both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import SCORE_DTYPES, assert_same_bits, gaussian_rows, run_python
from layouts import FOREIGN_LAYOUTS, LAYOUTS
from peak_memory import MIB, SUPPORTED, THREADS

import cosim_rs
from cosim_rs import _cosim_rs

Array = npt.NDArray[Any]
Score = Callable[..., Array]


def by_function(users: Any, items: Any, ids: Any, **options: Any) -> Array:
    return cosim_rs.candidate_cosine_similarity(users, items, ids, **options)


def by_catalogue(users: Any, items: Any, ids: Any, epsilon: float = 0.0, **options: Any) -> Array:
    return cosim_rs.Catalogue(items, epsilon=epsilon).scores(users, ids, **options)


both = pytest.mark.parametrize("score", [by_function, by_catalogue])


def copied(users: Array, items: Array, ids: Array, **options: Any) -> Array:
    """The scores of copies of the listed rows; -inf for -1."""
    scores = cosim_rs.batched_cosine_similarity(users, items[ids], **options)
    return np.where(ids < 0, -np.inf, scores).astype(scores.dtype)


def random_ids(users: int, count: int, items: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Rows in any order, some of them twice, and paddings anywhere."""
    return np.random.default_rng(seed).integers(-1, items, (users, count))


@both
@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 255, 256, 257, 700])
def test_equals_the_scores_of_copies(score: Score, count: int, dtype: type) -> None:
    users, items = gaussian_rows(6, 33, dtype=dtype), gaussian_rows(90, 33, dtype=dtype)
    items[::9], items[4, 2], items[5, 3] = 0, np.nan, np.inf
    ids = random_ids(6, count, 90)
    assert_same_bits(score(users, items, ids), copied(users, items, ids))
    expected = copied(users, items, ids, epsilon=0.7)
    assert_same_bits(score(users, items, ids, epsilon=0.7), expected)


@both
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("shape", [(1, 40_000), (3, 9001), (300, 65)])
def test_many_blocks_and_threads(score: Score, shape: tuple[int, int], threads: int) -> None:
    users, items = gaussian_rows(shape[0], 64), gaussian_rows(5000, 64)
    ids = random_ids(*shape, 5000)
    assert_same_bits(score(users, items, ids, threads=threads), copied(users, items, ids))


class TestIds:
    users = gaussian_rows(4, 10)
    items = gaussian_rows(60, 10)
    ids = random_ids(4, 21, 60)
    expected = copied(users, items, ids)

    @both
    @pytest.mark.parametrize("dtype", ["i1", "<i2", "<i4", "<i8", ">i4", ">i8", "intp", "longlong"])
    def test_of_any_integer_dtype(self, score: Score, dtype: str) -> None:
        assert_same_bits(score(self.users, self.items, self.ids.astype(dtype)), self.expected)

    @both
    @pytest.mark.parametrize("dtype", ["u1", "<u2", "<u4", "<u8", ">u8"])
    def test_of_any_unsigned_dtype(self, score: Score, dtype: str) -> None:
        ids = np.abs(self.ids)
        expected = copied(self.users, self.items, ids)
        assert_same_bits(score(self.users, self.items, ids.astype(dtype)), expected)

    def test_of_32_and_64_bits_are_read_where_they_lie(self) -> None:
        for dtype in ("i4", "i8"):
            ids = self.ids.astype(dtype)[::-1, ::2]
            scores = _cosim_rs.candidate_cosine_similarity(
                self.users[::-1], self.items, ids, None, 0.0, None
            )
            assert_same_bits(scores, self.expected[::-1, ::2].copy())

    @both
    @pytest.mark.parametrize("layout", LAYOUTS | FOREIGN_LAYOUTS)
    @pytest.mark.parametrize("dtype", [np.int32, np.int64])
    def test_of_any_layout(self, score: Score, layout: str, dtype: type, tmp_path: Path) -> None:
        given = (LAYOUTS | FOREIGN_LAYOUTS)[layout](self.ids.astype(dtype), tmp_path)
        before = np.array(given)  # some layouts repeat a row
        expected = copied(self.users, self.items, before.astype(np.int64))
        assert_same_bits(score(self.users, self.items, given), expected)
        assert_same_bits(np.array(given), before)

    @both
    def test_as_nested_sequences(self, score: Score) -> None:
        for ids in (self.ids.tolist(), tuple(map(tuple, self.ids)), list(self.ids)):
            assert_same_bits(score(self.users, self.items, ids), self.expected)

    @both
    @pytest.mark.parametrize("lengths", [(5, 0, 21, 1), (1, 2, 3, 4), (0, 0, 0, 1), (0, 0, 0, 0)])
    def test_of_unlike_lengths(self, score: Score, lengths: tuple[int, ...]) -> None:
        """The result is that of a table filled up with -1, as wide as the longest."""
        table = np.full((4, max(lengths)), -1)
        for row, ids, length in zip(table, self.ids, lengths, strict=True):
            row[:length] = ids[:length]
        expected = copied(self.users, self.items, table)
        rows = [ids[:length] for ids, length in zip(self.ids, lengths, strict=True)]
        mixed = [rows[0].tolist(), rows[1].astype(np.int8), tuple(rows[2]), rows[3].astype(">i4")]
        for ids in (rows, tuple(rows), [row.tolist() for row in rows], mixed):
            assert_same_bits(score(self.users, self.items, ids), expected)
        out = np.full((4, 2 * max(lengths)), 7, np.float32)[:, ::2]
        assert score(self.users, self.items, rows, out=out) is out
        assert_same_bits(np.ascontiguousarray(out), expected)

    @both
    def test_of_one_user(self, score: Score) -> None:
        for ids in (self.ids[2], self.ids[2].astype(np.int32), self.ids[2].tolist()):
            assert_same_bits(score(self.users[2], self.items, ids), self.expected[2])
        out = np.empty(42, np.float32)[::-2]
        assert score(self.users[2], self.items, self.ids[2], out=out) is out
        assert_same_bits(out.copy(), self.expected[2])
        assert score(self.users[2], self.items, []).shape == (0,)

    @both
    def test_of_users_with_an_axis_of_their_own(self, score: Score) -> None:
        users = self.users[:, None]
        assert_same_bits(score(users, self.items, self.ids), self.expected)
        narrow = users.astype(np.float16)
        expected = copied(narrow, self.items, self.ids)
        assert_same_bits(score(narrow, self.items, self.ids), expected)

    @both
    def test_without_users_ids_or_items(self, score: Score) -> None:
        assert score(self.users[:0], self.items, []).shape == (0, 0)
        assert score(self.users[:0], self.items, self.ids[:0]).shape == (0, 21)
        assert score(self.users, self.items, [[]] * 4).shape == (4, 0)
        nothing = score(self.users, self.items[:0], np.full((4, 3), -1))
        assert_same_bits(nothing, np.full((4, 3), -np.inf, np.float32))
        zeros = np.where(self.ids < 0, -np.inf, 0).astype(np.float32)
        assert_same_bits(score(self.users[:, :0], self.items[:, :0], self.ids), zeros)


# What ids are given, and the place and the value that the error tells.
OUTSIDE: list[tuple[Any, str, str]] = [
    (np.array([[0, 1, 2], [3, -1, 5]]), "(1, 2)", "5"),
    (np.array([[0, 1, 2], [3, -2, 5]]), "(1, 1)", "-2"),
    (np.array([[0, 5], [9, 9]], np.int32), "(0, 1)", "5"),
    (np.array([[0, 1], [-(2**31), 0]], np.int32), "(1, 0)", str(-(2**31))),
    (np.array([[0, 1], [2**32, 0]]), "(1, 0)", str(2**32)),
    (np.array([[0, 1], [2**63 - 1, 0]]), "(1, 0)", str(2**63 - 1)),
    (np.array([[0, 1], [-(2**63), 0]]), "(1, 0)", str(-(2**63))),
    (np.array([[0, 255], [0, 0]], np.uint8), "(0, 1)", "255"),
    (np.array([[0, 1], [0, 2**64 - 1]], np.uint64), "(1, 1)", str(2**64 - 1)),
    (np.array([[0, -3], [0, 0]], np.int8), "(0, 1)", "-3"),
    (np.array([[0, 1], [7, 0]], ">i4"), "(1, 0)", "7"),
    ([[0, 1], [4, 3, 5]], "(1, 2)", "5"),
    ([[0, -2], []], "(0, 1)", "-2"),
    ([[0], np.array([1, 2**64 - 1], np.uint64)], "(1, 1)", str(2**64 - 1)),
    ([[0, 1], [6, 3]], "(1, 0)", "6"),
]


class TestErrors:
    users = gaussian_rows(2, 3)
    items = gaussian_rows(5, 3)

    def refuse(
        self, error: type[Exception], words: list[str], ids: Any, users: Array | None = None
    ) -> None:
        """Expect an error whose message has all the words, and `out` as it was."""
        users = self.users if users is None else users
        for shape in {(2, 2), (2, 3), (2,), np.shape(ids) if isinstance(ids, np.ndarray) else ()}:
            out = np.full(shape, 7, np.float32)
            for given in (None, out):
                with pytest.raises(error) as raised:
                    cosim_rs.candidate_cosine_similarity(users, self.items, ids, out=given)
                assert type(raised.value) is error
                assert all(word in str(raised.value) for word in words), raised.value
            assert (out == 7).all()

    @pytest.mark.parametrize(("ids", "place", "got"), OUTSIDE)
    def test_an_id_that_is_no_row(self, ids: Any, place: str, got: str) -> None:
        self.refuse(IndexError, [f"ids: got {got} at {place}, expected -1 to 4"], ids)

    def test_an_id_of_one_user_that_is_no_row(self) -> None:
        words = ["ids: got 5 at (1,), expected -1 to 4"]
        self.refuse(IndexError, words, np.array([0, 5]), self.users[0])

    def test_there_are_no_rows(self) -> None:
        with pytest.raises(IndexError, match=r"ids: got 0 at \(1, 0\), expected -1 to -1"):
            cosim_rs.candidate_cosine_similarity(self.users, self.items[:0], [[-1], [0]])

    @pytest.mark.parametrize("dtype", ["f4", "f8", "?", "c8", "U2", "O", "M8[s]"])
    def test_ids_that_are_no_whole_numbers(self, dtype: str) -> None:
        ids = np.zeros((2, 3), dtype)
        self.refuse(TypeError, ["ids: got dtype", str(ids.dtype), "whole numbers"], ids)
        self.refuse(TypeError, ["ids: got dtype", str(ids.dtype)], [ids[0], ids[0, :1]])

    @pytest.mark.parametrize(
        ("ids", "words"),
        [
            (np.zeros((3, 2), int), ["(3, 2)", "(2, N)"]),
            (np.zeros(2, int), ["(2,)", "(2, N)"]),
            (np.zeros((2, 2, 1), int), ["(2, 2, 1)", "(2, N)"]),
            (np.int64(3), ["()", "(2, N)"]),
            ([0, 1], ["(2,)", "(2, N)"]),
            ([[0], [1], [2]], ["(3, 1)", "(2, N)"]),
            ([[0], [1, 2], [2]], ["3 arrays", "2"]),
            ([], ["0 arrays", "2"]),
            ([[0], 1], ["()", "(N,) for each user"]),
            ([[[0]], [1, 2]], ["(1, 1)", "(N,) for each user"]),
        ],
    )
    def test_shapes_of_ids(self, ids: Any, words: list[str]) -> None:
        self.refuse(ValueError, ["ids: got", *words], ids)

    def test_shapes_of_one_users_ids(self) -> None:
        for ids in (np.zeros((1, 2), int), np.int64(0), [[0], [1]]):
            self.refuse(ValueError, ["ids: got shape", "(N,)"], ids, self.users[0])
        with pytest.raises(ValueError, match="ids: "):
            cosim_rs.candidate_cosine_similarity(self.users[0], self.items, [[0], [1, 2]])

    def test_out_overlaps_ids(self) -> None:
        for dtype in (np.int32, np.int64):
            ids = np.zeros((2, 3), dtype)
            out = ids.reshape(-1).view(np.float32)[:6].reshape(2, 3)
            with pytest.raises(ValueError, match="out: got an array that overlaps ids"):
                cosim_rs.candidate_cosine_similarity(self.users, self.items, ids, out=out)
            assert not ids.any()

    def test_out_between_the_ids_is_no_overlap(self) -> None:
        table = np.full((2, 6), 1, np.int32)
        ids, out = table[:, ::2], table.view(np.float32)[:, 1::2]
        expected = copied(self.users, self.items, ids.copy())
        assert cosim_rs.candidate_cosine_similarity(self.users, self.items, ids, out=out) is out
        assert_same_bits(out.copy(), expected)
        assert (ids == 1).all()


def test_ids_of_a_catalogue_of_unlike_lengths() -> None:
    items, users = gaussian_rows(5, 3), gaussian_rows(3, 3)
    expected = by_function(users, items, [[4, 1], [], [0]])
    for dtype, padding in (("U9", ""), ("S2", b""), ("i2", -1), ("u8", 2**64 - 1)):
        names = np.arange(10, 15).astype(dtype)
        catalogue = cosim_rs.Catalogue(items, names)
        assert_same_bits(catalogue.scores(users, [names[[4, 1]], [], names[:1]]), expected)
        lists = [names[[4, 1]].tolist(), [], names[:1].tolist()]
        assert_same_bits(catalogue.scores(users, lists), expected)
        padded = np.full((3, 2), padding, dtype)
        padded[0], padded[2, 0] = names[[4, 1]], names[0]
        assert_same_bits(catalogue.scores(users, padded), expected)
        with pytest.raises(KeyError, match=r"ids: got .*77.*, which is no id"):
            catalogue.scores(users, [names[:1], np.array([77]).astype(dtype), []])


MEMORY = """
import numpy as np
import cosim_rs
from peak_memory import extra_peak

items = np.random.default_rng(0).standard_normal((50_000, 64), np.float32)
users, out = items[:200], np.ones((200, 2000), np.float32)
ids = np.random.default_rng(1).integers(0, 50_000, (200, 2000), np.{dtype})
call = lambda: cosim_rs.candidate_cosine_similarity(users, items, ids, out=out, threads=2)
call()
print(extra_peak(call))
"""


@pytest.mark.skipif(not SUPPORTED, reason="resets the peak memory in Linux's /proc")
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_no_copy_of_what_is_listed(dtype: str) -> None:
    """The copies would be 100 MB, and a copy of the 32-bit ids 3.2; else as in test_memory, but
    that all buffers are there from a call before.
    """
    assert int(run_python(MEMORY.format(dtype=dtype))) < (THREADS + 1) * MIB
