"""The filters of a search, in the many forms that they come in, made the one that the core takes.

Exclusions become compressed sparse rows, ascending in each row; allowed items a flag an item.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs._arrays import as_array, fitting

Indices = NDArray[np.int64]


@runtime_checkable
class Sparse(Protocol):
    """What is used of a `scipy.sparse` array, so that SciPy need not be there."""

    shape: tuple[int, ...]

    def tocsr(self) -> Any:
        """Compressed sparse rows."""


Exclude = Sparse | NDArray[np.integer[Any]] | Sequence[ArrayLike]


def as_exclusions(
    exclude: Exclude | None, users: int, items: int, is_one_user: bool
) -> tuple[Indices, Indices] | None:
    """Starts of each user's row, and the excluded items row after row."""
    if exclude is None:
        return None
    if isinstance(exclude, Sparse):
        if exclude.shape != (users, items):
            raise fitting("exclude", exclude.shape, f"{(users, items)}, a row a user")
        rows = exclude.tocsr()
        counts = np.diff(rows.indptr)
        # A matrix may have room behind its last row.
        stored = rows.indices[: rows.indptr[-1]]
        indices = _as_indices("exclude", stored, least=0, items=items)
    elif isinstance(exclude, np.ndarray):
        padded = exclude[None] if is_one_user and exclude.ndim == 1 else exclude
        if padded.ndim != 2 or len(padded) != users:
            raise fitting("exclude", exclude.shape, f"({users}, M), a row a user")
        taken = _as_indices("exclude", padded, least=-1, items=items)
        is_item = taken >= 0
        counts, indices = is_item.sum(axis=1), taken[is_item]
    else:
        listed = _listed(exclude, users, items)
        counts = np.array([row.size for row in listed], np.int64)
        indices = np.concatenate([np.empty(0, np.int64), *listed])
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    # One sort of all rows at once: each has a range of numbers to itself.
    row_starts = np.repeat(np.arange(users) * items, counts)
    places = row_starts + indices
    if (places[1:] < places[:-1]).any():  # seldom, and sorting takes as long as some searches
        places.sort()
    return starts, places - row_starts


def _listed(exclude: Sequence[ArrayLike], users: int, items: int) -> list[Indices]:
    if isinstance(exclude, (str, bytes)) or not isinstance(exclude, Sequence):
        wanted = "a scipy.sparse array, an int array, or a sequence of int arrays"
        raise TypeError(f"exclude: got {type(exclude).__name__}, expected {wanted}")
    if len(exclude) != users:
        raise ValueError(f"exclude: got {len(exclude)} arrays, expected {users}, one a user")
    rows = [as_array("exclude", row) for row in exclude]
    for row in rows:
        if row.ndim != 1:
            raise fitting("exclude", row.shape, "(M,) for each user")
    return [_as_indices("exclude", row, least=0, items=items) for row in rows]


def as_allowed(allow: ArrayLike | None, items: int) -> NDArray[np.bool_] | None:
    """Whether each item may be found."""
    if allow is None:
        return None
    given = as_array("allow", allow)
    if given.ndim != 1:
        raise fitting("allow", given.shape, f"({items},) of bool, or (M,) of indices")
    if given.dtype == np.bool_:
        if len(given) != items:
            raise fitting("allow", given.shape, f"({items},), a flag an item")
        return np.ascontiguousarray(given)
    flags = np.zeros(items, np.bool_)
    flags[_as_indices("allow", given, least=0, items=items)] = True
    return flags


def _as_indices(name: str, given: NDArray[Any], least: int, items: int) -> Indices:
    if given.size == 0:
        return np.empty(given.shape, np.int64)  # an empty list is an array of floats
    if given.dtype.kind not in "iu":
        raise TypeError(f"{name}: got dtype {given.dtype}, expected whole numbers")
    for index in (given.min(), given.max()):
        if not least <= index < items:
            raise ValueError(f"{name}: got index {index}, expected {least} to {items - 1}")
    return given.astype(np.int64)


def as_min_score(min_score: float | None) -> float | None:
    """Check `min_score` and make it a plain float."""
    if min_score is None:
        return None
    is_number = isinstance(min_score, (int, float, np.integer, np.floating))
    if not is_number or isinstance(min_score, bool):
        raise TypeError(f"min_score: got {type(min_score).__name__}, expected a real number")
    if math.isnan(min_score):
        raise ValueError(f"min_score: got {min_score}, expected a number")
    return float(min_score)


def as_flag(name: str, flag: bool) -> bool:
    """Check a flag."""
    if not isinstance(flag, (bool, np.bool_)):
        raise TypeError(f"{name}: got {type(flag).__name__}, expected bool")
    return bool(flag)


__all__ = ["Exclude", "as_allowed", "as_exclusions", "as_flag", "as_min_score"]
