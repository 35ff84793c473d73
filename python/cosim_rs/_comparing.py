"""Ids as they are compared: numbers exactly, and strings of any length as Python's own.

NumPy compares signed with unsigned numbers as float64, and its strings of any length not rightly
across arrays, nor if they hold zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_keys(names: NDArray[Any]) -> NDArray[Any]:
    """What ids are put in order and looked up by."""
    if names.dtype.kind != "T":
        return names
    keys, are_text = _as_text(names)
    if not are_text.all():
        raise ValueError(f"ids: got {names[~are_text].tolist()[0]!r}, expected text")
    return keys


def as_comparable(
    names: NDArray[Any], dtype: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The names as keys that NumPy compares with those of this dtype, and which are still alike."""
    if dtype.kind in "iu":
        keys = names.astype(dtype)
        return keys, (keys.astype(names.dtype) == names) & ((keys < 0) == (names < 0))
    if names.dtype.kind == "T" or dtype.kind == "O":
        texts, are_text = _as_text(names)
        if dtype.kind == "O":
            return texts, are_text
        keys = texts.astype(np.str_)
        return keys, are_text & (keys.astype(object) == texts)
    return names, np.ones(names.shape, np.bool_)


def of_fixed_width(texts: NDArray[Any]) -> NDArray[Any]:
    """Text as NumPy's strings of one width, which end before the zeros at the end."""
    held = texts.astype(np.str_)
    lost = held.astype(object) != texts
    if lost.any():
        got = texts[lost].tolist()[0]
        raise ValueError(f"ids: got {got!r}, expected strings that end in no zero")
    return held


def _as_text(names: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Python's strings, and which are some: others are missing ones."""
    texts = names.astype(object)
    are_text = np.array([isinstance(text, str) for text in texts.flat], np.bool_)
    are_text = are_text.reshape(names.shape)
    texts[~are_text] = ""
    return texts, are_text


__all__ = ["as_comparable", "as_keys", "of_fixed_width"]
