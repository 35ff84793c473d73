"""The rows of a job, cut into parts and read in batches.

A part is made of one unit of a table, or of several that follow each other if they are small, so it
depends on nothing but the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cosim_rs.batch._columns import plain
from cosim_rs.batch._naming import Places
from cosim_rs.cli._job_output import part_name
from cosim_rs.cli._job_seen import COLUMN, Seen
from cosim_rs.cli._tables import Table

PART_ROWS = 65_536
"""The fewest of a part, but for the last one of a table."""


class Part(NamedTuple):
    """What a part of the output is made of."""

    name: str
    table: Table
    units: range
    first: int
    """Its first row in the table."""
    rows: int


class Piece(NamedTuple):
    """Some rows of a part, in the order of the table."""

    part: Part
    first: int
    """The first of them, in the table."""
    rows: pa.RecordBatch


class Source:
    """Tables of the same columns, as parts.

    Parameters
    ----------
    tables : sequence of Table
        At least one.
    columns : sequence of str
        What is read of them.
    size : int
        The most rows of a piece.
    seen : Seen, optional
        What is joined to them.
    id_column : str, optional
        By which it is.
    """

    def __init__(
        self,
        tables: Sequence[Table],
        columns: Sequence[str],
        size: int,
        seen: Seen | None = None,
        id_column: str | None = None,
    ) -> None:
        self.parts = parts_of(tables)
        self._columns, self._size = columns, size
        self._seen, self._id_column = seen, id_column

    def nothing(self) -> Piece:
        """No rows, of all the columns."""
        part = self.parts[0]
        schema = pa.schema([part.table.schema.field(name) for name in self._columns])
        rows = pa.RecordBatch.from_arrays(
            [pa.nulls(0, kind) for kind in schema.types], schema=schema
        )
        users = np.empty(0, np.int64)
        if self._seen is not None:  # which says so if none of such ids could be found
            users = self._seen.find(plain(rows.column(0)))
        return Piece(part, part.first, self._joined(rows, users))

    def pieces(self, parts: Iterable[Part]) -> Iterator[Piece]:
        """Read parts, one after the other; one without rows has a piece without rows."""
        for part in parts:
            done = 0
            users = self._users_of(part)
            for rows in filled(_batches(part, self._columns, self._size), self._size):
                joined = self._joined(rows, users[done : done + len(rows)])
                yield Piece(part, part.first + done, joined)
                done += len(rows)
            if not part.rows:
                yield self.nothing()._replace(part=part)

    def _users_of(self, part: Part) -> Places:
        """Where the lists of the part's users are, looked up at once.

        Each look-up may take a hash of all users that there are.
        """
        if self._seen is None or self._id_column is None:
            return np.empty(0, np.int64)
        ids = [plain(batch.column(0)) for batch in _batches(part, [self._id_column], PART_ROWS)]
        return (
            self._seen.find(pa.chunked_array(ids).combine_chunks())
            if ids
            else np.empty(0, np.int64)
        )

    def _joined(self, rows: pa.RecordBatch, users: Places) -> pa.RecordBatch:
        """Rows with what their users have seen."""
        if self._seen is None:
            return rows
        arrays = [*rows.columns, self._seen.lists(users)]
        return pa.RecordBatch.from_arrays(arrays, [*rows.schema.names, COLUMN])


def parts_of(tables: Sequence[Table]) -> list[Part]:
    """Cut tables into parts."""
    parts: list[Part] = []
    for table in tables:
        unit = row = first = 0
        for end, rows in enumerate(table.units, 1):
            row += rows
            if row - first >= PART_ROWS or end == len(table.units):
                name = part_name(len(parts))
                parts.append(Part(name, table, range(unit, end), first, row - first))
                unit, first = end, row
    return parts or [Part(part_name(0), tables[0], range(0), 0, 0)]


def _batches(part: Part, columns: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
    for unit in part.units:
        yield from part.table.batches(unit, columns, size)


def filled(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of nearly the size, where those that come are smaller."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if held and sum(map(len, held)) + len(batch) > size:
            yield _as_one(held)
            held = []
        held.append(batch)
    if held:
        yield _as_one(held)


def _as_one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches).combine_chunks()
    columns = [column.chunk(0) for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


__all__ = ["PART_ROWS", "Part", "Piece", "Source"]
