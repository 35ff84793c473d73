"""`cosim-rs info`: what is in a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cosim_rs._catalogue import Catalogue
from cosim_rs._floats import named
from cosim_rs.cli import _formats
from cosim_rs.cli._array_files import open_arrays
from cosim_rs.cli._errors import BadData, BadOption
from cosim_rs.cli._options import Options, Verbs, add_verb, described_ids
from cosim_rs.cli._stored import ID, VECTOR

MORE = """
Of a catalogue: how many items, of which length and dtype, and their ids. Of any other file that
`cosim-rs index` reads: its rows and its columns, or its arrays. The vectors are not read.

With --verify all of a catalogue's file is read, and compared with its checksums.
"""

EXAMPLES = """
  cosim-rs info items.safetensors --verify
  cosim-rs info users.parquet
"""


def add_to(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = add_verb(verbs, "info", run, "Tell what is in a file.", MORE, EXAMPLES)
    parser.add_argument("file", type=Path, help="a catalogue's file, or one of vectors")
    parser.add_argument("--verify", action="store_true", help="check a catalogue's checksums")


def run(options: Options) -> None:
    """Tell what the file is."""
    path: Path = options.file
    format = _formats.format_of(path)
    if options.verify and format != _formats.CATALOGUE:
        raise BadOption(f"--verify: got {path}, {format}, expected a catalogue, with checksums")
    lines = [("file", str(path)), ("format", format), ("size", f"{os.path.getsize(path):,} bytes")]
    if format == _formats.CATALOGUE:
        lines += _of_catalogue(path, options.verify)
    elif format in (_formats.PARQUET, _formats.ARROW, _formats.ARROW_STREAM):
        lines += _of_table(path, format)
    else:
        lines += _of_arrays(path, format)
    for name, value in lines:
        print(f"{name + ':':<12}{value}")


def _of_catalogue(path: Path, verify: bool) -> Iterator[tuple[str, str]]:
    try:
        catalogue = Catalogue.open(path, verify=verify)
    except ValueError as error:
        raise BadData(str(error)) from None  # which names the file
    items = catalogue._state.pieces[0].items
    yield "items", f"{len(catalogue):,}"
    yield "vectors", f"{catalogue.dim} {named(items.dtype)}"
    yield "ids", described_ids(catalogue.ids.dtype)
    if catalogue._epsilon:
        yield "epsilon", repr(catalogue._epsilon)
    if verify:
        yield "checksums", "all match"


def _of_table(path: Path, format: str) -> Iterator[tuple[str, str]]:
    from cosim_rs.cli._tables import open_table

    table = open_table(path)
    units = {_formats.PARQUET: "row groups", _formats.ARROW: "record batches"}.get(format)
    yield "rows", f"{sum(table.units):,}" + (f", in {len(table.units):,} {units}" if units else "")
    for field in table.schema:
        yield "column", f"{field.name}, {field.type}"


def _of_arrays(path: Path, format: str) -> Iterator[tuple[str, str]]:
    for name, stored in open_arrays(path, format).items():
        shape = " x ".join(f"{length:,}" for length in stored.shape) or "one number"
        has_name = format in (_formats.NPZ, _formats.SAFETENSORS) or name not in (ID, VECTOR)
        yield "array", f"{name + ', ' if has_name else ''}{shape} {named(stored.dtype)}"


__all__ = ["add_to", "run"]
