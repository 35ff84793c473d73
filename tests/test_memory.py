"""No hidden copies: the peak memory of calls on large arrays, each in a fresh process."""

from __future__ import annotations

import sys

import pytest
from helpers import run_python
from peak_memory import ITEMS, MIB, SUPPORTED, THREADS

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="resets the peak memory in Linux's /proc")

# The bar is 2 MiB a thread; the kernel counts pages in batches, and may be off by one more.
MOST = (2 * THREADS + 1) * MIB
COPY = 400_000_000


def measured(function: str, name: str) -> int:
    """Bytes, of one of the functions of peak_memory in a process of its own."""
    return int(run_python(f"import peak_memory; print(peak_memory.{function}({name!r}))"))


@pytest.mark.parametrize("items", ["contiguous", "strided last axis"])
def test_a_copy_would_be_seen(items: str) -> None:
    assert measured("copying", items) > 0.9 * COPY


@pytest.mark.parametrize("items", ITEMS)
def test_batched_copies_no_input(items: str) -> None:
    assert measured("batched", items) < MOST


@pytest.mark.parametrize("items", ["contiguous", "memory-mapped", "float16", "bfloat16", "int8"])
def test_paired_copies_no_input(items: str) -> None:
    assert measured("paired", items) < MOST


@pytest.mark.parametrize("form", ["out", "symmetric", "reversed"])
def test_the_matrix_needs_only_tiles(form: str) -> None:
    assert measured("matrix", form) < MOST


def test_the_matrix_needs_only_tiles_and_its_output() -> None:
    # A fresh output starts and ends within a huge page.
    assert measured("matrix", "fresh") < MOST + 2 * 2 * MIB


@pytest.mark.parametrize("form", ["range", "pairs", "best of many pairs"])
def test_a_search_for_all_that_score_enough_makes_no_matrix(form: str) -> None:
    """Of 200 MB, of 3.6 GB, and of so many pairs that they would take 288 MB. What there is are
    codes, 2 MB at the most, and each thread's buffers for 256 users, 1.2 MB.
    """
    assert measured("found", form) < 12 * MIB


LIMITED = """
import resource
import numpy as np
import cosim_rs
from helpers import gaussian_rows

x = gaussian_rows(12_000, 8)
cosim_rs.top_k(x[:100], x, 5)  # the threads are there
with open("/proc/self/statm") as pages:
    held = int(pages.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (400 << 20), resource.RLIM_INFINITY))
for call in (lambda: cosim_rs.top_k(x, x, len(x)), lambda: cosim_rs.mine_pairs(x, min_score=-1.0)):
    try:
        call()
    except MemoryError as error:
        print(str(error).partition(",")[0])
assert len(cosim_rs.mine_pairs(x[:500], min_score=-1.0).scores) == 500 * 499 // 2
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_does_not_fit_is_an_error_and_the_next_call_goes_on() -> None:
    """All scores are 1.7 GB, all pairs 1.2 GB and more."""
    printed = run_python(LIMITED).splitlines()
    assert printed == ["memory: got none for the result", "memory: got none for all that is found"]
