"""Limits on threads: where they hold, how they nest, and that they end."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from helpers import assert_same_bits, gaussian_rows, run_python

import cosim_rs

# Whether a thread starts with the context of the one that starts it, as free-threaded ones do.
INHERITS = bool(getattr(sys.flags, "thread_inherit_context", False))


@pytest.fixture(autouse=True)
def _eight_threads() -> None:
    """More than any limit here, on machines of all sizes."""
    cosim_rs.set_num_threads(8)


def in_a_new_thread(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(call).result(timeout=60)


class TestHowLongItHolds:
    def test_a_block(self) -> None:
        with cosim_rs.threadpool_limits(2) as limits:
            assert isinstance(limits, cosim_rs.threadpool_limits)
            assert cosim_rs.get_num_threads() == 2
            assert cosim_rs.show_config("dicts")["threads"] == 2
        assert cosim_rs.get_num_threads() == 8

    def test_a_block_left_by_an_error(self) -> None:
        with pytest.raises(KeyError, match="tea"), cosim_rs.threadpool_limits(2):
            raise KeyError("tea")
        assert cosim_rs.get_num_threads() == 8

    def test_until_restored(self) -> None:
        limits = cosim_rs.threadpool_limits(2)
        assert cosim_rs.get_num_threads() == 2
        limits.restore_original_limits()
        assert cosim_rs.get_num_threads() == 8

    def test_restored_twice(self) -> None:
        """A block that restores early does not undo what came later."""
        with cosim_rs.threadpool_limits(2) as limits:
            limits.restore_original_limits()
            later = cosim_rs.threadpool_limits(3)
        assert cosim_rs.get_num_threads() == 3
        later.restore_original_limits()


class TestHowItNests:
    @pytest.mark.parametrize(
        ("outer", "inner", "least"),
        [(2, 4, 2), (4, 2, 2), (3, 3, 3), (2, None, 2), (None, 2, 2), (None, None, 8), (90, 9, 8)],
    )
    def test_the_least_holds(self, outer: int | None, inner: int | None, least: int) -> None:
        with cosim_rs.threadpool_limits(outer):
            with cosim_rs.threadpool_limits(inner):
                assert cosim_rs.get_num_threads() == least
            assert cosim_rs.get_num_threads() == min(outer or 8, 8)
        assert cosim_rs.get_num_threads() == 8

    def test_set_num_threads_inside(self) -> None:
        """It sets what holds everywhere else and afterwards, and cannot lift the limit."""
        with cosim_rs.threadpool_limits(4):
            cosim_rs.set_num_threads(6)
            assert cosim_rs.get_num_threads() == 4
            cosim_rs.set_num_threads(3)
            assert cosim_rs.get_num_threads() == 3
        assert cosim_rs.get_num_threads() == 3


class TestWhereItHolds:
    def test_not_in_other_threads(self) -> None:
        entered, seen = threading.Event(), threading.Event()

        def limited() -> int:
            with cosim_rs.threadpool_limits(1):
                entered.set()
                assert seen.wait(60)
                return cosim_rs.get_num_threads()

        with ThreadPoolExecutor(1) as executor:
            future = executor.submit(limited)
            assert entered.wait(60)
            assert cosim_rs.get_num_threads() == 8
            seen.set()
            assert future.result(timeout=60) == 1

    def test_not_in_threads_started_inside(self) -> None:
        with cosim_rs.threadpool_limits(2):
            assert in_a_new_thread(cosim_rs.get_num_threads) == (2 if INHERITS else 8)
            context = contextvars.copy_context()
            assert in_a_new_thread(lambda: context.run(cosim_rs.get_num_threads)) == 2

    def test_in_the_workers_of_an_executor_that_begin_with_it(self) -> None:
        limited = {"initializer": cosim_rs.threadpool_limits, "initargs": (1,)}
        with ThreadPoolExecutor(3, **limited) as executor:
            told = executor.map(lambda _: cosim_rs.get_num_threads(), range(30))
            assert set(told) == {1}
        assert cosim_rs.get_num_threads() == 8

    def test_overlapping_blocks_of_two_threads(self) -> None:
        """The first to enter is the first to leave: each restores its own."""
        barrier = threading.Barrier(2)

        def limited(limit: int, leaves_first: bool) -> list[int]:
            with cosim_rs.threadpool_limits(limit):
                barrier.wait(60)
                told = [cosim_rs.get_num_threads()]
                if not leaves_first:
                    barrier.wait(60)
                    told.append(cosim_rs.get_num_threads())
            told.append(cosim_rs.get_num_threads())
            if leaves_first:
                barrier.wait(60)
            return told

        with ThreadPoolExecutor(2) as executor:
            first, last = executor.submit(limited, 2, True), executor.submit(limited, 3, False)
            assert first.result(60) == [2, 8]
            assert last.result(60) == [3, 3, 8]

    def test_in_tasks_of_asyncio_and_what_they_send_to_threads(self) -> None:
        async def limited(limit: int) -> list[int]:
            with cosim_rs.threadpool_limits(limit):
                await asyncio.sleep(0.001)
                told = [cosim_rs.get_num_threads()]
                told.append(await asyncio.to_thread(cosim_rs.get_num_threads))
                told.append(await asyncio.create_task(asyncio.to_thread(cosim_rs.get_num_threads)))
            return [*told, await asyncio.to_thread(cosim_rs.get_num_threads)]

        async def both() -> list[list[int]]:
            return await asyncio.gather(limited(2), limited(5))

        assert asyncio.run(both()) == [[2, 2, 2, 8], [5, 5, 5, 8]]

    def test_restoring_elsewhere_is_an_error(self) -> None:
        limits = cosim_rs.threadpool_limits(2)
        with pytest.raises(ValueError, match="different Context"):
            in_a_new_thread(limits.restore_original_limits)
        assert cosim_rs.get_num_threads() == 2
        limits.restore_original_limits()
        assert cosim_rs.get_num_threads() == 8


@pytest.mark.parametrize("n", [0, -1, np.int64(0)])
def test_less_than_one(n: int) -> None:
    with pytest.raises(ValueError, match=rf"^n: got {n}, expected a whole number of at least 1$"):
        cosim_rs.threadpool_limits(n)
    assert cosim_rs.get_num_threads() == 8


@pytest.mark.parametrize("n", [1.0, "2", True, [2], {"blas": 1}])
def test_no_whole_number(n: Any) -> None:
    with pytest.raises(TypeError, match=rf"^n: got {type(n).__name__}, expected a whole number"):
        cosim_rs.threadpool_limits(n)
    assert cosim_rs.get_num_threads() == 8


def test_any_whole_number() -> None:
    for n in (np.uint8(3), 3, 10**30):
        with cosim_rs.threadpool_limits(n):
            assert cosim_rs.get_num_threads() == min(int(n), 8)


def test_the_bits_are_the_same() -> None:
    users, items = gaussian_rows(4, 65), gaussian_rows(4, 3000, 65)
    expected = cosim_rs.batched_cosine_similarity(users, items)
    for limit in (1, 2, 3):
        with cosim_rs.threadpool_limits(limit):
            assert_same_bits(cosim_rs.batched_cosine_similarity(users, items), expected)


# How many helpers a call may wake shows in how many threads the pool starts.
COUNT_HELPERS = """
import os
import numpy as np
import cosim_rs

def count():
    return len(os.listdir("/proc/self/task"))

large = np.ones((2, 40_000, 64), np.float32)
rows = large[0]
cosim_rs.set_num_threads(5)
catalogue = cosim_rs.Catalogue(rows, threads=1)
before = count()
with cosim_rs.threadpool_limits({limit}):
    {call}
print(count() - before)
"""

CALLS = {
    "batched": "cosim_rs.batched_cosine_similarity(large[:, 0], large{})",
    "paired": "cosim_rs.paired_cosine_similarity(large[0], large[1]{})",
    "matrix": "cosim_rs.cosine_similarity(rows[:100], rows[:10_000]{})",
    "matrix with itself": "cosim_rs.cosine_similarity(rows[:900]{})",
    "top_k": "cosim_rs.top_k(rows[:100], rows{})",
    "preparing": "cosim_rs.Catalogue(rows{})",
    "top_k of a catalogue": "catalogue.top_k(rows[:100]{})",
    "similar": "catalogue.similar(range(100){})",
    "scores": "catalogue.scores(rows[:100], np.tile(range(5_000), (100, 1)){})",
    "converted": "cosim_rs.cosine_similarity(rows[:900].astype(np.int64){})",
}


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
@pytest.mark.parametrize("call", CALLS)
def test_every_call_keeps_to_it(call: str) -> None:
    """The calling thread counts; `threads` can ask for less, not for more."""
    for limit, asked, helpers in (
        (1, "", 0),
        (3, "", 2),
        (3, ", threads=8", 2),
        (3, ", threads=2", 1),
    ):
        code = COUNT_HELPERS.format(limit=limit, call=CALLS[call].format(asked))
        told = run_python(code, OPENBLAS_NUM_THREADS="1")
        assert told == f"{helpers}\n", (limit, asked)


def test_a_bad_variable_is_told_inside_too() -> None:
    code = """
import cosim_rs
with cosim_rs.threadpool_limits(2):
    print(cosim_rs.cosine_similarity([[1.0]], threads=1))
    for call in (cosim_rs.get_num_threads, lambda: cosim_rs.cosine_similarity([[1.0]])):
        try:
            print("no error", call())
        except ValueError as error:
            print(error)
"""
    scores, *messages = run_python(code, COSIM_RS_NUM_THREADS="two").splitlines()
    assert scores == "[[1.]]"
    assert len(messages) == 2
    assert all("COSIM_RS_NUM_THREADS" in message for message in messages)
