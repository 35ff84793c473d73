"""How much more memory a call needs at its peak, by what Linux counts for the process.

The peak is reset before the call, so it is that of the call alone. Meant for a fresh process.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from ml_dtypes import bfloat16

import cosim_rs

SUPPORTED = sys.platform == "linux" and os.access("/proc/self/clear_refs", os.W_OK)

MIB = 2**20
THREADS = 2

Array = npt.NDArray[Any]


def extra_peak(call: Callable[[], object]) -> int:
    """Bytes by which the peak of the resident memory exceeds that before the call."""
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    before = _status("VmRSS")
    call()
    return _status("VmHWM") - before


def _status(field: str) -> int:
    with open("/proc/self/status") as lines:
        (line,) = (line for line in lines if line.startswith(field))
    return int(line.split()[1]) * 1024


def _memory_mapped(shape: tuple[int, ...]) -> Array:
    file = tempfile.NamedTemporaryFile()  # noqa: SIM115 -- mapped for as long as the process
    mapped = np.memmap(file, np.float32, "w+", shape=shape)
    mapped[...] = 1
    return mapped


def _read_only(shape: tuple[int, ...]) -> Array:
    array = np.ones(shape, np.float32)
    array.flags.writeable = False
    return array


# Arrays of 400 MB; a broadcast one takes less itself, but a copy of it would not.
ITEMS: dict[str, Callable[[], Array]] = {
    "contiguous": lambda: np.ones((100, 10_000, 100), np.float32),
    "read-only": lambda: _read_only((100, 10_000, 100)),
    "memory-mapped": lambda: _memory_mapped((100, 10_000, 100)),
    "reversed last axis": lambda: np.ones((100, 10_000, 100), np.float32)[..., ::-1],
    "strided last axis": lambda: np.broadcast_to(
        np.ones((10_000, 200), np.float32)[:, ::2], (100, 10_000, 100)
    ),
    "fortran": lambda: np.ones((100, 10_000, 100), np.float32).T,
    "float16": lambda: np.ones((100, 20_000, 100), np.float16),
    "bfloat16": lambda: np.ones((100, 20_000, 100), bfloat16),
    "int8": lambda: np.ones((100, 40_000, 100), np.int8),
    "float16, strided last axis": lambda: np.ones((100, 10_000, 200), np.float16)[..., ::2],
    "broadcast batch": lambda: np.broadcast_to(np.float32(1), (100, 10_000, 100)),
}


def batched(name: str) -> int:
    """The extra peak of scoring 400 MB of items, with `out` in place."""
    items = ITEMS[name]()
    users = np.ones((items.shape[0], items.shape[2]), np.float32)
    out = np.ones(items.shape[:2], np.float32)
    return extra_peak(
        lambda: cosim_rs.batched_cosine_similarity(users, items, out=out, threads=THREADS)
    )


def paired(name: str) -> int:
    """The extra peak of scoring 400 MB of pairs' right sides."""
    items = ITEMS[name]()
    y = items.reshape(-1, items.shape[2]) if items.flags.c_contiguous else items[:, 0]
    x = np.broadcast_to(np.ones(y.shape[1], np.float32), y.shape)
    out = np.ones(len(y), np.float32)
    return extra_peak(lambda: cosim_rs.paired_cosine_similarity(x, y, out=out, threads=THREADS))


def copying(name: str) -> int:
    """What a hidden copy would cost: to show that it would be seen."""
    items = ITEMS[name]()
    return extra_peak(lambda: items.copy().max())


def matrix(form: str) -> int:
    """The extra peak of a full matrix beyond its output."""
    x, y = np.ones((250, 128), np.float32), np.ones((20_000, 128), np.float32)
    if form == "out":
        out = np.ones((250, 20_000), np.float32)
        return extra_peak(lambda: cosim_rs.cosine_similarity(x, y, out=out, threads=THREADS))
    if form == "fresh":
        output = 250 * 20_000 * 4
        return extra_peak(lambda: cosim_rs.cosine_similarity(x, y, threads=THREADS)) - output
    if form == "symmetric":
        out = np.ones((2000, 2000), np.float32)
        return extra_peak(lambda: cosim_rs.cosine_similarity(y[:2000], out=out, threads=THREADS))
    # A copy of y would be 100 MB.
    y = np.broadcast_to(np.ones(500, np.float32)[::-1], (50_000, 500))
    x, out = np.ones((16, 500), np.float32), np.ones((16, 50_000), np.float32)
    return extra_peak(lambda: cosim_rs.cosine_similarity(x, y, out=out, threads=THREADS))


def found(form: str) -> int:
    """The extra peak of a search for all that score enough, of which there is next to nothing."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30_000 if form == "pairs" else 500, 64), np.float32)
    if form == "range":
        y = rng.standard_normal((100_000, 64), np.float32)
        return extra_peak(lambda: cosim_rs.range_search(x, y, 0.8, threads=THREADS))
    if form == "pairs":
        return extra_peak(lambda: cosim_rs.mine_pairs(x, min_score=0.8, threads=THREADS))
    alike = np.ones((6000, 8), np.float32)
    return extra_peak(
        lambda: cosim_rs.mine_pairs(alike, min_score=0.5, max_pairs=1000, threads=THREADS)
    )
