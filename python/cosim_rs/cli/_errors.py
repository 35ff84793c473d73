"""How a command ends that does not end well: one line, and an exit code that says whose fault.

What is wrong with the data is told by its place, file, column and row, since that is where the one
who reads it must look.
"""

from __future__ import annotations

import os

FAILED, USAGE, BAD_DATA, INTERRUPTED = 1, 2, 3, 130
EXTRA = ("pyarrow", "tqdm", "filelock")  # what `cosim-rs[batch]` installs


class BadData(Exception):  # noqa: N818 -- it is no error of ours
    """A file holds what it should not.

    Parameters
    ----------
    message : str
        What came, and what was wanted.
    path : str or os.PathLike, optional
        In which file.
    column : str, optional
        In which column of it.
    row : int, optional
        In which row of the file, counted from 0.
    """

    def __init__(
        self,
        message: str,
        path: str | os.PathLike[str] | None = None,
        *,
        column: str | None = None,
        row: int | None = None,
    ) -> None:
        place = [os.fspath(path)] if path is not None else []
        place += [f"column {column}"] if column is not None else []
        place += [f"row {row}"] if row is not None else []
        super().__init__(": ".join([", ".join(place), message] if place else [message]))


class BadOption(Exception):  # noqa: N818 -- neither is it
    """An option asks for what there is not, or for what is not allowed."""


class Failed(Exception):  # noqa: N818 -- it is what the command did
    """What was to be done was done, and found wrong."""


def exit_code(error: BaseException) -> tuple[int, str]:
    """The exit code of an error, and its line."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted"
    if isinstance(error, BadOption):
        return USAGE, _line(f"error: {error}")
    if isinstance(error, BadData):
        return BAD_DATA, _line(f"bad data: {error}")
    if isinstance(error, Failed):
        return FAILED, _line(f"failed: {error}")
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRA:
        return FAILED, f"failed: needs {error.name}: pip install 'cosim-rs[batch]'"
    if isinstance(error, OSError) and error.errno is not None:
        of = f"{error.filename}: " if error.filename is not None else ""
        return FAILED, _line(f"failed: {of}{error.strerror}")
    return FAILED, _line(f"failed: {type(error).__name__}: {error}")


def _line(message: str) -> str:
    """The message in one line, whatever a library has put into it."""
    return " ".join(message.split())


__all__ = ["BadData", "BadOption", "Failed", "exit_code"]
