"""Columns of vectors, of Arrow, pandas and polars, are taken where they lie; nulls are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers import assert_same_bits
from interchange import Array, assert_places_taken, assert_shared, assert_taken, numbers

import cosim_rs
from cosim_rs._interchange import as_array

DTYPES = (np.float32, np.float64, np.float16, np.int8)


def fixed(values: Array) -> Any:
    """Fixed-size lists, nested where there are more axes, over the same memory."""
    column = pa.array(values.reshape(-1))
    for length in values.shape[:0:-1]:
        column = pa.FixedSizeListArray.from_arrays(column, length)
    return column


def listed(values: Array, kind: Any = pa.ListArray, offset: Any = np.int32) -> Any:
    """Lists that might have any length, over the same memory."""
    column = pa.array(values.reshape(-1))
    for axis in range(values.ndim - 1, 0, -1):
        count, length = np.prod(values.shape[:axis]), values.shape[axis]
        starts = np.arange(count + 1, dtype=offset) * offset(length)
        column = kind.from_arrays(pa.array(starts), column)
    return column


def large_listed(values: Array) -> Any:
    return listed(values, pa.LargeListArray, np.int64)


def tensors(values: Array) -> Any:
    if values.ndim == 1:
        return pa.array(values)
    kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(values.dtype), values.shape[1:])
    flat = fixed(values.reshape(len(values), -1))
    return pa.ExtensionArray.from_storage(kind, flat)


def chunked(values: Array) -> Any:
    """Three chunks, one of them empty."""
    return pa.chunked_array([fixed(part) for part in (values[:1], values[:0], values[1:])])


def in_pandas(values: Array) -> Any:
    column = fixed(values)
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([column])))


def in_polars(values: Array) -> Any:
    return pl.Series(values)


def in_polars_lists(values: Array) -> Any:
    series = pl.Series(values)
    return series.arr.to_list() if values.ndim > 1 else series


OFFERS: dict[str, Callable[[Array], Any]] = {
    "fixed": fixed,
    "listed": listed,
    "large_listed": large_listed,
    "tensors": tensors,
    "in_pandas": in_pandas,
    "in_polars": in_polars,
    "in_polars_lists": in_polars_lists,
}
every_offer = pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)


@every_offer
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_function_takes_it(offer: Callable[[Array], Any], dtype: npt.DTypeLike) -> None:
    assert_taken(offer, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_several_chunks_are_put_together(dtype: npt.DTypeLike) -> None:
    assert_taken(chunked, dtype)
    assert_taken(lambda values: pl.concat([pl.Series(values[:1]), pl.Series(values[1:])]), dtype)
    values = numbers(7, 17, dtype=dtype)
    assert_same_bits(as_array("x", chunked(values)), values)
    # Lists of an empty chunk have no length that could differ.
    parts = [listed(values[:2]), listed(values[:0]), listed(values[2:])]
    assert_same_bits(as_array("x", pa.chunked_array(parts)), values)
    assert as_array("x", chunked(values)).base is None


@every_offer
@pytest.mark.parametrize("dtype", DTYPES)
def test_slices_are_taken_where_they_lie(
    offer: Callable[[Array], Any], dtype: npt.DTypeLike
) -> None:
    for values in (numbers(7, 17, dtype=dtype), numbers(7, 3, 5, dtype=dtype)):
        column = offer(values)
        memory = values if "polars" not in offer.__name__ else column.to_numpy()
        if offer is in_polars_lists:  # made by a copy
            memory = as_array("x", column)
            assert_same_bits(memory, values)
        for part in (slice(None), slice(2, 6), slice(0, 3), slice(5, 7), slice(3, 4)):
            assert_shared(column[part], memory[part])
        assert_shared(column[1:][2:], memory[3:])
        assert as_array("x", column[4:4]).shape[0] == 0


@pytest.mark.parametrize("start", [0, 17, 34])
def test_a_child_may_begin_elsewhere(start: int) -> None:
    """The flat numbers are a slice themselves, and so are lists of lists."""
    values = numbers(8, 17)
    flat = pa.array(values.reshape(-1))[start:]
    expected = values[start // 17 :]
    column = pa.FixedSizeListArray.from_arrays(flat, 17)
    assert_shared(column, expected)
    assert_shared(column[1:], expected[1:])
    starts = pa.array(np.arange(0, len(flat) + 1, 17, dtype=np.int32))
    assert_shared(pa.ListArray.from_arrays(starts, flat)[2:5], expected[2:5])
    assert_shared(pa.ListArray.from_arrays(starts[2:], flat), expected[2:])
    inner = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), 17)[2:]
    outer = pa.FixedSizeListArray.from_arrays(inner, 2)
    assert_shared(outer[1:], values[4:].reshape(2, 2, 17))


def test_a_tensor_that_is_transposed() -> None:
    values = numbers(5, 3, 4)
    for kind, expected in (
        (pa.fixed_shape_tensor(pa.float32(), (3, 4), permutation=(1, 0)), values.swapaxes(1, 2)),
        (pa.fixed_shape_tensor(pa.float32(), (3, 4), permutation=(0, 1)), values),
    ):
        column = pa.ExtensionArray.from_storage(kind, fixed(values.reshape(5, -1)))
        assert_same_bits(as_array("x", column), column.to_numpy_ndarray())
        assert_shared(column, expected)
        assert_shared(column[1:], expected[1:])


def test_buffers_with_room_behind_the_numbers() -> None:
    """As they come from a file or another process, padded."""
    values = numbers(3, 5)
    batch = pa.record_batch({"e": fixed(values)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    table = pa.ipc.open_stream(sink.getvalue()).read_all()
    assert_same_bits(as_array("x", table["e"]), values)
    padded = pa.array(np.concatenate([values.reshape(-1), np.zeros(9, np.float32)]))[:15]
    assert_same_bits(as_array("x", pa.FixedSizeListArray.from_arrays(padded, 5)), values)


class TestNulls:
    """Arrow's memory holds anything at all where there is none."""

    LISTS = ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0])
    KINDS = (
        pa.list_(pa.float32(), 2),
        pa.list_(pa.float32()),
        pa.large_list(pa.float64()),
    )

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("row", range(4))
    @pytest.mark.parametrize("value", [None, [None, 1.0], [1.0, None]])
    def test_the_row_is_named(self, kind: Any, row: int, value: Any) -> None:
        lists = [*self.LISTS[:row], value, *self.LISTS[row + 1 :]]
        column = pa.array(lists, kind)
        chunks = pa.chunked_array([column[:1], column[1:]])
        series = pd.Series(lists, dtype=pd.ArrowDtype(kind))
        in_polars = pl.Series(lists, dtype=pl.Array(pl.Float32, 2))
        lists_in_polars = pl.Series(lists, dtype=pl.List(pl.Float32))
        objects = pd.Series(lists, dtype=object)
        for offered in (column, chunks, series, in_polars, lists_in_polars, objects):
            self.assert_refused(offered, row)
        if row > 1:
            self.assert_refused(column[1:], row - 1)
            self.assert_refused(in_polars[1:], row - 1)
        assert as_array("x", column[:row]).shape[0] == row  # a null beyond the slice is no matter
        assert as_array("x", in_polars[row + 1 :]).shape[0] == 3 - row

    def test_in_nested_lists(self) -> None:
        lists = [[self.LISTS[0], self.LISTS[1]], [self.LISTS[2], [7.0, None]]]
        self.assert_refused(pa.array(lists, pa.list_(pa.list_(pa.float32(), 2), 2)), 1)
        lists[1][1] = None
        self.assert_refused(pa.array(lists, pa.list_(pa.list_(pa.float32(), 2), 2)), 1)
        self.assert_refused(pl.Series(lists, dtype=pl.Array(pl.Float32, (2, 2))), 1)

    def test_in_tensors(self) -> None:
        kind = pa.fixed_shape_tensor(pa.float32(), (2,))
        storage = pa.array([[1.0, 2.0], None, [3.0, None]], kind.storage_type)
        self.assert_refused(pa.ExtensionArray.from_storage(kind, storage), 1)
        self.assert_refused(pa.ExtensionArray.from_storage(kind, storage[2:]), 0)

    def test_missing_rows_of_pandas(self) -> None:
        for missing in (None, float("nan"), pd.NA):
            for row in range(2):
                rows: list[Any] = [np.ones(2), np.ones(2)]
                rows[row] = missing
                self.assert_refused(pd.Series(rows, dtype=object), row)

    def test_among_ids(self) -> None:
        for ids in (
            pa.array([3, None]),
            pd.Series([3, None], dtype="Int64"),
            pd.array([3, None], dtype="Int64"),
            pd.Index([3, None], dtype="Int64"),
            pd.Series([3, None], dtype="int64[pyarrow]"),
            pl.Series([3, None]),
        ):
            with pytest.raises(ValueError, match=r"^ids: got a null in row 1, expected none$"):
                cosim_rs.Catalogue(np.eye(2), ids)

    def assert_refused(self, offered: Any, row: int) -> None:
        with pytest.raises(ValueError, match=rf"^y: got a null in row {row}, expected none$"):
            cosim_rs.cosine_similarity(np.ones((2, 2), np.float32), offered)


class TestRaggedLists:
    LISTS = ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0, 7.0], [8.0])

    @pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.large_list(pa.float32())])
    def test_the_row_is_named(self, kind: Any) -> None:
        column = pa.array(self.LISTS, kind)
        wanted = r"^users: got a row {} of shape \({},\), expected \({},\), as before it$"
        for offered in (
            column,
            pa.chunked_array([column[:2], column[2:3]]),
            pa.chunked_array([column[:1], column[1:3]]),
            pd.Series(self.LISTS, dtype=pd.ArrowDtype(kind)),
            pd.Series(self.LISTS),
            pl.Series(self.LISTS),
        ):
            with pytest.raises(ValueError, match=wanted.format(2, 3, 2)):
                cosim_rs.top_k(offered, np.ones((3, 2)), 1)
        with pytest.raises(ValueError, match=wanted.format(1, 3, 2)):
            cosim_rs.top_k(column[1:], np.ones((3, 2)), 1)
        expected = cosim_rs.cosine_similarity(self.LISTS[:2])
        assert_same_bits(cosim_rs.cosine_similarity(column[:2]), expected.astype(np.float32))

    def test_in_nested_lists(self) -> None:
        with pytest.raises(ValueError, match=r"^x: got a row 1 of shape \(3,\), expected \(2,\)"):
            as_array("x", pa.array([self.LISTS[:2], self.LISTS[1:3]]))


class TestPandas:
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_a_column_of_objects_is_stacked(self, dtype: npt.DTypeLike) -> None:
        assert_taken(lambda values: pd.Series(list(values), index=range(5, 5 + len(values))), dtype)
        values = numbers(4, 17, dtype=dtype)
        lists = values.tolist()
        assert_same_bits(as_array("x", pd.Series(lists)), np.array(lists))

    def test_numbers_are_taken_where_they_lie(self) -> None:
        values = numbers(17)
        assert_shared(pd.Series(values, copy=False), values)
        masked = pd.array(values, dtype="Float32", copy=False)
        assert np.shares_memory(as_array("x", masked), masked.to_numpy())

    def test_a_frame_is_a_matrix(self) -> None:
        values = numbers(5, 3)
        expected = cosim_rs.cosine_similarity(values)
        assert_same_bits(cosim_rs.cosine_similarity(pd.DataFrame(values)), expected)
        assert_same_bits(cosim_rs.cosine_similarity(pl.DataFrame(values)), expected)

    def test_nan_among_numbers_is_a_number(self) -> None:
        user = pd.Series([1.0, np.nan])
        assert np.isnan(cosim_rs.Catalogue(np.eye(2)).scores(user, [0])).all()

    @pytest.mark.parametrize("rows", [["a", "b"], [{}, {}], [[1.0, "a"], [2.0, "b"]], [1j, 2j]])
    def test_what_is_no_number_is_refused(self, rows: Any) -> None:
        for series in (pd.Series(rows), pd.Series(rows, dtype=object)):
            with pytest.raises(TypeError, match=r"^x: got .*, expected (real )?numbers"):
                cosim_rs.cosine_similarity(series)

    def test_a_row_that_is_no_array_is_named(self) -> None:
        rows = pd.Series([[[1.0], [2.0]], [[1.0], [2.0, 3.0]]])
        with pytest.raises(ValueError, match=r"^x: row 1 cannot be made an array: "):
            cosim_rs.cosine_similarity(rows)


class TestPlaces:
    def test_of_arrow(self) -> None:
        assert_places_taken(fixed)
        assert_places_taken(lambda values: pa.chunked_array([fixed(values)]))

    def test_of_polars(self) -> None:
        assert_places_taken(in_polars)

    def test_of_pandas(self) -> None:
        assert_places_taken(lambda values: pd.Series(list(values)))
        assert_places_taken(in_pandas)

    def test_ids_that_are_strings(self) -> None:
        names = ["tea", "cup", "mug"]
        for ids in (
            pa.array(names),
            pd.Series(names),
            pd.Series(names, dtype=object),
            pd.Index(names),
            pl.Series(names),
        ):
            assert cosim_rs.Catalogue(np.eye(3), ids).similar("cup", 1).ids.dtype.kind == "U"


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", "b"]),
        pa.array([{"a": 1}]),
        pa.array([1, 2], pa.timestamp("s")),
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
        pa.array([["a"], ["b"]]),
        pa.UnionArray.from_dense(
            pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])]
        ),
        pl.Series(["a", "b"]),
        pl.Series([{"a": 1}]),
    ],
    ids=lambda column: str(getattr(column, "type", None) or column.dtype),
)
def test_columns_of_anything_else_are_refused(column: Any) -> None:
    with pytest.raises(TypeError, match=r"^x: got .*, expected (real )?numbers"):
        cosim_rs.cosine_similarity(column)


def test_empty_columns() -> None:
    users = numbers(2, 17)
    for column in (
        fixed(numbers(3, 17))[:0],
        pa.chunked_array([], pa.list_(pa.float32(), 17)),
        pa.chunked_array([fixed(numbers(0, 17))] * 2),
        pa.FixedSizeListArray.from_arrays(pa.Array.from_buffers(pa.float32(), 0, [None, None]), 17),
        pl.Series([], dtype=pl.Array(pl.Float32, 17)),
    ):
        assert as_array("x", column).shape == (0, 17)
        assert cosim_rs.top_k(users, column, 3).indices.shape == (2, 0)
    assert as_array("x", pa.array([[], []], pa.list_(pa.float32()))).shape == (2, 0)
    assert as_array("x", pa.array([[], []], pa.list_(pa.float32(), 0))).shape == (2, 0)
    assert as_array("x", pl.Series([[], []], dtype=pl.List(pl.Float32))).shape == (2, 0)
