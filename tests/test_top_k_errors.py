"""What `top_k` refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from helpers import gaussian_rows
from ranking import assert_same

import cosim_rs


def test_more_than_memory_holds() -> None:
    many = np.broadcast_to(np.float32(1), (10**7, 4))
    with pytest.raises(MemoryError, match="memory: got none for the result, expected 12000"):
        cosim_rs.top_k(many, many, 10**7)


def test_items_that_no_list_can_name() -> None:
    items = np.broadcast_to(np.float32(1), (2**32 + 5, 3))
    last = 2**32 - 1
    lists = np.array([[last + 1], [0]])
    for name in ("exclude", "candidates"):
        with pytest.raises(
            ValueError, match=f"{name}: got index {last + 1}, expected -1 to {last}"
        ):
            cosim_rs.top_k(np.ones((2, 3), np.float32), items, 1, **{name: lists})
    with pytest.raises(
        IndexError, match=rf"ids: got {last + 1} at \(0, 0\), expected -1 to {last}"
    ):
        cosim_rs.candidate_cosine_similarity(np.ones((2, 3), np.float32), items, lists)


@pytest.mark.parametrize("dtype", np.typecodes["AllInteger"])
def test_indices_of_every_type_must_be_of_items(dtype: str) -> None:
    """Of so many items that what is negative in few bits would be one of them without its sign."""
    users, items = gaussian_rows(2, 3), gaussian_rows(70_000, 3)
    limits = np.iinfo(dtype)
    last = min(70_000, limits.max)
    scores = cosim_rs.cosine_similarity(users, items[last - 1 : last])
    found = cosim_rs.top_k(users, items, 1, allow=np.array([last - 1], dtype))
    assert_same(found, cosim_rs.TopK(scores, np.full((2, 1), last - 1)))
    for wrong in {-1, -2, limits.min, limits.max}:
        if not limits.min <= wrong <= limits.max or 0 <= wrong < 70_000:
            continue
        with pytest.raises(ValueError, match=f"allow: got index {wrong}, expected 0 to 69999"):
            cosim_rs.top_k(users, items, 1, allow=np.array([0, wrong], dtype))
        if wrong != -1:
            with pytest.raises(ValueError, match=f"exclude: got index {wrong}, expected -1 to"):
                cosim_rs.top_k(users, items, 1, exclude=np.array([[0], [wrong]], dtype))


ERRORS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"k": 0}, ValueError, "k: got 0, expected a whole number of at least 1"),
    ({"k": 2.0}, TypeError, "k: got float"),
    (
        {"users": np.ones((2, 4))},
        ValueError,
        r"users: got shape \(2, 4\), expected \(U, 3\), \(U, 1, 3\) or",
    ),
    ({"users": np.float32(1)}, ValueError, r"users: got shape \(\), expected"),
    ({"items": np.ones(3)}, ValueError, r"items: got shape \(3,\), expected \(N, D\)"),
    ({"items": np.ones((5, 3), complex)}, TypeError, "items: got dtype complex128, expected real"),
    ({"min_score": np.nan}, ValueError, "min_score: got nan, expected a number"),
    ({"min_score": 10**400}, ValueError, "min_score: got a whole number that no float holds"),
    ({"min_score": "0.5"}, TypeError, "min_score: got str, expected a real number"),
    ({"exclude_self": True}, ValueError, "exclude_self: got 2 users and 5 items, expected as many"),
    ({"exclude_self": 1}, TypeError, "exclude_self: got int, expected bool"),
    ({"epsilon": -1.0}, ValueError, "epsilon: got -1.0"),
    ({"threads": 0}, ValueError, "threads: got 0"),
    ({"allow": [5]}, ValueError, "allow: got index 5, expected 0 to 4"),
    ({"allow": [-1]}, ValueError, "allow: got index -1, expected 0 to 4"),
    ({"allow": [0.5]}, TypeError, "allow: got dtype float64, expected whole numbers"),
    ({"allow": [True]}, ValueError, r"allow: got shape \(1,\), expected \(5,\), a flag an item"),
    ({"allow": [[0]]}, ValueError, r"allow: got shape \(1, 1\), expected"),
    ({"exclude": [[1]]}, ValueError, "exclude: got 1 arrays, expected 2, one a user"),
    ({"exclude": [[1], [-1]]}, ValueError, "exclude: got index -1, expected 0 to 4"),
    ({"exclude": [[1], [[2]]]}, ValueError, r"exclude: got shape \(1, 1\), expected \(M,\)"),
    ({"exclude": [["a"], []]}, TypeError, "exclude: got dtype <U1, expected whole numbers"),
    ({"exclude": "ab"}, TypeError, "exclude: got str, expected"),
    ({"exclude": 7}, TypeError, "exclude: got int, expected"),
    ({"exclude": np.array([[1], [5]])}, ValueError, "exclude: got index 5, expected -1 to 4"),
    ({"exclude": np.array([[1], [-2]])}, ValueError, "exclude: got index -2, expected -1 to 4"),
    ({"exclude": np.array([1, 2])}, ValueError, r"exclude: got shape \(2,\), expected \(2, M\)"),
    ({"exclude": scipy.sparse.eye_array(5)}, ValueError, r"exclude: got shape \(5, 5\), expected"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), ERRORS)
def test_bad_input(wrong: dict[str, Any], error: type[Exception], message: str) -> None:
    right: dict[str, Any] = {"users": np.ones((2, 3)), "items": np.ones((5, 3)), "k": 2}
    with pytest.raises(error, match=message):
        cosim_rs.top_k(**(right | wrong))
