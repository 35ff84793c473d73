"""Arrow's C structs, made by hand: as a library makes them, or wrong in one place.

After https://arrow.apache.org/docs/format/CDataInterface.html.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

POINTER = ctypes.c_void_p


class Schema(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", POINTER),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", POINTER),
        ("dictionary", POINTER),
        ("release", POINTER),
        ("private_data", POINTER),
    )


class Array(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", POINTER),
        ("children", POINTER),
        ("dictionary", POINTER),
        ("release", POINTER),
        ("private_data", POINTER),
    )


class Stream(ctypes.Structure):
    _fields_ = (
        ("get_schema", POINTER),
        ("get_next", POINTER),
        ("get_last_error", POINTER),
        ("release", POINTER),
        ("private_data", POINTER),
    )


Made = Schema | Array | Stream
CAPSULES = {Schema: b"arrow_schema", Array: b"arrow_array", Stream: b"arrow_array_stream"}

# What C points to has to be kept here.
_kept: list[Any] = []
# How often each struct was let go, by the address in `private_data`: structs are moved.
released: dict[int, int] = {}


@ctypes.CFUNCTYPE(None, POINTER)
def _release_schema(place: int) -> None:
    _let_go(Schema.from_address(place))


@ctypes.CFUNCTYPE(None, POINTER)
def _release_array(place: int) -> None:
    _let_go(Array.from_address(place))


@ctypes.CFUNCTYPE(None, POINTER)
def _release_stream(place: int) -> None:
    _let_go(Stream.from_address(place))


def _let_go(made: Made) -> None:
    released[made.private_data] += 1
    made.release = None


RELEASES = {Schema: _release_schema, Array: _release_array, Stream: _release_stream}


def times_released(made: Made) -> int:
    return released[ctypes.addressof(made)]


def kept(made: Any) -> Any:
    _kept.append(made)
    return made


def address(made: Any) -> int:
    """Where a function, a struct or a NumPy array is, which stays there."""
    kept(made)
    if isinstance(made, np.ndarray):
        return made.ctypes.data
    if isinstance(made, ctypes.Structure):
        return ctypes.addressof(made)
    place = ctypes.cast(made, POINTER).value
    assert place is not None
    return place


def pointers(places: Sequence[int | None]) -> int:
    return address((POINTER * len(places))(*places))


def with_release(made: Any) -> Any:
    """The struct with the function that lets it go."""
    made.release = address(RELEASES[type(made)])
    made.private_data = address(made)
    released[made.private_data] = 0
    return made


def schema(format: bytes, child: Schema | None = None, metadata: bytes | None = None) -> Schema:
    made = Schema(format=format)
    if child is not None:
        made.n_children, made.children = 1, pointers([address(child)])
    if metadata is not None:
        made.metadata = address(np.frombuffer(metadata, np.uint8))
    return with_release(made)


def array(
    length: int,
    buffers: Sequence[npt.NDArray[Any] | None],
    child: Array | None = None,
    *,
    offset: int = 0,
    null_count: int = 0,
) -> Array:
    places = [None if buffer is None else address(buffer) for buffer in buffers]
    made = Array(length=length, null_count=null_count, offset=offset)
    made.n_buffers, made.buffers = len(buffers), pointers(places)
    if child is not None:
        made.n_children, made.children = 1, pointers([address(child)])
    return with_release(made)


def stream(of: Schema, chunks: Sequence[Array], error: bytes | None = None) -> Stream:
    """A stream that ends, or fails where there is an error, after these chunks."""
    rest = iter(chunks)

    def get_schema(_: int, room: int) -> int:
        _move(of, room)
        return 0

    def get_next(_: int, room: int) -> int:
        chunk = next(rest, None)
        if chunk is None:
            Array.from_address(room).release = None
            return 0 if error is None else 5
        _move(chunk, room)
        return 0

    getter = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER)
    text = None if error is None else address(ctypes.create_string_buffer(error))
    made = Stream(
        get_schema=address(getter(get_schema)),
        get_next=address(getter(get_next)),
        get_last_error=address(ctypes.CFUNCTYPE(POINTER, POINTER)(lambda _: text)),
    )
    return with_release(made)


def _move(made: Schema | Array, room: int) -> None:
    ctypes.memmove(room, ctypes.addressof(made), ctypes.sizeof(made))
    made.release = None


def capsule(made: Made, name: bytes | None = None) -> Any:
    """The struct in a capsule of its name."""
    new = ctypes.pythonapi.PyCapsule_New
    new.argtypes, new.restype = (POINTER, ctypes.c_char_p, POINTER), ctypes.py_object
    return new(address(made), kept(name or CAPSULES[type(made)]), None)


class Offered:
    """An object with these structs and nothing else."""

    def __init__(self, of: Schema, values: Array) -> None:
        self.of, self.values = of, values

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[Any, Any]:
        return capsule(self.of), capsule(self.values)


class Streamed:
    """An object with a stream and nothing else."""

    def __init__(self, made: Stream) -> None:
        self.made = made

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return capsule(self.made)


Change = Callable[[Schema, Array], None]

__all__ = [
    "Array",
    "Change",
    "Offered",
    "Schema",
    "Stream",
    "Streamed",
    "address",
    "array",
    "capsule",
    "pointers",
    "schema",
    "stream",
    "times_released",
]
