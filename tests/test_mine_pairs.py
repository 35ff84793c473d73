"""Mining finds, bit for bit, the best pairs of the full matrix of scores."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import assert_same_bits, gaussian_rows
from ranking import ITEMS

import cosim_rs

Array = npt.NDArray[Any]


def expected(x: Array, y: Array | None, least: float, most: int | None) -> cosim_rs.Pairs:
    """All pairs of the matrix by NumPy's stable sort."""
    scores = cosim_rs.cosine_similarity(x, y)
    wanted = scores >= scores.dtype.type(least)
    if y is None:
        wanted &= np.triu(np.ones_like(wanted), 1)
    i, j = np.nonzero(wanted)
    order = np.argsort(-scores[i, j], kind="stable")[:most]
    return cosim_rs.Pairs(scores[i, j][order], i[order], j[order])


def assert_same(found: cosim_rs.Pairs, wanted: cosim_rs.Pairs) -> None:
    for got, right in zip(found, wanted, strict=True):
        assert_same_bits(got, right)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ITEMS)
def test_equals_the_pairs_of_the_matrix(name: str, dtype: type) -> None:
    x = ITEMS[name](700, 24).astype(dtype)
    y = np.concatenate([gaussian_rows(900, 24, seed=1), x[::9]]).astype(dtype)
    for other in (None, y):
        every = expected(x, other, -1.0, None)
        for least in (-1.0, 0.0, 0.5, 0.9, 1.0, 1.5):
            count = int((every.scores >= dtype(least)).sum())
            for most in (None, 1, 500, 20_000, 10**7):
                found = cosim_rs.mine_pairs(x, other, min_score=least, max_pairs=most)
                best = slice(count if most is None else min(most, count))
                assert_same(found, cosim_rs.Pairs(*(part[best] for part in every)))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_and_batches_change_nothing(threads: int) -> None:
    """More rows than are taken at a time, and ties at the limit."""
    x = np.random.default_rng(0).integers(-2, 3, (9000, 6)).astype(np.float32)
    found = cosim_rs.mine_pairs(x, min_score=0.99, max_pairs=5000, threads=threads)
    assert_same(found, expected(x, None, 0.99, 5000))


def test_sets_of_two_dtypes() -> None:
    x, y = gaussian_rows(100, 16).astype(np.float16), gaussian_rows(300, 16, seed=1)
    assert_same(cosim_rs.mine_pairs(x, y, min_score=0.3), expected(x, y, 0.3, None))
    wide = y.astype(np.float64)
    assert_same(cosim_rs.mine_pairs(x, wide, min_score=0.3), expected(x, wide, 0.3, None))


@pytest.mark.parametrize(("rows", "others"), [(0, None), (1, None), (0, 4), (4, 0)])
def test_empty_sides(rows: int, others: int | None) -> None:
    x, y = np.ones((rows, 3)), None if others is None else np.ones((others, 3))
    found = cosim_rs.mine_pairs(x, y, min_score=-1)
    assert [part.shape for part in found] == [(0,)] * 3
    assert found.i.dtype == found.j.dtype == np.int64


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"min_score": np.nan}, ValueError, "min_score: got nan, expected a number"),
        ({"min_score": None}, TypeError, "min_score: got NoneType, expected a real number"),
        ({"min_score": 0.5, "max_pairs": 0}, ValueError, "max_pairs: got 0"),
        ({"min_score": 0.5, "max_pairs": 1.5}, TypeError, "max_pairs: got float"),
        ({"min_score": 0.5, "progress": 1}, TypeError, "progress: got int, expected bool"),
        ({"min_score": 0.5, "y": np.eye(2)}, ValueError, r"y: got shape \(2, 2\), expected \(N, 3"),
        ({"min_score": 0.5, "x": np.ones(3)}, ValueError, r"x: got shape \(3,\), expected \(N, D"),
    ],
)
def test_what_does_not_fit_is_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        cosim_rs.mine_pairs(**{"x": np.eye(3)} | arguments)


class TestProgress:
    def test_the_bar_tells_the_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        x = gaussian_rows(5000, 4)
        found = cosim_rs.mine_pairs(x, min_score=0.999, max_pairs=100, progress=True)
        assert_same(found, expected(x, None, 0.999, 100))
        assert "5000/5000" in capsys.readouterr().err

    def test_an_error_of_the_bar_ends_the_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told = []

        class Bar:
            n = 0

            def __init__(self, **_: object) -> None:
                pass

            def __enter__(self) -> Bar:
                return self

            def __exit__(self, *_: object) -> None:
                pass

            def update(self, rows: int) -> None:
                told.append(rows)
                raise BrokenPipeError("nobody looks")

        import tqdm.auto

        monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
        with pytest.raises(BrokenPipeError, match="nobody looks"):
            cosim_rs.mine_pairs(gaussian_rows(9000, 4), min_score=1, progress=True)
        assert told == [4096]

    def test_it_needs_tqdm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
        with pytest.raises(ImportError, match="progress: got True, which needs tqdm"):
            cosim_rs.mine_pairs(np.eye(3), min_score=0.5, progress=True)
        assert len(cosim_rs.mine_pairs(np.eye(3), min_score=0.5).i) == 0


class TestGroups:
    def test_they_are_those_that_pairs_connect(self) -> None:
        centres = gaussian_rows(40, 16)
        labels = np.random.default_rng(0).integers(0, 40, 1000)
        x = centres[labels] + 1e-3 * gaussian_rows(1000, 16, seed=1)
        groups = cosim_rs.group_pairs(cosim_rs.mine_pairs(x, min_score=0.999), 1000)
        _, first = np.unique(labels, return_index=True)
        in_order = np.argsort(np.argsort(first))
        assert groups.dtype == np.int64
        assert groups.tolist() == in_order[np.unique(labels, return_inverse=True)[1]].tolist()

    def test_rows_without_pairs_are_their_own(self) -> None:
        pairs = cosim_rs.mine_pairs(np.eye(4), min_score=0.5)
        assert cosim_rs.group_pairs(pairs, 4).tolist() == [0, 1, 2, 3]
        none = cosim_rs.mine_pairs(np.zeros((0, 3)), min_score=0.5)
        assert cosim_rs.group_pairs(none, 0).tolist() == []

    def test_a_count_that_does_not_fit(self) -> None:
        pairs = cosim_rs.mine_pairs(np.ones((5, 2)), min_score=0.5)
        with pytest.raises(ValueError, match="count: got 4, expected more than row 4"):
            cosim_rs.group_pairs(pairs, 4)

    def test_it_needs_scipy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "scipy.sparse", None)
        with pytest.raises(ImportError, match="group_pairs: needs SciPy"):
            cosim_rs.group_pairs(cosim_rs.mine_pairs(np.eye(4), min_score=0.5), 4)
