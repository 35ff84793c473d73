"""Users, items and what they have seen, as files, and what a job must make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from files import Outcome, done, write_parquet
from helpers import gaussian_rows

import cosim_rs

Array = npt.NDArray[Any]

ITEMS, DIM, ROWS = 200, 12, 700
GROUP = 90
"""The rows of a row group."""

VECTORS = gaussian_rows(ROWS, DIM, seed=1)
USERS = np.array([f"user {row}" for row in range(ROWS)])
SEEN: list[list[int]] = [
    sorted({row % ITEMS, row * 7 % ITEMS, 3})[: row % 4] for row in range(ROWS)
]


def write_catalogue(folder: Path) -> cosim_rs.Catalogue:
    """Items whose ids are tens."""
    path = folder / "items.safetensors"
    cosim_rs.Catalogue(gaussian_rows(ITEMS, DIM), 10 * np.arange(ITEMS)).save(path)
    return cosim_rs.Catalogue.open(path)


def write_users(folder: Path, name: str = "users.parquet", **columns: Any) -> Path:
    """Users, their vectors and other columns."""
    columns = {"user_id": USERS, "vector": VECTORS, **columns}
    return write_parquet(folder / name, columns, GROUP)


def ids(lists: list[list[int]]) -> list[list[int]]:
    """The ids of items in lists of rows."""
    return [[10 * row for row in some] for some in lists]


def nested(users: Any, found: cosim_rs.TopK) -> list[dict[str, Any]]:
    """A row a user, as it is written."""
    return [
        {
            "user_id": user,
            "recommendations": [
                {"item_id": item, "score": score}
                for item, score in zip(*row, strict=True)
                if score > -np.inf
            ],
        }
        for user, *row in zip(users, found.ids.tolist(), found.scores.tolist(), strict=True)
    ]


def rows_in(folder: Path) -> list[dict[str, Any]]:
    """All rows of all parts, in the order of their names."""
    parts = sorted(folder.glob("*.parquet"))
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


def contents(folder: Path) -> dict[str, bytes]:
    """Each file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Run:
    """A run of four parts, beside which other ones can be tried."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        write_catalogue(folder)
        self.users = write_users(folder)

    def arguments(self, *options: object) -> list[object]:
        catalogue = self.folder / "items.safetensors"
        return ["top-k", self.users, "--catalogue", catalogue, "-o", self.out, *options]

    def done(self, *options: object) -> Outcome:
        return done(*self.arguments(*options))
