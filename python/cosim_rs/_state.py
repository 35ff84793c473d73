"""The state of a catalogue: what a search sees of it, which never changes.

A catalogue that changes goes from one state to another, which shares most of the first (see
`_changes`); so a search that is under way goes on with the state that it began with, and none waits
for a change. The items of a state lie in pieces, one after the other: each is an array with its
codes and its ids. Where a row lies, counted over all pieces, is its *slot*. Some slots are dead,
since their items were removed, or replaced by rows of a later piece. Where an item stands among the
ids is its *place*; what replaces an item has its place. Places are never used twice, so between
them there may be gaps.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosim_rs import _cosim_rs
from cosim_rs._arrays import Vectors
from cosim_rs._file import Source
from cosim_rs._naming import Ids, Places, Positions, check_known, numbered, padding
from cosim_rs._search import Segment


class Piece(NamedTuple):
    """Rows that lie in one array, and what is known of them."""

    items: Vectors
    codes: _cosim_rs.Codes
    naming: Positions
    # The place of each row, ascending; None where rows are in their places, in the first piece.
    places: Places | None = None
    # The bytes that it holds beside codes, ids and places: the items', unless they are borrowed.
    held: int = 0
    # Whether it lies in a mapped file, and may be larger than the memory.
    is_mapped: bool = False

    def __len__(self) -> int:
        """Tell the number of rows."""
        return len(self.items)

    @property
    def nbytes(self) -> int:
        """The bytes that it holds."""
        places = 0 if self.places is None else self.places.nbytes
        return self.codes.nbytes + self.naming.nbytes + places + self.held


class State(Positions):
    """Pieces, and which of their slots are live; see the module's prose.

    Parameters
    ----------
    pieces : tuple of Piece
        At least one.
    live : ndarray of bool, or None
        Whether there is an item in each slot; None if there is in all, and all are in their places.
    next_place : int
        The place of the next item.
    next_id : int, optional
        The id of the next item without one, where the catalogue numbers its items itself.
    source : Source, optional
        The file that holds all of this.
    """

    def __init__(
        self,
        pieces: tuple[Piece, ...],
        live: NDArray[np.bool_] | None,
        next_place: int,
        next_id: int | None,
        source: Source | None = None,
    ) -> None:
        slots = sum(map(len, pieces))
        super().__init__(slots if live is None else int(np.count_nonzero(live)))
        self.pieces = pieces
        self.next_place = next_place
        self.next_id = next_id
        self.source = source
        self._slots = slots
        self._live = live

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the ids."""
        return np.result_type(*(piece.naming.dtype for piece in self.pieces))

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return self._slots

    @property
    def live(self) -> NDArray[np.bool_] | None:
        """Whether there is an item in each slot, unless there is one in all."""
        return self._live

    @cached_property
    def segments(self) -> list[Segment]:
        """What a search goes over."""
        return [Segment(piece.items, piece.codes, piece.places) for piece in self.pieces]

    @property
    def nbytes(self) -> int:
        """The bytes that it holds."""
        own = 0 if self._live is None else self._live.nbytes
        return own + sum(piece.nbytes for piece in self.pieces)

    @cached_property
    def in_order(self) -> Places:
        """The slots of the items, in the order of their places."""
        if self._live is None:
            return np.arange(self.count)
        live = np.flatnonzero(self._live)
        return live[np.argsort(self.places_at(live), kind="stable")]

    @property
    def names(self) -> NDArray[Any]:
        """The id of each item, in the order of their places."""
        if self._live is None:
            return self.pieces[0].naming.names
        names = self.names_at(self.in_order)
        names.flags.writeable = False
        return names

    def firsts(self) -> Iterator[tuple[int, Piece]]:
        """The first slot of each piece, and the piece."""
        lengths = accumulate(map(len, self.pieces), initial=0)
        return zip(lengths, self.pieces, strict=False)

    def at(self, rows: Places) -> Places:
        """The slots of items that are known by their rows among all ids, -1 of none."""
        if self._live is None or not rows.size:
            return rows
        return np.where(rows < 0, -1, self.in_order[rows])

    def find(self, argument: str, names: NDArray[Any]) -> Places:
        """The slots of the items with these ids, and -1 where there is none."""
        slots = np.full(names.shape, -1, np.int64)
        for first, piece in self.firsts():
            rows = piece.naming.find(argument, names)
            known = rows >= 0
            if self._live is not None:
                known[known] = self._live[first + rows[known]]
            slots[known] = first + rows[known]
        return slots

    def places(self, argument: str, names: NDArray[Any], *, padded: bool = False) -> Places:
        """The slots of the items with these ids; -1 for a padding, if there may be such."""
        if self._live is None:
            return self.pieces[0].naming.places(argument, names, padded=padded)
        found = self.find(argument, names)
        check_known(argument, names, found, padded)
        return found

    def named(self, places: Places) -> NDArray[Any]:
        """The ids of the items at these places, where -1 is none."""
        if self._live is None:
            return self.pieces[0].naming.named(places)
        slots = np.full(places.shape, -1, np.int64)
        for first, piece in self.firsts():
            rows, known = _rows_at(piece, places)
            known[known] = self._live[first + rows[known]]
            slots[known] = first + rows[known]
        return self.names_at(slots)

    def names_at(self, slots: Places) -> NDArray[Any]:
        """The ids of the items in these slots, where -1 is none."""
        names = np.full(slots.shape, padding(self.dtype), self.dtype)
        for rows, is_here, piece in self.rows_by_piece(slots):
            names[is_here] = piece.naming.named(rows)
        return names

    def naming_at(self, slots: Places) -> Positions:
        """What names the items in these slots, if there are no others."""
        names = self.names_at(slots)
        return Ids(names, len(slots)) if self.next_id is None else numbered(names)

    def places_at(self, slots: Places) -> Places:
        """The places of the items in these slots."""
        places = np.empty(slots.shape, np.int64)
        for rows, is_here, piece in self.rows_by_piece(slots):
            places[is_here] = rows if piece.places is None else piece.places[rows]
        return places

    def items_at(self, slots: Places) -> Vectors:
        """A copy of the items in these slots."""
        items = self.pieces[0].items
        taken = np.empty((len(slots), items.shape[1]), items.dtype)
        for rows, is_here, piece in self.rows_by_piece(slots):
            taken[is_here] = piece.items[rows]
        return taken

    def rows_by_piece(self, slots: Places) -> Iterator[tuple[Places, NDArray[np.bool_], Piece]]:
        """For each piece with some of the slots: the rows, which slots these are, and the piece."""
        for first, piece in self.firsts():
            is_here = (slots >= first) & (slots < first + len(piece))
            if is_here.any():
                yield slots[is_here] - first, is_here, piece


def _rows_at(piece: Piece, places: Places) -> tuple[Places, NDArray[np.bool_]]:
    """The rows of a piece at these places, and whether there is one at each."""
    if piece.places is None:
        return places, (places >= 0) & (places < len(piece))
    rows = np.searchsorted(piece.places, places).clip(max=len(piece) - 1)
    return rows, np.equal(piece.places[rows], places)


__all__ = ["Piece", "State"]
