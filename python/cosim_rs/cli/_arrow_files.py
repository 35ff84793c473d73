"""Parquet and Arrow IPC files as tables.

Each call opens the file for itself, which costs little beside what it reads, so threads share no
reader. What Arrow finds wrong with a file is bad data, whichever of its errors it raises.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cosim_rs.batch._plain import plain
from cosim_rs.cli._errors import BadData


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tell what Arrow does not take of a file; what the system does not give is told as it is.

    That Arrow has not the memory that a file asks for is among the former.
    """
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadData(f"it cannot be read: {error}", path) from None


def checked(schema: pa.Schema) -> pa.Schema:
    """A schema of which all names are text and can be told."""
    _ = schema.names, str(schema)
    return schema


READ_BYTES = 1 << 18
"""Of each column at a time."""


class ParquetTable:
    """A Parquet file; its units are its row groups."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path), pq.ParquetFile(path) as file:
            self._metadata = file.metadata
            self.schema = checked(file.schema_arrow)
        groups = range(self._metadata.num_row_groups)
        self.units = [self._metadata.row_group(group).num_rows for group in groups]

    def batches(self, unit: int, columns: Sequence[str], size: int) -> Iterable[pa.RecordBatch]:
        """Read columns of a row group."""
        # A row group is read bit by bit: by default all of it is there before the first batch.
        options = {"metadata": self._metadata, "pre_buffer": False, "buffer_size": READ_BYTES}
        with reading(self.path), pq.ParquetFile(self.path, **options) as file:
            wanted = {"row_groups": [unit], "columns": list(columns), "use_threads": False}
            for batch in file.iter_batches(size, **wanted):
                yield from cut(batch, columns, size)


class ArrowTable:
    """An Arrow IPC file, also called Feather, which is mapped; its units are its record batches."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path), self._opened() as file:
            self.schema = checked(file.schema)
            count = file.num_record_batches
        narrow = [at for at, field in enumerate(self.schema) if not field.type.num_fields]
        with reading(path), self._opened(narrow[:1]) as file:
            self.units = [file.get_batch(unit).num_rows for unit in range(count)]

    @contextlib.contextmanager
    def _opened(self, fields: Sequence[int] = ()) -> Iterator[Any]:
        """Open the file, for some of its columns or all."""
        options = pa.ipc.IpcReadOptions(included_fields=list(fields) or None)
        with (
            pa.memory_map(str(self.path)) as source,
            pa.ipc.open_file(source, options=options) as file,
        ):
            yield file

    def batches(self, unit: int, columns: Sequence[str], size: int) -> Iterable[pa.RecordBatch]:
        """Read columns of a record batch."""
        fields = [self.schema.get_field_index(name) for name in columns]
        with reading(self.path), self._opened(fields) as file:
            yield from cut(file.get_batch(unit), columns, size)


class ArrowStreamTable:
    """An Arrow IPC stream, which can only be read from its beginning, so it is one unit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path), self._opened() as stream:
            self.schema = checked(stream.schema)
            self.units = [sum(batch.num_rows for batch in stream)]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        with pa.memory_map(str(self.path)) as source, pa.ipc.open_stream(source) as stream:
            yield stream

    def batches(self, unit: int, columns: Sequence[str], size: int) -> Iterable[pa.RecordBatch]:
        """Read columns of all of it."""
        with reading(self.path), self._opened() as stream:
            for batch in stream:
                yield from cut(batch, columns, size)


def cut(batch: pa.RecordBatch, columns: Sequence[str], size: int) -> Iterable[pa.RecordBatch]:
    """Columns of a record batch in a plain form, so many rows at a time, mostly where they lie.

    Offsets that lead out of a file, which Arrow does not look at by itself, are an error here, and
    not the end of the process.
    """
    chosen = batch.select(list(columns))
    chosen.validate(full=True)
    pieces = (chosen.slice(begin, size) for begin in range(0, len(chosen), size))
    return (
        pa.RecordBatch.from_arrays([plain(column) for column in piece.columns], list(columns))
        for piece in pieces
    )
