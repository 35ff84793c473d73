"""Files of arrays, by the names of their arrays: .npy, .npz, safetensors, .fvecs and catalogues.

Arrays are mapped; those that are compressed are read when they are asked for.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from cosim_rs._catalogue import Catalogue
from cosim_rs._tensors import BFLOAT16
from cosim_rs.cli import _formats
from cosim_rs.cli._errors import BadData
from cosim_rs.cli._npy_files import open_npy, open_npz
from cosim_rs.cli._stored import ID, VECTOR, Arrays, Stored, mapped, told_of

MOST_HEADER = 100 << 20  # bytes of a safetensors file's, as its own library has it
TENSOR_DTYPES = {
    **{f"F{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
    **{f"I{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
    "BF16": BFLOAT16,
    "BOOL": np.dtype(np.bool_),
}


def open_arrays(path: Path, format: str) -> Arrays:
    """The arrays in a file of one of these formats, none of them read yet; or BadData."""
    readers = {
        _formats.NPY: open_npy,
        _formats.NPZ: open_npz,
        _formats.SAFETENSORS: _open_safetensors,
        _formats.FVECS: _open_fvecs,
        _formats.CATALOGUE: _open_catalogue,
    }
    with told_of(path):
        return readers[format](path)


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
    return mapped(path, first + start, dtype, shape)


def _open_fvecs(path: Path) -> Arrays:
    """Rows of float32, each behind its length as an int32."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        dim = int.from_bytes(file.read(4), "little", signed=True)
    if not 0 < dim <= size // 4 - 1:
        raise ValueError(f"got a vector of length {dim} in {size} bytes")
    count = size // (4 + 4 * dim)
    words = mapped(path, 0, np.dtype("<i4"), (count, 1 + dim)).load()
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


__all__ = ["open_arrays"]
