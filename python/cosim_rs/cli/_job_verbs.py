"""The verbs that are jobs: their options made a source, a scorer and an output."""

from __future__ import annotations

import pyarrow as pa

from cosim_rs._cosim_rs import __version__
from cosim_rs.batch import BatchScorer, ColumnError, ListScorer, PairScorer
from cosim_rs.batch._columns import plain
from cosim_rs.batch._opened import Opened
from cosim_rs.batch._results import RESULT
from cosim_rs.cli import _job_columns as columns
from cosim_rs.cli._errors import BadData, BadOption
from cosim_rs.cli._job import Job
from cosim_rs.cli._job_inputs import Inputs, check_apart, open_catalogue
from cosim_rs.cli._job_output import Output
from cosim_rs.cli._job_rows import Source
from cosim_rs.cli._job_seen import COLUMN, Seen
from cosim_rs.cli._options import Options, as_option
from cosim_rs.cli._tables import is_ids, open_table, open_tables, pick_columns, shown

BATCH_ROWS = 8192
MOST_FOUND = 100 * BATCH_ROWS
"""Of a batch: with many items a row, it has fewer rows."""


def top_k(options: Options) -> None:
    """Find the best items of each row."""
    files = {"ids": options.ids, "exclude": options.exclude, "allow": options.allow}
    check_apart(options.output, [*options.users, options.catalogue, *files.values()])
    tables = open_tables(options.users, ids=options.ids)
    # With a file of what was seen, the option names a column of that.
    excluded = None if options.exclude else options.exclude_column
    ids, vectors, lists = _searched(options, tables[0].schema, excluded)
    inputs = Inputs(tables, options.catalogue, **files)
    output = _output(options, inputs)
    items = open_catalogue(options.catalogue)
    scorer = BatchScorer(
        options.catalogue,
        options.k,
        id_column=ids,
        vector_column=vectors,
        exclude_column=COLUMN if options.exclude else excluded,
        candidates_column=options.candidates_column,
        allow=_allowed(options.allow, items),
        min_score=options.min_score,
        format=options.format,
        threads=options.threads,
    )
    seen = None
    if options.exclude and ids is not None:
        seen = Seen(open_table(options.exclude), ids, options.exclude_column, items)
    read = [ids, vectors, *lists] if ids is not None else [vectors, *lists]
    size = max(1, min(BATCH_ROWS, MOST_FOUND // options.k))
    source = Source(tables, read, size, seen, ids)
    Job(source, scorer, output, inputs).run()


def _searched(
    options: Options, schema: pa.Schema, excluded: str | None
) -> tuple[str | None, str, list[str]]:
    """The columns of ids, of vectors and of lists."""
    lists = {"--exclude-column": excluded, "--candidates-column": options.candidates_column}
    first = {"--id-column": options.id_column, "--vector-column": options.vector_column}
    columns.check_distinct(first | lists)
    named = [
        columns.named(schema, option, name) for option, name in lists.items() if name is not None
    ]
    left = columns.without(schema, named)
    ids, vectors = pick_columns(left, options.id_column, options.vector_column)
    if ids is None and (options.exclude or options.format == "long"):
        raise BadOption(f"--id-column: found no column of ids among {shown(schema)}")
    columns.check_free({"--id-column": ids}, RESULT[options.format])
    return ids, vectors, named


def score(options: Options) -> None:
    """Score the pair, or the list, of each row."""
    check_apart(options.output, [*options.rows, options.catalogue])
    tables = open_tables(options.rows)
    ids, first, second = _scored(options, tables[0].schema)
    scorer = (
        PairScorer(first, second, ids, options.threads)
        if options.catalogue is None
        else ListScorer(options.catalogue, first, second, ids, options.threads)
    )
    read = [first, second] if ids is None else [ids, first, second]
    inputs = Inputs(tables, options.catalogue)
    Job(Source(tables, read, BATCH_ROWS), scorer, _output(options, inputs), inputs).run()


def _scored(options: Options, schema: pa.Schema) -> tuple[str | None, str, str]:
    """The column of ids, and the two that are scored."""
    names = columns.scored(options, schema)
    given = {as_option(name): getattr(options, name) for name in ("id_column", *names)}
    columns.check_distinct(given)
    first, second = map(as_option, names)
    is_pair = options.catalogue is None
    other = (columns.vectors_named if is_pair else columns.named)(schema, second, given[second])
    if given[first] is not None:  # by an option that may be another than the one that is guessed
        columns.vectors_named(schema, first, given[first])
    left = columns.without(schema, [other])
    ids, vectors = pick_columns(left, options.id_column, given[first])
    if is_pair:
        columns.check_free({"--id-column": ids}, ["score"])
    else:
        columns.check_free({"--id-column": ids, second: other}, ["scores"])
    return ids, vectors, other


def _allowed(path: str | None, items: Opened) -> pa.Array | None:
    """The ids in a file, of which each must be an item's."""
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
    ids = pa.chunked_array(pieces, pieces[0].type if pieces else pa.null()).combine_chunks()
    try:
        unknown = items.find(names[0], ids) < 0
    except ColumnError as error:
        raise BadData(error.problem, path, column=names[0]) from None
    if unknown.any():
        row = int(unknown.argmax())
        got = f"got {ids[row].as_py()!r}, expected an id of the catalogue"
        raise BadData(got, path, column=names[0], row=row)
    return ids


def _output(options: Options, inputs: Inputs) -> Output:
    """Where the parts go. They are of one run if all is alike that they depend on."""
    check_apart(options.output, inputs.paths)  # those of folders, which may be links
    names = ["k", "format", "min_score", *(name for name in vars(options) if "column" in name)]
    run = {
        "version": __version__,
        "verb": options.verb,
        **{name: getattr(options, name) for name in names if name in options},
        **inputs.run,
    }
    return Output(options.output, run, resume=options.resume, overwrite=options.overwrite)


__all__ = ["score", "top_k"]
