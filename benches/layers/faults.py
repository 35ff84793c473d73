"""What calls cost the system: pages that it hands out, and its share of the CPU's time.

Gradients of large items are new memory in every call. Unless the allocator keeps it, the system
hands it out page by page, a fault and a page of zeros each: 4 KiB, or 2 MiB where it grants huge
pages to those who ask for them.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

SECONDS = 1.0  # the system counts its time in ticks of some milliseconds


def per_call(call: Callable[[], Any]) -> tuple[float, float, float]:
    """Minor faults, the system's seconds, and their share of the CPU's time in all threads."""
    call()
    calls, end = 0, time.perf_counter() + SECONDS
    before = resource.getrusage(resource.RUSAGE_SELF)
    while time.perf_counter() < end:
        call()
        calls += 1
    after = resource.getrusage(resource.RUSAGE_SELF)
    system, user = after.ru_stime - before.ru_stime, after.ru_utime - before.ru_utime
    return (after.ru_minflt - before.ru_minflt) / calls, system / calls, system / (system + user)


def rows(backend: str, faults: Any) -> list[list[str]]:
    """A line a case."""
    return [
        [backend, work, *(_described(*costs) for costs in of_each.values())]
        for work, of_each in faults
    ]


def _described(faults: float, system: float, share: float) -> str:
    return f"{faults:,.0f}, {system * 1e6:,.0f} µs, {share:.0%}"
