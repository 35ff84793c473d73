"""`cosim-rs top-k`: the best items of a catalogue for each row of files."""

from __future__ import annotations

from cosim_rs.cli._job_arguments import add_catalogue, add_parts
from cosim_rs.cli._options import (
    Options,
    Verbs,
    add_columns,
    add_inputs,
    add_threads,
    add_verb,
    at_least_one,
    number,
)

SUMMARY = "Find the best items for each user in files."

MORE = """\
Reads files of users, or folders of them, and writes a folder of Parquet files with the items that
score best against each user's vector: exactly those of a full sort, in the same bits whatever the
number of threads. Files are read in batches, so the memory does not grow with the number of users.

Written is a row a user, with `recommendations`, a list of `item_id` and `score`; or, with
--format long, a row an item, with `rank`, `item_id` and `score`. A vector that is null or not
finite finds nothing. What was skipped is told at the end.

A run that was interrupted, or killed, leaves the parts that it has finished. The same command with
--resume makes the others; what is there in the end is what one run would have made.
"""

EXAMPLES = """\
  cosim-rs top-k users.parquet --catalogue items.safetensors -k 10 -o out
  cosim-rs top-k users/ --catalogue items.safetensors -o out --exclude seen.parquet
  cosim-rs top-k users/ --catalogue items.safetensors -o out --exclude-column seen --resume
"""


def add_to(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = add_verb(verbs, "top-k", run, SUMMARY, MORE, EXAMPLES)
    add_inputs(parser, "users")
    add_catalogue(parser)
    parser.add_argument(
        "-k", type=at_least_one, default=10, metavar="K", help="how many items a user (10)"
    )
    add_parts(parser)
    add_columns(parser)
    parser.add_argument(
        "--exclude",
        metavar="FILE",
        help="what users must not get, held in memory: pairs of user and item, or a list a user",
    )
    parser.add_argument(
        "--exclude-column",
        metavar="NAME",
        help="the list of what a user must not get; with --exclude, that file's column of items",
    )
    parser.add_argument(
        "--candidates-column", metavar="NAME", help="the list of the only items that a user may get"
    )
    parser.add_argument(
        "--allow", metavar="FILE", help="the only items that anyone may get: a column of their ids"
    )
    parser.add_argument("--min-score", type=number, metavar="SCORE", help="the least score")
    parser.add_argument(
        "--format", choices=("nested", "long"), default="nested", help="a row a user, or an item"
    )
    add_threads(parser)


def run(options: Options) -> None:
    """Run it."""
    from cosim_rs.cli._job_verbs import top_k

    top_k(options)


__all__ = ["add_to", "run"]
