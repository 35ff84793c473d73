"""A catalogue's file, written in one pass over the items, and opened without reading them.

What is written are plain arrays, and the items as chunks of rows, so a catalogue of any making can
be. `_file_header` says what the file is like.
"""

from __future__ import annotations

import hashlib
import mmap as memory_map
import os
from collections.abc import Iterable
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosim_rs import _file_ids
from cosim_rs._file_header import (
    DTYPES,
    MOST_BYTES,
    Header,
    Summary,
    Tensor,
    checksum,
    is_filler,
    layout,
    parsed,
    rendered,
)
from cosim_rs._naming import Positions
from cosim_rs._replacing import replacing

# What is read and written at once: a few rows cost too much in calls, and more gains nothing.
CHUNK_BYTES = 4 << 20


class Parts(NamedTuple):
    """What a catalogue is made of. The codes are lines, scales and residuals."""

    items: NDArray[Any]
    codes: tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]
    naming: Positions
    epsilon: float
    next_id: int | None


class Source(NamedTuple):
    """Which file a catalogue was opened from, how, and what was in it."""

    path: str
    fingerprint: str
    is_mapped: bool
    size: int

    @property
    def held(self) -> int:
        """The bytes that it takes in memory of our own: a mapped file's are the system's."""
        return 0 if self.is_mapped else self.size


def as_path(path: object) -> str:
    """Check a path and make it a str."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path: got {type(path).__name__}, expected str or os.PathLike")
    return os.fsdecode(path)


def write(path: str, parts: Parts, items: Iterable[NDArray[Any]], shape: tuple[int, int]) -> None:
    """Write a catalogue of `shape` (N, D) to a file; `items` are the N rows in chunks.

    Of the parts' own items no more than the dtype counts.

    The header comes first in the file and has the checksum of what comes last, so its room is left
    free until the rest is written.
    """
    kind, ids = _file_ids.as_tensors(parts.naming)
    summary = Summary(shape, _name(parts.items.dtype), parts.epsilon, kind, parts.next_id)
    arrays: dict[str, Iterable[NDArray[Any]]] = dict(
        zip(("codes", "scales", "residuals"), ([part] for part in parts.codes), strict=True)
    )
    arrays |= {"items": items} | {name: [array] for name, array in ids.items()}
    tensors = layout(summary)
    checksums = {name: checksum(b"") for name in tensors}
    with replacing(path) as file:
        room = len(rendered(summary, checksums))
        file.seek(room)
        for name, tensor in tensors.items():
            for chunk in arrays.get(name) or [np.zeros(tensor.shape, tensor.dtype)]:
                data = np.ascontiguousarray(chunk).reshape(-1).view(np.uint8)
                checksums[name] = checksum(data, checksums[name])
                file.write(data.data)
            if file.tell() != room + tensor.end:
                raise AssertionError(f"{name} has not the length that its shape says")
        file.seek(0)
        file.write(rendered(summary, checksums))


def in_chunks(items: NDArray[Any]) -> Iterable[NDArray[Any]]:
    """Rows of items, some megabytes at a time."""
    rows = max(1, CHUNK_BYTES // max(1, items.shape[1] * items.itemsize))
    return (items[first : first + rows] for first in range(0, len(items), rows))


def _name(dtype: np.dtype[Any]) -> str:
    return dtype.name if dtype.name in DTYPES else "bfloat16"


def read(path: str, *, mmap: bool, verify: bool) -> tuple[Parts, Source]:
    """Open a file: map it, or read it; ValueError says what is wrong with it."""
    with open(path, "rb") as file:
        try:
            size = os.fstat(file.fileno()).st_size
            header = _header(file, size)
            data = _mapped(file, size) if mmap else _loaded(file, size)
            first = len(header.raw)
            arrays = _arrays(header, np.frombuffer(data, np.uint8)[first:], verify or not mmap)
            if isinstance(data, memory_map.mmap):
                _expect_few_rows(data, first, header.tensors)
            naming = _file_ids.as_naming(header.summary.ids, header.summary.shape[0], arrays)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    codes = arrays["codes"].reshape(-1), arrays["scales"], arrays["residuals"]
    fingerprint = hashlib.sha256(header.raw).hexdigest()
    source = Source(os.path.abspath(path), fingerprint, mmap, size)
    next_id = header.summary.next_id
    return Parts(arrays["items"], codes, naming, header.summary.epsilon, next_id), source


def _header(file: BinaryIO, size: int) -> Header:
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > MOST_BYTES:
        raise ValueError("got a file of another kind, expected a catalogue's")
    if 8 + length > size:
        raise ValueError(f"got {size} bytes, expected a header of {8 + length}: it was cut off")
    file.seek(0)
    header = parsed(file.read(8 + length))
    expected = len(header.raw) + max(tensor.end for tensor in header.tensors.values())
    if size != expected:
        what = "it was cut off" if size < expected else "something was added"
        raise ValueError(f"got {size} bytes, expected {expected}: {what}")
    return header


def _mapped(file: BinaryIO, size: int) -> memory_map.mmap:
    """The bytes of a file where the system keeps them, read as they are looked at."""
    return memory_map.mmap(file.fileno(), size, access=memory_map.ACCESS_READ)


def _expect_few_rows(data: memory_map.mmap, first: int, tensors: dict[str, Tensor]) -> None:
    """Tell the system that of the items rows here and there are read, if the codes say which.

    Else it reads 128 KiB around each: of 490 MiB of items that were not in memory yet, a first
    search for four users had all read then, and with this some 20 MiB. Where the codes rule out so
    little that all items are read in order, that takes longer; they are there to spare it.
    """
    items = tensors["items"]
    start = -(-(first + items.start) // memory_map.PAGESIZE) * memory_map.PAGESIZE
    end = first + items.end
    if hasattr(memory_map, "MADV_RANDOM") and tensors["scales"].shape[0] and start < end:
        data.madvise(memory_map.MADV_RANDOM, start, end - start)


def _loaded(file: BinaryIO, size: int) -> NDArray[np.uint8]:
    """The bytes of a file in memory of our own, which begins at a cache line as a mapping would."""
    room = np.empty(size + 64, np.uint8)
    loaded = room[-room.ctypes.data % 64 :][:size]
    file.seek(0)
    if file.readinto(loaded) != size:  # type: ignore[attr-defined] # typeshed's BinaryIO lacks it
        raise ValueError(f"got less than {size} bytes: it was cut off just now")
    loaded.flags.writeable = False
    return loaded


def _arrays(header: Header, data: NDArray[np.uint8], verify: bool) -> dict[str, NDArray[Any]]:
    """The tensors in the bytes behind the header, which are as many as it says."""
    arrays = {}
    for name, tensor in header.tensors.items():
        part = data[tensor.start : tensor.end]
        if is_filler(name):
            if part.any():
                raise ValueError(f"{name}: got other bytes than zeros")
            continue
        if verify and checksum(part) != header.checksums[name]:
            raise ValueError(
                f"{name}: got bytes that do not match their checksum: they were changed"
            )
        arrays[name] = part.view(tensor.dtype).reshape(tensor.shape)
    return arrays


__all__ = ["Parts", "Source", "as_path", "in_chunks", "read", "write"]
