"""Arrays in NumPy's own files, .npy and .npz, of which nothing is ever unpickled."""

from __future__ import annotations

import functools
import math
import zipfile
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.lib import format as npy

from cosim_rs.cli._stored import ID, VECTOR, Array, Arrays, Stored, mapped, told_of

MOST_DEFLATED = 1032  # times the bytes that they are deflated to
CHUNK = 4 << 20
READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def open_npy(path: Path) -> Arrays:
    """The one array of a file."""
    with open(path, "rb") as file:
        shape, order, dtype = _npy_header(file)
        stored = mapped(path, file.tell(), dtype, shape, order)
    return {VECTOR if len(shape) == 2 else ID: stored}


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype[Any]]:
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


def open_npz(path: Path) -> Arrays:
    """The arrays of an archive."""
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
        return mapped(path, _start(path, member) + header, dtype, shape, order)

    @functools.cache
    def load() -> Array:
        with told_of(path), zipfile.ZipFile(path) as again, again.open(member) as file:
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


__all__ = ["open_npy", "open_npz"]
