"""`cosim-rs score`: scores of pairs, or of candidates, in files."""

from __future__ import annotations

from cosim_rs.cli._job_arguments import add_catalogue, add_parts
from cosim_rs.cli._options import (
    Options,
    Verbs,
    add_inputs,
    add_threads,
    add_verb,
)

SUMMARY = "Score the pairs, or the lists of candidates, in files."

MORE = """\
Reads files, or folders of them, and writes a folder of Parquet files, with a row for each row.

Without --catalogue each row has two vectors, and gets their `score`. With it each row has a vector
and a list of the items' ids, and gets that list, and `scores`, a list of the same length. Where a
vector is null or not finite, or an id unknown, there is null. What was skipped is told at the end.

A run that was interrupted, or killed, is finished by the same command with --resume.
"""

EXAMPLES = """\
  cosim-rs score pairs.parquet --x-column query --y-column answer -o out
  cosim-rs score users/ --catalogue items.safetensors --candidates-column offers -o out
"""


def add_to(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = add_verb(verbs, "score", run, SUMMARY, MORE, EXAMPLES)
    add_inputs(parser, "rows")
    add_parts(parser)
    parser.add_argument("--id-column", metavar="NAME", help="the column of the rows' ids")
    parser.add_argument("--x-column", metavar="NAME", help="the first vectors of the pairs")
    parser.add_argument("--y-column", metavar="NAME", help="the other ones")
    add_catalogue(parser, required=False)
    parser.add_argument(
        "--vector-column", metavar="NAME", help="with --catalogue: the column of vectors"
    )
    parser.add_argument(
        "--candidates-column", metavar="NAME", help="with --catalogue: the column of lists of ids"
    )
    add_threads(parser)


def run(options: Options) -> None:
    """Run it."""
    from cosim_rs.cli._job_verbs import score

    score(options)


__all__ = ["add_to", "run"]
