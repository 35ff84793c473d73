"""Floats of all widths, bfloat16 among them, which NumPy does not have.

It comes as `ml_dtypes` has it, or, of tensors and files, as its bits under a name of ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim_rs._tensors import BFLOAT16


def is_brain(dtype: np.dtype[Any]) -> bool:
    """Whether this is bfloat16, by either name."""
    return dtype.name == "bfloat16" or dtype == BFLOAT16


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether this is a type of floats."""
    return dtype.kind == "f" or is_brain(dtype)


def named(dtype: np.dtype[Any]) -> str:
    """The name of a dtype, as users know it."""
    return "bfloat16" if is_brain(dtype) else str(dtype)


def as_floats(floats: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Floats as others, rounded to nearest; to bfloat16 by way of float32, as `ml_dtypes` does."""
    if is_brain(floats.dtype):
        bits = np.ascontiguousarray(floats).view(np.uint16)
        if is_brain(dtype):
            return bits.view(dtype)
        return (bits.astype(np.uint32) << 16).view(np.float32).astype(dtype)
    if is_brain(dtype):
        return _to_brain(floats.astype(np.float32)).view(dtype)
    return floats.astype(dtype)


def _to_brain(floats: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The bits of bfloat16, the upper half of a float32's: to nearest, ties to even."""
    bits = floats.view(np.uint32)
    odd = bits >> 16 & 1
    rounded = (bits + np.uint32(0x7FFF) + odd) >> 16
    # Of NaN the lower half may be all that tells it from infinity.
    kept = np.where(np.isnan(floats), bits >> 16 | 0x40, rounded)
    return kept.astype(np.uint16)


__all__ = ["as_floats", "is_brain", "is_float", "named"]
