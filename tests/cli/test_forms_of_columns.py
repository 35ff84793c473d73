"""Files whose columns have forms that not all of Arrow's functions take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from files import done, write_arrow
from helpers import gaussian_rows
from jobs import DIM, nested, rows_in, write_catalogue

import cosim_rs

ITEMS, USERS = 60, 50
NAMES = [f"an item that is called {row}" for row in range(ITEMS)]
USER = [f"a user that is called {row}" for row in range(USERS)]
VECTORS = gaussian_rows(USERS, DIM, seed=1)
SEEN = [[row % ITEMS, 7 * row % ITEMS][: row % 3] for row in range(USERS)]


def as_categories(names: list[str]) -> pl.Series:
    return pl.Series(names, dtype=pl.Categorical)


def as_enum(names: list[str]) -> pl.Series:
    return pl.Series(names, dtype=pl.Enum(sorted(set(names))))


FORMS: dict[str, Any] = {"strings": pl.Series, "categories": as_categories, "an enum": as_enum}


def write_ipc(path: Path, **columns: Any) -> Path:
    """Write a file as Polars does, whose strings are views."""
    pl.DataFrame(columns).write_ipc(path)
    return path


def of_vectors(rows: Any) -> pl.Series:
    return pl.Series(rows, dtype=pl.Array(pl.Float32, DIM))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("format", ["nested", "long"])
def test_files_that_polars_writes(form: str, format: str, tmp_path: Path) -> None:
    text = FORMS[form]
    rows = gaussian_rows(ITEMS, DIM)
    items = write_ipc(tmp_path / "items.arrow", item_id=text(NAMES), vector=of_vectors(rows))
    done("index", items, "-o", tmp_path / "items.safetensors")
    made = cosim_rs.Catalogue.open(tmp_path / "items.safetensors")
    assert made.ids.tolist() == NAMES
    users = write_ipc(tmp_path / "users.arrow", user_id=text(USER), vector=of_vectors(VECTORS))
    pairs = [(USER[row], NAMES[item]) for row, some in enumerate(SEEN) for item in some]
    pair = {
        "user_id": text([user for user, _ in pairs]),
        "item_id": text([item for _, item in pairs]),
    }
    lists = {
        "user_id": text(USER),
        "item_id": pl.Series([[NAMES[item] for item in some] for some in SEEN]),
    }
    found = made.top_k(VECTORS, 4, exclude=[[NAMES[item] for item in some] for some in SEEN])
    for name, columns in (("pairs", pair), ("lists", lists)):
        seen = write_ipc(tmp_path / f"{name}.arrow", **columns)
        command = ["top-k", users, "--catalogue", tmp_path / "items.safetensors", "-k", 4]
        options = ["--exclude", seen, "--format", format, "-o", tmp_path / name]
        done(*command, *options)
        got = pl.DataFrame(rows_in(tmp_path / name))
        if format == "nested":
            got = got.explode("recommendations").unnest("recommendations")
        assert got["user_id"].to_list() == np.repeat(USER, 4).tolist()
        assert got["item_id"].to_list() == found.ids.reshape(-1).tolist()
        assert got["score"].to_list() == found.scores.reshape(-1).tolist()


def over(rows: list[list[Any]], is_null: list[bool], kind: pa.DataType) -> pa.Array:
    """Lists of which some are null, and what they held is under them."""
    values = pa.array([value for row in rows for value in row], kind)
    return pa.ListArray.from_arrays(np.cumsum([0, *map(len, rows)]), values, mask=pa.array(is_null))


def test_null_lists_over_something(tmp_path: Path) -> None:
    catalogue = write_catalogue(tmp_path)
    vectors: list[list[Any]] = VECTORS[:3].tolist()
    vectors[0][2] = None
    table = pa.table({"id": [1, 2, 3], "v": over(vectors, [False, True, False], pa.float32())})
    users = write_arrow(tmp_path / "users.arrow", table)
    done("index", users, "-o", tmp_path / "three.safetensors")
    assert cosim_rs.Catalogue.open(tmp_path / "three.safetensors").ids.tolist() == [3]
    lists = over([[10, 20], [], [30, None]], [True, False, False], pa.int64())
    seen = write_arrow(tmp_path / "seen.arrow", pa.table({"id": [3, 2, 3], "item": lists}))
    options = ["--catalogue", tmp_path / "items.safetensors", "--exclude", seen, "-k", 4]
    told = done("top-k", users, *options, "-o", tmp_path / "out")
    assert "skipped: 2 null" in told.out
    found = [
        [row["item_id"] for row in user["recommendations"]] for user in rows_in(tmp_path / "out")
    ]
    wanted = catalogue.top_k(VECTORS[2:3], 4, exclude=[[30]]).ids.tolist()
    assert found == [[], [], *wanted]


def test_files_that_may_hold_nulls_beside_ones_that_may_not(tmp_path: Path) -> None:
    catalogue = write_catalogue(tmp_path)
    (tmp_path / "users").mkdir()
    kinds = {"user_id": pa.string(), "vector": pa.list_(pa.float32(), DIM)}
    kinds["seen"] = pa.list_(pa.int64())
    for name, may_be_null in (("a", True), ("b", False)):
        columns: list[Any] = [USER[:9], VECTORS[:9].tolist(), [[10, 20]] * 9]
        schema = pa.schema([pa.field(*field, may_be_null) for field in kinds.items()])
        write_arrow(tmp_path / "users" / name, pa.table(columns, schema))
    options = [tmp_path / "users", "--catalogue", tmp_path / "items.safetensors"]
    options += ["--vector-column", "vector"]
    done("top-k", *options, "--exclude-column", "seen", "-o", tmp_path / "best")
    wanted = catalogue.top_k(VECTORS[:9], exclude=[[10, 20]] * 9)
    assert rows_in(tmp_path / "best") == 2 * nested(USER[:9], wanted)
    done("score", *options, "--candidates-column", "seen", "-o", tmp_path / "scores")
    scores = [row["scores"] for row in rows_in(tmp_path / "scores")]
    assert scores == 2 * catalogue.scores(VECTORS[:9], [[10, 20]] * 9).tolist()
