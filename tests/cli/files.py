"""Files for the command line's tests, and the command line in this process."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

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
