"""What the tests of other libraries' arrays have in common.

An offer makes of a NumPy array the same numbers as another library's object.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from helpers import assert_same_bits, gaussian_rows

import cosim_rs
from cosim_rs._interchange import as_array

Array = npt.NDArray[Any]
Offer = Callable[[Array], Any]


def numbers(*shape: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Numbers that are whole enough for int8."""
    return (gaussian_rows(*shape) * 30).clip(-127, 127).astype(dtype)


def assert_taken(offer: Offer, dtype: npt.DTypeLike, *, dimensions: int = 3) -> None:
    """Raise unless every function gives for offered vectors the bits that it gives for arrays."""
    users, items = numbers(3, 17, dtype=dtype), numbers(3, 5, 17, dtype=dtype)
    if dimensions == 3:
        one_each = users[:, None]
        for left, right in ((users, items), (one_each, items)):
            function = cosim_rs.batched_cosine_similarity
            expected = function(left, right)
            assert_same_bits(function(offer(left), offer(right)), expected)
            assert_same_bits(function(left, offer(right)), expected)
            assert_same_bits(function(offer(left), right), expected)
    rows = items[1]
    for function in (cosim_rs.cosine_similarity, cosim_rs.paired_cosine_similarity):
        left, right = (users, rows[:3]) if "paired" in function.__name__ else (users, rows)
        expected = function(left, right)
        out = np.empty_like(expected)
        assert_same_bits(function(offer(left), offer(right)), expected)
        assert function(offer(left), right, out=out) is out
        assert_same_bits(out, expected)
    one_set = offer(rows)
    assert_same_bits(cosim_rs.cosine_similarity(one_set), cosim_rs.cosine_similarity(rows))
    assert_same_bits(cosim_rs.cosine_similarity(one_set, one_set), cosim_rs.cosine_similarity(rows))
    assert_searched(offer, users, rows)


def assert_searched(offer: Offer, users: Array, rows: Array) -> None:
    """Raise unless searches of offered rows find what they find in arrays."""
    expected = cosim_rs.top_k(users, rows, 2)
    catalogue = cosim_rs.Catalogue(offer(rows))
    for found in (
        cosim_rs.top_k(offer(users), offer(rows), 2),
        catalogue.top_k(offer(users), 2),
    ):
        assert_same_bits(found.scores, expected.scores)
        assert_same_bits(found.indices, expected.indices)
    one = cosim_rs.top_k(offer(users[0]), offer(rows), 2)
    assert_same_bits(one.scores, expected.scores[0])
    scores = catalogue.scores(offer(users), expected.indices)
    assert_same_bits(scores, expected.scores)


def assert_places_taken(offer: Offer) -> None:
    """Raise unless ids, exclusions and allowed items may be offered too."""
    users, rows = numbers(2, 9), numbers(6, 9)
    ids, excluded = np.arange(60, 0, -10, np.int32), np.array([[0, 3], [5, -1]])
    allow = np.array([True, False, True, True, True, True])

    def assert_found(found: cosim_rs.TopK, expected: cosim_rs.TopK) -> None:
        assert_same_bits(found.scores, expected.scores)
        assert_same_bits(found.indices, expected.indices)

    expected = cosim_rs.top_k(users, rows, 4, exclude=excluded, allow=allow)
    found = cosim_rs.top_k(users, rows, 4, exclude=offer(excluded), allow=offer(allow))
    assert_found(found, expected)
    listed = [offer(np.array([0, 3])), offer(np.array([5]))]
    places = offer(np.flatnonzero(allow))
    assert_found(cosim_rs.top_k(users, rows, 4, exclude=listed, allow=places), expected)
    named = cosim_rs.Catalogue(rows, offer(ids))
    plain = cosim_rs.Catalogue(rows, ids)
    assert_found(named.similar(offer(ids[:2]), 3), plain.similar(ids[:2], 3))
    wanted = np.array([[20, 10], [60, -1]])
    assert_same_bits(named.scores(users, offer(wanted)), plain.scores(users, wanted))


def assert_shared(offered: Any, memory: Array) -> None:
    """Raise unless the offered object is taken in this memory, with this array's values."""
    taken = as_array("x", offered)
    assert np.shares_memory(taken, memory)
    assert taken.base is not None
    assert_same_bits(taken, memory)


def copied_bytes(call: Callable[[], object]) -> int:
    """The most memory that NumPy and Python held at once during a call, beyond what they had."""
    call()  # what is made once
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class OnCuda:
    """An object that says by DLPack that it is on a GPU."""

    shape = (3, 4)

    def __init__(self, device: int = 2) -> None:
        self._device = device

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device, 0

    def __dlpack__(self, **_: Any) -> Any:
        raise AssertionError("asked for its memory")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise AssertionError("asked for a copy")
