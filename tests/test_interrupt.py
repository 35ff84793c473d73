"""Ctrl-C ends a long call at once.

How soon is not timed. The call would take eight seconds, and its `out` starts as NaN: of an
interrupted call most must be left, or it has gone on too long after the signal. The latency is
in the output of a failure.
"""

from __future__ import annotations

import os

import pytest
from helpers import run_python
from long_calls import LONG_CALLS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")

INTERRUPT = """
import os
import signal
import threading
import time

import numpy as np

import cosim_rs
from helpers import assert_same_bits, gaussian_rows
from long_calls import long_call

# A parent in the background leaves SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
call, out = long_call({name!r}, seconds=8, threads={threads})
sent = []

def interrupt():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)

timer = threading.Timer(0.3, interrupt)
timer.start()
try:
    call()
except KeyboardInterrupt:
    print("latency", time.perf_counter() - sent[0])
else:
    print("not interrupted")
timer.join()

left = np.isnan(out).mean()
assert left > 0.7, left
# It has ended: nobody goes on writing.
before = out.copy()
time.sleep(0.1)
assert_same_bits(out, before)
# And the next call is as good as any.
users, items = gaussian_rows(2, 65), gaussian_rows(2, 3000, 65)
expected = cosim_rs.batched_cosine_similarity(users, items, threads=1)
assert_same_bits(cosim_rs.batched_cosine_similarity(users, items, threads={threads}), expected)
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", LONG_CALLS)
def test_ctrl_c_ends_a_long_call(name: str, threads: int) -> None:
    printed = run_python(INTERRUPT.format(name=name, threads=threads))
    assert printed.startswith("latency ")


HANDLER = """
import signal

import numpy as np

from helpers import assert_same_bits
from long_calls import long_call

class Alarmed(Exception):
    pass

def raising(number, frame):
    raise Alarmed

calls = []
call, out = long_call("batched", seconds=8, threads=2)
signal.signal(signal.SIGALRM, raising)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    call()
except Alarmed:
    print("raised", np.isnan(out).mean() > 0.7)

call, out = long_call("batched", seconds=0.6, threads=2)
signal.signal(signal.SIGALRM, lambda number, frame: calls.append(np.isnan(out).any()))
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
call()
signal.setitimer(signal.ITIMER_REAL, 0)
print("finished", not np.isnan(out).any(), "handled meanwhile", any(calls))
"""


def test_other_handlers_run_and_may_raise() -> None:
    expected = ["raised True", "finished True handled meanwhile True"]
    assert run_python(HANDLER).splitlines() == expected
