"""The work that is measured: shapes, types and seeded inputs.

A case is a shape and a type of one table. Its inputs come from a seed made of the case itself, so
that a process that is given the same case holds the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .vectors import (
    RANK,
    Array,
    digits,
    directions,
    low_rank,
    near_duplicates,
    normal,
)

TABLES = (
    "batched",
    "kernels",
    "stored",
    "inputs",
    "matrix-out",
    "matrix-fresh",
    "symmetric",
    "candidates",
    "search",
    "search-low-rank",
    "search-real",
    "search-excluding",
    "search-preparing",
    "opening",
    "changing",
    "ranges",
    "pairs",
)

CACHED = [(8, 50, 32), (1, 1000, 64), (32, 100, 64), (32, 1000, 64)]
FROM_MEMORY = [(256, 1000, 64), (64, 10000, 128), (64, 10000, 100)]
STORED = FROM_MEMORY[:2]
"""Batches of whole numbers, which every type that vectors may be stored in holds."""
SMALLEST = (1, 4, 8)
"""A batch whose scores cost next to nothing."""
MATRICES = [(1000, 10000, depth) for depth in (64, 128, 384)]
LISTED = {(256, 1000, 64): 100_000, (64, 5000, 128): 1_000_000}
"""Shapes of lists of candidates, and the rows of the table that they are out of."""
SEARCHES = {
    (1, 100_000, 128): 10,
    (16, 100_000, 128): 10,
    (64, 100_000, 128): 10,
    (256, 100_000, 128): 10,
    (256, 100_000, 384): 10,
    (64, 1_000_000, 64): 10,
    (2048, 100_000, 128): 100,
}
"""Shapes of searches, and how many items each finds for a user."""
INDEXED = (256, 100_000, 128)
"""The search that is also given to approximate indexes: building and tuning them takes long."""
DIGITS = (256, 1797, 64)
"""Images of handwritten digits, which scikit-learn brings along."""
PREPARED = [(1, 100_000, 128), (1, 1_000_000, 64)]
LIVING = (1, 1_000_000, 128)
"""One user, and the catalogue that is opened and changed."""
RANGED = {(256, 100_000, 128): 0.2696}
"""Shapes of range searches, and the cosine that a thousandth of such Gaussian pairs reaches."""
MINED = {(50_000, 50_000, 64): 0.9}
"""Shapes of mining, and the least score."""


@dataclass(frozen=True)
class Inputs:
    """What every contender of a case is given."""

    users: Array
    """(B, 1, D) for batches, (U, D) for a matrix."""
    items: Array
    """(B, N, D) for batches, (N, D) for a matrix."""
    k: int = 0
    """How many items a search finds for each user."""
    least: float = 0.0
    """The score that a pair has to reach, where all that do are found."""
    listed: NDArray[np.int64] | None = None
    """Which rows of the items are each user's candidates, (U, N)."""

    @property
    def ids(self) -> NDArray[np.int64]:
        """The candidates of a case that has them."""
        assert self.listed is not None
        return self.listed

    @cached_property
    def directions(self) -> Array:
        """The items of a matrix, each of length 1: what peers prepare a search from."""
        return directions(self.items)

    @property
    def codes(self) -> NDArray[np.int64]:
        """As many bytes as codes of one byte a number take, as words: some of the items' own."""
        words = self.items.reshape(-1).view(np.int64)
        return words[: self.items.size // words.itemsize].copy()

    def scores(self) -> Array:
        """Room for the scores, each page of it already touched."""
        own = (len(self.users), self.items.shape[-2])
        shape = own if self.listed is None else self.listed.shape
        return np.full(shape, np.nan, dtype=self.items.dtype)


@dataclass(frozen=True)
class Case:
    """One shape and type of one table."""

    table: str
    shape: tuple[int, int, int]
    """Users, candidates (of each user in a batch, of all in a matrix), depth."""
    dtype: str = "float32"
    from_memory: bool = False
    """Too large for any cache: bound by reading, and scored into an `out` already touched."""
    k: int = 0
    """How many items a search finds for each user; 0 if this is none."""
    indexed: bool = False
    """Whether approximate indexes take part in the search."""
    rows: int = 0
    """Of the table that candidates are listed out of; 0 if there is none."""
    least: float = 0.0
    """The score that a pair has to reach, where all that do are found; 0 if they are not."""

    @property
    def name(self) -> str:
        """As a heading: ``(8, 50, 32) float32``."""
        found = f", k = {self.k}," if self.k else ""
        found += f" of {self.rows:,} rows," if self.rows else ""
        found += f" at least {self.least:.3g}," if self.least else ""
        return f"({', '.join(map(str, self.shape))}){found} {self.dtype}"

    @property
    def is_batch(self) -> bool:
        """Whether each user has candidates of their own."""
        return self.table in ("batched", "kernels", "stored", "inputs")

    @property
    def item_bytes(self) -> int:
        """Bytes of the candidates, which one pass has to read."""
        users, items, depth = self.shape
        return (
            (users if self.is_batch or self.rows else 1)
            * items
            * depth
            * np.dtype(self.dtype).itemsize
        )

    @property
    def operations(self) -> int:
        """Multiplications and additions of the dot products alone."""
        return 2 * math.prod(self.shape)

    def inputs(self) -> Inputs:
        """The same numbers in every process."""
        users, items, depth = self.shape
        generator = np.random.default_rng([users, items, depth])
        user_shape = (users, 1, depth) if self.is_batch else (users, depth)
        item_shape = (users, items, depth) if self.is_batch else (items, depth)
        if self.table == "symmetric":
            users_only = normal(generator, user_shape, self.dtype)
            return Inputs(users_only, users_only)
        if self.table == "candidates":
            table = normal(generator, (self.rows, depth), self.dtype)
            ids = [generator.choice(self.rows, items, replace=False) for _ in range(users)]
            return Inputs(normal(generator, user_shape, self.dtype), table, listed=np.stack(ids))
        if self.table == "stored":
            whole = generator.integers(-127, 128, item_shape).astype(self.dtype)
            return Inputs(normal(generator, user_shape, self.dtype), whole)
        if self.table == "search-low-rank":
            mixing = normal(generator, (RANK, depth), self.dtype)
            return Inputs(
                low_rank(generator, users, mixing), low_rank(generator, items, mixing), self.k
            )
        if self.table == "search-real":
            return Inputs(*digits(generator, users), self.k)
        if self.table == "pairs":
            rows = near_duplicates(generator, users, normal(generator, (RANK, depth), self.dtype))
            return Inputs(rows, rows, least=self.least)
        return Inputs(
            normal(generator, user_shape, self.dtype),
            normal(generator, item_shape, self.dtype),
            self.k,
            self.least,
        )

    def tiny(self) -> Case:
        """The same case with little to do, to try the benchmark itself."""
        users, items, depth = self.shape
        if self.table == "search-real":
            return self  # little as it is
        most = 4000 if self.k or self.least else 5 if users == items else 40
        shape = min(users, most if self.table == "pairs" else 5), min(items, most), depth
        return replace(self, shape=shape, rows=min(self.rows, 400))


def all_cases() -> list[Case]:
    """Every case, in the order of the report."""
    return [
        *(Case("batched", shape) for shape in CACHED),
        *(Case("batched", shape, from_memory=True) for shape in FROM_MEMORY),
        *(Case("batched", shape, "float64", from_memory=True) for shape in FROM_MEMORY),
        *(Case("kernels", shape) for shape in CACHED[2:]),
        *(Case("kernels", shape, from_memory=True) for shape in FROM_MEMORY),
        *(Case("stored", shape, from_memory=True) for shape in STORED),
        Case("inputs", SMALLEST),
        *(Case("matrix-out", shape) for shape in MATRICES),
        *(Case("matrix-fresh", shape) for shape in MATRICES),
        Case("symmetric", (4000, 4000, 128)),
        *(Case("candidates", shape, from_memory=True, rows=rows) for shape, rows in LISTED.items()),
        *(Case("search", shape, k=k, indexed=shape == INDEXED) for shape, k in SEARCHES.items()),
        Case("search-low-rank", INDEXED, k=10, indexed=True),
        Case("search-real", DIGITS, k=10, indexed=True),
        Case("search-excluding", INDEXED, k=10),
        *(Case("search-preparing", shape, k=10) for shape in PREPARED),
        Case("opening", LIVING, k=10),
        Case("changing", LIVING, k=10),
        *(Case("ranges", shape, least=least) for shape, least in RANGED.items()),
        *(Case("pairs", shape, least=least) for shape, least in MINED.items()),
    ]
