"""The candidates of a retrieval: their ids, how ids are stored, and who is excluded.

Ids are kept in two places: on the host, where any can be and where they are looked up; and, where
they are whole numbers that the backend has tensors for, in a variable, for compiled graphs.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs._interchange import as_array
from cosim_rs._naming import Ids


class WatchedVariable(keras.Variable):
    """A variable that counts its assignments, whoever makes them, so that a copy can be kept."""

    version = 0

    def assign(self, value: Any) -> Any:
        """Assign, and count it."""
        self.version += 1
        return super().assign(value)


class CandidateIds:
    """The ids of the candidates, whole numbers or strings, no two alike."""

    def __init__(self, ids: ArrayLike, count: int) -> None:
        """Check the ids and prepare looking them up."""
        try:
            self._naming = Ids(as_array("ids", ids), count)
        except (TypeError, ValueError) as error:
            raise type(error)(f"candidate_{error}") from None
        names = self.names
        self._is_text = names.dtype.kind not in "iu"
        self._order = np.argsort(names, kind="stable")
        self._sorted = names[self._order]

    @property
    def names(self) -> NDArray[Any]:
        """The ids themselves, shape (N,)."""
        return self._naming.names

    @property
    def tensor_dtype(self) -> str | None:
        """The dtype of tensors that hold these ids; None if the backend has none."""
        if self._is_text:
            return None
        if not self.names.size:
            return "int32"
        least, most = int(self._sorted[0]), int(self._sorted[-1])
        if least >= -(2**31) and most < 2**31:
            return "int32"
        return "int64" if most < 2**63 and _has_int64() else None

    def named(self, places: NDArray[Any]) -> NDArray[Any]:
        """The ids at these places, where -1 is none, in the dtype of tensors if there is one."""
        dtype = self.tensor_dtype
        if dtype is None or not self.names.size:
            return self._naming.named(places)
        # Not the core's own, which for unsigned ids would be their largest number.
        return np.where(places < 0, -1, self.names.astype(dtype)[places])

    def places(self, names: NDArray[Any]) -> NDArray[np.int64]:
        """Where these ids are, and -1 for what is none."""
        if names.size and self._is_text == (names.dtype.kind in "iu"):
            wanted = "strings" if self._is_text else "whole numbers"
            raise TypeError(
                f"exclusions: got dtype {names.dtype}, expected {wanted}, as candidate_ids"
            )
        if not names.size or not self.names.size:
            return np.full(names.shape, -1, np.int64)
        # In the ids' own dtype: NumPy would compare signed with unsigned numbers as float64.
        alike = names if self._is_text else names.astype(self._sorted.dtype)
        nearest = np.searchsorted(self._sorted, alike).clip(max=len(self._sorted) - 1)
        is_known = self._sorted[nearest] == alike
        if not self._is_text:
            is_known &= (alike.astype(names.dtype) == names) & ((alike < 0) == (names < 0))
        return np.where(is_known, self._order[nearest], -1)


def _has_int64() -> bool:
    if keras.backend.backend() != "jax":
        return True
    import jax

    return bool(jax.config.read("jax_enable_x64"))


def save_ids(store: Any, names: NDArray[Any]) -> None:
    """Put ids where numbers can be put: strings as bytes in one row, and where each ends."""
    if names.dtype.kind in "iu":
        store["ids"] = names
        return
    kind = "bytes" if names.dtype.kind == "S" else "utf8"
    encoded = [name if kind == "bytes" else name.encode() for name in names.tolist()]
    store[f"ids_{kind}"] = np.frombuffer(b"".join(encoded), np.uint8)
    store["ids_ends"] = np.cumsum([len(one) for one in encoded], dtype=np.int64)


def load_ids(store: Any) -> NDArray[Any] | None:
    """The ids that `save_ids` put there, if it did."""
    keys = set(store.keys())  # the store of Keras 3.5 has no `in`
    if "ids" in keys:
        return np.asarray(store["ids"])
    if "ids_ends" not in keys:
        return None
    kind = "bytes" if "ids_bytes" in keys else "utf8"
    joined = np.asarray(store[f"ids_{kind}"], np.uint8).tobytes()
    ends = np.asarray(store["ids_ends"]).tolist()
    encoded = [joined[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    if kind == "bytes":
        return np.array(encoded, np.bytes_)
    return np.array([one.decode() for one in encoded], np.str_)


__all__ = ["CandidateIds", "WatchedVariable", "load_ids", "save_ids"]
