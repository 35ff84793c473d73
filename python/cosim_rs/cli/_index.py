"""`cosim-rs index`: files of items to a catalogue's file."""

from __future__ import annotations

import os
import time

from cosim_rs._catalogue import Catalogue
from cosim_rs.cli._options import (
    Options,
    Verbs,
    add_columns,
    add_inputs,
    add_output,
    add_threads,
    add_verb,
    check_output,
    described_ids,
    told,
)

MORE = """
The catalogue holds the vectors, their 8-bit codes, by which it is searched, and their ids. It is a
safetensors file, which `cosim-rs top-k` and cosim_rs.Catalogue.open map.

Files are Parquet, Arrow IPC (also Feather), .npy, .npz, safetensors or .fvecs; of a folder all are
read but those that begin with _ or a dot. Several files must have the same columns. Columns that
are not named are guessed if there is only one choice, and the guess is said. Without ids, an item
is known by its row, counted on from one file to the next.

A vector that is null, or has a null, a NaN or an infinity in it, is left out, and counted. A vector
of another length than the first, an id that is there twice, or a null id is an error that names
file, column and row.
"""

EXAMPLES = """
  cosim-rs index items.parquet -o items.safetensors
  cosim-rs index items/ --id-column item_id --vector-column embedding -o items.safetensors
  cosim-rs index vectors.npy --ids ids.npy -o items.safetensors
"""


def add_to(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = add_verb(verbs, "index", run, "Prepare items to be searched.", MORE, EXAMPLES)
    add_inputs(parser, "items")
    add_output(parser, "the catalogue's file")
    add_columns(parser)
    add_threads(parser)


def run(options: Options) -> None:
    """Read the items, prepare the catalogue, and save it."""
    from cosim_rs.cli._items import read_items
    from cosim_rs.cli._tables import open_tables

    check_output(options)
    begin = time.monotonic()
    tables = open_tables(options.items, ids=options.ids)
    items = read_items(tables, options.id_column, options.vector_column)
    catalogue = Catalogue(items.vectors, items.ids, threads=options.threads)
    catalogue.save(options.output)
    count, dim = items.vectors.shape
    ids = "their rows" if items.ids is None else described_ids(items.ids.dtype)
    size = os.path.getsize(options.output)
    print(f"{options.output}: {count:,} items of {dim} {items.vectors.dtype}, {size / 1e6:,.1f} MB")
    print(f"ids: {ids}")
    told(items.skipped, sum(sum(table.units) for table in tables), time.monotonic() - begin)


__all__ = ["add_to", "run"]
