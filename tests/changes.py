"""Catalogues that are changed, and plain dicts of what they should hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
from helpers import assert_same_bits

import cosim_rs
from cosim_rs import Catalogue

Array = npt.NDArray[Any]
DIM = 8


def rows(count: int, seed: int = 0, dtype: npt.DTypeLike = np.float32) -> Array:
    """Rows of few different numbers, so that many scores are alike, and some zero rows."""
    return np.random.default_rng(seed).integers(-1, 2, (count, DIM)).astype(dtype)


def assert_as_built_anew(catalogue: Catalogue, model: dict[Any, Array]) -> None:
    """Everything that a catalogue can be asked, against one made of the model."""
    assert catalogue.ids.tolist() == list(model)
    assert len(catalogue) == len(model)
    items = np.array(list(model.values()), catalogue_dtype(catalogue)).reshape(-1, DIM)
    anew = Catalogue(items, np.array(list(model), catalogue.ids.dtype))
    users = np.concatenate([rows(7, 99), np.zeros((1, DIM), np.float32)])
    ids = list(model)
    some = [ids[: len(ids) // 2 + user] for user in range(len(users))]
    columns = scipy.sparse.random_array(
        (len(users), len(model)), density=0.3, rng=np.random.default_rng(1)
    )
    flags = np.arange(len(model)) % 3 > 0
    for filters in (
        {},
        {"exclude": some},
        {"exclude": columns},
        {"allow": flags},
        {"allow": ids[::9]},
        {"candidates": some, "min_score": 0.1},
    ):
        for k in (1, 10, 500):
            found = catalogue.top_k(users, k, **filters)  # type: ignore[arg-type]
            assert_same(found, anew.top_k(users, k, **filters))  # type: ignore[arg-type]
    if ids:
        assert_same(catalogue.similar(ids[::5], 4), anew.similar(ids[::5], 4))
        assert_same_bits(catalogue.scores(users, some), anew.scores(users, some))
        out = np.empty(len(ids), np.float32) if catalogue.dtype == np.float32 else None
        assert_same_bits(catalogue.scores(users[0], ids, out=out), anew.scores(users[0], ids))


def catalogue_dtype(catalogue: Catalogue) -> np.dtype[Any]:
    return catalogue._state.pieces[0].items.dtype


def assert_same(found: cosim_rs.TopK, expected: cosim_rs.TopK) -> None:
    """Raise unless the scores are the same bits, and the ids the same."""
    assert_same_bits(found.scores, expected.scores)
    assert found.ids.dtype == expected.ids.dtype
    assert found.ids.tolist() == expected.ids.tolist()


def first(count: int, name: Callable[[int], Any]) -> tuple[Catalogue, dict[Any, Array]]:
    items = rows(count)
    ids = [name(row) for row in range(count)]
    return Catalogue(items, ids), dict(zip(ids, items, strict=True))
