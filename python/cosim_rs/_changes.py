"""Changes of a catalogue: functions from one state to the next.

Nothing that a state holds is written to. What is new goes to a piece of its own behind the others,
and what it replaces, or what is removed, is marked dead; so a change costs as much as the rows that
it touches, and a copy of a flag a slot. Then the pieces are tidied up: the last ones are written
anew as one, without what is dead, where they have become small beside what follows them, or too
much of them is dead. As pieces at least halve in size from each to the next, there are few, and a
row is written anew a number of times that grows with the logarithm of the catalogue; and dead rows
are at the most a quarter of a piece.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs import _cosim_rs
from cosim_rs._arrays import Vectors, as_input, fitting
from cosim_rs._comparing import of_fixed_width
from cosim_rs._floats import as_floats, is_float, named
from cosim_rs._interchange import as_array
from cosim_rs._naming import Ids, Places, Positions, check_known, check_unique, numbered
from cosim_rs._state import Piece, State

# A piece is written anew when more than one in so many of its rows are dead.
_DEAD = 4
# And together with those behind it when they are together more than one in so many of its rows.
_BEHIND = 2
# The end of the numbers that items without ids can get.
_END = 2**63


def prepared(items: Vectors, epsilon: float, threads: int | None) -> _cosim_rs.Codes:
    """The codes of items."""
    codes = _cosim_rs.prepare(items, epsilon, threads)
    if codes is None:
        raise AssertionError("the border refused an array that passed every check")
    return codes


def added(state: State, items: ArrayLike, ids: ArrayLike | None, epsilon: float) -> State:
    """The state with items behind the others."""
    rows = _as_rows(state, items).copy()
    names = _as_new_ids(state, ids, len(rows))
    if not len(rows):
        return state
    naming = Ids(names, len(rows))
    if state.count == 0 and ids is None:
        return _first(rows, numbered(names), _after(names), epsilon)
    if state.count == 0:
        return _first(rows, naming, None, epsilon)
    next_id = None if state.next_id is None else max(state.next_id, _after(names))
    places = np.arange(state.next_place, state.next_place + len(rows))
    piece = _piece(rows, naming, places, epsilon)
    live = np.concatenate([_flags(state), np.ones(len(rows), np.bool_)])
    next_place = state.next_place + len(rows)
    return _tidy(State((*state.pieces, piece), live, next_place, next_id), epsilon)


def updated(state: State, ids: ArrayLike, items: ArrayLike, epsilon: float) -> State:
    """The state with other items in the place of those with these ids."""
    slots = _found(state, ids)
    rows = _as_rows(state, items)
    if len(rows) != len(slots):
        raise fitting("items", rows.shape, f"({len(slots)}, {rows.shape[1]}), an item an id")
    if not len(rows):
        return state
    places = state.places_at(slots)
    order = np.argsort(places)
    rows, replaced, places = rows[order], slots[order], places[order]
    naming = Ids(state.names_at(replaced), len(rows))
    piece = _piece(rows, naming, places, epsilon)
    live = np.concatenate([_flags(state), np.ones(len(rows), np.bool_)])
    live[replaced] = False
    changed = State((*state.pieces, piece), live, state.next_place, state.next_id)
    return _tidy(changed, epsilon)


def removed(state: State, ids: ArrayLike, epsilon: float) -> State:
    """The state without the items with these ids."""
    slots = _found(state, ids)
    if not len(slots):
        return state
    live = _flags(state)
    live[slots] = False
    changed = State(state.pieces, live, state.next_place, state.next_id)
    return _tidy(changed, epsilon)


def _after(ids: NDArray[Any]) -> int:
    """The number after the largest."""
    return int(ids.max()) + 1


def _flags(state: State) -> NDArray[np.bool_]:
    """A copy of which slots are live."""
    return np.ones(state.slots, np.bool_) if state.live is None else state.live.copy()


def _as_rows(state: State, items: ArrayLike) -> Vectors:
    """Items in the dtype of those that are there."""
    given, held = as_input("items", items), state.pieces[0].items
    if given.ndim != 2 or given.shape[1] != held.shape[1]:
        raise fitting("items", given.shape, f"(M, {held.shape[1]}), as long as the catalogue's")
    if given.dtype == held.dtype:
        return given
    if not (is_float(given.dtype) and is_float(held.dtype)):
        got, wanted = named(given.dtype), named(held.dtype)
        raise TypeError(f"items: got dtype {got}, expected {wanted}, as the catalogue's")
    return _cosim_rs.in_default_mode(lambda: as_floats(given, held.dtype))


def _as_new_ids(state: State, ids: ArrayLike | None, count: int) -> NDArray[Any]:
    """The ids of items to be added, in the dtype of those that are there; none may be there yet."""
    if ids is None:
        if state.next_id is None:
            raise ValueError("ids: got None, expected an id an item, as the catalogue has ids")
        if state.next_id + count > _END:
            raise ValueError("ids: got None, expected ids, as there are no larger numbers")
        return np.arange(state.next_id, state.next_id + count)
    given = as_array("ids", ids)
    if not count and not given.size:
        return given
    names = Ids(given, count).names
    if state.count == 0:
        return names
    known = state.find("ids", names) >= 0
    if known.any():
        got = names[known].tolist()[0]
        raise ValueError(f"ids: got {got!r}, which is in the catalogue, expected new ids")
    return _as_held(state, names)


def _as_held(state: State, names: NDArray[Any]) -> NDArray[Any]:
    """New ids in the dtype of those that are there; strings keep their length."""
    dtype = state.pieces[0].naming.dtype
    if dtype.kind in "iu":
        held = names.astype(dtype)
        changed = (held != names) | ((held < 0) != (names < 0))
        if changed.any():
            got = names[changed].tolist()[0]
            raise ValueError(f"ids: got {got}, expected numbers that {dtype} holds")
        return held
    if (dtype.kind == "S") != (names.dtype.kind == "S"):
        raise TypeError(f"ids: got dtype {names.dtype}, expected strings as {dtype}")
    if dtype.kind == "T":  # with its own sign for a missing one
        return names.astype(dtype)
    return of_fixed_width(names.astype(object)) if names.dtype.kind == "T" else names


def _found(state: State, ids: ArrayLike) -> Places:
    """The slots of items to be changed, each named once."""
    given = as_array("ids", ids)
    if given.ndim != 1:
        raise fitting("ids", given.shape, "(M,)")
    slots = state.find("ids", given)
    check_known("ids", given, slots)
    order = np.argsort(slots, kind="stable")
    check_unique("ids", given[order][_repeated(slots[order])])
    return slots


def _repeated(slots: Places) -> NDArray[np.bool_]:
    """Which of some sorted slots are one that comes more than once."""
    repeated = np.zeros(slots.shape, np.bool_)
    same = slots[1:] == slots[:-1]
    repeated[1:] |= same
    repeated[:-1] |= same
    return repeated


def _first(rows: Vectors, naming: Positions, next_id: int | None, epsilon: float) -> State:
    """A state of one piece without gaps."""
    piece = _piece(rows, naming, None, epsilon)
    return State((piece,), None, len(rows), next_id)


def _piece(rows: Vectors, naming: Positions, places: Places | None, epsilon: float) -> Piece:
    """A piece of rows that are the catalogue's own."""
    return Piece(rows, prepared(rows, epsilon, None), naming, places, rows.nbytes)


def _tidy(state: State, epsilon: float) -> State:
    """The same items with the last pieces written anew as one, where that pays.

    One that is mapped stays as it is.
    """
    live = state.live
    if live is None:
        return state
    behind = 0
    begin = len(state.pieces)
    for index, (first, piece) in reversed(list(enumerate(state.firsts()))):
        left = int(np.count_nonzero(live[first : first + len(piece)]))
        is_worn = (len(piece) - left) * _DEAD > len(piece)
        is_small = behind * _BEHIND > left
        if (is_worn or is_small) and not piece.is_mapped:
            begin = index
        behind += left
    return state if begin == len(state.pieces) else _rewritten(state, begin, epsilon)


def _rewritten(state: State, begin: int, epsilon: float) -> State:
    """The same items with the pieces from one on made one, in the order of their places."""
    if begin == 0:
        slots = state.in_order
        naming = state.naming_at(slots)
        return _first(state.items_at(slots), naming, state.next_id, epsilon)
    live = _flags(state)
    first = sum(map(len, state.pieces[:begin]))
    slots = first + np.flatnonzero(live[first:])
    kept = state.pieces[:begin]
    if not slots.size:
        return State(kept, live[:first], state.next_place, state.next_id)
    places = state.places_at(slots)
    order = np.argsort(places, kind="stable")
    slots, places = slots[order], places[order]
    rows = state.items_at(slots)
    naming = Ids(state.names_at(slots), len(slots))
    piece = _piece(rows, naming, places, epsilon)
    flags = np.concatenate([live[:first], np.ones(len(slots), np.bool_)])
    return State((*kept, piece), flags, state.next_place, state.next_id)


__all__ = ["added", "prepared", "removed", "updated"]
