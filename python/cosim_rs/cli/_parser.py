"""The parser of the command line, to which each verb adds its own."""

from __future__ import annotations

import argparse

from cosim_rs._cosim_rs import __version__
from cosim_rs.cli import _index, _info, _mine, _score, _selftest, _top_k

VERBS = (
    _index,
    _top_k,
    _score,
    _mine,
    _info,
    _selftest,
)

MORE = """\
exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad data, 130 interrupted

cosim-rs VERB --help says more of each. Tables need pyarrow: pip install 'cosim-rs[batch]'
"""


def parser() -> argparse.ArgumentParser:
    """Make the parser; what it parses has the `verb` and its `run`."""
    parser = argparse.ArgumentParser(
        prog="cosim-rs",
        description="Exact cosine scores of whole files.",
        epilog=MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cosim_rs {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    for verb in VERBS:
        verb.add_to(verbs)
    return parser


__all__ = ["parser"]
