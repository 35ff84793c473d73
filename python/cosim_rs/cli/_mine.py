"""`cosim-rs mine`."""

from __future__ import annotations

from cosim_rs.cli._options import Options, Verbs, add_verb


def add_to(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    add_verb(verbs, "mine", run, "Not there yet.", "", "  cosim-rs mine")


def run(options: Options) -> None:
    """Run it."""
    raise NotImplementedError


__all__ = ["add_to", "run"]
