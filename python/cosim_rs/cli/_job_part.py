"""One part of a job's output: a Parquet file that says in its footer which run it is part of."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

KEY = b"cosim_rs.part"
"""Of the footer."""
GROUP_BYTES = 16 << 20
"""About what a row group takes before it is encoded: enough for readers, little to hold."""


class Done(NamedTuple):
    """A finished part, as its footer tells."""

    run: str
    """The hash of the run."""
    rows: int
    """How many rows of the input it is made of."""
    skipped: dict[str, int]
    """How much of them was skipped, by the reason."""


def read_done(path: Path) -> Done | None:
    """What the footer of a part tells, if only that it is of no run; None if it cannot be read."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (pa.ArrowException, OSError):
        return None
    return Done(**json.loads(metadata[KEY])) if KEY in metadata else Done("", 0, {})


class PartFile:
    """A part that is being written to a file, and whole after a ``with`` that ends well."""

    def __init__(self, file: IO[bytes], schema: pa.Schema, run: str) -> None:
        self._schema = schema.remove_metadata()
        self._writer = pq.ParquetWriter(file, self._schema, **_encoding(self._schema))
        self._run = run
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self.rows = 0
        self._skipped: Counter[str] = Counter()

    def __enter__(self) -> PartFile:
        """Begin."""
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        """Write what is left, and the footer."""
        try:
            if kind is None:
                self._write_held()
                done = self.done()
                self._writer.add_key_value_metadata({KEY: json.dumps(done._asdict())})
        finally:
            self._writer.close()

    def done(self) -> Done:
        """What the footer will tell."""
        return Done(self._run, self.rows, dict(sorted(self._skipped.items())))

    def write(self, result: pa.RecordBatch, rows: int, skipped: dict[str, int]) -> None:
        """Add what came of so many rows."""
        self._held.append(result.replace_schema_metadata(None))
        self._held_bytes += result.nbytes
        if self._held_bytes >= GROUP_BYTES:
            self._write_held()
        self.rows += rows
        self._skipped.update(skipped)

    def _write_held(self) -> None:
        table = pa.Table.from_batches(self._held, self._schema)
        self._held, self._held_bytes = [], 0
        if len(table):
            self._writer.write_table(table, row_group_size=len(table))


def _encoding(schema: pa.Schema) -> dict[str, Any]:
    """Ids of items recur, so a dictionary suits them, and nothing else."""
    del schema
    return {"compression": "zstd"}


__all__ = ["Done", "PartFile", "read_done"]
