"""Vectors in a column of any form: each finds what it does as an array, and a null nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from helpers import gaussian_rows
from tables import DIM, FORMS, catalogue, expected, found_by, lists, nulled

import cosim_rs
from cosim_rs.batch import BatchScorer, ColumnError, PairScorer, skipped

ROWS = 50


def batch(column: pa.Array) -> pa.RecordBatch:
    return pa.record_batch({"user": np.arange(len(column)), "vector": column})


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int32"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_and_dtype(form: str, dtype: str, tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    rows = (20 * gaussian_rows(ROWS, DIM, seed=1)).astype(dtype)
    scorer = BatchScorer(tmp_path / "items.safetensors", id_column="user")
    result = scorer(batch(FORMS[form](rows)))
    assert found_by(result) == expected(items.top_k(rows))
    assert result.column("user").to_pylist() == list(range(ROWS))
    assert skipped(result) == {}


@pytest.mark.parametrize("form", FORMS)
def test_slices_begin_where_they_begin(form: str, tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    rows = gaussian_rows(ROWS, DIM, seed=1)
    scorer = BatchScorer(tmp_path / "items.safetensors")
    for some in (slice(7, 20), slice(0, 1), slice(49, 50), slice(3, 3)):
        part = batch(FORMS[form](rows)).slice(some.start, some.stop - some.start)
        assert found_by(scorer(part)) == expected(items.top_k(rows[some]))


@pytest.mark.parametrize("form", FORMS)
def test_a_null_finds_nothing_whatever_lies_under_it(form: str, tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    rows = gaussian_rows(ROWS, DIM, seed=1)
    is_null = np.zeros(ROWS, bool)
    is_null[[0, 11, 12, 49]] = True
    column = nulled(FORMS[form](rows), is_null)
    assert column.null_count == 4
    scorer = BatchScorer(tmp_path / "items.safetensors", id_column="user")
    for first, end in ((0, ROWS), (5, 30), (11, 13)):
        result = scorer(batch(column).slice(first, end - first))
        wanted = expected(items.top_k(rows[first:end]))
        empty = is_null[first:end]
        assert found_by(result) == [
            [] if is_none else row for row, is_none in zip(wanted, empty, strict=True)
        ]
        assert skipped(result) == {"null": int(empty.sum())}


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
def test_a_null_inside_counts_as_null(dtype: type, tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    rows = (20 * gaussian_rows(5, DIM, seed=1)).astype(dtype)
    for kind in (pa.list_, pa.large_list, lambda value: pa.list_(value, DIM)):
        values = rows.tolist()
        values[1][3], values[4] = None, None
        column = pa.array(values, kind(pa.from_numpy_dtype(rows.dtype)))
        result = BatchScorer(tmp_path / "items.safetensors")(batch(column))
        wanted = expected(items.top_k(rows))
        assert found_by(result) == [wanted[0], [], wanted[2], wanted[3], []]
        assert skipped(result) == {"null": 2}


def test_vectors_that_are_not_finite_find_nothing(tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    rows = gaussian_rows(6, DIM, seed=1)
    rows[1, 5], rows[3, 0], rows[4] = np.nan, -np.inf, 0
    result = BatchScorer(tmp_path / "items.safetensors", 2)(batch(FORMS["list"](rows)))
    wanted = expected(items.top_k(rows, 2))
    assert wanted[1] == wanted[3] == []
    assert wanted[4] == [(0, 0.0), (1, 0.0)]  # a zero vector scores 0 with all
    assert found_by(result) == wanted
    assert skipped(result) == {"not finite": 2}


def test_finding_nothing_is_no_reason_to_be_counted(tmp_path: Path) -> None:
    catalogue(tmp_path)
    rows = gaussian_rows(3, DIM, seed=1)
    result = BatchScorer(tmp_path / "items.safetensors", min_score=1.0)(batch(FORMS["list"](rows)))
    assert found_by(result) == [[], [], []]
    assert skipped(result) == {}


@pytest.mark.parametrize("first", [0, 2])
def test_a_vector_of_another_length_is_named(first: int, tmp_path: Path) -> None:
    catalogue(tmp_path)
    rows = gaussian_rows(6, DIM, seed=1).tolist()
    rows[2], rows[4] = None, rows[4][:-1]  # the lengths add up, so a reshape would do
    rows[5] = rows[5] + [1.0]
    part = batch(lists(rows, pa.float32())).slice(first)
    message = f"column 'vector', row {4 - first}: got a vector of 19 numbers, expected 20"
    with pytest.raises(ColumnError, match=message) as caught:
        BatchScorer(tmp_path / "items.safetensors")(part)
    assert (caught.value.column, caught.value.row) == ("vector", 4 - first)


def test_columns_of_other_types_are_refused(tmp_path: Path) -> None:
    catalogue(tmp_path)
    scorer = BatchScorer(tmp_path / "items.safetensors", vector_column="vector")
    square = pa.fixed_shape_tensor(pa.float32(), (4, 5))
    for column, got in (
        (pa.array(["a"]), "got string, expected lists of numbers"),
        (pa.array([["a"]]), "got list<item: string>, expected lists of numbers"),
        (pa.array([[1.0] * 19], pa.list_(pa.float32(), 19)), "got vectors of 19 numbers"),
        (
            pa.ExtensionArray.from_storage(square, FORMS["fixed-size list"](gaussian_rows(1, DIM))),
            r"got extension<arrow.fixed_shape_tensor",
        ),
    ):
        with pytest.raises(ColumnError, match=f"column 'vector': {got}"):
            scorer(batch(column))
    with pytest.raises(ColumnError, match="column 'vector': got only user, expected one column"):
        scorer(pa.record_batch({"user": [1]}))


def test_the_column_of_vectors_is_guessed_only_if_there_is_one(tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    rows = gaussian_rows(3, DIM, seed=1)
    path = tmp_path / "items.safetensors"
    both = pa.record_batch({"a": FORMS["list"](rows), "b": lists([[1], [2], [3]])})
    with pytest.raises(ValueError, match="vector_column: got none and vectors in a, b"):
        BatchScorer(path)(both)
    exclude = [[1], [2], [3]]
    result = BatchScorer(path, exclude_column="b")(both)
    assert found_by(result) == expected(items.top_k(rows, exclude=exclude))
    with pytest.raises(ValueError, match="vector_column: got none and no vectors"):
        BatchScorer(path)(pa.record_batch({"user": [1]}))


def test_pairs_of_any_forms() -> None:
    x, y = gaussian_rows(ROWS, DIM), gaussian_rows(ROWS, DIM, seed=1)
    scores = cosim_rs.paired_cosine_similarity(x, y).tolist()
    for form in FORMS:
        pairs = pa.record_batch({"x": FORMS[form](x), "y": FORMS["list"](y)})
        assert PairScorer("x", "y")(pairs).column("score").to_pylist() == scores
        assert PairScorer("y", "x")(pairs.slice(9)).column("score").to_pylist() == scores[9:]


def test_pairs_that_cannot_be_scored_are_null() -> None:
    x, y = gaussian_rows(5, DIM), gaussian_rows(5, DIM, seed=1)
    x[1], y[2, 3], x[4] = 0, np.inf, np.nan
    is_null = np.array([True, False, False, False, False])
    pairs = {"id": list("abcde"), "x": nulled(FORMS["list"](x), is_null), "y": FORMS["list"](y)}
    result = PairScorer("x", "y", "id")(pa.record_batch(pairs))
    scores = result.column("score").to_pylist()
    assert [scores[row] for row in (0, 1, 2, 4)] == [None, 0.0, None, None]
    assert scores[3] is not None
    assert result.schema.names == ["id", "score"]
    assert skipped(result) == {"null": 1, "not finite": 2}
    nothing = pa.record_batch({"x": lists([None, None], pa.float32()), "y": FORMS["list"](y[:2])})
    assert PairScorer("x", "y")(nothing).column("score").to_pylist() == [None, None]


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, lambda value: pa.list_(value, 2)])
def test_pairs_that_are_all_null(kind: Callable[[pa.DataType], pa.DataType]) -> None:
    nulls = pa.array([None, None], kind(pa.float32()))
    result = PairScorer("x", "y")(pa.record_batch({"x": nulls, "y": nulls}))
    assert result.column("score").to_pylist() == [None, None]
    assert skipped(result) == {"null": 2}


def test_pairs_of_no_numbers_and_nulls() -> None:
    kind = pa.list_(pa.float32())
    pairs = {"x": pa.array([[], [], None], kind), "y": pa.array([None, [], []], kind)}
    result = PairScorer("x", "y")(pa.record_batch(pairs))
    assert result.column("score").to_pylist() == [None, 0.0, None]
    assert skipped(result) == {"null": 2}


def test_pairs_of_unlike_lengths_are_named() -> None:
    pairs = pa.record_batch({"x": [[1.0, 2.0], [3.0, 4.0]], "y": [[1.0, 2.0], [3.0]]})
    message = "column 'y', row 1: got a vector of 1 numbers, expected 2, as the others"
    with pytest.raises(ColumnError, match=message):
        PairScorer("x", "y")(pairs)
