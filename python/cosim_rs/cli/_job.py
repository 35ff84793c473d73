"""A job: all rows of some tables through a scorer, into a folder of parts.

A part is made of one unit of a table, or of several that follow each other if they are small. So
parts depend on nothing but the input, and any of them can be made again alone. While rows are
scored, with all threads, the next are read and the last are written; what is held is a few batches,
whatever the number of rows.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

import pyarrow as pa

from cosim_rs.batch import ColumnError, skipped
from cosim_rs.cli._errors import BadData
from cosim_rs.cli._job_inputs import Inputs
from cosim_rs.cli._job_output import Output
from cosim_rs.cli._job_overlap import ahead, behind
from cosim_rs.cli._job_part import Done, PartFile
from cosim_rs.cli._job_rows import Part, Piece, Source
from cosim_rs.cli._options import told
from cosim_rs.cli._progress import progress


@dataclass(frozen=True)
class Job:
    """Rows, what scores them, and where what comes of them goes."""

    source: Source
    score: Callable[[pa.RecordBatch], pa.RecordBatch]
    output: Output
    inputs: Inputs

    def run(self) -> None:
        """Do what is left to do, and tell what was done."""
        # What is wrong with the columns is found out before anything is written.
        schema = self.scored(self.source.nothing()).result.schema
        self.inputs.check()
        before = self.output.done
        left = [part for part in self.source.parts if part.name not in before]
        begin = time.monotonic()
        with self.output.begun():
            try:
                done = self._finished(left, schema)
            except BaseException:
                if count := self.output.count():
                    of = f"{count} of {len(self.source.parts)} parts"
                    print(f"finished {of}; with --resume the same command goes on", file=sys.stderr)
                raise
            self.output.end(_summary([*before.values(), *done.values()]))
        summary = _summary(list(done.values()))
        told(summary["skipped"], summary["rows"], max(time.monotonic() - begin, 1e-3))
        there = f", {len(before)} of them there before" if before else ""
        print(f"output: {self.output.folder}, {summary['parts'] + len(before)} parts{there}")

    def _finished(self, parts: Sequence[Part], schema: pa.Schema) -> dict[str, Done]:
        """Score and write some parts."""
        rows = sum(part.rows for part in parts)
        with (
            progress("scored", rows) as advance,
            Writer(self.output, schema, self.inputs) as writer,
            behind(writer.write) as write,
        ):
            for piece in ahead(self.source.pieces(parts)):
                write(self.scored(piece))
                advance(len(piece.rows))
        return writer.done

    def scored(self, piece: Piece) -> Scored:
        """Score some rows; BadData tells where a wrong one is."""
        path = piece.part.table.path
        try:
            return Scored(piece.part, len(piece.rows), self.score(piece.rows))
        except Exception as error:
            self.inputs.check(path)  # if the catalogue is another one by now, that is why
            if not isinstance(error, ColumnError):
                raise
            row = None if error.row is None else piece.first + error.row
            raise BadData(error.problem, path, column=error.column, row=row) from None


class Scored(NamedTuple):
    """What came of some rows."""

    part: Part
    rows: int
    result: pa.RecordBatch


class Writer:
    """Writes what came of the rows of parts, one part after the other, each in its order."""

    def __init__(self, output: Output, schema: pa.Schema, inputs: Inputs) -> None:
        self.done: dict[str, Done] = {}
        self._output, self._schema, self._inputs = output, schema, inputs
        self._open = ExitStack()
        self._part: Part | None = None
        self._file: PartFile

    def __enter__(self) -> Writer:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove a part that is not whole."""
        if self._part is not None and error is None:
            error = _cut_off(self._part)
            self._open.__exit__(type(error), error, None)
            raise error
        self._open.__exit__(kind, error, trace)

    def write(self, scored: Scored) -> None:
        """Write some rows; with its last ones, a part is finished."""
        if self._part is None:
            self._part = scored.part
            writing = self._output.writing(scored.part.name, self._schema)
            self._file = self._open.enter_context(writing)
        elif self._part is not scored.part:
            raise _cut_off(self._part)
        self._file.write(scored.result, scored.rows, skipped(scored.result))
        if self._file.rows == scored.part.rows:
            self._inputs.check(scored.part.table.path)
            self.done[scored.part.name], self._part = self._file.done(), None
            self._open.close()


def _cut_off(part: Part) -> BadData:
    return BadData("got fewer rows than it said that there are", part.table.path)


def _summary(parts: Sequence[Done]) -> dict[str, Any]:
    """All parts taken together."""
    skipped: Counter[str] = Counter()
    for part in parts:
        skipped.update(part.skipped)
    return {
        "rows": sum(part.rows for part in parts),
        "skipped": dict(skipped),
        "parts": len(parts),
    }


__all__ = ["Job"]
