"""The items in files: their vectors as one matrix in memory, and their ids.

Rows are read in batches into the place where they stay, so that beside the matrix there is never
more than a batch. A row whose vector is null, or not finite, is no item: it could never be found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cosim_rs._arrays import Vectors, is_taken
from cosim_rs.batch._columns import column_of, dim_of, vectors_of
from cosim_rs.batch._errors import ColumnError
from cosim_rs.cli._errors import BadData
from cosim_rs.cli._progress import progress
from cosim_rs.cli._tables import Table, pick_columns

BATCH = 8192
LONGEST_ID = 255  # characters, as an array of ids has room for so many in each


class Items(NamedTuple):
    """What was read."""

    vectors: Vectors
    ids: NDArray[Any] | None
    """None if they are the rows of the files, counted on from one file to the next."""
    skipped: Counter[str]
    """How many rows are no items, by the reason."""


def read_items(tables: Sequence[Table], id_column: str | None, vector_column: str | None) -> Items:
    """Read the items of some tables; BadData says in which row is what should not be."""
    id_column, vector_column = pick_columns(tables[0].schema, id_column, vector_column)
    columns = [vector_column] if id_column is None else [vector_column, id_column]
    total = sum(sum(table.units) for table in tables)
    matrix = _Matrix(total, tables[0].schema.field(vector_column).type)
    are_items: list[NDArray[np.bool_]] = []
    ids: list[pa.Array] = []
    with progress("reading", total) as advance:
        for table, first, batch in _batches(tables, columns):
            are_items.append(matrix.add(table, first, batch, vector_column))
            if id_column is not None:
                some = _ids(table, first, batch, id_column)
                ids.append(some.filter(pa.array(are_items[-1])))
            advance(len(batch))
    if not matrix.filled:
        raise BadData("got no row with a vector", tables[0].path, column=vector_column)
    is_item = np.concatenate(are_items)
    if id_column is not None:
        _check_unique(tables, id_column, pa.chunked_array(ids), is_item)
        return Items(matrix.vectors, _as_array(ids), matrix.skipped)
    rows = None if is_item.all() else np.flatnonzero(is_item)
    return Items(matrix.vectors, rows, matrix.skipped)


class _Matrix:
    """Vectors of one length, behind each other in room that is made for all of them at once."""

    def __init__(self, room: int, kind: pa.DataType) -> None:
        self.filled = 0
        self.skipped: Counter[str] = Counter()
        self._room = room
        dtype = pa.array([], kind.value_type).to_numpy(zero_copy_only=False).dtype
        self._dtype = dtype if is_taken(dtype) else np.dtype(np.float64)
        self._matrix: Vectors | None = None

    @property
    def vectors(self) -> Vectors:
        """The vectors that were added."""
        assert self._matrix is not None
        return self._matrix[: self.filled]

    def add(
        self, table: Table, first: int, batch: pa.RecordBatch, column: str
    ) -> NDArray[np.bool_]:
        """Add the items of a batch that begins with this row; say which of its rows they are."""
        try:
            if self._matrix is None:
                dim = dim_of(batch, column)
                if dim == 0:
                    raise ColumnError(column, None, "got vectors of no numbers, expected some")
                if dim is None:  # there are but nulls
                    self.skipped["null"] += len(batch)
                    return np.zeros(len(batch), np.bool_)
                self._matrix = np.empty((self._room, dim), self._dtype)
            rows = vectors_of(batch, column, self._matrix.shape[1], "as the first")
        except ColumnError as error:
            row = None if error.row is None else first + error.row
            raise BadData(error.problem, table.path, column=column, row=row) from None
        is_item: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(rows.vectors), axis=1)
        count = int(np.count_nonzero(is_item))
        self._matrix[self.filled : self.filled + count] = rows.vectors[is_item]
        self.filled += count
        self.skipped.update(rows.skipped(~is_item))
        return is_item


def _batches(
    tables: Sequence[Table], columns: Sequence[str]
) -> Iterator[tuple[Table, int, pa.RecordBatch]]:
    """Batches of all tables, each with the row of its table that it begins with."""
    for table in tables:
        row = 0
        for unit in range(len(table.units)):
            for batch in table.batches(unit, columns, BATCH):
                yield table, row, batch
                row += len(batch)


def _ids(table: Table, first: int, batch: pa.RecordBatch, column: str) -> pa.Array:
    """The ids of a batch that begins with this row, each of which an array can hold."""
    ids = column_of(batch, column)
    is_bad = ids.is_null()
    if not pa.types.is_integer(ids.type):
        is_long = pc.greater(pc.utf8_length(ids), LONGEST_ID)
        is_bad = pc.or_kleene(is_bad, pc.or_(is_long, pc.ends_with(ids, pattern="\0")))
    if pc.any(is_bad).as_py():
        row = is_bad.index(True).as_py()
        raise BadData(_problem(ids[row].as_py()), table.path, column=column, row=first + row)
    return ids


def _problem(id: str | None) -> str:
    """Why this is no id."""
    if id is None:
        return "got a null, expected an id"
    if len(id) > LONGEST_ID:
        return f"got an id of {len(id)} characters, expected at most {LONGEST_ID}"
    return f"got {id!r}, expected an id that ends in no NUL, as arrays fill strings up with it"


def _check_unique(
    tables: Sequence[Table], column: str, ids: pa.ChunkedArray, is_item: NDArray[np.bool_]
) -> None:
    """Raise if an id is there twice, and say where."""
    if pc.count_distinct(ids).as_py() == len(ids):
        return
    codes = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    again = order[1:][codes[order[1:]] == codes[order[:-1]]].min()
    before = int(np.argmax(codes == codes[again]))
    rows = np.flatnonzero(is_item)[[before, again]].tolist()
    (path, row), (other, repeated) = (_place(tables, row) for row in rows)
    got = f"got {ids[int(again)].as_py()!r}, expected another id than that of row {row} of {path}"
    raise BadData(got, other, column=column, row=repeated)


def _place(tables: Sequence[Table], row: int) -> tuple[Any, int]:
    """The file of a row of all tables, and which row of that it is."""
    begins = list(accumulate((sum(table.units) for table in tables), initial=0))
    at = int(np.searchsorted(begins, row, side="right")) - 1
    return tables[at].path, row - begins[at]


def _as_array(ids: Sequence[pa.Array]) -> NDArray[Any]:
    """Ids as an array of numbers, or of strings as wide as the longest."""
    if pa.types.is_integer(ids[0].type):
        return np.concatenate([chunk.to_numpy() for chunk in ids])
    width = max(pc.max(pc.utf8_length(chunk)).as_py() or 1 for chunk in ids if len(chunk))
    names = np.empty(sum(map(len, ids)), f"U{width}")
    ends = accumulate(map(len, ids))
    for end, chunk in zip(ends, ids, strict=True):
        names[end - len(chunk) : end] = chunk.to_pylist()
    return names


__all__ = ["Items", "read_items"]
