"""`cosim-rs mine`: the pairs of items that are most alike."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cosim_rs._mining import Pairs, mined
from cosim_rs._replacing import replacing
from cosim_rs.cli._array_files import open_arrays
from cosim_rs.cli._errors import BadOption
from cosim_rs.cli._formats import CATALOGUE, format_of
from cosim_rs.cli._options import (
    Options,
    Verbs,
    add_columns,
    add_inputs,
    add_output,
    add_threads,
    add_verb,
    as_option,
    at_least_one,
    check_output,
    told,
)
from cosim_rs.cli._stored import ID, VECTOR

if TYPE_CHECKING:
    from cosim_rs.cli._items import Items

MORE = """
Each two items that score at least --min-score are a row of the output: item_id, other_id and score,
best first. All such pairs are found, exactly, though not all are scored. With --max-pairs the best
of them are kept, and memory is needed for twice as many; without, for all.

Items are read as `cosim-rs index` reads them, or are those of a catalogue.
"""

EXAMPLES = """
  cosim-rs mine items.parquet --min-score 0.95 -o pairs.parquet
  cosim-rs mine items.safetensors --min-score 0.9 --max-pairs 1000 -o pairs.csv
"""

ENDINGS = (".parquet", ".csv")


def add_to(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = add_verb(verbs, "mine", run, "Find near-duplicates among items.", MORE, EXAMPLES)
    add_inputs(parser, "items")
    add_output(parser, "the pairs, as .parquet or .csv")
    parser.add_argument(
        "--min-score", type=score, required=True, metavar="S", help="the least score of a pair"
    )
    parser.add_argument(
        "--max-pairs", type=at_least_one, metavar="N", help="find no more than so many, the best"
    )
    add_columns(parser)
    add_threads(parser)


def score(text: str) -> float:
    """Read a score, from -1 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not -1 <= number <= 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from -1 to 1")
    return number


def run(options: Options) -> None:
    """Read the items, find the pairs, and write them."""
    from cosim_rs.cli._progress import progress

    check_output(options)
    if not options.output.endswith(ENDINGS):
        raise BadOption(f"-o: got {options.output}, expected a name that ends in .parquet or .csv")
    begin = time.monotonic()
    items, rows = _items(options)
    found, threads = (options.min_score, options.max_pairs), options.threads
    with progress("mining", len(items.vectors), "items") as advance:
        so_far = 0

        def tell(done: int) -> None:
            nonlocal so_far
            advance(done - so_far)
            so_far = done

        pairs = mined(items.vectors, None, *found, tell, threads)
    _write(options.output, items.ids, pairs)
    print(f"{options.output}: {len(pairs.scores):,} pairs")
    told(items.skipped, rows, time.monotonic() - begin)


def _items(options: Options) -> tuple[Items, int]:
    """The items, and of how many rows they are; those of a catalogue where they lie."""
    from cosim_rs.cli._items import Items, read_items
    from cosim_rs.cli._tables import open_tables

    first = Path(options.items[0])
    if len(options.items) == 1 and first.is_file() and format_of(first) == CATALOGUE:
        for name in ("ids", "id_column", "vector_column"):
            if getattr(options, name) is not None:
                got = f"got {getattr(options, name)!r}"
                raise BadOption(f"{as_option(name)}: {got}, expected none for a catalogue")
        arrays = open_arrays(first, CATALOGUE)
        vectors = arrays[VECTOR].load()
        return Items(vectors, arrays[ID].load(), Counter()), len(vectors)
    tables = open_tables(options.items, ids=options.ids)
    items = read_items(tables, options.id_column, options.vector_column)
    return items, sum(sum(table.units) for table in tables)


def _write(path: str, ids: NDArray[Any] | None, pairs: Pairs) -> None:
    """Write the pairs to a file, which is there when it is whole."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    from cosim_rs.batch._naming import Naming

    sides = [pa.array(side) for side in (pairs.i, pairs.j)]
    if ids is not None:
        sides = [Naming.of(ids).ids.take(side) for side in sides]
    table = pa.table([*sides, pa.array(pairs.scores)], ["item_id", "other_id", "score"])
    write = csv.write_csv if path.endswith(".csv") else parquet.write_table
    with replacing(path) as file:
        write(table, file)


__all__ = ["add_to", "run"]
