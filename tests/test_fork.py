"""A forked child inherits the pool's memory but none of its threads, and builds its own."""

from __future__ import annotations

import os

import pytest
from helpers import run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

# Every child has an alarm, so that one that waits for a thread it does not have is ended.
PRELUDE = """
import os
import signal
import threading
import warnings

import numpy as np

import cosim_rs
from helpers import assert_same_bits, gaussian_rows

# Python 3.12 and later warn of a fork beside other threads, which is what is tested.
warnings.simplefilter("ignore", DeprecationWarning)

users, items = gaussian_rows(4, 65), gaussian_rows(4, 3000, 65)
expected = cosim_rs.batched_cosine_similarity(users, items, threads=1)

def check(threads=2):
    actual = cosim_rs.batched_cosine_similarity(users, items, threads=threads)
    assert_same_bits(actual, expected)

def in_child(work):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
"""

USED = """
check()
in_child(check)
check()
in_child(lambda: check(threads=4))
check()
"""

UNUSED = """
in_child(check)
check()
"""

GRANDCHILD = """
def work():
    check()
    in_child(check)
    check()

check()
in_child(work)
"""

STARTS_ITS_OWN_THREADS = """
def work():
    before = len(os.listdir("/proc/self/task"))
    check(threads=3)
    assert len(os.listdir("/proc/self/task")) == before + 2 == 3

check(threads=3)
in_child(work)
"""

KEEPS_THE_SETTING = """
def work():
    assert cosim_rs.get_num_threads() == 3
    check(threads=None)

cosim_rs.set_num_threads(3)
check(threads=None)
in_child(work)
"""

# Fork at any moment of calls on other threads: no lock may be left held in the child.
BUSY = """
done = threading.Event()

def keep_calling():
    while not done.is_set():
        check(threads=3)

callers = [threading.Thread(target=keep_calling) for _ in range(3)]
for caller in callers:
    caller.start()
for _ in range(30):
    in_child(check)
done.set()
for caller in callers:
    caller.join()
"""

# Fork in the midst of a change: the child goes on from what there was before it.
CHANGING = """
catalogue = cosim_rs.Catalogue(gaussian_rows(2000, 65))
done = threading.Event()

def keep_changing():
    while not done.is_set():
        catalogue.update(np.arange(2000), catalogue._state.pieces[0].items)

def change():
    catalogue.remove([5])
    catalogue.add(gaussian_rows(1, 65), [5])
    assert len(catalogue) == 2000

changer = threading.Thread(target=keep_changing)
changer.start()
for _ in range(20):
    in_child(change)
done.set()
changer.join()
"""

MULTIPROCESSING = """
import multiprocessing

check()
with multiprocessing.get_context("fork").Pool(2) as pool:
    scores = pool.starmap(
        cosim_rs.batched_cosine_similarity, [(users, items)] * 4
    )
for actual in scores:
    assert_same_bits(actual, expected)
"""


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(USED, id="after the pool was used"),
        pytest.param(UNUSED, id="before the pool was used"),
        pytest.param(GRANDCHILD, id="a grandchild"),
        pytest.param(
            STARTS_ITS_OWN_THREADS,
            id="its own threads",
            marks=pytest.mark.skipif(
                not os.path.isdir("/proc/self/task"), reason="counts threads in /proc"
            ),
        ),
        pytest.param(KEEPS_THE_SETTING, id="its number of threads"),
        pytest.param(BUSY, id="while other threads call"),
        pytest.param(CHANGING, id="while another thread changes a catalogue"),
        pytest.param(MULTIPROCESSING, id="a pool of processes"),
    ],
)
def test_the_child_scores_as_its_parent(story: str) -> None:
    assert run_python(PRELUDE + story + "\nprint('done')") == "done\n"
