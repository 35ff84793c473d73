"""A file of what users have seen, joined to their rows as a list column.

It is held in memory, a list a user; whoever has more than that joins it to the users before, with
the engine that holds the data, and names the column of lists. A file may hold pairs of a user and
an item, as logs do, or a list a user. Either way pairs are made of it and grouped, in Arrow.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from cosim_rs.batch._columns import plain
from cosim_rs.batch._errors import ColumnError
from cosim_rs.batch._naming import Naming, Places
from cosim_rs.batch._opened import Opened
from cosim_rs.cli._errors import BadData, BadOption
from cosim_rs.cli._tables import Table, shown

COLUMN = "cosim_rs.seen"
"""Of the lists, in the rows of users."""
ROWS = 65_536
"""That are read at a time."""


class Seen:
    """The lists of items, by the id of the user.

    Parameters
    ----------
    table : Table
        The file.
    id_column : str
        The column of users' ids, called as in the file of users.
    item_column : str or None
        That of items, or lists of items; by default the only other one.
    catalogue : Opened
        Of which the items are.
    """

    def __init__(
        self, table: Table, id_column: str, item_column: str | None, catalogue: Opened
    ) -> None:
        columns = [id_column, _items_in(table, id_column, item_column)]
        pieces = [
            _pairs(batch)
            for unit in range(len(table.units))
            for batch in table.batches(unit, columns, ROWS)
        ]
        if not pieces:
            raise BadData("got no rows, expected users and what they have seen", table.path)
        try:
            catalogue.find(columns[1], pieces[0]["item"][:0])  # none of which could be found
        except ColumnError as error:
            raise BadData(error.problem, table.path, column=error.column) from None
        pairs = pa.Table.from_batches(pieces)
        lists = pairs.group_by("user").aggregate([("item", "list")])
        # Of no pairs there are no chunks.
        self._users = Naming(lists["user"].combine_chunks())
        self._lists = lists["item_list"].combine_chunks()
        self._column, self._path = id_column, table.path

    def find(self, ids: pa.Array) -> Places:
        """Where the lists of these users are, -1 where there is none."""
        try:
            return self._users.find(ids)
        except TypeError as error:
            raise BadData(str(error), self._path, column=self._column) from None

    def lists(self, users: Places) -> pa.Array:
        """The lists that are there, null where there is none."""
        return self._lists.take(pa.array(users, mask=users < 0))


def _items_in(table: Table, id_column: str, item_column: str | None) -> str:
    """The name of the column of items."""
    names = table.schema.names
    if id_column not in names:
        raise BadOption(
            f"--exclude: {table.path} has no column {id_column!r}: {shown(table.schema)}"
        )
    others = [name for name in names if name != id_column]
    if item_column is None and len(others) != 1:
        raise BadOption(
            f"--exclude-column: expected to be told which column of {table.path} holds the items: "
            f"{shown(table.schema)}"
        )
    if item_column is not None and item_column not in others:
        raise BadOption(
            f"--exclude-column: {table.path} has no column {item_column!r}: {shown(table.schema)}"
        )
    return item_column or others[0]


def _pairs(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A row for each user and item; nulls are left out."""
    users, items = plain(batch.column(0)), batch.column(1)
    if hasattr(items, "flatten") and not pa.types.is_struct(items.type):
        if items.null_count:  # under which there may be items
            users, items = users.filter(items.is_valid()), items.drop_null()
        users, items = users.take(pc.list_parent_indices(items)), items.flatten()
    pairs = pa.RecordBatch.from_arrays([users, plain(items)], ["user", "item"])
    return pairs.filter(pc.and_(users.is_valid(), items.is_valid()))


__all__ = ["COLUMN", "Seen"]
