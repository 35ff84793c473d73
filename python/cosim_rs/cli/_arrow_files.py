"""Parquet and Arrow IPC files as tables.

Each call opens the file for itself, which costs little beside what it reads, so threads share no
reader. What Arrow finds wrong with a file is bad data, whichever of its errors it raises.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cosim_rs.cli._errors import BadData


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tell what Arrow does not take of a file; what the system does not give is told as it is."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadData(f"it cannot be read: {error}", path) from None


class ParquetTable:
    """A Parquet file; its units are its row groups."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path), pq.ParquetFile(path) as file:
            self._metadata = file.metadata
            self.schema = file.schema_arrow
        groups = range(self._metadata.num_row_groups)
        self.units = [self._metadata.row_group(group).num_rows for group in groups]

    def batches(self, unit: int, columns: Sequence[str], size: int) -> Iterable[pa.RecordBatch]:
        """Read columns of a row group."""
        with reading(self.path), pq.ParquetFile(self.path, metadata=self._metadata) as file:
            wanted = {"row_groups": [unit], "columns": list(columns), "use_threads": False}
            for batch in file.iter_batches(size, **wanted):
                yield batch.select(list(columns))
