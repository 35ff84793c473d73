"""How items are named: by their places, or by ids of the caller's own.

Either way a search works with places. Ids are looked up in a sorted copy, so no hash of a million
strings is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs._arrays import fitting
from cosim_rs._comparing import as_comparable, as_keys
from cosim_rs._interchange import as_array

Places = NDArray[np.int64]


class Positions:
    """Items that are named by their places, 0 to count - 1."""

    def __init__(self, count: int) -> None:
        """Name so many items."""
        self.count = count

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the names."""
        return np.dtype(np.int64)

    @property
    def slots(self) -> int:
        """How many slots there are, where items lie; see `_search.Segment`."""
        return self.count

    @property
    def live(self) -> NDArray[np.bool_] | None:
        """Whether there is an item in each slot, unless there is one in all."""
        return None

    @property
    def names(self) -> NDArray[Any]:
        """The name of each item."""
        return np.arange(self.count)

    @property
    def nbytes(self) -> int:
        """The bytes that the names take."""
        return 0

    def at(self, rows: Places) -> Places:
        """The slots of items that are known by their rows among all names, -1 of none."""
        return rows

    def find(self, argument: str, names: NDArray[Any]) -> Places:
        """The slots of the named items, and -1 where there is none of the name."""
        if names.size == 0:
            return np.empty(names.shape, np.int64)
        if names.dtype.kind not in "iu":
            raise TypeError(f"{argument}: got dtype {names.dtype}, expected whole numbers")
        slots = np.full(names.shape, -1, np.int64)
        known = (names >= 0) & (names < self.count)
        slots[known] = names[known]
        return slots

    def places(self, argument: str, names: NDArray[Any], *, padded: bool = False) -> Places:
        """The slots of the named items; -1 for a -1 that fills up a row, if there may be such."""
        if names.size == 0:
            return np.empty(names.shape, np.int64)  # an empty list is an array of floats
        if names.dtype.kind not in "iu":
            raise TypeError(f"{argument}: got dtype {names.dtype}, expected whole numbers")
        least = -1 if padded else 0
        places = np.require(names, np.int64, ["C", "A"])
        # Seen without their signs, negative ones are the largest: mostly one look at all is enough.
        if places.view(np.uint64).max() < self.count:
            return places
        for index in (names.min(), names.max()):
            if not least <= index < self.count:
                wanted = f"{least} to {self.count - 1}"
                raise ValueError(f"{argument}: got index {index}, expected {wanted}")
        return places

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
        dtype = given.dtype if given.dtype.kind in "iuUST" else np.dtype(np.int64)
        has_order = dtype.kind in "iuU"
        self._names: NDArray[Any] = given.astype(
            dtype.newbyteorder("=") if has_order else dtype, copy=True
        )
        self._names.flags.writeable = False
        keys = as_keys(self._names)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        check_unique("ids", self._sorted)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the ids."""
        return self._names.dtype

    @classmethod
    def in_order(cls, names: NDArray[Any], order: Places) -> Ids:
        """Ids of which the order is known: it is checked, which is sooner done than sorting."""
        ids = cls.__new__(cls)
        Positions.__init__(ids, len(names))
        if len(order) and not 0 <= order.min() <= order.max() < len(names):
            raise ValueError(f"ids.order: expected places of 0 to {len(names) - 1}")
        names.flags.writeable = False
        ids._names, ids._order = names, order
        # Strings are taken in half the time of `names[order]`, numbers in twice that.
        ids._sorted = names[order] if names.dtype.kind in "iu" else as_keys(names).take(order)
        if not (ids._sorted[:-1] < ids._sorted[1:]).all():
            raise ValueError("ids.order: expected the ids to ascend by it, and no two to be alike")
        return ids

    def __reduce__(self) -> tuple[type[Ids], tuple[NDArray[Any], int]]:
        """Pickle the ids alone: the order is found again, and they stay read-only."""
        return type(self), (self._names, self.count)

    @property
    def names(self) -> NDArray[Any]:
        """The id of each item, read-only."""
        return self._names

    @property
    def order(self) -> Places:
        """The places of the ids as they ascend."""
        return self._order

    @property
    def sorted(self) -> NDArray[Any]:
        """The ids as they ascend."""
        return self._sorted

    @property
    def nbytes(self) -> int:
        """The bytes of the ids, sorted and not, and of the order, unless they lie in a file.

        Of strings of any length it is what NumPy says, which leaves out the long ones themselves.
        """
        held = (self._names, self._sorted, self._order)
        return sum(array.nbytes for array in held if array.flags.owndata)

    def find(self, argument: str, names: NDArray[Any]) -> Places:
        """The slots of the items with these ids, and -1 where there is none."""
        if names.size == 0:
            return np.empty(names.shape, np.int64)
        wanted = "whole numbers" if self._names.dtype.kind in "iu" else "strings"
        if names.dtype.kind not in ("iu" if wanted == "whole numbers" else "UST"):
            raise TypeError(f"{argument}: got dtype {names.dtype}, expected {wanted}, as the ids")
        if (names.dtype.kind == "S") != (self._names.dtype.kind == "S"):
            return np.full(names.shape, -1, np.int64)  # no text is bytes
        keys, known = as_comparable(names, self._sorted.dtype)
        nearest = np.searchsorted(self._sorted, keys).clip(max=max(self.count - 1, 0))
        known &= self._sorted[nearest] == keys if self.count else False
        return np.where(known, self._order[nearest] if self.count else -1, -1)

    def places(self, argument: str, names: NDArray[Any], *, padded: bool = False) -> Places:
        """The slots of the items with these ids; -1 for a padding, if there may be such."""
        found = self.find(argument, names)
        check_known(argument, names, found, padded)
        return found

    def named(self, places: Places) -> NDArray[Any]:
        """The ids of the items at these places, and a padding where there is none."""
        ids = np.full(places.shape, padding(self._names.dtype), self._names.dtype)
        is_item = places >= 0
        ids[is_item] = self._names[places[is_item]]
        return ids


def numbered(ids: NDArray[Any]) -> Positions:
    """What names items by these numbers, which are their rows if there are no gaps."""
    is_rows = np.array_equal(ids, np.arange(len(ids)))
    return Positions(len(ids)) if is_rows else Ids(ids, len(ids))


def check_known(argument: str, names: NDArray[Any], found: Places, padded: bool = False) -> None:
    """Raise if there are names of which nothing was found, but for paddings, if there may be."""
    unknown = found < 0
    if padded and names.size:
        unknown &= names != padding(names.dtype)
    if unknown.any():
        got = names[unknown].tolist()[0]
        raise KeyError(f"{argument}: got {got!r}, which is no id of the catalogue")


def check_unique(argument: str, ids: NDArray[Any]) -> None:
    """Raise if one of some sorted ids is there twice."""
    twice = np.flatnonzero(ids[1:] == ids[:-1])
    if twice.size:
        raise ValueError(f"{argument}: got {ids[twice].tolist()[0]!r} twice, expected unique ids")


def padding(dtype: np.dtype[Any]) -> Any:
    """What stands where there is no id: -1, all bits set if unsigned, or the empty string."""
    if dtype.kind == "u":
        return np.iinfo(dtype).max
    return {"i": -1, "S": b""}.get(dtype.kind, "")


__all__ = ["Ids", "Places", "Positions", "check_known", "check_unique", "numbered", "padding"]
