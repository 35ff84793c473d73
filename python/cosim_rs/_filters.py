"""The filters of a search, in the many forms that they come in, made the one that the core takes.

Items listed for each user, those to exclude or its candidates, become compressed sparse rows, with
-1 where there is none; allowed items a flag an item.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs._arrays import as_number, fitting
from cosim_rs._interchange import as_array
from cosim_rs._naming import Places, Positions


@runtime_checkable
class Sparse(Protocol):
    """What is used of a `scipy.sparse` array, so that SciPy need not be there."""

    shape: tuple[int, ...]

    def tocsr(self) -> Any:
        """Compressed sparse rows."""


Lists = Sparse | ArrayLike | Sequence[ArrayLike]


def as_lists(
    argument: str, lists: Lists | None, users: int, naming: Positions, is_one_user: bool
) -> tuple[Places, Places] | None:
    """Starts of each user's row, and the listed items' slots row after row."""
    if lists is None:
        return None
    if isinstance(lists, Sparse):
        if lists.shape != (users, naming.count):
            raise fitting(argument, lists.shape, f"{(users, naming.count)}, a row a user")
        rows = lists.tocsr()
        # A matrix may have room behind its last row.
        stored = rows.indices[: rows.indptr[-1]]
        indices = Positions(naming.count).places(argument, stored)
        return np.require(rows.indptr, np.int64, ["C", "A"]), naming.at(indices)
    if isinstance(lists, Sequence) and not isinstance(lists, (str, bytes)):
        listed = [naming.places(argument, row) for row in rows_of(argument, lists, users, "M")]
        starts = np.cumsum([0, *(row.size for row in listed)], dtype=np.int64)
        return starts, np.concatenate([np.empty(0, np.int64), *listed])
    given = as_array(argument, lists)
    if given.ndim == 0:
        wanted = "a scipy.sparse array, an int array, or a sequence of int arrays"
        raise TypeError(f"{argument}: got {type(lists).__name__}, expected {wanted}")
    padded = given[None] if is_one_user and given.ndim == 1 else given
    if padded.ndim != 2 or len(padded) != users:
        raise fitting(argument, given.shape, f"({users}, M), a row a user")
    places = naming.places(argument, padded, padded=True)
    return np.arange(users + 1) * places.shape[1], places.reshape(-1)


def rows_of(
    argument: str, lists: Sequence[ArrayLike], users: int, length: str
) -> list[NDArray[Any]]:
    """An array a user."""
    if len(lists) != users:
        raise ValueError(f"{argument}: got {len(lists)} arrays, expected {users}, one a user")
    rows = [as_array(argument, row) for row in lists]
    for row in rows:
        if row.ndim != 1:
            raise fitting(argument, row.shape, f"({length},) for each user")
    return rows


def as_allowed(allow: ArrayLike | None, naming: Positions) -> NDArray[np.bool_] | None:
    """Whether what is in each slot may be found."""
    if allow is None:
        return naming.live
    given = as_array("allow", allow)
    if given.ndim != 1:
        raise fitting("allow", given.shape, f"({naming.count},) of bool, or (M,) of indices")
    if given.dtype == np.bool_:
        if len(given) != naming.count:
            raise fitting("allow", given.shape, f"({naming.count},), a flag an item")
        if naming.live is None:
            return given
        slots = naming.at(np.flatnonzero(given))
    else:
        slots = naming.places("allow", given)
    flags = np.zeros(naming.slots, np.bool_)
    flags[slots] = True
    return flags


def as_min_score(min_score: float | None) -> float | None:
    """Check `min_score`, if there is one, and make it a plain float."""
    return None if min_score is None else as_least_score(min_score)


def as_least_score(min_score: float) -> float:
    """Check a `min_score` that there must be, and make it a plain float."""
    least = as_number("min_score", min_score)
    if math.isnan(least):
        raise ValueError(f"min_score: got {min_score}, expected a number")
    return least


def as_flag(name: str, flag: bool) -> bool:
    """Check a flag."""
    if not isinstance(flag, (bool, np.bool_)):
        raise TypeError(f"{name}: got {type(flag).__name__}, expected bool")
    return bool(flag)


__all__ = [
    "Lists",
    "as_allowed",
    "as_flag",
    "as_least_score",
    "as_lists",
    "as_min_score",
    "rows_of",
]
