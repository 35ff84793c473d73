"""Measure, print and write the tables: ``python -m benches.peers``, from the repository's root."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import environment


def arguments(given: list[str]) -> argparse.Namespace:
    """The options of a run."""
    parser = argparse.ArgumentParser(prog="python -m benches.peers", description=__doc__)
    parser.add_argument("tables", nargs="*", help="only these tables (default: all)")
    parser.add_argument("--rounds", type=int, default=21, help="samples of each contender")
    parser.add_argument("--threads", type=int, help="for everyone (default: the library's own)")
    parser.add_argument("--output", type=Path, help="folder of the report (docs/benchmarks)")
    parser.add_argument("--limits", type=Path, help="the limits program, if it is already built")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="tiny shapes, to try it out: no time is judged, and nothing written without --output",
    )
    options = parser.parse_args(given)
    if options.quick:
        options.rounds = min(options.rounds, 3)
    if options.output is None and not options.quick:
        options.output = Path("docs/benchmarks")
    return options


def main(given: list[str]) -> None:
    """Settle the environment, then run."""
    options = arguments(given)
    environment.settle(options.threads or environment.default_threads(), given)
    # Only now, in the right environment, may anything import NumPy and the peers.
    from . import run

    run.run(options, say=lambda text: print(text, file=sys.stderr, flush=True))


if __name__ == "__main__":
    main(sys.argv[1:])
