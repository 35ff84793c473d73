"""The verbs that are jobs: their options made a source, a scorer and an output."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from cosim_rs._cosim_rs import __version__
from cosim_rs.batch import BatchScorer, ListScorer, PairScorer
from cosim_rs.batch._columns import plain
from cosim_rs.batch._opened import opened
from cosim_rs.cli._errors import BadData, BadOption
from cosim_rs.cli._job import Job
from cosim_rs.cli._job_output import Output
from cosim_rs.cli._job_rows import Source
from cosim_rs.cli._job_seen import COLUMN, Seen
from cosim_rs.cli._options import Options
from cosim_rs.cli._tables import Table, is_ids, open_table, open_tables, pick_columns, shown

BATCH_ROWS = 8192
MOST_FOUND = 100 * BATCH_ROWS
"""Of a batch: with many items a row, it has fewer rows."""


def top_k(options: Options) -> None:
    """Find the best items of each row."""
    tables = open_tables(options.users, ids=options.ids)
    schema = tables[0].schema
    # With a file of what was seen, the option names a column of that.
    excluded = None if options.exclude else options.exclude_column
    lists = [
        _named(schema, option, name)
        for option, name in (
            ("--exclude-column", excluded),
            ("--candidates-column", options.candidates_column),
        )
        if name is not None
    ]
    ids, vectors = pick_columns(_without(schema, lists), options.id_column, options.vector_column)
    if ids is None and (options.exclude or options.format == "long"):
        raise BadOption(f"--id-column: found no column of ids among {shown(schema)}")
    output = _output(options, tables, [options.ids, options.exclude, options.allow])
    scorer = BatchScorer(
        options.catalogue,
        options.k,
        id_column=ids,
        vector_column=vectors,
        exclude_column=COLUMN if options.exclude else excluded,
        candidates_column=options.candidates_column,
        allow=_allowed(options.allow),
        min_score=options.min_score,
        format=options.format,
        threads=options.threads,
    )
    seen = None
    if options.exclude and ids is not None:
        seen = Seen(open_table(options.exclude), ids, options.exclude_column)
    columns = [ids, vectors, *lists] if ids is not None else [vectors, *lists]
    size = max(1, min(BATCH_ROWS, MOST_FOUND // options.k))
    source = Source(tables, columns, size, seen, ids)
    Job(source, scorer, output).run()


def score(options: Options) -> None:
    """Score the pair, or the list, of each row."""
    tables = open_tables(options.rows)
    schema = tables[0].schema
    first, second = _scored(options, schema)
    other = _named(schema, _option(second), getattr(options, second))
    left = _without(schema, [other])
    ids, vectors = pick_columns(left, options.id_column, getattr(options, first))
    scorer = (
        PairScorer(vectors, other, ids, options.threads)
        if options.catalogue is None
        else ListScorer(options.catalogue, vectors, other, ids, options.threads)
    )
    columns = [vectors, other] if ids is None else [ids, vectors, other]
    output = _output(options, tables, [])
    Job(Source(tables, columns, BATCH_ROWS), scorer, output).run()


PAIR, LIST = ("x_column", "y_column"), ("vector_column", "candidates_column")


def _scored(options: Options, schema: pa.Schema) -> tuple[str, str]:
    """The options that name the two columns, with a catalogue or without, and no others may."""
    wanted, others = (PAIR, LIST) if options.catalogue is None else (LIST, PAIR)
    for name in others:
        if getattr(options, name) is not None:
            needs = "needs" if others is LIST else "does without"
            got = f"got {getattr(options, name)!r}"
            raise BadOption(f"{_option(name)}: {got}, which {needs} --catalogue")
    for name in wanted:
        # Vectors beside lists of ids can be told from them.
        if getattr(options, name) is None and name != "vector_column":
            raise BadOption(f"{_option(name)}: expected one of {shown(schema)}")
    return wanted


def _named(schema: pa.Schema, option: str, name: str) -> str:
    """A column that an option names."""
    if schema.names.count(name) != 1:
        raise BadOption(f"{option}: got {name!r}, expected one of {shown(schema)}")
    return name


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _without(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in names])


def _allowed(path: str | None) -> pa.Array | None:
    """The ids in a file."""
    if path is None:
        return None
    table = open_table(path)
    names = [field.name for field in table.schema if is_ids(field)]
    if len(names) != 1:
        raise BadOption(f"--allow: expected one column of ids in {path}: {shown(table.schema)}")
    pieces = [
        plain(batch.column(0))
        for unit in range(len(table.units))
        for batch in table.batches(unit, names, BATCH_ROWS)
    ]
    return pa.chunked_array(pieces, pieces[0].type if pieces else pa.null()).combine_chunks()


def _output(options: Options, tables: Sequence[Table], files: Sequence[str | None]) -> Output:
    """Where the parts go. They are of one run if all is alike that they depend on."""
    names = ["k", "format", "min_score", *(name for name in vars(options) if "column" in name)]
    paths = [table.path for table in tables] + [Path(file) for file in files if file is not None]
    run = {
        "version": __version__,
        "verb": options.verb,
        **{name: getattr(options, name) for name in names if name in options},
        "catalogue": None if options.catalogue is None else _fingerprint(options.catalogue),
        "files": [_file(path) for path in paths],
    }
    return Output(options.output, run, resume=options.resume, overwrite=options.overwrite)


def _fingerprint(path: str) -> str:
    """What tells one catalogue from another, wherever it lies."""
    try:
        return opened(path).fingerprint
    except ValueError as error:  # which names the file
        raise BadData(str(error)) from None


def _file(path: Path) -> dict[str, Any]:
    """A file, and what changes when it does."""
    status = path.stat()
    return {
        "path": os.path.abspath(path),
        "bytes": status.st_size,
        "modified": status.st_mtime_ns,
    }


__all__ = ["score", "top_k"]
