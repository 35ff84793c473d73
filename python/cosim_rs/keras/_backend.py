"""The scores of the module made for Keras' backend, found when a layer is made.

These are native where they can be, differentiable, and fall back by themselves where they cannot.
Where there is no such module at all, the formula stands in, with one warning.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from typing import Any

import keras

from cosim_rs.keras import _formula


def scores_module(native: bool) -> Any:
    """Who scores."""
    return _native_module(keras.backend.backend()) if native else _formula


@functools.cache
def _native_module(backend: str) -> Any:
    try:
        return importlib.import_module(f"cosim_rs.{backend}")
    except ImportError as error:
        warnings.warn(
            f"cosim_rs.{backend} cannot be imported, so keras.ops compute the scores: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return _formula


__all__ = ["scores_module"]
