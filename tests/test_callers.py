"""Whoever calls, and from wherever: processes, threads, tasks and pickles give the same bits."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from helpers import SCORE_DTYPES, assert_same_bits, gaussian_rows, run_python
from ranking import assert_same

import cosim_rs

Array = npt.NDArray[Any]

IDS: dict[str, Any] = {
    "rows": None,
    "signed": np.arange(300, dtype=np.int32)[::-1] - 7,
    "unsigned": np.arange(300, dtype=np.uint64) + 2**63,
    "strings": np.array([f"item {row:03}" for row in range(300)]),
    "bytes": np.array([f"item {row:03}".encode() for row in range(300)]),
    "listed": [f"{row}" for row in range(300)],
}

COPIES: dict[str, Callable[[Any], Any]] = {
    **{
        f"pickle {protocol}": lambda value, protocol=protocol: pickle.loads(
            pickle.dumps(value, protocol)
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def catalogue_of(ids: object, dtype: npt.DTypeLike = np.float32) -> cosim_rs.Catalogue:
    """Items of strides and an epsilon that changes the scores of the short ones."""
    items = gaussian_rows(300, 40, dtype=dtype)[:, ::2]
    items[::7] *= 0.01
    return cosim_rs.Catalogue(items, ids, epsilon=1.5)


def assert_alike(actual: cosim_rs.Catalogue, expected: cosim_rs.Catalogue) -> None:
    """Raise unless two catalogues tell and find the same."""
    for told in (len, repr, lambda c: c.dim, lambda c: c.dtype, lambda c: c.ids.flags.writeable):
        assert told(actual) == told(expected)
    assert_same_names(actual.ids, expected.ids)
    users = gaussian_rows(40, 20, seed=1)
    for found, wanted in (
        (actual.top_k(users, 12), expected.top_k(users, 12)),
        (actual.top_k(users[0], 300), expected.top_k(users[0], 300)),
        (actual.similar(expected.ids[:9]), expected.similar(expected.ids[:9])),
    ):
        assert_same_bits(found.scores, wanted.scores)
        assert_same_names(found.ids, wanted.ids)
    ids = np.tile(expected.ids[5:50], (40, 1))
    assert_same_bits(actual.scores(users, ids), expected.scores(users, ids))


def assert_same_names(actual: Array, expected: Array) -> None:
    assert actual.dtype == expected.dtype
    assert actual.tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("way", COPIES)
def test_a_copied_catalogue_finds_the_same(way: str, ids: str, dtype: type) -> None:
    catalogue = catalogue_of(IDS[ids], dtype)
    assert_alike(COPIES[way](catalogue), catalogue)


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.int64, ml_dtypes.bfloat16])
@pytest.mark.parametrize("way", ["pickle 5", "copy", "deepcopy"])
def test_items_of_other_dtypes(way: str, dtype: type) -> None:
    catalogue = cosim_rs.Catalogue((gaussian_rows(300, 20) * 30).astype(dtype), epsilon=50)
    assert_alike(COPIES[way](catalogue), catalogue)


def test_epsilon_and_short_items_matter_here() -> None:
    """Or the tests above could not tell that they were lost."""
    catalogue, users = catalogue_of(None), gaussian_rows(40, 20, seed=1)
    without = cosim_rs.Catalogue(gaussian_rows(300, 40)[:, ::2])
    assert (catalogue.top_k(users, 12).scores != without.top_k(users, 12).scores).any()


class TestWhatACopyHolds:
    items = gaussian_rows(1000, 64)

    def test_a_pickle_and_a_deep_copy_have_items_of_their_own(self) -> None:
        items = self.items.copy()
        catalogue = cosim_rs.Catalogue(items)
        for way in ("pickle 5", "deepcopy"):
            copied = COPIES[way](catalogue)
            assert copied.nbytes == catalogue.nbytes + items.nbytes
            before = copied.top_k(self.items[:3])
            items[:] = 1
            assert_same(copied.top_k(self.items[:3]), before)
            items[:] = self.items

    def test_a_shallow_copy_shares_all(self) -> None:
        catalogue = cosim_rs.Catalogue(self.items, np.arange(1000) + 5, epsilon=0.1)
        copied = copy.copy(catalogue)
        assert copied is not catalogue
        assert vars(copied).keys() == vars(catalogue).keys()
        own = vars(catalogue).keys() - {"_changing"}
        assert all(vars(copied)[name] is vars(catalogue)[name] for name in own)
        copied.remove([5])
        assert (len(copied), len(catalogue)) == (999, 1000)

    def test_a_pickle_has_the_items_and_the_ids_once(self) -> None:
        catalogue = cosim_rs.Catalogue(self.items, np.arange(1000))
        size = len(pickle.dumps(catalogue))
        assert self.items.nbytes + 8000 < size < self.items.nbytes + 8000 + 2000

    def test_attributes_of_a_subclass_go_along(self) -> None:
        catalogue = Shop(self.items, "tea")
        for way in COPIES.values():
            copied = way(catalogue)
            assert type(copied) is Shop
            assert copied.name == "tea"
            assert_alike_rows(copied, catalogue)

    def test_items_out_of_band(self) -> None:
        """Protocol 5 lets who sends pickles send large arrays apart, without a copy."""
        buffers: list[pickle.PickleBuffer] = []
        catalogue = cosim_rs.Catalogue(self.items)
        data = pickle.dumps(catalogue, 5, buffer_callback=buffers.append)
        assert len(data) < 2000
        assert_alike_rows(pickle.loads(data, buffers=buffers), catalogue)

    def test_pickles_name_what_is_public(self) -> None:
        found = cosim_rs.top_k(self.items[:2], self.items)
        for value in (cosim_rs.Catalogue(self.items), found):
            assert b"cosim_rs\n" in pickle.dumps(value, 0)
            assert b"cosim_rs._search" not in pickle.dumps(value, 0)
            assert b"cosim_rs._catalogue" not in pickle.dumps(value, 0)


class Shop(cosim_rs.Catalogue):
    """A catalogue with a name."""

    def __init__(self, items: Array, name: str) -> None:
        super().__init__(items)
        self.name = name


def assert_alike_rows(actual: cosim_rs.Catalogue, expected: cosim_rs.Catalogue) -> None:
    users = gaussian_rows(3, actual.dim)
    assert_same(actual.top_k(users), expected.top_k(users))


@pytest.mark.parametrize("way", COPIES)
def test_results(way: str) -> None:
    rows = gaussian_rows(50, 8)
    for found in (
        cosim_rs.top_k(rows[:3], rows, 4),
        cosim_rs.Catalogue(rows, [f"{row}" for row in range(50)]).similar("7"),
    ):
        copied = COPIES[way](found)
        assert type(copied) is cosim_rs.TopK
        assert_same_bits(copied.scores, found.scores)
        assert copied.ids.tolist() == found.indices.tolist()


class TestOtherCallers:
    """Each asks for a search of a catalogue, a row of users at a time."""

    users = gaussian_rows(6, 20, seed=2)

    def test_threads(self) -> None:
        catalogue = catalogue_of(IDS["strings"])
        expected = [catalogue.top_k(row) for row in self.users]
        with ThreadPoolExecutor(4) as executor:
            assert_all_same(list(executor.map(catalogue.top_k, self.users)), expected)

    def test_asyncio(self) -> None:
        catalogue = catalogue_of(IDS["strings"])
        expected = [catalogue.top_k(row) for row in self.users]

        async def search() -> list[cosim_rs.TopK]:
            tasks = (asyncio.to_thread(catalogue.top_k, row) for row in self.users)
            return await asyncio.gather(*tasks)

        assert_all_same(asyncio.run(search()), expected)

    @pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
    def test_multiprocessing(self, method: str) -> None:
        """In a process of its own, since what this one runs is not all ready for forks."""
        assert run_python(PROCESSES.format(method=method), timeout=300) == "done\n"

    @pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
    def test_joblib(self, backend: str) -> None:
        code = JOBLIB.format(backend=backend)
        assert run_python(code, timeout=300) == "done\n"


def assert_all_same(actual: list[cosim_rs.TopK], expected: list[cosim_rs.TopK]) -> None:
    assert len(actual) == len(expected)
    for found, wanted in zip(actual, expected, strict=True):
        assert_same_bits(found.scores, wanted.scores)
        assert_same_names(found.ids, wanted.ids)


PRELUDE = """
import warnings
# Python 3.12 and later warn of a fork beside other threads, such as those of OpenBLAS.
warnings.simplefilter("ignore", DeprecationWarning)

import multiprocessing
import numpy as np
import cosim_rs
from helpers import gaussian_rows
from test_callers import IDS, assert_all_same, catalogue_of

catalogue = catalogue_of(IDS["strings"])
users = gaussian_rows(6, 20, seed=2)
large = cosim_rs.Catalogue(gaussian_rows(30_000, 64))  # joblib maps such arrays into memory
many = gaussian_rows(40, 64, seed=2)
expected = [catalogue.top_k(row) for row in users] + [large.top_k(many)] * 2
"""

PROCESSES = (
    PRELUDE
    + """
def main():
    with multiprocessing.get_context("{method}").Pool(2) as pool:
        found = pool.map(catalogue.top_k, list(users)) + pool.map(large.top_k, [many, many])
    assert_all_same(found, expected)
    print("done")

main()
"""
)

JOBLIB = (
    PRELUDE
    + """
import joblib

with joblib.parallel_config(backend="{backend}"):
    parallel = joblib.Parallel(n_jobs=2, max_nbytes=10_000)
    found = parallel(joblib.delayed(catalogue.top_k)(row) for row in users)
    found += parallel(joblib.delayed(large.top_k)(many) for _ in range(2))
assert_all_same(found, expected)
print("done")
"""
)


def test_joblib_hashes_and_stores_a_catalogue(tmp_path: Any) -> None:
    """Its `Memory` does both with arguments and results."""
    catalogue = catalogue_of(IDS["signed"])
    assert joblib.hash(catalogue) == joblib.hash(catalogue_of(IDS["signed"]))
    assert joblib.hash(catalogue) != joblib.hash(catalogue_of(IDS["unsigned"]))
    joblib.dump(catalogue, tmp_path / "catalogue")
    assert_alike(joblib.load(tmp_path / "catalogue"), catalogue)
    assert_alike(joblib.load(tmp_path / "catalogue", mmap_mode="r"), catalogue)


def test_one_catalogue_and_the_settings_from_many_threads() -> None:
    """What free-threaded Python does not keep apart: searches, copies, settings and limits."""
    catalogue = catalogue_of(IDS["strings"])
    users = gaussian_rows(40, 20, seed=1)
    large = cosim_rs.Catalogue(gaussian_rows(30_000, 32))
    many = gaussian_rows(40, 32)
    expected, expected_large = catalogue.top_k(users), large.top_k(many)
    callers, turns = 12, 12
    barrier = threading.Barrier(callers)

    def call(caller: int) -> None:
        barrier.wait(timeout=60)
        for turn in range(turns):
            cosim_rs.set_num_threads(1 + (caller + turn) % 4)
            limit = 1 + (caller * turn) % 3
            with cosim_rs.threadpool_limits(limit):
                assert cosim_rs.get_num_threads() <= limit
                if turn % 3 == caller % 3:
                    assert_same(large.top_k(many), expected_large)
                assert_all_same([catalogue.top_k(users)], [expected])
            assert cosim_rs.get_num_threads() <= 4
            if turn % 4 == caller % 4:
                assert_all_same([copy.deepcopy(catalogue).top_k(users)], [expected])

    with ThreadPoolExecutor(callers) as executor:
        for future in [executor.submit(call, caller) for caller in range(callers)]:
            future.result(timeout=120)


@pytest.mark.skipif(
    not hasattr(sys, "_is_gil_enabled") or sys._is_gil_enabled(),
    reason="this Python has a GIL",
)
def test_importing_leaves_the_gil_off() -> None:
    code = "import sys, cosim_rs; print(sys._is_gil_enabled())"
    assert run_python(code, PYTHON_GIL=None) == "False\n"
