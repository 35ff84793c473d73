"""The pool: when it starts, how many threads it has, who may use it, and whom it keeps waiting."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import assert_same_bits, gaussian_rows, run_python
from long_calls import LONG_CALLS, long_call

import cosim_rs

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")

# What OpenBLAS starts on import is not ours to count.
QUIET = {"OPENBLAS_NUM_THREADS": "1"}

COUNT_STARTED_THREADS = """
import os
import numpy as np
import cosim_rs

def count():
    return len(os.listdir("/proc/self/task"))

large = np.ones((2, 40_000, 64), np.float32)
small = np.ones((8, 50, 32), np.float32)
wide = np.ones((200, 16), np.float32)  # several blocks, but little work
before = count()
for _ in range(5):
    {call}
print(count() - before)
"""


@linux_only
@pytest.mark.parametrize(
    "call",
    [
        "cosim_rs.batched_cosine_similarity(large[:, 0], large, threads=1)",
        "cosim_rs.paired_cosine_similarity(large[0], large[1], threads=1)",
        "cosim_rs.cosine_similarity(large[0, :100], large[1, :10_000], threads=1)",
        "cosim_rs.cosine_similarity(large[0, :900], threads=1)",
        "cosim_rs.top_k(large[0, :100], large[1, :10_000], threads=1)",
        "cosim_rs.set_num_threads(1), cosim_rs.batched_cosine_similarity(large[:, 0], large)",
        "cosim_rs.batched_cosine_similarity(small[:, 0], small, threads=4)",
        "cosim_rs.paired_cosine_similarity(small[0], small[1], threads=4)",
        "cosim_rs.cosine_similarity(small[0], small[1], threads=4)",
        "cosim_rs.cosine_similarity(small[0], threads=4)",
        "cosim_rs.cosine_similarity(wide, wide, threads=4)",
        "cosim_rs.top_k(wide, wide, threads=4)",
        "cosim_rs.set_num_threads(4), cosim_rs.get_num_threads(), cosim_rs.show_config('dicts')",
    ],
)
def test_one_thread_and_small_work_start_no_pool(call: str) -> None:
    assert run_python(COUNT_STARTED_THREADS.format(call=call), **QUIET) == "0\n"


@linux_only
@pytest.mark.parametrize(
    "call",
    [
        "cosim_rs.batched_cosine_similarity(large[:, 0], large, threads=2)",
        "cosim_rs.paired_cosine_similarity(large[0], large[1], threads=2)",
        "cosim_rs.cosine_similarity(large[0, :100], large[1, :10_000], threads=2)",
        "cosim_rs.cosine_similarity(large[0, :900], threads=2)",
        "cosim_rs.top_k(large[0, :100], large[1, :10_000], threads=2)",
        "cosim_rs.top_k(large[0, 0], large[1, :20_000], threads=2)",
    ],
)
def test_large_work_starts_a_pool_and_keeps_it(call: str) -> None:
    """The calling thread is one of the two; the other stays for the next of the five calls."""
    assert run_python(COUNT_STARTED_THREADS.format(call=call), **QUIET) == "1\n"


class TestNumberOfThreads:
    ASK = "import cosim_rs; print(cosim_rs.get_num_threads())"

    def test_set_and_get(self) -> None:
        for threads in (3, 1, np.int64(8)):
            cosim_rs.set_num_threads(threads)
            assert cosim_rs.get_num_threads() == threads
            assert cosim_rs.show_config(mode="dicts")["threads"] == threads

    def test_the_order_of_the_variables(self) -> None:
        ours, rayons = {"COSIM_RS_NUM_THREADS": "3"}, {"RAYON_NUM_THREADS": "5"}
        assert run_python(self.ASK, **ours) == "3\n"
        assert run_python(self.ASK, **rayons) == "5\n"
        assert run_python(self.ASK, **ours, **rayons) == "3\n"
        code = "import cosim_rs; cosim_rs.set_num_threads(7); print(cosim_rs.get_num_threads())"
        assert run_python(code, **ours, **rayons) == "7\n"

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
    def test_the_default_is_the_cpus_of_the_process(self) -> None:
        assert 1 <= int(run_python(self.ASK)) <= len(os.sched_getaffinity(0))
        code = f"import os; os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}}); {self.ASK}"
        assert run_python(code) == "1\n"

    @pytest.mark.parametrize("name", ["COSIM_RS_NUM_THREADS", "RAYON_NUM_THREADS"])
    @pytest.mark.parametrize("value", ["two", "-1", "1.5"])
    def test_a_variable_that_is_no_number(self, name: str, value: str) -> None:
        code = """
import numpy as np
import cosim_rs

rows = np.ones((2, 40_000, 64), np.float32)
for call in (
    cosim_rs.get_num_threads,
    lambda: cosim_rs.batched_cosine_similarity(rows[:, 0], rows),
):
    try:
        print("no error", call())
    except ValueError as error:
        print(error)
# Who says how many threads does not need the variable.
print(cosim_rs.batched_cosine_similarity(rows[:, 0], rows, threads=2).shape)
"""
        *messages, shape = run_python(code, **{name: value}).splitlines()
        assert len(messages) == 2
        for message in messages:
            assert name in message
            assert value in message
        assert shape == "(2, 40000)"

    def test_zero_in_our_variable(self) -> None:
        code = """
import cosim_rs
try:
    cosim_rs.get_num_threads()
except ValueError as error:
    print(error)
"""
        message = run_python(code, COSIM_RS_NUM_THREADS="0")
        assert "COSIM_RS_NUM_THREADS" in message
        assert "0" in message


def test_many_callers_at_once() -> None:
    """Each gets its own bits, whatever the others ask for."""
    users, items = gaussian_rows(4, 65), gaussian_rows(4, 3000, 65)
    rows = gaussian_rows(500, 65)
    batched = cosim_rs.batched_cosine_similarity(users, items, threads=1)
    matrix = cosim_rs.cosine_similarity(rows, threads=1)
    callers = 12
    barrier = threading.Barrier(callers)

    def call_repeatedly(caller: int) -> None:
        barrier.wait(timeout=60)
        for turn in range(10):
            threads = 1 + (caller + turn) % 5
            if (caller + turn) % 2:
                actual = cosim_rs.batched_cosine_similarity(users, items, threads=threads)
                assert_same_bits(actual, batched)
            else:
                assert_same_bits(cosim_rs.cosine_similarity(rows, threads=threads), matrix)

    with ThreadPoolExecutor(callers) as executor:
        for future in [executor.submit(call_repeatedly, caller) for caller in range(callers)]:
            future.result(timeout=60)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", LONG_CALLS)
def test_other_threads_run_during_a_long_call(name: str, threads: int) -> None:
    call, out = long_call(name, seconds=0.4, threads=threads)
    running, done = threading.Event(), threading.Event()
    ticks: list[float] = []

    def tick() -> None:
        running.set()
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    running.wait()
    started = time.perf_counter()
    call()
    ended = time.perf_counter()
    done.set()
    ticker.join()
    assert not np.isnan(out).any()
    # With the interpreter held there would be none from the first moments to the last ones.
    middle = [tick for tick in ticks if started + 0.02 < tick < ended - 0.02]
    assert len(middle) >= 5


@pytest.mark.parametrize("other_threads", [1, 2])
def test_a_short_call_does_not_wait_for_a_long_one(other_threads: int) -> None:
    long, out = long_call("batched", seconds=1.5, threads=other_threads)
    users, items = gaussian_rows(2, 65), gaussian_rows(2, 3000, 65)
    expected = cosim_rs.batched_cosine_similarity(users, items, threads=1)
    caller = threading.Thread(target=long)
    caller.start()
    while np.isnan(out[0, 0]):
        time.sleep(0.001)
    for _ in range(5):
        actual = cosim_rs.batched_cosine_similarity(users, items, threads=2)
        assert_same_bits(actual, expected)
    still_running = caller.is_alive()
    caller.join()
    assert still_running
    assert not np.isnan(out).any()
