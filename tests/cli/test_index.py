"""`cosim-rs index`: of files of every format, the catalogue that the arrays would give."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from catalogue_files import HAS_STRINGS, assert_alike
from files import (
    WRITERS,
    cosim_rs_command,
    done,
    items,
    refusal,
    vectors_column,
    write,
    write_npy,
    write_parquet,
)
from helpers import assert_same_bits, gaussian_rows, run_python

import cosim_rs


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.safetensors"


def vectors(catalogue: cosim_rs.Catalogue) -> Any:
    """The items of a catalogue."""
    return catalogue._state.pieces[0].items


@pytest.mark.parametrize("format", WRITERS)
def test_every_format_gives_the_same_catalogue(tmp_path: Path, output: Path, format: str) -> None:
    ids, rows = items()
    path, own = write(tmp_path, format, ids, rows)
    outcome = done("index", path, "-o", output, *(["--ids", own] if own else []))
    assert f"{output}: 100 items of 20 float32" in outcome.out
    assert "ids: int64\n" in outcome.out
    assert "rows: 100, skipped: none" in outcome.out
    indexed = cosim_rs.Catalogue.open(output, verify=True)
    assert_alike(indexed, cosim_rs.Catalogue(rows, ids))
    assert_same_bits(np.asarray(vectors(indexed)), rows)


def test_the_file_is_the_one_that_save_writes(tmp_path: Path, output: Path) -> None:
    ids, rows = items()
    done("index", write_parquet(tmp_path / "x.parquet", {"id": ids, "v": rows}), "-o", output)
    cosim_rs.Catalogue(rows, ids).save(tmp_path / "saved")
    assert output.read_bytes() == (tmp_path / "saved").read_bytes()


@pytest.mark.skipif(not HAS_STRINGS, reason="NumPy 1 has no strings of any length")
def test_texts_of_any_length_become_such_of_one_width(tmp_path: Path, output: Path) -> None:
    texts, (_, rows) = [f"item {row}, é" for row in range(100)], items()
    path = tmp_path / "texts.safetensors"
    cosim_rs.Catalogue(rows, np.array(texts, np.dtypes.StringDType())).save(path)
    done("index", path, "-o", output)
    assert_alike(cosim_rs.Catalogue.open(output), cosim_rs.Catalogue(rows, texts))


VECTORS: dict[str, Any] = {
    "float16 stays": (pa.float16(), np.float16),
    "float64 stays": (pa.float64(), np.float64),
    "int8 stays": (pa.int8(), np.int8),
    "int32 is float64": (pa.int32(), np.float64),
}


@pytest.mark.parametrize("kind", VECTORS)
@pytest.mark.parametrize("has_null", [False, True])
def test_dtypes_are_kept(tmp_path: Path, output: Path, kind: str, has_null: bool) -> None:
    element, dtype = VECTORS[kind]
    rows = (20 * gaussian_rows(30, 8)).round().astype(element.to_pandas_dtype())
    lists: list[Any] = [*rows]
    lists[3] = None if has_null else lists[3]
    column = pa.array(lists, pa.list_(element))
    done("index", write_parquet(tmp_path / "x.parquet", {"vector": column}), "-o", output)
    found = vectors(cosim_rs.Catalogue.open(output))
    assert found.dtype == dtype
    expected = np.delete(rows, 3, axis=0) if has_null else rows
    np.testing.assert_array_equal(found, expected.astype(dtype))


LISTS = {
    "list": pa.list_(pa.float32()),
    "large list": pa.large_list(pa.float32()),
    "fixed-size list": pa.list_(pa.float32(), 20),
}
IDS = {
    "uint64": pa.uint64(),
    "int16": pa.int16(),
    "string": pa.string(),
    "large string": pa.large_string(),
    "string view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
}


@pytest.mark.parametrize("kind", LISTS)
def test_vectors_of_any_kind_of_list(tmp_path: Path, output: Path, kind: str) -> None:
    _, rows = items()
    column = pa.array(list(rows), LISTS[kind])
    done("index", write_parquet(tmp_path / "x.parquet", {"v": column}, 30), "-o", output)
    assert_same_bits(np.asarray(vectors(cosim_rs.Catalogue.open(output))), rows)


def test_tensors(tmp_path: Path, output: Path) -> None:
    _, rows = items()
    kind = pa.fixed_shape_tensor(pa.float32(), [20])
    column = pa.ExtensionArray.from_storage(kind, vectors_column(rows))
    done("index", write_parquet(tmp_path / "x.parquet", {"v": column}, 30), "-o", output)
    assert_same_bits(np.asarray(vectors(cosim_rs.Catalogue.open(output))), rows)


@pytest.mark.parametrize("kind", IDS)
def test_ids_of_any_kind(tmp_path: Path, output: Path, kind: str) -> None:
    ids: Any = [7 * id for id in range(100, 0, -1)]
    is_text = "int" not in kind
    ids = [f"id {id} é" for id in ids] if is_text else ids
    column = pa.array(ids).cast(pa.string()).dictionary_encode() if kind == "dictionary" else None
    column = pa.array(ids, IDS[kind]) if column is None else column
    path = write_parquet(tmp_path / "x.parquet", {"id": column, "v": items()[1]}, 30)
    done("index", path, "-o", output)
    found = cosim_rs.Catalogue.open(output).ids
    assert found.tolist() == ids
    assert found.dtype == ("U8" if is_text else kind)


def test_several_files_are_one_catalogue(tmp_path: Path, output: Path) -> None:
    ids, rows = items()
    (tmp_path / "parts").mkdir()
    for part in range(4):
        some = slice(25 * part, 25 * part + 25)
        columns = {"id": ids[some], "vector": rows[some]}
        write_parquet(tmp_path / "parts" / f"{part}.parquet", columns, 10)
    done("index", tmp_path / "parts", "-o", output)
    assert_alike(cosim_rs.Catalogue.open(output), cosim_rs.Catalogue(rows, ids))


class TestRowsWithoutAVector:
    ROWS = (3, 4, 17, 99)

    def write(self, path: Path, **columns: Any) -> tuple[Path, Any]:
        """A file with a null, a null in a list, a NaN and an infinity; and the other rows."""
        _, rows = items()
        lists: list[Any] = rows.tolist()
        lists[3], lists[4][2] = None, None
        lists[17][0], lists[99][19] = np.nan, -np.inf
        column = pa.array(lists, pa.list_(pa.float32()))
        path = write_parquet(path, {**columns, "vector": column}, 30)
        return path, np.delete(rows, self.ROWS, axis=0)

    def test_are_left_out_and_counted(self, tmp_path: Path, output: Path) -> None:
        ids = items()[0]
        path, rows = self.write(tmp_path / "x.parquet", id=ids)
        outcome = done("index", path, "-o", output)
        assert f"{output}: 96 items" in outcome.out
        assert "rows: 100, skipped: 2 null, 2 not finite\n" in outcome.out
        expected = cosim_rs.Catalogue(rows, np.delete(ids, self.ROWS))
        assert_alike(cosim_rs.Catalogue.open(output), expected)

    def test_do_not_shift_the_rows_that_are_ids(self, tmp_path: Path, output: Path) -> None:
        path, rows = self.write(tmp_path / "x.parquet")
        done("index", path, "-o", output)
        expected = cosim_rs.Catalogue(rows, np.delete(np.arange(100), self.ROWS))
        assert_alike(cosim_rs.Catalogue.open(output), expected)

    def test_are_all_at_the_beginning(self, tmp_path: Path, output: Path) -> None:
        """So that the length is not known at first."""
        column = pa.array([None] * 35 + [[1.0, 2.0]], pa.list_(pa.float32()))
        done("index", write_parquet(tmp_path / "x.parquet", {"v": column}, 10), "-o", output)
        assert cosim_rs.Catalogue.open(output).ids.tolist() == [35]

    @pytest.mark.parametrize("count", [0, 5])
    def test_are_all_there_is(self, tmp_path: Path, output: Path, count: int) -> None:
        column = pa.array([None] * count, pa.list_(pa.float32()))
        path = write_parquet(tmp_path / "x.parquet", {"v": column})
        message = refusal(3, "index", path, "-o", output)
        assert message == f"{path}, column v: got no row with a vector"

    def test_a_zero_vector_is_an_item(self, tmp_path: Path, output: Path) -> None:
        done("index", write_npy(tmp_path / "x.npy", np.zeros((2, 3), "f4")), "-o", output)
        assert len(cosim_rs.Catalogue.open(output)) == 2


def two_files(folder: Path, **columns: Any) -> Path:
    """Files of five rows each, of which the second has these columns."""
    given = {"id": np.arange(5), "v": pa.array(gaussian_rows(5, 4).tolist())}
    (folder / "parts").mkdir()
    write_parquet(folder / "parts" / "a.parquet", given, 2)
    given["id"] = np.arange(5, 10)
    write_parquet(folder / "parts" / "b.parquet", given | columns, 2)
    return folder / "parts"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a vector of another length": (
        {"v": pa.array([*gaussian_rows(3, 4).tolist(), [1.0, 2.0], [1.0]])},
        "column v, row 3: got a vector of 2 numbers, expected 4, as the first",
    ),
    "an id of another file": (
        {"id": [5, 6, 7, 3, 8]},
        "column id, row 3: got 3, expected another id than that of row 3 of {a}",
    ),
    "an id of the same file": (
        {"id": [5, 6, 7, 8, 6]},
        "column id, row 4: got 6, expected another id than that of row 1 of {b}",
    ),
    "a null id": (
        {"id": pa.array([5, 6, 7, None, 8])},
        "column id, row 3: got a null, expected an id",
    ),
    "columns of other types": (
        {"id": list("abcde")},
        "got columns id (string), v (list<element: double>), expected id (int64), "
        "v (list<element: double>) as in {a}",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_names_file_column_and_row(tmp_path: Path, output: Path, name: str) -> None:
    columns, expected = BAD[name]
    folder = two_files(tmp_path, **columns)
    message = refusal(3, "index", folder, "-o", output)
    a, b = folder / "a.parquet", folder / "b.parquet"
    separator = ": " if expected.startswith("got") else ", "
    assert message == f"{b}{separator}{expected.format(a=a, b=b)}"
    assert not output.exists()


def test_a_repeated_id_behind_rows_that_were_left_out(tmp_path: Path, output: Path) -> None:
    column = pa.array([None, [1.0], None, [2.0], [3.0]], pa.list_(pa.float32()))
    path = write_parquet(tmp_path / "x.parquet", {"id": ["a", "b", "b", "c", "b"], "v": column})
    message = refusal(3, "index", path, "-o", output)
    place = f"{path}, column id, row 4"
    assert message == f"{place}: got 'b', expected another id than that of row 1 of {path}"


@pytest.mark.parametrize("kind", [kind for kind in IDS if "int" not in kind])
@pytest.mark.parametrize(
    ("id", "problem"),
    [
        ("é" * 256, "got an id of 256 characters, expected at most 255"),
        (
            "a\0",
            "got 'a\\x00', expected an id that ends in no NUL, as arrays fill strings up with it",
        ),
    ],
)
def test_ids_that_arrays_cannot_hold(
    id: str, problem: str, kind: str, tmp_path: Path, output: Path
) -> None:
    ids = pa.array(["a", "\0b", "é" * 255, "c", "d"])
    rows = gaussian_rows(5, 4)
    column = ids.dictionary_encode() if kind == "dictionary" else ids.cast(IDS[kind])
    done("index", write_parquet(tmp_path / "x.parquet", {"id": column, "v": rows}), "-o", output)
    assert cosim_rs.Catalogue.open(output).ids.tolist() == ids.to_pylist()
    ids = pa.array([*ids.to_pylist()[:3], id, id])
    column = ids.dictionary_encode() if kind == "dictionary" else ids.cast(IDS[kind])
    path = write_parquet(tmp_path / "y.parquet", {"id": column, "v": rows}, 2)
    message = refusal(3, "index", path, "-o", output, "--overwrite")
    assert message == f"{path}, column id, row 3: {problem}"


class TestOutput:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return write_npy(tmp_path / "x.npy", gaussian_rows(3, 4))

    def test_is_not_overwritten_unasked(self, path: Path, output: Path) -> None:
        output.write_text("something else")
        message = refusal(2, "index", path, "-o", output)
        assert message == f"-o: {output} exists; --overwrite replaces it"
        assert output.read_text() == "something else"
        done("index", path, "-o", output, "--overwrite")
        assert len(cosim_rs.Catalogue.open(output)) == 3

    def test_may_take_the_place_of_the_input(self, path: Path) -> None:
        done("index", path, "-o", path, "--overwrite")
        assert len(cosim_rs.Catalogue.open(path)) == 3

    def test_is_in_a_folder_that_there_is(self, path: Path, tmp_path: Path) -> None:
        there_is_none = tmp_path / "none" / "x"
        message = refusal(2, "index", path, "-o", there_is_none)
        assert message == f"-o: got {there_is_none}, expected a file in a folder that there is"
        with pytest.MonkeyPatch.context() as patched:  # root may write to all of them
            patched.setattr(os, "access", lambda *_: False)
            message = refusal(2, "index", tmp_path / "none", "-o", tmp_path / "x")
        assert message == f"-o: got {tmp_path / 'x'}, expected a folder that may be written to"
        message = refusal(2, "index", path, "-o", tmp_path)
        assert message == f"-o: got {tmp_path}, a folder, expected a file"

    def test_is_left_alone_when_something_is_wrong(self, tmp_path: Path, output: Path) -> None:
        output.write_text("something else")
        bad = tmp_path / "bad.npy"
        bad.write_bytes(b"\x93NUMPY")
        assert cosim_rs_command("index", bad, "-o", output, "--overwrite").code == 3
        assert output.read_text() == "something else"
        assert sorted(tmp_path.iterdir()) == [bad, output]


def test_no_such_file_is_a_failure(tmp_path: Path, output: Path) -> None:
    message = refusal(1, "index", tmp_path / "none.parquet", "-o", output)
    assert message == f"{tmp_path / 'none.parquet'}: No such file or directory"


def test_threads_are_checked(tmp_path: Path, output: Path) -> None:
    message = refusal(2, "index", "x", "-o", output, "--threads", "0")
    assert message == "argument --threads: got '0', expected a whole number of at least 1"


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux' counts")
def test_memory_is_that_of_items_and_codes(tmp_path: Path) -> None:
    """Of items of 102 MB, whose codes take 26 MB: half of a second copy would be seen."""
    rows = np.ones((400_000, 64), np.float32)
    path = write_parquet(tmp_path / "x.parquet", {"vector": rows}, 20_000)
    few = write_parquet(tmp_path / "few.parquet", {"vector": rows[:10]})
    code = f"""
from peak_memory import extra_peak
from cosim_rs.cli import main
main(["index", {str(few)!r}, "-o", {str(tmp_path / "few")!r}])
arguments = ["index", {str(path)!r}, "-o", {str(tmp_path / "all")!r}]
print(extra_peak(lambda: main(arguments)))
"""
    peak = int(run_python(code).splitlines()[-1])
    assert 102e6 < peak < 102e6 + 26e6 + 51e6
