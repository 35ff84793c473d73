"""What the library must reach, as bars on medians measured in the same run.

Every bar says: the library's time is at most so many times that of the best of a family. A limit is
such a family too: the time that the same arithmetic takes at the peak, or that summing the same
array takes. What it costs to take another library's arrays is a difference of times instead, and
memory is no time at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .cases import (
    CACHED,
    FROM_MEMORY,
    INDEXED,
    LISTED,
    MATRICES,
    PREPARED,
    SEARCHES,
    SMALLEST,
    STORED,
    Case,
)
from .timing import Entrant

Shape = tuple[int, int, int]

MEMORY_BAR_BYTES = 2 << 20
"""Peak extra memory of a full matrix, a thread."""

SEARCH_SPEEDS: dict[Shape, dict[str, float]] = {
    (16, 100_000, 128): {"avx512vnni": 5, "amx": 5, "avx2": 2},
    (256, 100_000, 128): {"avx512vnni": 6, "amx": 10, "avx2": 2},
    (256, 100_000, 384): {"avx512vnni": 3, "amx": 6, "avx2": 1.5},
    (64, 1_000_000, 64): {"avx512vnni": 8, "amx": 12, "avx2": 3},
    (2048, 100_000, 128): {"avx512vnni": 2.5, "amx": 4, "avx2": 1},
}
"""How many times as fast as the fastest exact peer a prepared search is, by kernel."""


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


def verdict(measured: float, at_most: float) -> str:
    """Reached, missed or not measured."""
    if math.isnan(measured):
        return "not measured"
    return "reached" if measured <= at_most else "**missed**"


def all_bars() -> list[Bar]:
    """Every bar on times, in the order of the report."""
    return [
        *_batched(),
        *_kernels(),
        *_stored(),
        *_inputs(),
        *_matrix(),
        *_candidates(),
        *_search(),
        *_around_a_search(),
    ]


def _batched() -> list[Bar]:
    def numba(shape: Shape, at_most: float) -> Bar:
        return Bar("batched", shape, "numba", at_most, f"≤ {at_most} × fused numba")

    small = [numba(shape, bar) for shape, bar in zip(CACHED, (0.75, 0.8, 1.1, 0.8), strict=True)]
    large = [
        bar
        for shape in FROM_MEMORY
        for bar in (
            numba(shape, 1.03),
            Bar("batched", shape, "sum", 1 / 0.92, "≤ 1/0.92 × summing that array"),
            Bar("batched", shape, "NumPy", 1 / 4, "≥ 4 × faster than NumPy"),
        )
    ]
    statement = "≤ 1/0.9 × summing that array"
    double = [
        Bar("batched", shape, "sum", 1 / 0.9, statement, dtype="float64") for shape in FROM_MEMORY
    ]
    return [*small, *large, *double]


def _kernels() -> list[Bar]:
    statement = "AVX2 forced: ≥ 0.85 of the AVX-512 speed"
    return [
        Bar("kernels", shape, "avx512", 1 / 0.85, statement, subject="avx2")
        for shape in FROM_MEMORY
    ]


def _stored() -> list[Bar]:
    most = {"float16": (0.6, 0.6), "bfloat16": (0.6, 0.6), "int8": (0.5, 0.4)}
    return [
        Bar("stored", shape, "cosim_rs", bar, f"{name} items: ≤ {bar} × float32", subject=name)
        for name, bars in most.items()
        for shape, bar in zip(STORED, bars, strict=True)
    ]


def _inputs() -> list[Bar]:
    kinds = ("torch", "JAX", "pyarrow lists", "pyarrow tensors", "pyarrow chunks", "pyarrow slices")
    return [
        Overhead("inputs", SMALLEST, "cosim_rs", 3, f"{kind}: ≤ 3 µs over NumPy arrays", kind)
        for kind in kinds
    ]


def _matrix() -> list[Bar]:
    bars = []
    for shape, peak, sklearn in zip(MATRICES, (0.45, 0.6, 0.75), (0.9, 0.9, 1.0), strict=True):
        fresh = "matrix-fresh"
        bars += [
            Bar("matrix-out", shape, "peak", 1 / peak, f"≥ {peak} of the float32 FMA peak"),
            Bar("matrix-out", shape, "matmul", 1.3, "≤ 1.3 × the bare np.matmul"),
            Bar(fresh, shape, "scikit-learn", sklearn, f"≤ {sklearn} × scikit-learn"),
            Bar(fresh, shape, "torch", 0.8, "≤ 0.8 × torch normalize + mm"),
        ]
    return bars


def _candidates() -> list[Bar]:
    return [
        Bar("candidates", shape, family, 1 / speed, f"≥ {speed} × faster than {peer}")
        for shape in LISTED
        for family, speed, peer in (
            ("take + numba", 2.5, "NumPy take and fused numba"),
            ("gather", 1.2, "the fused numba gather"),
        )
    ]


def _search() -> list[Bar]:
    bars = []
    for shape in SEARCHES:
        for kernel, speed in SEARCH_SPEEDS.get(shape, {}).items():
            statement = f"{kernel}: ≥ {speed} × the speed of the fastest exact peer"
            bars.append(Bar("search", shape, "exact peer", 1 / speed, statement, kernel))
        if shape[0] >= 64:
            statement = "in one shot: ≤ 1 × the fastest exact peer"
            bars.append(Bar("search", shape, "exact peer", 1, statement, "one shot"))
        if shape[0] == 1:
            for kernel, times in {"avx512vnni": 1.4, "amx": 1.4, "avx2": 2}.items():
                statement = f"{kernel}: ≤ {times} × summing the bytes of the codes"
                bars.append(Bar("search", shape, "sum", times, statement, kernel))
    return bars


def _around_a_search() -> list[Bar]:
    none = "excluding none"
    return [
        Bar(
            "search-excluding",
            INDEXED,
            "cosim_rs",
            times,
            f"1,000 items of each user excluded, {which}: ≤ {times} × {none}",
            which,
        )
        for which, times in {"at random": 1.1, "the best": 1.5}.items()
    ] + [Bar("search-preparing", shape, "sum", 4, "≤ 4 × summing the items") for shape in PREPARED]
