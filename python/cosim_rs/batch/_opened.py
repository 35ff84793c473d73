"""Catalogues opened by their paths, once in a process.

A path may get another file while a process lives. So what is kept is known by the file's size and
the time of its last change as well; to ask for these takes microseconds.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cosim_rs import _candidates, _search
from cosim_rs._arrays import Scores, Vectors
from cosim_rs._catalogue import Catalogue
from cosim_rs._search import Filter, TopK
from cosim_rs.batch._errors import ColumnError
from cosim_rs.batch._naming import Naming, Places


class Opened:
    """A catalogue in a file, that finds places rather than ids, and looks ids up by the column."""

    def __init__(self, path: str) -> None:
        """Map the file."""
        self._catalogue = Catalogue.open(path)
        self._state = self._catalogue._state
        self.naming = Naming.of(self._state.names)

    @property
    def dim(self) -> int:
        """The length of the vectors."""
        return self._catalogue.dim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that items are scored in."""
        return self._catalogue.dtype

    @property
    def fingerprint(self) -> str:
        """What tells this file from others."""
        assert self._state.source is not None
        return self._state.source.fingerprint

    def allowed(self, allow: pa.Array) -> NDArray[np.bool_]:
        """A flag an item, of those with these ids."""
        try:
            places = self.naming.find(allow)
        except TypeError as error:
            raise TypeError(f"allow: {error}") from None
        if (places < 0).any():
            got = allow[int((places < 0).argmax())].as_py()
            raise ValueError(f"allow: got {got!r}, which is no id of the catalogue")
        flags = np.zeros(len(self.naming.ids), np.bool_)
        flags[places] = True
        return flags

    def find(self, column: str, ids: pa.Array) -> Places:
        """The places of the ids that a column holds, and -1 of what is no id."""
        try:
            return self.naming.find(ids)
        except TypeError as error:
            raise ColumnError(column, None, str(error)) from None

    def top_k(self, users: Vectors, k: int, filter: Filter, threads: int | None) -> TopK:
        """The best items of each user, by their places."""
        k = min(k, len(self._catalogue))
        epsilon = self._catalogue._epsilon
        return _search.search(users, self._state.segments, k, filter, epsilon, threads)

    def scores(self, users: Vectors, places: Places, threads: int | None) -> Scores:
        """Scores of the items at a row of places a user, -inf where there is none."""
        return _candidates.score(
            users, self._state.segments, places, None, self._catalogue._epsilon, threads
        )


def opened(path: str) -> Opened:
    """The catalogue in a file."""
    status = os.stat(path)
    return _opened(os.path.abspath(path), status.st_mtime_ns, status.st_size, status.st_ino)


@functools.lru_cache(maxsize=4)
def _opened(path: str, *status: Any) -> Opened:
    del status
    return Opened(path)


__all__ = ["Opened", "opened"]
