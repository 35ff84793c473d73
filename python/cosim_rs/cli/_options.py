"""What the verbs' options have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, TypeAlias

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
        epilog=f"examples:\n{examples.rstrip()}",
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


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add the option without which no output takes the place of another."""
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")


def at_least_one(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number of at least 1")
    return number


__all__ = [
    "Options",
    "Verbs",
    "add_columns",
    "add_overwrite",
    "add_threads",
    "add_verb",
    "at_least_one",
]
