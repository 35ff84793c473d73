"""cosim_rs in company: beside OpenBLAS or torch in one process, with and without limits.

``python -m benches.company``, from the repository's root. Each side has a call of a few
milliseconds on all threads. In turn, one thread makes both calls one after the other; at once, two
threads make one each, again and again, for a second; and four threads search at once, as a
server's do. A limit is half of the CPUs for each side. Settings take turns, and the tables show
medians of the milliseconds that a call took, with the fastest and the slowest round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
from threadpoolctl import threadpool_limits as limit_blas

import cosim_rs

Call = Callable[[], object]

CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
HALF = max(1, CPUS // 2)


class Neighbour:
    """A matrix product of NumPy's, on OpenBLAS."""

    name = "OpenBLAS"

    def __init__(self) -> None:
        self.matrix = np.random.default_rng(0).standard_normal((600, 600), dtype=np.float32)
        self.out = np.empty_like(self.matrix)

    def call(self) -> object:
        return np.matmul(self.matrix, self.matrix, out=self.out)

    @contextmanager
    def limited(self) -> Iterator[None]:
        with limit_blas(HALF):
            yield


class Torch(Neighbour):
    """The same product of torch's."""

    name = "torch"

    def __init__(self) -> None:
        import torch

        super().__init__()
        self.torch, self.tensor = torch, torch.from_numpy(self.matrix)

    def call(self) -> object:
        return self.torch.mm(self.tensor, self.tensor)

    @contextmanager
    def limited(self) -> Iterator[None]:
        threads = self.torch.get_num_threads()
        self.torch.set_num_threads(HALF)
        yield
        self.torch.set_num_threads(threads)


def in_turn(ours: Call, theirs: Call, seconds: float) -> list[float]:
    """Milliseconds of each side's call, on one thread."""
    spent, calls, end = [0.0, 0.0], 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for side, call in enumerate((ours, theirs)):
            start = time.perf_counter()
            call()
            spent[side] += time.perf_counter() - start
        calls += 1
    return [1e3 * side / calls for side in spent]


def at_once(calls: list[tuple[Call, int | None]], seconds: float) -> list[float]:
    """Milliseconds of a call of each thread, with the limit of each for cosim_rs."""
    barrier, times = threading.Barrier(len(calls)), [0.0] * len(calls)

    def repeat(place: int, call: Call, limit: int | None) -> None:
        with cosim_rs.threadpool_limits(limit):
            barrier.wait()
            start, count = time.perf_counter(), 0
            while (now := time.perf_counter()) < start + seconds:
                call()
                count += 1
        times[place] = 1e3 * (now - start) / count

    threads = [threading.Thread(target=repeat, args=(i, *call)) for i, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def measure(neighbour: Neighbour, seconds: float) -> dict[str, list[float]]:
    """One round of every setting: milliseconds of a call of ours, and of theirs."""
    users = np.random.default_rng(1).standard_normal((64, 64), dtype=np.float32)
    items = np.random.default_rng(2).standard_normal((64, 2000, 64), dtype=np.float32)
    out = np.empty((64, 2000), np.float32)

    def ours() -> object:
        return cosim_rs.batched_cosine_similarity(users, items, out=out)

    def fresh() -> object:
        return cosim_rs.batched_cosine_similarity(users, items)

    rows = {
        "ours alone": [at_once([(ours, None)], seconds)[0], float("nan")],
        "theirs alone": [float("nan"), at_once([(neighbour.call, None)], seconds)[0]],
        "in turn": in_turn(ours, neighbour.call, seconds),
        "at once": at_once([(ours, None), (neighbour.call, None)], seconds),
        "at once, ours limited": at_once([(ours, HALF), (neighbour.call, None)], seconds),
        "four of ours": [statistics.mean(at_once([(fresh, None)] * 4, seconds)), float("nan")],
        "four of ours, limited": [
            statistics.mean(at_once([(fresh, HALF)] * 4, seconds)),
            float("nan"),
        ],
    }
    with ExitStack() as limits:
        limits.enter_context(neighbour.limited())
        rows["at once, theirs limited"] = at_once([(ours, None), (neighbour.call, None)], seconds)
        rows["at once, both limited"] = at_once([(ours, HALF), (neighbour.call, None)], seconds)
        limits.enter_context(cosim_rs.threadpool_limits(HALF))
        rows["in turn, both limited"] = in_turn(ours, neighbour.call, seconds)
    return rows


def main() -> None:
    """Measure beside each neighbour that is installed, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benches.company", description=__doc__)
    parser.add_argument("neighbours", nargs="*", default=["OpenBLAS", "torch"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    for kind in (Neighbour, Torch):
        if kind.name not in options.neighbours:
            continue
        try:
            neighbour = kind()
        except ImportError:
            print(f"{kind.name}: not installed")
            continue
        measure(neighbour, options.seconds / 5)  # to warm up
        rounds = [measure(neighbour, options.seconds) for _ in range(options.rounds)]
        print(
            f"\n| {CPUS} CPUs, beside {kind.name} | cosim_rs, ms | {kind.name}, ms |\n|---|---|---|"
        )
        for setting in rounds[0]:
            print(
                f"| {setting} | " + " | ".join(told(rounds, setting, side) for side in (0, 1)), "|"
            )


def told(rounds: list[dict[str, list[float]]], setting: str, side: int) -> str:
    """The median of the rounds, and their range."""
    times = [round_[setting][side] for round_ in rounds]
    if times[0] != times[0]:
        return ""
    return f"{statistics.median(times):.2f} ({min(times):.2f} to {max(times):.2f})"


if __name__ == "__main__":
    main()
