"""The work that is measured: shapes, types and seeded inputs.

A case is a shape and a type of one table. Its inputs come from a seed made of the case itself, so
that a process that is given the same case holds the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

TABLES = ("batched", "kernels", "matrix-out", "matrix-fresh", "symmetric")

CACHED = [(8, 50, 32), (1, 1000, 64), (32, 100, 64), (32, 1000, 64)]
FROM_MEMORY = [(256, 1000, 64), (64, 10000, 128), (64, 10000, 100)]
MATRICES = [(1000, 10000, depth) for depth in (64, 128, 384)]


@dataclass(frozen=True)
class Inputs:
    """What every contender of a case is given."""

    users: Array
    """(B, 1, D) for batches, (U, D) for a matrix."""
    items: Array
    """(B, N, D) for batches, (N, D) for a matrix."""

    def scores(self) -> Array:
        """Room for the scores, each page of it already touched."""
        shape = (len(self.users), self.items.shape[-2])
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

    @property
    def name(self) -> str:
        """As a heading: ``(8, 50, 32) float32``."""
        return f"({', '.join(map(str, self.shape))}) {self.dtype}"

    @property
    def is_batch(self) -> bool:
        """Whether each user has candidates of their own."""
        return self.table in ("batched", "kernels")

    @property
    def item_bytes(self) -> int:
        """Bytes of the candidates, which one pass has to read."""
        users, items, depth = self.shape
        return (users if self.is_batch else 1) * items * depth * np.dtype(self.dtype).itemsize

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
        return Inputs(
            normal(generator, user_shape, self.dtype),
            normal(generator, item_shape, self.dtype),
        )

    def tiny(self) -> Case:
        """The same case with little to do, to try the benchmark itself."""
        users, items, depth = self.shape
        return replace(self, shape=(min(users, 5), min(items, 5 if users == items else 40), depth))


def normal(generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Standard normal numbers, drawn in place so that no second array raises the peak."""
    numbers = np.empty(shape, dtype=dtype)
    generator.standard_normal(dtype=numbers.dtype.type, out=numbers)
    return numbers


def all_cases() -> list[Case]:
    """Every case, in the order of the report."""
    return [
        *(Case("batched", shape) for shape in CACHED),
        *(Case("batched", shape, from_memory=True) for shape in FROM_MEMORY),
        *(Case("batched", shape, "float64", from_memory=True) for shape in FROM_MEMORY),
        *(Case("kernels", shape) for shape in CACHED[2:]),
        *(Case("kernels", shape, from_memory=True) for shape in FROM_MEMORY),
        *(Case("matrix-out", shape) for shape in MATRICES),
        *(Case("matrix-fresh", shape) for shape in MATRICES),
        Case("symmetric", (4000, 4000, 128)),
    ]
