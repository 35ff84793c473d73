"""Arrays of a file as a table: those of one length are its columns.

Vectors are a matrix, ids an array of numbers or strings. What else there may be in the file, of
other shapes, is no column. Slices of rows go to Arrow as they lie in the mapped file, unless they
are strided, misaligned, or of a dtype that Arrow has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from cosim_rs._floats import as_floats, named
from cosim_rs._tensors import BFLOAT16
from cosim_rs.cli import _array_files
from cosim_rs.cli._errors import BadData, BadOption
from cosim_rs.cli._formats import NPY, format_of
from cosim_rs.cli._stored import ID, VECTOR, Array, Arrays, Stored

UNIT = 1 << 16


class ArrayTable:
    """A file of arrays; its units are slices of them."""

    def __init__(self, path: Path, format: str, ids: Path | None = None) -> None:
        self.path = path
        arrays = _array_files.open_arrays(path, format)
        if ids is not None:
            arrays |= {ID: _ids_of(ids, arrays)}
        kept = {name: stored for name, stored in arrays.items() if _is_column(stored)}
        lengths = {stored.shape[0] for stored in kept.values() if len(stored.shape) == 2}
        lengths = lengths or {stored.shape[0] for stored in kept.values()}
        if len(lengths) != 1:
            wanted = "vectors (N, D) of floats or whole numbers, of 64 bits at most"
            raise BadData(f"got {_shown(arrays)}, expected {wanted}", path)
        (self._rows,) = lengths
        self._arrays = {name: kept[name] for name in kept if kept[name].shape[0] == self._rows}
        self.schema = pa.schema([(name, _kind(kept[name])) for name in self._arrays])
        starts = range(0, self._rows, UNIT)
        self.units = [min(UNIT, self._rows - start) for start in starts]

    def batches(self, unit: int, columns: Sequence[str], size: int) -> Iterable[pa.RecordBatch]:
        """Read columns of a slice."""
        schema = pa.schema([self.schema.field(name) for name in columns])
        arrays = [self._arrays[name].load() for name in columns]
        end = unit * UNIT + self.units[unit]
        for begin in range(unit * UNIT, end, size):
            rows = [array[begin : min(end, begin + size)] for array in arrays]
            made = [self._column(name, row) for name, row in zip(columns, rows, strict=True)]
            yield pa.RecordBatch.from_arrays(made, schema=schema)

    def _column(self, name: str, rows: Array) -> pa.Array:
        if rows.dtype.kind == "T":  # which Arrow does not know
            return pa.array(rows.tolist(), pa.string())
        if rows.dtype == BFLOAT16:
            rows = as_floats(rows, np.dtype(np.float32))
        rows = np.require(rows, rows.dtype.newbyteorder("="), ["C", "A"])
        if rows.ndim == 2:
            return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])
        try:
            return pa.array(rows).cast(_kind(self._arrays[name]))
        except pa.ArrowInvalid as error:  # bytes that are no UTF-8
            raise BadData(str(error), self.path, column=name) from None


def _ids_of(path: Path, arrays: Arrays) -> Stored:
    """The ids in a file of their own, for the vectors of a file without."""
    if list(arrays) != [VECTOR]:
        raise BadOption(f"--ids: got {path}, expected none for a file that has names of its own")
    format = format_of(path)
    if format != NPY:
        raise BadOption(f"--ids: got {path}, {format}, expected {NPY}")
    found = _array_files.open_arrays(path, NPY)
    count = arrays[VECTOR].shape[0]
    if [stored.shape for stored in found.values()] != [(count,)]:
        raise BadData(f"got {_shown(found)}, expected ids ({count},), one a vector", path)
    (stored,) = found.values()
    return stored


def _is_column(stored: Stored) -> bool:
    """Whether an array can be a column: numbers that Arrow has, or strings."""
    is_number = stored.dtype.kind in "iuf" and stored.dtype.itemsize <= 8
    if len(stored.shape) == 2:
        return (is_number or stored.dtype == BFLOAT16) and stored.shape[1] > 0
    return len(stored.shape) == 1 and (is_number or stored.dtype.kind in "UST")


def _kind(stored: Stored) -> pa.DataType:
    if stored.dtype.kind in "UST":
        return pa.string()
    is_wide = stored.dtype == BFLOAT16
    kind = pa.float32() if is_wide else pa.from_numpy_dtype(stored.dtype.newbyteorder("="))
    return pa.list_(kind, stored.shape[1]) if len(stored.shape) == 2 else kind


def _shown(arrays: Arrays) -> str:
    """Arrays, for an error."""
    shown = [f"{name} {named(stored.dtype)} {stored.shape}" for name, stored in arrays.items()]
    return ", ".join(shown) or "no arrays"


__all__ = ["ArrayTable"]
