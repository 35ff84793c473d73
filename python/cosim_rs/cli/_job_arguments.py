"""What the options of the verbs that are jobs have in common."""

from __future__ import annotations

import argparse


def add_catalogue(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the option of which items to score."""
    parser.add_argument(
        "--catalogue", required=required, metavar="FILE", help="the items, as `index` writes them"
    )


def add_parts(parser: argparse.ArgumentParser) -> None:
    """Add the options of where a job's parts go."""
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FOLDER",
        help="a folder for the parts, new or empty",
    )
    there = parser.add_mutually_exclusive_group()
    there.add_argument("--resume", action="store_true", help="go on with what a run has left there")
    there.add_argument("--overwrite", action="store_true", help="replace what a run has left there")


__all__ = ["add_catalogue", "add_parts"]
