"""A state of a catalogue to a file or a pickle, and back.

A state that is one piece is written as it lies in memory. Of one that was changed, the items that
are live are written in the order of their places, some megabytes at a time, with codes that are
prepared anew, as neighbours share scales: so what is in the file is, byte for byte, what a
catalogue built anew would have saved.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim_rs import _cosim_rs, _file
from cosim_rs._changes import prepared
from cosim_rs._file import Parts, Source
from cosim_rs._file_header import MOST_CODED
from cosim_rs._naming import Ids, Places
from cosim_rs._state import Piece, State

Codes = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]

# Codes of sixteen items are interleaved by four bytes, in lines of 64; so many lines follow.
_GROUP, _BYTES, _LINE, _BEHIND = 16, 4, 64, 16


def save(state: State, path: str, epsilon: float) -> None:
    """Write a state to a file, which is replaced in one step."""
    first = state.pieces[0]
    shape = state.count, first.items.shape[1]
    if state.live is None:
        parts = Parts(first.items, first.codes.parts(), first.naming, epsilon, state.next_id)
        _file.write(path, parts, _file.in_chunks(first.items), shape)
        return
    slots = state.in_order
    naming = state.naming_at(slots)
    rows = _GROUP * max(1, _file.CHUNK_BYTES // max(1, _GROUP * shape[1] * first.items.itemsize))
    codes = _codes(state, slots, rows, epsilon)
    parts = Parts(first.items, codes, naming, epsilon, state.next_id)
    chunks = (state.items_at(slots[begin : begin + rows]) for begin in range(0, len(slots), rows))
    _file.write(path, parts, chunks, shape)


def opened(path: str, *, mmap: bool, verify: bool) -> tuple[State, float]:
    """The state in a file, and its epsilon."""
    parts, source = _file.read(path, mmap=mmap, verify=verify)
    count, dim = parts.items.shape
    try:
        codes = _cosim_rs.codes_of((count, dim), parts.epsilon, *parts.codes)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if codes is None:
        raise AssertionError("the border refused arrays of a layout that was checked")
    piece = Piece(parts.items, codes, parts.naming, None, source.held, source.is_mapped)
    return State((piece,), None, count, _next_id(parts), source), parts.epsilon


def opened_again(source: Source) -> State:
    """The state in a file that was open in another place; it must be the same."""
    state, _ = opened(source.path, mmap=source.is_mapped, verify=False)
    if state.source != source:
        raise ValueError(f"{source.path}: got another catalogue than the one that was pickled")
    return state


def packed(state: State) -> tuple[Any, ...]:
    """What a state is pickled as: the codes are soon made again."""
    pieces = [(piece.items, piece.naming, piece.places) for piece in state.pieces]
    return pieces, state.live, state.next_place, state.next_id


def unpacked(parts: tuple[Any, ...], epsilon: float) -> State:
    """The state that was pickled so, whose items nobody else holds."""
    given, *numbers = parts
    pieces = (
        Piece(items, prepared(items, epsilon, None), naming, places, items.nbytes)
        for items, naming, places in given
    )
    return State(tuple(pieces), *numbers)


def _next_id(parts: Parts) -> int | None:
    """The number that the next item gets: after all that are in use, whatever the file says."""
    if parts.next_id is None:
        return None
    names = parts.naming
    last = int(names.sorted[-1]) if isinstance(names, Ids) and names.count else names.count - 1
    return max(parts.next_id, last + 1)


def _codes(state: State, slots: Places, rows: int, epsilon: float) -> Codes:
    """The codes of items in these slots, made of so many rows at a time, whole groups."""
    dim = state.pieces[0].items.shape[1]
    if dim > MOST_CODED:
        slots = slots[:0]
    bytes_per_item = _BYTES * max(1, -(-dim // _BYTES))
    places = -(-len(slots) // _GROUP) * _GROUP
    lines = np.zeros(places * bytes_per_item + _BEHIND * _LINE, np.uint8)
    scales = np.zeros(places, np.float32)
    residuals = np.full(places, -np.inf, np.float32)
    for begin in range(0, len(slots), rows):
        items = state.items_at(slots[begin : begin + rows])
        own_lines, own_scales, own_residuals = prepared(items, epsilon, None).parts()
        here = slice(begin, begin + len(own_scales))
        lines[here.start * bytes_per_item : here.stop * bytes_per_item] = own_lines[
            : -_BEHIND * _LINE
        ]
        scales[here], residuals[here] = own_scales, own_residuals
    return lines, scales, residuals


__all__ = ["opened", "opened_again", "packed", "save", "unpacked"]
