"""The command line `cosim-rs`: files in, files out, the same bits as the calls.

Each verb is a module that adds its options to the parser and runs. What reads tables is imported
only by a verb that runs, so that help comes at once and without the packages that tables need.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cosim_rs._config import show_config
from cosim_rs.cli._errors import BadOption, exit_code
from cosim_rs.cli._parser import parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb: 0 done, 1 failed, 2 wrong usage, 3 bad data, 130 interrupted."""
    _reopen()
    command = "cosim-rs"
    try:
        options = parser().parse_args(argv)
        command = f"cosim-rs {options.verb}"
        _check_environment()
        options.run(options)
        sys.stdout.flush()
    except SystemExit as end:  # argparse has said what it had to
        return int(end.code or 0)
    except (Exception, KeyboardInterrupt) as error:
        code, message = exit_code(error)
        print(f"{command}: {message}", file=sys.stderr)
        return code
    return 0


def _reopen() -> None:
    """Let nobody hear what the caller has closed; a file that is opened may get its number else."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 -- to the end


def _check_environment() -> None:
    """Raise BadOption if a variable holds what it should not; the next file would be blamed."""
    try:
        show_config("dicts")
    except ValueError as error:  # which names the variable
        raise BadOption(str(error)) from None


__all__ = ["main"]
