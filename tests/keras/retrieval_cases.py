"""What the tests of `BruteForceRetrieval` search: candidates, their ids, a model around them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from helpers import gaussian_rows
from numpy.typing import NDArray

from cosim_rs.keras import BruteForceRetrieval

DIM = 8
IDS = {
    "rows": None,
    "small": np.arange(100, 130)[::-1],
    "int64": np.arange(30, dtype=np.int64) * 7 - 2**40,
    "uint8": np.arange(30, dtype=np.uint8) + 200,
    "strings": np.array([f"item {n}" for n in range(29)] + ["\u00e9\u4e2d\U0001f600"]),
    "bytes": np.array([f"item {n}" for n in range(30)], np.bytes_),
}


def candidates(count: int = 30) -> NDArray[Any]:
    return gaussian_rows(count, DIM, seed=1)


def numbers(values: Any) -> NDArray[Any]:
    if isinstance(values, np.ndarray):
        return values
    return np.asarray(keras.ops.convert_to_numpy(values))


def retrieval_model(layer: BruteForceRetrieval) -> keras.Model:
    query = keras.Input((DIM,))
    return keras.Model(query, layer(keras.layers.Dense(DIM)(query)))
