"""Taking turns: in each round everyone gives one sample, in an order drawn anew.

On a shared machine the speed of everything drifts together. Contenders that take turns within
milliseconds drift alike, so their medians keep a ratio that two separate runs would not.
"""

from __future__ import annotations

import gc
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from .contenders import Call

Sampler = Callable[[int], float]
"""Seconds a call, over so many calls in a row."""

SAMPLE_SECONDS = 0.002
"""A sample lasts at least about this long: a thousand times what reading the clock costs."""
PAUSE_SECONDS = 0.015
"""Until the threads of the last contender have stopped spinning: OpenMP's do so for 10 ms."""
WARM_SECONDS = 0.03
"""How long calls are made before they are timed: until a system that gathers what little there is
to do on few CPUs has given every thread one of its own, which took it up to 20 ms."""
LONG_SECONDS = 0.5
"""A call this long warms itself: what it lacks at its beginning is little beside the rest."""
RACE_SECONDS = 1.5
"""About what the timed calls of one contender may take in a race. Whoever needs longer for as many
samples as there are rounds gives fewer, spread over the rounds, but `FEWEST` at least."""
FEWEST = 3


@dataclass
class Entrant:
    """A prepared contender and what it has shown."""

    name: str
    family: str
    sample: Sampler | None
    """None for one that is not installed or wrong."""
    note: str = ""
    """Why there are no figures, or what to know of them."""
    calls: int = 1
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median seconds of one call; NaN without samples."""
        return float(np.median(self.seconds)) if self.seconds else math.nan

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile of the seconds of one call."""
        if not self.seconds:
            return math.nan, math.nan
        first, third = np.percentile(self.seconds, [25, 75])
        return float(first), float(third)


def sampler(call: Call) -> Sampler:
    """Time a call of this process, after some that are not counted and warm caches and threads."""

    def sample(calls: int) -> float:
        start = time.perf_counter()
        call()
        if (first := time.perf_counter() - start) >= LONG_SECONDS:
            return first
        while time.perf_counter() < start + WARM_SECONDS:
            call()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) / calls

    return sample


def race(entrants: list[Entrant], rounds: int, seed: int = 0) -> None:
    """Fill in everyone's seconds."""
    order: list[tuple[Entrant, Sampler, int]] = []
    generator = random.Random(seed)
    with no_garbage_collection():
        for entrant in entrants:
            if entrant.sample is not None:
                entrant.calls, seconds = _calls_for_a_sample(entrant.sample)
                affordable = round(RACE_SECONDS / max(entrant.calls * seconds, 1e-8))
                order.append((entrant, entrant.sample, min(rounds, max(FEWEST, affordable))))
        for done in range(1, rounds + 1):
            generator.shuffle(order)
            for entrant, sample, samples in order:
                # Fewer samples are spread evenly, so that their median drifts like the others'.
                if len(entrant.seconds) < done * samples // rounds:
                    time.sleep(PAUSE_SECONDS)
                    entrant.seconds.append(sample(entrant.calls))


def _calls_for_a_sample(sample: Sampler) -> tuple[int, float]:
    """How many, and the seconds of one; from more calls if the first was too short to tell."""
    calls, seconds = 1, sample(1)
    if seconds < SAMPLE_SECONDS:
        calls = math.ceil(SAMPLE_SECONDS / max(seconds, 1e-8))
        seconds = sample(calls)
        calls = max(calls, math.ceil(SAMPLE_SECONDS / max(seconds, 1e-8)))
    return calls, seconds


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect before, not during."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
