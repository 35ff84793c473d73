"""How far a command has come: a bar on a terminal, and elsewhere a line now and then.

Both go to stderr, so that what a command prints can be piped.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from tqdm import tqdm

SECONDS = 10.0  # between two lines


@contextlib.contextmanager
def progress(what: str, total: int, unit: str = "rows") -> Iterator[Callable[[int], object]]:
    """Show how many of `total` are done; what is yielded is told how many more are.

    It may be called from several threads.
    """
    if sys.stderr.isatty():
        with tqdm(total=total, desc=what, unit=f" {unit}", unit_scale=True, smoothing=0.1) as bar:
            yield bar.update
    else:
        yield Lines(what, total, unit).advance


class Lines:
    """A line of progress every some seconds."""

    def __init__(self, what: str, total: int, unit: str) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._done = 0
        self._begin = self._last = time.monotonic()

    def advance(self, more: int) -> None:
        """Count what is done, and say so if it is time to."""
        self._done += more
        now = time.monotonic()
        if now - self._last >= SECONDS:
            self._last = now
            print(self.line(now - self._begin), file=sys.stderr, flush=True)

    def line(self, seconds: float) -> str:
        """How much is done after so many seconds, how fast, and how long the rest will take."""
        rate = self._done / seconds
        left = (self._total - self._done) / rate if rate else float("inf")
        share = self._done / self._total if self._total else 1
        return (
            f"{self._what}: {self._done:,} of {self._total:,} {self._unit} ({share:.0%}), "
            f"{rate:,.0f} a second, {left:,.0f} s left"
        )


__all__ = ["progress"]
