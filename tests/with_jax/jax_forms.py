"""The three functions for JAX beside NumPy's, and whether native operations ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import numpy as np
import numpy.typing as npt
from helpers import assert_same_bits

import cosim_rs
import cosim_rs.jax
from cosim_rs import _cosim_rs
from cosim_rs._reference import cosine_scores

Array = npt.NDArray[Any]
DTYPES = ("float32", "float64", "float16", "bfloat16")


class Form(NamedTuple):
    """A function: for JAX, for NumPy, and by the oracle; and shapes that it takes."""

    score: Callable[..., jax.Array]
    expected: Callable[..., Array]
    oracle: Callable[[Array, Array, float], Array]
    shapes: Callable[[int, int, int], tuple[tuple[int, ...], tuple[int, ...]]]


FORMS = {
    "batched": Form(
        cosim_rs.jax.batched_cosine_similarity,
        cosim_rs.batched_cosine_similarity,
        lambda x, y, epsilon: cosine_scores(x[:, None], y, epsilon),
        lambda users, items, dim: ((users, dim), (users, items, dim)),
    ),
    "paired": Form(
        cosim_rs.jax.paired_cosine_similarity,
        cosim_rs.paired_cosine_similarity,
        cosine_scores,
        lambda users, _, dim: ((users, dim), (users, dim)),
    ),
    "matrix": Form(
        cosim_rs.jax.cosine_similarity,
        cosim_rs.cosine_similarity,
        lambda x, y, epsilon: cosine_scores(x[:, None], y, epsilon),
        lambda users, items, dim: ((users, dim), (items, dim)),
    ),
}


def numbers(*shape: int, dtype: str = "float32", seed: int = 0) -> Array:
    """Normally distributed, in any of the dtypes."""
    values = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return np.asarray(values.astype(jax.numpy.dtype(dtype)))


def assert_bits(actual: jax.Array, expected: Array) -> None:
    assert_same_bits(np.asarray(actual), expected)


@contextmanager
def native(forward: bool = True, backward: bool = False) -> Iterator[None]:
    """Raise unless these, and only these, were computed natively in the block."""
    before = _cosim_rs.native_calls()
    yield
    jax.effects_barrier()
    rose = [now > then for now, then in zip(_cosim_rs.native_calls(), before, strict=True)]
    assert rose == [forward, backward]


def forget() -> None:
    """Drop what was compiled, with whatever operations."""
    for compiled in (cosim_rs.jax._batched, cosim_rs.jax._paired, cosim_rs.jax._matrix):
        compiled.clear_cache()
