"""What the verbs' options have in common."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from cosim_rs.cli._errors import BadOption

Options: TypeAlias = argparse.Namespace
# What argparse gives for subparsers has no public name.
Verbs: TypeAlias = Any


def add_verb(
    verbs: Verbs, name: str, run: Callable[[Options], None], summary: str, more: str, examples: str
) -> argparse.ArgumentParser:
    """Add a verb: its line in the list of all, what more there is to say, and its examples."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=summary[0].lower() + summary[1:].rstrip("."),
        description=f"{summary}\n\n{more.strip()}",
        epilog=f"examples:\n{examples.strip(chr(10))}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the option of how many threads to use."""
    parser.add_argument(
        "--threads", type=at_least_one, metavar="N", help="the most threads to use (all CPUs)"
    )


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add the options of which columns to read."""
    parser.add_argument("--id-column", metavar="NAME", help="the column of ids")
    parser.add_argument("--vector-column", metavar="NAME", help="the column of vectors")
    parser.add_argument(
        "--ids", metavar="FILE", help="the ids of the rows of a .npy or .fvecs file, as .npy"
    )


def add_inputs(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the files to read, and folders of such."""
    parser.add_argument(name, nargs="+", metavar=name, help=f"files or folders of {name}")


def add_output(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the file to write, and the option without which it takes the place of no other."""
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=what)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")


def check_output(options: Options) -> None:
    """Raise before anything is done if the output could not be written, or must not be."""
    folder = os.path.dirname(options.output) or "."
    if not os.path.isdir(folder):
        raise BadOption(f"-o: got {options.output}, expected a file in a folder that there is")
    if os.path.isdir(options.output):
        raise BadOption(f"-o: got {options.output}, a folder, expected a file")
    if os.path.lexists(options.output) and not options.overwrite:
        raise BadOption(f"-o: {options.output} exists; --overwrite replaces it")
    # Links are followed, and the file takes its place by a new name in the folder.
    if not os.access(os.path.dirname(os.path.realpath(options.output)), os.W_OK | os.X_OK):
        raise BadOption(f"-o: got {options.output}, expected a folder that may be written to")


def as_option(name: str) -> str:
    """An option as it is written on the command line."""
    return f"--{name.replace('_', '-')}"


def described_ids(dtype: np.dtype[Any]) -> str:
    """What ids are."""
    if dtype.kind == "U":
        return f"strings of at most {dtype.itemsize // 4} characters"
    return f"strings, {dtype}" if dtype.kind in "ST" else str(dtype)


def told(skipped: Mapping[str, int], rows: int, seconds: float) -> None:
    """Say at the end how many rows there were, how many of them were skipped and why."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in skipped.items() if count)
    print(f"rows: {rows:,}, skipped: {reasons or 'none'}")
    print(f"time: {seconds:,.1f} s, {rows / seconds:,.0f} rows/s")


def number(text: str) -> float:
    """Read a number, as which NaN does not count."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number")
    return value


def at_least_one(text: str) -> int:
    """Read a whole number of at least 1; of what there is no more, the most is as good."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number of at least 1")
    return min(number, sys.maxsize)


__all__ = [
    "Options",
    "Verbs",
    "add_columns",
    "add_inputs",
    "add_output",
    "add_threads",
    "add_verb",
    "as_option",
    "at_least_one",
    "check_output",
    "described_ids",
    "number",
    "told",
]
