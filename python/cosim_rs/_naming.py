"""How items are named: by their places, or by ids of the caller's own.

Either way a search works with places. Ids are looked up in a sorted copy, so no hash of a million
strings is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs._arrays import fitting
from cosim_rs._interchange import as_array

Places = NDArray[np.int64]


class Positions:
    """Items that are named by their places, 0 to count - 1."""

    def __init__(self, count: int) -> None:
        """Name so many items."""
        self.count = count

    @property
    def names(self) -> NDArray[Any]:
        """The name of each item."""
        return np.arange(self.count)

    @property
    def nbytes(self) -> int:
        """The bytes that the names take."""
        return 0

    def places(self, argument: str, names: NDArray[Any], *, padded: bool = False) -> Places:
        """Where the named items are; -1 for a -1 that fills up a row, if there may be such."""
        if names.size == 0:
            return np.empty(names.shape, np.int64)  # an empty list is an array of floats
        if names.dtype.kind not in "iu":
            raise TypeError(f"{argument}: got dtype {names.dtype}, expected whole numbers")
        least = -1 if padded else 0
        for index in (names.min(), names.max()):
            if not least <= index < self.count:
                wanted = f"{least} to {self.count - 1}"
                raise ValueError(f"{argument}: got index {index}, expected {wanted}")
        return np.require(names, np.int64, ["C", "A"])

    def named(self, places: Places) -> NDArray[Any]:
        """The names of the items at these places, where -1 is none."""
        return places


class Ids(Positions):
    """Items that have ids of their own, whole numbers or strings, no two alike."""

    def __init__(self, ids: ArrayLike, count: int) -> None:
        """Check the ids and prepare looking them up."""
        given = as_array("ids", ids)
        if given.shape != (count,):
            raise fitting("ids", given.shape, f"({count},), an id an item")
        if given.dtype.kind not in "iuUST" and given.size:
            raise TypeError(f"ids: got dtype {given.dtype}, expected whole numbers or strings")
        super().__init__(count)
        has_order = given.dtype.kind in "iuU"
        dtype = given.dtype.newbyteorder("=") if has_order else given.dtype
        self._names = given.astype(dtype, copy=True)
        self._names.flags.writeable = False
        self._order = np.argsort(self._names, kind="stable")
        self._sorted = self._names[self._order]
        twice = np.flatnonzero(self._sorted[1:] == self._sorted[:-1])
        if twice.size:
            raise ValueError(
                f"ids: got {self._sorted[twice].tolist()[0]!r} twice, expected unique ids"
            )

    def __reduce__(self) -> tuple[type[Ids], tuple[NDArray[Any], int]]:
        """Pickle the ids alone: the order is found again, and they stay read-only."""
        return type(self), (self._names, self.count)

    @property
    def names(self) -> NDArray[Any]:
        """The id of each item, read-only."""
        return self._names

    @property
    def nbytes(self) -> int:
        """The bytes of the ids, sorted and not, and of the order."""
        return self._names.nbytes + self._sorted.nbytes + self._order.nbytes

    def places(self, argument: str, names: NDArray[Any], *, padded: bool = False) -> Places:
        """Where the items with these ids are; -1 for a padding, if there may be such."""
        if names.size == 0:
            return np.empty(names.shape, np.int64)
        wanted = "whole numbers" if self._names.dtype.kind in "iu" else "strings"
        if names.dtype.kind not in ("iu" if wanted == "whole numbers" else "UST"):
            raise TypeError(f"{argument}: got dtype {names.dtype}, expected {wanted}, as the ids")
        # In the ids' own dtype: NumPy would compare signed with unsigned numbers as float64.
        alike = names.astype(self._names.dtype) if wanted == "whole numbers" else names
        nearest = np.searchsorted(self._sorted, alike).clip(max=max(self.count - 1, 0))
        known = self._sorted[nearest] == alike if self.count else np.zeros(names.shape, bool)
        known &= (alike.astype(names.dtype) == names) & _same_sign(alike, names)
        places = np.where(known, self._order[nearest] if self.count else -1, -1)
        unknown = ~known & (names != _padding(names.dtype)) if padded else ~known
        if unknown.any():
            got = names[unknown].tolist()[0]
            raise KeyError(f"{argument}: got {got!r}, which is no id of the catalogue")
        return places

    def named(self, places: Places) -> NDArray[Any]:
        """The ids of the items at these places, and a padding where there is none."""
        ids = np.full(places.shape, _padding(self._names.dtype), self._names.dtype)
        is_item = places >= 0
        ids[is_item] = self._names[places[is_item]]
        return ids


def _same_sign(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether numbers are both negative or both not; strings always."""
    if a.dtype.kind not in "iu":
        return np.ones(a.shape, np.bool_)
    return np.equal(a < 0, b < 0)


def _padding(dtype: np.dtype[Any]) -> Any:
    """What stands where there is no id: -1, all bits set if unsigned, or the empty string."""
    if dtype.kind == "u":
        return np.iinfo(dtype).max
    return {"i": -1, "S": b""}.get(dtype.kind, "")


__all__ = ["Ids", "Places", "Positions"]
