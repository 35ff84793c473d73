"""The files that a job reads: each must be the same from the beginning of a run to its end.

Files are opened again for each unit of rows, and the catalogue by its path for each batch. One that
gets another's place while a run goes on would be read from then on, and there would be an output of
both. So before a part takes its place, what it was made of is looked at once more.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cosim_rs.batch._opened import Opened, opened
from cosim_rs.cli._errors import BadData, BadOption
from cosim_rs.cli._tables import Table


class Inputs:
    """Files of rows, a catalogue, and others, each in its role, as they are now.

    Parameters
    ----------
    tables : sequence of Table
        The rows.
    catalogue : str, optional
        A path.
    ids : str, optional
        A file that is read beside the rows.
    held : str or None
        Files that are read as a whole before the first part, by their roles.
    """

    def __init__(
        self,
        tables: Sequence[Table],
        catalogue: str | None,
        ids: str | None = None,
        **held: str | None,
    ) -> None:
        self._catalogue = catalogue
        self._fingerprint = _fingerprint(catalogue)
        self._beside = [] if ids is None else [Path(ids)]
        self._roles = {
            "files": [table.path for table in tables],
            "ids": self._beside,
            **{role: [] if path is None else [Path(path)] for role, path in held.items()},
        }
        self._files = {path: _file(path) for paths in self._roles.values() for path in paths}

    @property
    def paths(self) -> Iterable[Path]:
        """All files but the catalogue."""
        return self._files

    @property
    def run(self) -> dict[str, Any]:
        """What tells a run from one of other files, or of the same in other roles."""
        roles = {role: [self._files[path] for path in paths] for role, paths in self._roles.items()}
        return {"catalogue": self._fingerprint, **roles}

    def check(self, table: Path | None = None) -> None:
        """Raise BadData if a file is another one by now, of all or of those behind a table's rows.

        A catalogue that was saved again as it was is the same.
        """
        for path in self._files if table is None else [table, *self._beside]:
            if _file(path) != self._files[path]:
                raise _another(path)
        if _fingerprint(self._catalogue) != self._fingerprint:
            raise _another(self._catalogue)


def open_catalogue(path: str) -> Opened:
    """The catalogue in a file, or BadData."""
    try:
        return opened(path)
    except ValueError as error:  # which names the file
        raise BadData(str(error)) from None


def check_apart(output: str, read: Iterable[str | Path | None]) -> None:
    """Raise BadOption if the output's folder holds what is read, or lies in a folder that is."""
    folder = Path(os.path.realpath(output))
    for path in read:
        if path is None:
            continue
        place = Path(os.path.realpath(path))
        if place.is_relative_to(folder) or folder.is_relative_to(place):
            lies = "holds" if place.is_relative_to(folder) else "lies in"
            raise BadOption(f"-o: {output} {lies} {path}, which is read; expected a folder apart")


def _fingerprint(catalogue: str | None) -> str | None:
    """What tells one catalogue from another, wherever it lies."""
    return None if catalogue is None else open_catalogue(catalogue).fingerprint


def _file(path: Path) -> dict[str, Any]:
    """A file, and what changes when it does."""
    status = path.stat()
    return {
        "path": os.path.abspath(path),
        "bytes": status.st_size,
        "modified": status.st_mtime_ns,
    }


def _another(path: str | Path | None) -> BadData:
    return BadData("got another file than the run began with, expected it to stay as it was", path)


__all__ = ["Inputs", "check_apart", "open_catalogue"]
