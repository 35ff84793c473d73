"""Scores whose bits are known: small cases of every kind of kernel, and what must come out.

What goes in is made of whole numbers alone, so that it is the same everywhere. Of the larger cases
the SHA-256 of their bits is known, which the tests compare with the contract's model; of the
smallest the bits themselves, which anybody can work out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cosim_rs

Array = NDArray[Any]


def numbers(dtype: str, *shape: int, seed: int = 0) -> Array:
    """Numbers from -1 to 1 that the dtype holds exactly; as int8, from -128 to 127."""
    words = np.arange(seed << 32, (seed << 32) + np.prod(shape), dtype=np.uint64)
    for factor in (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93):  # odd, so no two words become one
        words = words * np.uint64(factor)
        words = words ^ (words >> np.uint64(32))
    bits = {"int8": 8, "float16": 11}.get(dtype, 24)
    signed = (words >> np.uint64(64 - bits)).astype(np.int64) - 2 ** (bits - 1)
    scale = 1.0 if dtype == "int8" else 2.0 ** (1 - bits)
    made: Array = (signed * scale).astype(dtype)
    return made.reshape(shape)


def rows(dtype: str) -> tuple[Array, Array]:
    """Users (5, 67) and items (5, 19, 67): rows that fill no register, in number and in length."""
    return numbers(dtype, 5, 67, seed=1), numbers(dtype, 5, 19, 67, seed=2)


def _simple() -> Array:
    """24/25, a vector with itself, its opposite, one across, a zero and a NaN."""
    items = np.array([[4, 3], [6, 8], [-3, -4], [-4, 3], [0, 0], [np.nan, 1]], np.float32)
    return cosim_rs.cosine_similarity(np.array([[3, 4]], np.float32), items)


def _batched(dtype: str) -> Callable[[], Array]:
    return lambda: cosim_rs.batched_cosine_similarity(*rows(dtype))


def extremes() -> tuple[Array, Array]:
    """Rows from subnormal numbers to nearly the largest ones, in pairs of small with large."""
    exponents = np.arange(-140, 130, 10)
    x, y = (numbers("float32", len(exponents), 33, seed=seed) for seed in (3, 4))
    return np.ldexp(x, exponents[:, None] - 3), np.ldexp(y, exponents[::-1, None] - 3)


def matrix() -> tuple[Array, Array]:
    """Rows that leave a remainder of every tile, (11, 34) and (21, 34)."""
    return numbers("float32", 11, 34, seed=5), numbers("float32", 21, 34, seed=6)


def searched() -> tuple[Array, Array]:
    """Users (40, 48) and items (2000, 48), among which there are ties."""
    items = numbers("float32", 2000, 48, seed=8)
    items[1000:1100] = items[:100]
    return numbers("float32", 40, 48, seed=7), items


def _search() -> Array:
    """The ten best of each user by the scan: their scores' bits beside their rows."""
    users, items = searched()
    found = cosim_rs.Catalogue(items).top_k(users, 10)
    return np.stack([found.scores.view(np.int32).astype(np.int64), found.indices])


CASES: dict[str, Callable[[], Array]] = {
    "simple": _simple,
    **{f"batched {dtype}": _batched(dtype) for dtype in ("float32", "float64", "float16", "int8")},
    "extremes": lambda: cosim_rs.paired_cosine_similarity(*extremes()),
    "matrix": lambda: cosim_rs.cosine_similarity(*matrix()),
    "search": _search,
}

EXPECTED = {
    "simple": "3f75c28f 3f800000 bf800000 00000000 00000000 7fc00000",
    "batched float32": "12a63b7a7868fc4c",
    "batched float64": "03a599f04bf99084",
    "batched float16": "594830221d120566",
    "batched int8": "3d2d971073717c76",
    "extremes": "76580746a904f91b",
    "matrix": "f1c5556c2d1eb3d1",
    "search": "a4a54313e1e57084",
}


def outcomes() -> dict[str, str]:
    """What comes out of each case here."""
    return {name: told(case()) for name, case in CASES.items()}


def told(scores: Array) -> str:
    """The bits of a few scores; of more, a digest of their bytes."""
    if scores.nbytes <= 24:
        return scores.astype(scores.dtype.newbyteorder(">")).tobytes().hex(" ", 4)
    little = scores.astype(scores.dtype.newbyteorder("<"))
    return hashlib.sha256(little.tobytes()).hexdigest()[:16]


def tell() -> None:
    """Print the kernel in use, and what comes out with it."""
    print(json.dumps([cosim_rs.show_config(mode="dicts")["kernel"], outcomes()]))


__all__ = ["CASES", "EXPECTED", "outcomes", "tell", "told"]
