"""What the library must reach, table by table."""

from __future__ import annotations

from .bars import Bar, Duration, Overhead, Shape
from .cases import (
    CACHED,
    FROM_MEMORY,
    INDEXED,
    LISTED,
    LIVING,
    MATRICES,
    MINED,
    PREPARED,
    RANGED,
    SEARCHES,
    SMALLEST,
    STORED,
)

SEARCH_SPEEDS: dict[Shape, dict[str, float]] = {
    (16, 100_000, 128): {"avx512vnni": 5, "amx": 5, "avx2": 2},
    (256, 100_000, 128): {"avx512vnni": 6, "amx": 10, "avx2": 2},
    (256, 100_000, 384): {"avx512vnni": 3, "amx": 6, "avx2": 1.5},
    (64, 1_000_000, 64): {"avx512vnni": 8, "amx": 12, "avx2": 3},
    (2048, 100_000, 128): {"avx512vnni": 2.5, "amx": 4, "avx2": 1},
}
"""How many times as fast as the fastest exact peer a prepared search is, by kernel."""


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
        *_living(),
        *_reached(),
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
        Overhead("inputs", SMALLEST, "cosim_rs", 3, f"{kind}: an input ≤ 3 µs over NumPy's", kind)
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


def _living() -> list[Bar]:
    most = {
        "add 1,000 items": 20,
        "update 1,000 items": 20,
        "add 1,000 items, 100 times": 2000,
    }
    changes = [
        Duration("changing", LIVING, told, bar, f"{told}: ≤ {bar:,} ms", told)
        for name, bar in most.items()
        for told in (name, f"{name}, searched meanwhile")
    ]
    return [Duration("opening", LIVING, "cosim_rs", 50, "≤ 50 ms"), *changes]


def _reached() -> list[Bar]:
    peers = [
        *(("ranges", shape, family, 4) for shape in RANGED for family in ("NumPy", "FAISS")),
        *(
            ("pairs", shape, family, 5)
            for shape in MINED
            for family in ("sentence-transformers", "torch")
        ),
    ]
    return [
        Bar(table, shape, family, 1 / speed, f"≥ {speed} × the speed of {family}")
        for table, shape, family, speed in peers
    ]
