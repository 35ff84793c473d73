"""Columns in forms that not all of Arrow's functions take, brought to plainer ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from helpers import gaussian_rows
from tables import DIM, FORMS, ITEMS, catalogue, expected, found_by

from cosim_rs.batch import BatchScorer, ListScorer, skipped
from cosim_rs.batch._plain import plain

TEXTS = ["a", None, "too long to lie in a view itself", "a"]
VIEW, TEXT = pa.string_view(), pa.large_string()


def coded(value: pa.DataType) -> pa.Array:
    """The texts by a dictionary of this type."""
    codes = pa.array([0, None, 1, 0], pa.int8())
    return pa.DictionaryArray.from_arrays(codes, pa.array([TEXTS[0], TEXTS[2]], value))


def listed(kind: pa.DataType) -> pa.Array:
    """The texts in lists of this type."""
    return pa.array([TEXTS[:2], None, TEXTS[2:]], kind)


class Place(pa.ExtensionType):
    """A type of somebody's own."""

    def __init__(self) -> None:
        super().__init__(pa.int64(), "place")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""


CODES = pa.dictionary(pa.int8(), TEXT)
VIEWS: dict[str, tuple[pa.Array, pa.DataType]] = {
    "strings": (pa.array(TEXTS, VIEW), TEXT),
    "bytes": (pa.array([b"\xff", None, b"a"], pa.binary_view()), pa.large_binary()),
    "dictionary": (coded(VIEW), TEXT),
    "lists": (listed(pa.list_(VIEW)), pa.list_(TEXT)),
    "large lists": (listed(pa.large_list(VIEW)), pa.large_list(TEXT)),
    "lists of one length": (listed(pa.list_(VIEW, 2)), pa.list_(TEXT, 2)),
    "lists of lists": (
        pa.array([[["a"], None], None], pa.list_(pa.list_(VIEW))),
        pa.list_(pa.list_(TEXT)),
    ),
    "lists by a dictionary": (
        pa.ListArray.from_arrays(pa.array([0, 1, 4], pa.int32()), coded(VIEW)),
        pa.list_(CODES),
    ),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_become_what_all_functions_take(name: str) -> None:
    column, kind = VIEWS[name]
    for some in (column, column.slice(1), column.slice(1, 1), column.slice(len(column))):
        assert plain(some).type == kind
        assert plain(some).to_pylist() == some.to_pylist()


PLAIN: dict[str, pa.Array] = {
    "strings": pa.array(TEXTS),
    "lists by a dictionary": pa.ListArray.from_arrays(
        pa.array([0, 1, 4], pa.int32()), coded(pa.string())
    ),
    "lists of what is never null": pa.array([[1]], pa.list_(pa.field("x", pa.int8(), False))),
    "nulls with nothing under them": listed(pa.list_(pa.string())).slice(1),
    "tensors": FORMS["tensor"](gaussian_rows(3, 4)),
    "records": pa.array([{"a": 1}, None]),
    "somebody's own": pa.ExtensionArray.from_storage(Place(), pa.array([1, 2])),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_column_stays_where_it_lies(name: str) -> None:
    assert plain(PLAIN[name]) is PLAIN[name]


MADE: list[Callable[..., pa.Array]] = [pa.ListArray.from_arrays, pa.LargeListArray.from_arrays]


def with_nulls(
    from_arrays: Callable[..., pa.Array], rows: Any, is_null: Any, kind: Any = None
) -> pa.Array:
    """Lists of which some are null, and what they held is under them."""
    starts = np.cumsum([0, *map(len, rows)])
    values = pa.array([value for row in rows for value in row], kind)
    return from_arrays(starts, values, mask=pa.array(is_null))


@pytest.mark.parametrize("from_arrays", MADE)
def test_nothing_lies_under_a_null(from_arrays: Callable[..., pa.Array]) -> None:
    rows = [[1, 2, 3], [4, None], [], [7], [8, 9]]
    lists = with_nulls(from_arrays, rows, [True, False, False, True, False])
    for some in (lists, lists.slice(1), lists.slice(0, 1), lists.slice(2, 2)):
        made = plain(some)
        assert made.to_pylist() == some.to_pylist()
        assert made.type == some.type
        parents = pc.list_parent_indices(made).to_pylist()
        assert len(parents) == len(made.flatten()) == len(made.values)


@pytest.mark.parametrize("from_arrays", MADE)
def test_nulls_over_numbers_beside_one_inside(
    from_arrays: Callable[..., pa.Array], tmp_path: Path
) -> None:
    items = catalogue(tmp_path)
    users = gaussian_rows(4, DIM, seed=1)
    rows: list[list[Any]] = users.tolist()
    rows[1][3] = None
    seen = [[5, 6], [7], [8, None], [9]]
    is_null = [False, False, True, False]
    batch = pa.record_batch(
        {
            "vector": with_nulls(from_arrays, rows, is_null, pa.float32()),
            "seen": with_nulls(from_arrays, seen, [True, False, False, False]),
        }
    )
    path = tmp_path / "items.safetensors"
    for first in (0, 1, 2):
        some = batch.slice(first)
        scorer = BatchScorer(path, vector_column="vector", exclude_column="seen")
        wanted = expected(items.top_k(users, exclude=[[], [7], [], [9]]))
        wanted[1] = wanted[2] = []
        assert found_by(scorer(some)) == wanted[first:]
        assert skipped(scorer(some)) == {"null": min(2, 3 - first)}
        scores = ListScorer(str(path), "vector", "seen")(some).column("scores").to_pylist()
        assert scores == [[], None, None, items.scores(users[3:], [[9]])[0].tolist()][first:]


@pytest.mark.parametrize("column", [pa.array(TEXTS, VIEW), coded(VIEW)])
def test_rows_that_are_named_by_views(column: pa.Array, tmp_path: Path) -> None:
    catalogue(tmp_path, np.array([f"Ware {row}" for row in range(ITEMS)]))
    batch = pa.record_batch(
        {"user": column, "vector": FORMS["list"](gaussian_rows(len(TEXTS), DIM, seed=1))}
    )
    for format, each in (("nested", 1), ("long", 2)):
        scorer = BatchScorer(tmp_path / "items.safetensors", 2, "user", format=format)
        assert scorer(batch).column("user").to_pylist() == np.repeat(TEXTS, each).tolist()
