"""Files for the command line's tests, and the command line in this process."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from helpers import gaussian_rows
from safetensors.numpy import save_file

import cosim_rs
from cosim_rs.cli import main

Array = npt.NDArray[Any]


class Outcome(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


def cosim_rs_command(*arguments: object) -> Outcome:
    """Run the command line here; nothing of it is a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return Outcome(code, out.getvalue(), err.getvalue())


def done(*arguments: object) -> Outcome:
    """Run it, and raise unless it does what it is told."""
    outcome = cosim_rs_command(*arguments)
    assert outcome.code == 0, outcome
    return outcome


def refusal(code: int, *arguments: object) -> str:
    """Run it, and return the one line that it ends with, less how that begins."""
    outcome = cosim_rs_command(*arguments)
    assert outcome.code == code, outcome
    line = outcome.err.splitlines()[-1]
    begin = {1: "failed: ", 2: "error: ", 3: "bad data: "}[code]
    assert begin in line, outcome
    assert "Traceback" not in outcome.err
    return line.partition(begin)[2]


def vectors_column(rows: Array) -> pa.Array:
    """Rows as a column of lists of one length."""
    flat = pa.array(np.ascontiguousarray(rows).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])


def write_parquet(path: Path, columns: dict[str, Any], rows: int | None = None) -> Path:
    """Write columns, matrices as columns of vectors, in row groups of so many rows."""
    made = {
        name: vectors_column(column) if getattr(column, "ndim", 1) == 2 else column
        for name, column in columns.items()
    }
    pq.write_table(pa.table(made), path, row_group_size=rows)
    return path


def write_arrow(path: Path, table: pa.Table, *, stream: bool = False, **options: Any) -> Path:
    """Write an Arrow IPC file, or stream, of record batches of 30 rows."""
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(path, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=30)
    return path


def write_fvecs(path: Path, rows: Array) -> Path:
    """Write vectors, each behind its length."""
    lengths = np.full((len(rows), 1), rows.shape[1], "<i4")
    path.write_bytes(np.hstack([lengths, rows.astype("<f4").view("<i4")]).tobytes())
    return path


def write_npy(path: Path, array: Any) -> Path:
    """Write an array."""
    np.save(path, array)
    return path


def _npz(save: Callable[..., None], path: Path, ids: Array, rows: Array) -> Path:
    save(path, id=ids, vector=rows)
    return path


def _safetensors(path: Path, ids: Array, rows: Array) -> Path:
    save_file({"id": ids, "vector": rows}, path)
    return path


def _catalogue(path: Path, ids: Array, rows: Array) -> Path:
    cosim_rs.Catalogue(rows, ids).save(path)
    return path


def _table(ids: Array, rows: Array) -> pa.Table:
    return pa.table({"id": ids, "vector": vectors_column(rows)})


# Each writes ids and vectors, and returns the file; those of .npy and .fvecs have no ids.
WRITERS: dict[str, Callable[[Path, Array, Array], Path]] = {
    "Parquet": lambda path, ids, rows: write_parquet(path, {"id": ids, "vector": rows}, 30),
    "Arrow IPC": lambda path, ids, rows: write_arrow(path, _table(ids, rows)),
    "Arrow IPC, compressed": lambda path, ids, rows: write_arrow(
        path, _table(ids, rows), compression="zstd"
    ),
    "Arrow IPC stream": lambda path, ids, rows: write_arrow(path, _table(ids, rows), stream=True),
    "npz": lambda path, ids, rows: _npz(np.savez, path, ids, rows),
    "npz, compressed": lambda path, ids, rows: _npz(np.savez_compressed, path, ids, rows),
    "safetensors": _safetensors,
    "catalogue": _catalogue,
    "npy": lambda path, ids, rows: write_npy(path, rows),
    "fvecs": lambda path, ids, rows: write_fvecs(path, rows),
}
NAMELESS = ("npy", "fvecs")


def write(folder: Path, format: str, ids: Array, rows: Array) -> tuple[Path, Path | None]:
    """Write a file of a format; and one of the ids, if they are not in it."""
    path = WRITERS[format](folder / f"items.{format.partition(',')[0].lower()}", ids, rows)
    return path, write_npy(folder / "ids.npy", ids) if format in NAMELESS else None


def items(count: int = 100, dim: int = 20) -> tuple[Array, Array]:
    """Ids in no order, and vectors."""
    return np.random.default_rng(3).permutation(count) * 7, gaussian_rows(count, dim)
