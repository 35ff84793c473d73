"""Tables of every format: the same rows, by units and batches, from where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import NAMELESS, WRITERS, Array, items, write, write_arrow, write_npy, write_parquet
from helpers import gaussian_rows
from safetensors.numpy import save_file

from cosim_rs.cli import _array_table
from cosim_rs.cli._errors import BadData, BadOption
from cosim_rs.cli._tables import Table, open_table, open_tables, pick_columns

BOTH = ("id", "vector")


def rows_of(
    table: Table,
    columns: Sequence[str] = BOTH,
    size: int = 1000,
    units: Sequence[int] | None = None,
) -> pa.Table:
    """What the batches of some units hold, or of all."""
    chosen = range(len(table.units)) if units is None else units
    batches = [batch for unit in chosen for batch in table.batches(unit, columns, size)]
    return pa.Table.from_batches(batches)


def matrix(column: pa.ChunkedArray) -> Array:
    """A column of vectors as a matrix."""
    chunks = [chunk.flatten().to_numpy() for chunk in column.chunks]
    return np.concatenate(chunks).reshape(len(column), -1)


@pytest.mark.parametrize("format", WRITERS)
class TestEveryFormat:
    def test_gives_what_was_written(self, tmp_path: Path, format: str) -> None:
        ids, rows = items()
        path, own = write(tmp_path, format, ids, rows)
        table = open_table(path, ids=own)
        read = rows_of(table)
        assert table.path == path
        assert sorted(table.schema.names) == ["id", "vector"]
        assert read.column("id").to_pylist() == ids.tolist()
        np.testing.assert_array_equal(matrix(read.column("vector")), rows)

    def test_by_units_and_in_batches(
        self, tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_array_table, "UNIT", 30)
        ids, rows = items()
        path, own = write(tmp_path, format, ids, rows)
        table = open_table(path, ids=own)
        assert table.units == ([100] if format == "Arrow IPC stream" else [30, 30, 30, 10])
        first = 0
        for unit, count in enumerate(table.units):
            batches = list(table.batches(unit, ("vector", "id"), 7))
            assert all(0 < len(batch) <= 7 for batch in batches)
            assert all(batch.schema.names == ["vector", "id"] for batch in batches)
            read = pa.Table.from_batches(batches)
            assert read.column("id").to_pylist() == ids[first : first + count].tolist()
            np.testing.assert_array_equal(
                matrix(read.column("vector")), rows[first : first + count]
            )
            first += count

    def test_gives_one_column_alone(self, tmp_path: Path, format: str) -> None:
        ids, rows = items()
        table = open_table(write(tmp_path, format, ids, rows)[0])
        read = rows_of(table, ["vector"])
        assert read.column_names == ["vector"]
        np.testing.assert_array_equal(matrix(read.column("vector")), rows)

    def test_is_read_by_many_threads_at_once(
        self, tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_array_table, "UNIT", 30)
        ids, rows = items()
        path, own = write(tmp_path, format, ids, rows)
        table = open_table(path, ids=own)
        with ThreadPoolExecutor(4) as pool:
            parts = [
                pool.submit(rows_of, table, BOTH, 5, [unit])
                for _ in range(5)
                for unit in range(len(table.units))
            ]
            read = [number for part in parts for number in part.result()["id"].to_pylist()]
        assert read == 5 * ids.tolist()

    def test_is_known_by_what_is_in_it(self, tmp_path: Path, format: str) -> None:
        ids, rows = items()
        path, own = write(tmp_path, format, ids, rows)
        if format != "fvecs":  # which begins with any number
            path = path.rename(tmp_path / "of_no_known.name")
        assert rows_of(open_table(path, ids=own)).num_rows == 100

    def test_ids_of_its_own_are_not_given_twice(self, tmp_path: Path, format: str) -> None:
        ids, rows = items()
        path, _ = write(tmp_path, format, ids, rows)
        more = write_npy(tmp_path / "more.npy", ids)
        if format in NAMELESS:
            assert rows_of(open_table(path, ids=more)).num_rows == 100
        else:
            with pytest.raises(BadOption, match=r"--ids: got .*more.npy, expected none"):
                open_table(path, ids=more)


def test_mapped_arrays_are_not_copied(tmp_path: Path) -> None:
    table = open_table(write_npy(tmp_path / "items.npy", gaussian_rows(1000, 64)))
    before = pa.total_allocated_bytes()
    held = list(table.batches(0, ["vector"], 100))
    assert pa.total_allocated_bytes() == before
    assert len(held) == 10


STORED: dict[str, Any] = {
    "float16": gaussian_rows(50, 20).astype(np.float16),
    "float64": gaussian_rows(50, 20, dtype=np.float64),
    "int8": (20 * gaussian_rows(50, 20)).astype(np.int8),
    "int32": (20 * gaussian_rows(50, 20)).astype(np.int32),
    "big-endian": gaussian_rows(50, 20).astype(">f4"),
    "Fortran": np.asfortranarray(gaussian_rows(50, 20)),
    "a column": gaussian_rows(50, 1),
}


@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_of_any_dtype_and_order(tmp_path: Path, kind: str, compressed: bool) -> None:
    rows = STORED[kind]
    read = matrix(rows_of(open_table(write_npy(tmp_path / "x.npy", rows)), ["vector"], 7)["vector"])
    np.testing.assert_array_equal(read, rows)
    save = np.savez_compressed if compressed else np.savez
    for name in ("v", "vv", "vvv", "vvvv"):  # by its length the array lies on other bytes
        save(tmp_path / f"{name}.npz", **{name: rows})
        read = matrix(rows_of(open_table(tmp_path / f"{name}.npz"), [name], 7)[name])
        assert read.dtype == rows.dtype.newbyteorder("=")
        np.testing.assert_array_equal(read, rows)


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    rows = gaussian_rows(50, 20).astype(ml_dtypes.bfloat16)
    save_file({"vector": rows}, tmp_path / "x.safetensors")
    read = matrix(rows_of(open_table(tmp_path / "x.safetensors"), ["vector"])["vector"])
    np.testing.assert_array_equal(read, rows.astype(np.float32))
    assert read.dtype == np.float32


@pytest.mark.parametrize("ids", [["a", "日本", ""], [b"a", b"xyz", b""], [-1, 5, 2**40]])
def test_ids_of_an_array(tmp_path: Path, ids: list[Any]) -> None:
    path = write_npy(tmp_path / "x.npy", gaussian_rows(3, 4))
    table = open_table(path, ids=write_npy(tmp_path / "ids.npy", np.array(ids)))
    read = [id.decode() if isinstance(id, bytes) else id for id in ids]
    assert rows_of(table)["id"].to_pylist() == read


def test_ids_alone_are_a_table(tmp_path: Path) -> None:
    table = open_table(write_npy(tmp_path / "ids.npy", np.array(["a", "b"])))
    assert rows_of(table, ["id"])["id"].to_pylist() == ["a", "b"]


def test_arrays_of_other_lengths_are_no_columns(tmp_path: Path) -> None:
    rows = gaussian_rows(5, 4)
    np.savez(tmp_path / "x.npz", rows=rows, names=np.array(list("abcde")), more=np.zeros((2, 2, 2)))
    assert open_table(tmp_path / "x.npz").schema.names == ["rows", "names"]
    np.savez(tmp_path / "y.npz", rows=rows, others=gaussian_rows(6, 4))
    with pytest.raises(BadData, match=r"y.npz: got rows float32 \(5, 4\), others float32 \(6"):
        open_table(tmp_path / "y.npz")


def test_ids_must_be_as_many_as_vectors(tmp_path: Path) -> None:
    path = write_npy(tmp_path / "x.npy", gaussian_rows(3, 4))
    ids = write_npy(tmp_path / "ids.npy", np.arange(4))
    with pytest.raises(BadData, match=r"got id int64 \(4,\), expected ids \(3,\), one a vector"):
        open_table(path, ids=ids)
    table = write_parquet(tmp_path / "ids.parquet", {"id": [1, 2, 3]})
    with pytest.raises(BadOption, match=r"--ids: got .*ids.parquet, Parquet, expected .npy"):
        open_table(path, ids=table)


def test_columns_of_a_wide_file_are_found_by_their_names(tmp_path: Path) -> None:
    table = pa.table({"a.b": [1, 2], "v": [[1.0], [2.0]], "a": [{"b": 3}, {"b": 4}]})
    path = write_arrow(tmp_path / "x.arrow", table)
    read = rows_of(open_table(path), ["a.b", "v"])
    assert read.to_pydict() == {"a.b": [1, 2], "v": [[1.0], [2.0]]}
    path = write_parquet(tmp_path / "x.parquet", {name: table[name] for name in table.column_names})
    assert rows_of(open_table(path), ["v", "a.b"]).to_pydict() == {
        "v": [[1.0], [2.0]],
        "a.b": [1, 2],
    }


class TestFolders:
    def test_files_in_the_order_of_their_names(self, tmp_path: Path) -> None:
        for name in ("b", "a", "c"):
            write_parquet(tmp_path / f"{name}.parquet", {"name": [name]})
        (tmp_path / "_SUCCESS").touch()
        (tmp_path / ".hidden.parquet").write_text("nothing")
        (tmp_path / "folder").mkdir()
        more = write_parquet(tmp_path / "folder" / "0.parquet", {"name": ["more"]})
        tables = open_tables([more, tmp_path])
        names = [rows_of(table, ["name"])["name"][0].as_py() for table in tables]
        assert names == ["more", "a", "b", "c"]

    def test_have_the_same_columns(self, tmp_path: Path) -> None:
        write_parquet(tmp_path / "a.parquet", {"id": [1]})
        write_parquet(tmp_path / "b.parquet", {"id": ["1"]})
        message = r"b.parquet: got columns id \(string\), expected id \(int64\) as in .*a.parquet"
        with pytest.raises(BadData, match=message):
            open_tables([tmp_path])

    def test_columns_are_the_same_with_nulls_or_without(self, tmp_path: Path) -> None:
        for name, may_be_null in (("a", True), ("b", False), ("c", True)):
            fields = [pa.field(column, pa.int8(), may_be_null) for column in ("id", "x")]
            table = pa.table([[1], [2]], pa.schema(fields, {"of": name}))
            pq.write_table(table, tmp_path / f"{name}.parquet")
        tables = open_tables([tmp_path])
        assert tables[0].schema != tables[1].schema
        read = [rows_of(table, ("x", "id")) for table in tables]
        assert pa.concat_tables(read).to_pydict() == {"x": [2, 2, 2], "id": [1, 1, 1]}

    def test_columns_that_differ_are_told_apart(self, tmp_path: Path) -> None:
        for name, may_be_null in (("a", True), ("b", False)):
            item = pa.field("item", pa.int8(), may_be_null)
            write_arrow(tmp_path / name, pa.table({"x": pa.array([[1]], pa.list_(item))}))
        message = r"b: got columns x \(list<item: int8 not null>\), expected x \(list<item: int8>\)"
        with pytest.raises(BadData, match=message):
            open_tables([tmp_path])

    def test_without_files(self, tmp_path: Path) -> None:
        with pytest.raises(BadData, match="got a folder without files, expected some"):
            open_tables([tmp_path])

    def test_ids_are_those_of_one_file(self, tmp_path: Path) -> None:
        for name in "ab":
            write_npy(tmp_path / f"{name}.npy", gaussian_rows(3, 4))
        with pytest.raises(BadOption, match="--ids: got 2 files of vectors, expected one"):
            open_tables([tmp_path], ids=tmp_path / "a.npy")


F32S, I64S, FIXED = pa.list_(pa.float32()), pa.large_list(pa.int64()), pa.list_(pa.float32(), 8)
TEXTS = pa.dictionary(pa.int32(), pa.string())
TENSOR = pa.fixed_shape_tensor(pa.float32(), [8])
PICKED: dict[str, tuple[dict[str, pa.DataType], tuple[str | None, str]]] = {
    "the only ones": ({"key": pa.int64(), "x": FIXED}, ("key", "x")),
    "by their own names": (
        {"a": pa.int64(), "id": pa.string(), "vector": F32S, "x": F32S},
        ("id", "vector"),
    ),
    "no ids": ({"x": TENSOR, "price": pa.float64()}, (None, "x")),
    "what ends as ids do": ({"count": pa.int64(), "user_id": TEXTS, "x": FIXED}, ("user_id", "x")),
    "lists of floats before lists of ids": ({"seen": I64S, "x": F32S}, (None, "x")),
    "lists of one length, too": ({"seen": I64S, "x": pa.list_(pa.int8(), 8)}, (None, "x")),
    "lists of whole numbers if there are no others": ({"x": I64S}, (None, "x")),
}
AMBIGUOUS: dict[str, tuple[dict[str, pa.DataType], str]] = {
    "two of ids": (
        {"a": pa.int64(), "b": pa.string(), "x": FIXED},
        "--id-column: expected to be told which of a, b",
    ),
    "two of vectors": (
        {"id": pa.int64(), "x": FIXED, "y": F32S, "z": I64S},
        "--vector-column: expected to be told which of x, y",
    ),
    "no vectors": (
        {"id": pa.int64(), "x": pa.list_(pa.string())},
        r"--vector-column: found no column of vectors among id \(int64\), x \(list<",
    ),
}


class TestPickColumns:
    @pytest.mark.parametrize("name", PICKED)
    def test_guessed(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        columns, expected = PICKED[name]
        assert pick_columns(pa.schema(columns), None, None) == expected
        said = capsys.readouterr().err
        if len(columns) > 1:
            assert f"guessed --vector-column {expected[1]}\n" in said
        assert (f"guessed --id-column {expected[0]}\n" in said) == (expected[0] is not None)

    @pytest.mark.parametrize("name", AMBIGUOUS)
    def test_not_guessed(self, name: str) -> None:
        columns, message = AMBIGUOUS[name]
        with pytest.raises(BadOption, match=message):
            pick_columns(pa.schema(columns), None, None)

    def test_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        schema = pa.schema({"a": pa.int64(), "b": pa.string(), "x": FIXED, "y": F32S})
        assert pick_columns(schema, "b", "y") == ("b", "y")
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize(
        ("told", "option"),
        [
            (("c", "x"), "--id-column: got 'c'"),
            (("x", "x"), "--id-column: got 'x'"),
            (("a", "a"), "--vector-column: got 'a'"),
            (("a", "twice"), "--vector-column: got 'twice'"),
        ],
    )
    def test_told_what_does_not_fit(self, told: tuple[str, str], option: str) -> None:
        fields = [("a", pa.int64()), ("x", FIXED), ("twice", FIXED), ("twice", FIXED)]
        with pytest.raises(BadOption, match=option + r".*, which does not fit: a \(int64\), x \("):
            pick_columns(pa.schema(fields), *told)
