"""A call as small as can be, of arrays of each library: what it costs to take them.

The items alone are of the library, and then both sides; what is beyond the time of NumPy's arrays
is the price of one input, and of two.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .cases import Array, Case, Inputs
from .contenders import Call, Contender

Given = Callable[[Array], Any]


def contenders(_: Case) -> list[Contender]:
    """The library by itself, with NumPy's arrays first."""
    kinds: list[tuple[str, Given, str]] = [
        ("torch", _torch, "torch"),
        ("JAX", _jax, "jax"),
        ("pyarrow lists", _arrow_lists, "pyarrow"),
        ("pyarrow tensors", _arrow_tensors, "pyarrow"),
        ("pyarrow chunks", _arrow_chunks, "pyarrow"),
        ("pyarrow slices", _arrow_slices, "pyarrow"),
        ("polars", _polars, "polars"),
    ]
    numpy = partial(_cosim, _as_it_is, _as_it_is)
    return [
        Contender("NumPy arrays", "cosim_rs", numpy, ("cosim_rs",)),
        *(
            Contender(name + added, family, partial(_cosim, users, items), ("cosim_rs", needs))
            for name, items, needs in kinds
            for added, family, users in (
                ("", name, _as_it_is),
                (" on both sides", f"{name} twice", items),
            )
        ),
    ]


def _as_it_is(array: Array) -> Array:
    return array


def _cosim(of_users: Given, of_items: Given, inputs: Inputs) -> Call:
    import cosim_rs

    users, items = of_users(inputs.users[:, 0]), of_items(inputs.items)
    return lambda: cosim_rs.batched_cosine_similarity(users, items)


def _torch(array: Array) -> Any:
    import torch

    return torch.from_numpy(array)


def _jax(array: Array) -> Any:
    import jax.numpy

    return jax.numpy.asarray(array)


def _arrow_lists(array: Array) -> Any:
    """Lists of one length, in lists of one length where there are three axes."""
    import pyarrow as pa

    column = pa.array(array.reshape(-1))
    for length in array.shape[:0:-1]:
        column = pa.FixedSizeListArray.from_arrays(column, length)
    return column


def _arrow_tensors(array: Array) -> Any:
    import pyarrow as pa

    return pa.FixedShapeTensorArray.from_numpy_ndarray(array)


def _arrow_chunks(array: Array) -> Any:
    import pyarrow as pa

    return pa.chunked_array([_arrow_lists(array)])


def _arrow_slices(array: Array) -> Any:
    """All but a first row that is not asked for."""
    import numpy as np

    return _arrow_lists(np.concatenate([array[:1], array]))[1:]


def _polars(array: Array) -> Any:
    import polars as pl

    return pl.Series(array, dtype=pl.Array(pl.Float32, array.shape[1:]))
