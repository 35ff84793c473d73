"""Bars on medians measured in the same run; which there are, `goals` says.

Every bar says: the library's time is at most so many times that of the best of a family. A limit is
such a family too: the time that the same arithmetic takes at the peak, or that summing the same
array takes. What it costs to take another library's arrays is a difference of times instead, what a
catalogue must answer in is a time by itself, and memory is no time at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .cases import Case
from .timing import Entrant

Shape = tuple[int, int, int]

MEMORY_BAR_BYTES = 2 << 20
"""Peak extra memory of a full matrix, a thread."""


@dataclass(frozen=True)
class Result:
    """A case and what everyone has shown in it."""

    case: Case
    entrants: list[Entrant]

    def best(self, family: str) -> Entrant | None:
        """The fastest of a family that has been timed."""
        timed = [one for one in self.entrants if one.family == family and one.seconds]
        return min(timed, key=lambda one: one.median, default=None)


@dataclass(frozen=True)
class Bar:
    """One line of what must be reached."""

    table: str
    shape: Shape
    against: str
    """The family that is compared with."""
    at_most: float
    """Times the best of that family."""
    statement: str
    subject: str = "cosim_rs"
    dtype: str = "float32"

    def measured(self, results: list[Result]) -> float:
        """How the medians compare; NaN if either side has not been timed at this very shape."""
        for result in results:
            case = result.case
            if (case.table, case.shape, case.dtype) != (self.table, self.shape, self.dtype):
                continue
            subject, other = result.best(self.subject), result.best(self.against)
            if subject and other:
                return self.compared(subject, other)
        return math.nan

    def compared(self, subject: Entrant, other: Entrant) -> float:
        """How the two medians stand."""
        return subject.median / other.median


class Overhead(Bar):
    """A bar on how many microseconds more than the other a call takes."""

    def compared(self, subject: Entrant, other: Entrant) -> float:
        """The difference of the medians."""
        return (subject.median - other.median) * 1e6


class Duration(Bar):
    """A bar on the milliseconds of a call itself, whatever others take."""

    def compared(self, subject: Entrant, other: Entrant) -> float:
        """The subject's median."""
        return subject.median * 1e3


def verdict(measured: float, at_most: float) -> str:
    """Reached, missed or not measured."""
    if math.isnan(measured):
        return "not measured"
    return "reached" if measured <= at_most else "**missed**"
