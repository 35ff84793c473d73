"""Files of arrays: .npy, .npz, safetensors, .fvecs and catalogues, by the names of their arrays.

What a header says is compared with the length of the file before anything is mapped or made room
for, and nothing is ever unpickled. So a file can claim what it likes: it is refused, and costs no
memory. Arrays are mapped; those that are compressed are read when they are asked for.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import math
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cosim_rs._catalogue import Catalogue
from cosim_rs._tensors import BFLOAT16
from cosim_rs.cli import _formats
from cosim_rs.cli._errors import BadData

Array = NDArray[Any]
Order: TypeAlias = Literal["C", "F"]

# What names the arrays of formats that have no names for them.
ID, VECTOR = "id", "vector"

MOST_DEFLATED = 1032  # times the bytes that they are deflated to
CHUNK = 4 << 20
MOST_HEADER = 100 << 20  # bytes of a safetensors file's, as its own library has it
TENSOR_DTYPES = {
    **{f"F{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
    **{f"I{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
    "BF16": BFLOAT16,
    "BOOL": np.dtype(np.bool_),
}
READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Stored(NamedTuple):
    """An array in a file: what it is, and how to get it."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    load: Callable[[], Array]


Arrays = dict[str, Stored]


def open_arrays(path: Path, format: str) -> Arrays:
    """The arrays in a file of one of these formats, none of them read yet; or BadData."""
    readers = {
        _formats.NPY: _open_npy,
        _formats.NPZ: _open_npz,
        _formats.SAFETENSORS: _open_safetensors,
        _formats.FVECS: _open_fvecs,
        _formats.CATALOGUE: _open_catalogue,
    }
    with _told_of(path):
        return readers[format](path)


@contextlib.contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Tell what is wrong with a file, whatever its parser raises at it."""
    try:
        yield
    except (BadData, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # EINVAL is for a place before the beginning, which an archive may name
        message = str(error).removeprefix(f"{path}: ") or type(error).__name__
        raise BadData(message, path) from None


def _open_npy(path: Path) -> Arrays:
    with open(path, "rb") as file:
        shape, order, dtype = _npy_header(file)
        stored = _mapped(path, file.tell(), dtype, shape, order)
    return {VECTOR if len(shape) == 2 else ID: stored}


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], Order, np.dtype[Any]]:
    """The shape, order and dtype of an array; of objects there are only pickles."""
    version = npy.read_magic(file)
    if version not in READ_HEADER:
        raise ValueError(f"got version {version} of .npy, expected (1, 0) or (2, 0)")
    shape, is_fortran, dtype = READ_HEADER[version](file)
    if dtype.hasobject:
        raise ValueError(f"got an array of dtype {dtype}, expected numbers or strings")
    if any(length < 0 for length in shape):
        raise ValueError(f"got an array of shape {shape}")
    return shape, "F" if is_fortran else "C", dtype


def _mapped(
    path: Path, start: int, dtype: np.dtype[Any], shape: tuple[int, ...], order: Order = "C"
) -> Stored:
    """An array that begins somewhere in a file, which must be long enough."""
    end, size = start + math.prod(shape) * dtype.itemsize, os.path.getsize(path)
    if end > size:
        raise ValueError(f"got {size} bytes, expected {end} for shape {shape}: it was cut off")

    def load() -> Array:
        if not math.prod(shape) * dtype.itemsize:
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", start, shape, order)

    return Stored(dtype, shape, load)


def _open_npz(path: Path) -> Arrays:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        return {
            member.filename.removesuffix(".npy"): _member(path, archive, member)
            for member in members
        }


def _member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Stored:
    """An array of an archive: mapped if it is stored as it is, else read when it is wanted."""
    with archive.open(member) as file:
        shape, order, dtype = _npy_header(file)
        header = file.tell()
    is_stored = member.compress_type == zipfile.ZIP_STORED
    most = member.compress_size * (1 if is_stored else MOST_DEFLATED)
    if not header + math.prod(shape) * dtype.itemsize == member.file_size <= most:
        got = f"{member.filename}: got {member.file_size} bytes, of {member.compress_size}"
        raise ValueError(f"{got}, which cannot be shape {shape} of {dtype}")
    if is_stored:
        return _mapped(path, _start(path, member) + header, dtype, shape, order)

    @functools.cache
    def load() -> Array:
        with _told_of(path), zipfile.ZipFile(path) as again, again.open(member) as file:
            file.read(header)
            data = np.empty(math.prod(shape) * dtype.itemsize, np.uint8)
            for begin in range(0, len(data), CHUNK):  # a read in one would hold all of it twice
                part = data[begin : begin + CHUNK]
                part[:] = np.frombuffer(file.read(len(part)), np.uint8)
            file.read(1)  # at the end the checksum is looked at
            return np.ndarray(shape, dtype, data, order=order)

    return Stored(dtype, shape, load)


def _start(path: Path, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin: behind a header of its own, of 30 bytes and two texts."""
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        head = file.read(30)
    if len(head) < 30:
        raise ValueError(f"{member.filename}: it was cut off")
    texts = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return member.header_offset + 30 + texts


def _open_safetensors(path: Path) -> Arrays:
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(MOST_HEADER, os.path.getsize(path) - 8):
            raise ValueError(f"got a header of {length} bytes, expected one that fits the file")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: _tensor(path, 8 + length, name, entry) for name, entry in header.items()}


def _tensor(path: Path, first: int, name: str, entry: dict[str, Any]) -> Stored:
    try:
        dtype, shape = TENSOR_DTYPES[entry["dtype"]], tuple(entry["shape"])
        start, end = entry["data_offsets"]
        is_whole = all(type(number) is int and number >= 0 for number in (*shape, start, end))
    except (KeyError, TypeError, ValueError):
        is_whole = False
    if not is_whole or end - start != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name}: got {json.dumps(entry)[:200]}, which is no tensor of ours")
    return _mapped(path, first + start, dtype, shape)


def _open_fvecs(path: Path) -> Arrays:
    """Rows of float32, each behind its length as an int32."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        dim = int.from_bytes(file.read(4), "little", signed=True)
    if not 0 < dim <= size // 4 - 1:
        raise ValueError(f"got a vector of length {dim} in {size} bytes")
    count = size // (4 + 4 * dim)
    words = _mapped(path, 0, np.dtype("<i4"), (count, 1 + dim)).load()
    differs = words[:, 0] != dim
    if differs.any():
        row = int(differs.argmax())
        got = f"got a vector of length {words[row, 0]}, expected {dim} as before it"
        raise BadData(got, path, row=row)
    if size % (4 + 4 * dim):
        raise ValueError(f"got {size} bytes, expected a multiple of {4 + 4 * dim}: it was cut off")
    return {VECTOR: Stored(np.dtype("<f4"), (count, dim), lambda: words[:, 1:].view("<f4"))}


def _open_catalogue(path: Path) -> Arrays:
    """The items of a catalogue that was saved, and their ids."""
    catalogue = Catalogue.open(path)
    items = catalogue._state.pieces[0].items
    ids = catalogue.ids
    return {
        ID: Stored(ids.dtype, ids.shape, lambda: ids),
        VECTOR: Stored(items.dtype, items.shape, lambda: items),
    }


__all__ = ["ID", "VECTOR", "Array", "Arrays", "Stored", "open_arrays"]
