"""The vectors that are drawn: Gaussian ones, and some that are more like those of a model."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

RANK, NOISE = 16, 0.1
"""Of low-rank vectors: directions that matter, and what the others hold beside them."""
COPIED = 0.2
"""The share of near-duplicates that are copies."""


def normal(generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Standard normal numbers, drawn in place so that no second array raises the peak."""
    numbers = np.empty(shape, dtype=dtype)
    generator.standard_normal(dtype=numbers.dtype.type, out=numbers)
    return numbers


def low_rank(generator: np.random.Generator, rows: int, mixing: Array) -> Array:
    """Vectors as trained ones are: most of what they hold lies in few directions."""
    rank, depth = mixing.shape
    vectors: Array = normal(generator, (rows, rank), mixing.dtype.name) @ mixing
    vectors /= math.sqrt(rank)
    vectors += NOISE * normal(generator, (rows, depth), mixing.dtype.name)
    return vectors


def near_duplicates(generator: np.random.Generator, rows: int, mixing: Array) -> Array:
    """Low-rank vectors, some of them others' copies that are off by a tenth to six tenths."""
    vectors = low_rank(generator, rows, mixing)
    count, depth = round(COPIED * rows), mixing.shape[1]
    copies, originals = np.split(generator.permutation(rows)[: 2 * count], 2)
    noise = normal(generator, (count, depth), mixing.dtype.name)
    noise *= generator.uniform(0.1, 0.6, (count, 1)) / np.linalg.norm(noise, axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors[originals], axis=1, keepdims=True)
    vectors[copies] = vectors[originals] + noise.astype(vectors.dtype) * lengths
    return vectors


def digits(generator: np.random.Generator, users: int) -> tuple[Array, Array]:
    """Some images of handwritten digits, with noise, and all of them."""
    from sklearn.datasets import load_digits

    images = load_digits().data.astype(np.float32)
    some = generator.choice(len(images), users, replace=False)
    return images[some] + normal(generator, (users, images.shape[1]), "float32"), images


def directions(rows: Array) -> Array:
    """The rows of a matrix, each of length 1."""
    scaled: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled
