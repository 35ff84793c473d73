"""What takes part in a case, and what it takes to do so.

A contender prepares its call once, outside the clock: conversions, compilation and, where the case
gives it, an `out` already touched. What is timed is then one call that leaves the result behind.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import Array, Inputs

Call = Callable[[], Any]
"""One timed call; what it returns is the scores, or what a search found, as NumPy can read them."""


def threads() -> int:
    """The number of threads that this run gives to everyone."""
    return int(os.environ["OMP_NUM_THREADS"])


@dataclass(frozen=True)
class Contender:
    """Someone who does the work of a case, or a limit that is made of other work."""

    name: str
    family: str
    """Variants of one peer share a family; the fastest of them stands for it."""
    prepare: Callable[[Inputs], Call]
    needs: tuple[str, ...] = ()
    """Modules that have to be installed."""
    expects: str = "cosine"
    """The oracle that the result is checked against."""
    slack: float = 0.0
    """What its documented approximations add to the error bound."""

    def missing(self) -> str | None:
        """The first module it needs that is not installed."""
        return next((name for name in self.needs if importlib.util.find_spec(name) is None), None)


def as_scores(result: Any, like: Array) -> Array:
    """A result as a NumPy array of the shape of the expected scores."""
    return np.asarray(result).reshape(like.shape)
