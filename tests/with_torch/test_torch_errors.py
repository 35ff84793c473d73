"""Errors name the argument, what came and what was wanted; eager and while tracing."""

from __future__ import annotations

import doctest
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch_forms import FORMS

import cosim_rs.torch
from cosim_rs import _torch_ops

ONE = torch.ones(2, 3)
ITEMS = torch.ones(2, 5, 3)

SHAPES: dict[str, tuple[str, tuple[Any, ...], str]] = {
    "items of two axes": (
        "batched",
        (ONE, ONE),
        r"^items: got shape \(2, 3\), expected \(B, N, D\)$",
    ),
    "another batch": (
        "batched",
        (torch.ones(3, 3), ITEMS),
        r"^users: got shape \(3, 3\), expected \(2, 3\) or \(2, 1, 3\), "
        r"to fit items of shape \(2, 5, 3\)$",
    ),
    "another length": ("batched", (torch.ones(2, 4), ITEMS), r"^users: got shape \(2, 4\), exp"),
    "two users each": ("batched", (torch.ones(2, 2, 3), ITEMS), r"^users: got shape \(2, 2, 3\)"),
    "one axis": ("batched", (torch.ones(3), ITEMS), r"^users: got shape \(3,\), expected"),
    "no axis": ("batched", (torch.ones(()), ITEMS), r"^users: got shape \(\), expected"),
    "pairs of one axis": ("paired", (torch.ones(3), torch.ones(3)), r"^x: got shape \(3,\), exp"),
    "no pairs": (
        "paired",
        (ONE, torch.ones(1, 3)),
        r"^y: got shape \(1, 3\), expected \(2, 3\), as x has$",
    ),
    "a vector": ("matrix", (torch.ones(3), ONE), r"^x: got shape \(3,\), expected \(U, D\)$"),
    "y of another length": (
        "matrix",
        (ONE, torch.ones(2, 4)),
        r"^y: got shape \(2, 4\), expected \(N, 3\), to fit x of shape \(2, 3\)$",
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shapes(case: str) -> None:
    name, sides, message = SHAPES[case]
    with pytest.raises(ValueError, match=message):
        FORMS[name].torch(*sides)
    with pytest.raises(ValueError, match=message):
        FORMS[name].torch(*(side.to("meta") for side in sides))


KINDS: dict[str, tuple[Any, str]] = {
    "list": ([[1.0]], r"got list, expected a torch.Tensor$"),
    "array": (np.ones((2, 3)), r"got ndarray, expected a torch.Tensor$"),
    "whole numbers": (
        torch.ones(2, 3, dtype=torch.int64),
        r"got dtype torch.int64, expected float32, float64, float16 or bfloat16$",
    ),
    "complex": (torch.ones(2, 3, dtype=torch.complex64), r"got dtype torch.complex64, expected f"),
    "sparse": (ONE.to_sparse(), r"got a tensor of torch.sparse_coo, expected torch.strided$"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind: str) -> None:
    side, message = KINDS[kind]
    with pytest.raises(TypeError, match=f"^users: {message}"):
        FORMS["batched"].torch(side, ITEMS)
    with pytest.raises(TypeError, match=f"^items: {message}"):
        FORMS["batched"].torch(ONE, side)
    for name in ("paired", "matrix"):
        with pytest.raises(TypeError, match=f"^x: {message}"):
            FORMS[name].torch(side, ONE)
        with pytest.raises(TypeError, match=f"^y: {message}"):
            FORMS[name].torch(ONE, side)


@pytest.mark.parametrize("name", FORMS)
def test_epsilon(name: str) -> None:
    sides = FORMS[name].inputs()
    for epsilon in (-1.0, -1, math.inf, math.nan, 1e39, np.float64(-1)):
        with pytest.raises(ValueError, match=r"^epsilon: got .*, expected a finite number of at"):
            FORMS[name].torch(*sides, epsilon=epsilon)
    for epsilon in ("1", None, True, 1j):
        with pytest.raises(TypeError, match=r"^epsilon: got .*, expected a real number$"):
            FORMS[name].torch(*sides, epsilon=epsilon)
    with pytest.raises(TypeError):
        FORMS[name].torch(*sides, 0.1)


@pytest.mark.parametrize("name", FORMS)
def test_the_operations_themselves_refuse_what_does_not_fit(name: str) -> None:
    """Only torch's dispatcher is before them, so memory must be safe all the same."""
    operations = {
        "batched": _torch_ops.batched,
        "paired": _torch_ops.paired,
        "matrix": _torch_ops.matrix,
    }
    scores = operations[name].scores
    gradient = getattr(torch.ops.cosim_rs, _torch_ops.FORMS[name].stem + "_gradient")
    with pytest.raises(RuntimeError, match=r"^shapes .* do not fit"):
        scores(torch.ones(3, 4), torch.ones(3, 5), 0.0)
    with pytest.raises(RuntimeError, match=r"no scores of shapes|do not fit"):
        scores(torch.ones(()), torch.ones(()), 0.0)
    with pytest.raises(RuntimeError, match=r"a tensor of more than 3 axes"):
        scores(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2), 0.0)
    with pytest.raises(RuntimeError, match=r"a tensor of torch's dtype"):
        scores(*(side.long() for side in FORMS[name].inputs()), 0.0)
    with pytest.raises(RuntimeError, match=r"a gradient of other scores"):
        gradient(*FORMS[name].inputs(), torch.ones(2), 0.0, True, True)
    with pytest.raises(RuntimeError, match=r"a Double gradient of Single and Single vectors"):
        gradient(*FORMS[name].inputs(), torch.ones(2).double(), 0.0, True, True)
    with pytest.raises(RuntimeError, match=r"epsilon"):
        scores(*FORMS[name].inputs(), -1.0)


def test_docstrings() -> None:
    ran = doctest.testmod(cosim_rs.torch)
    assert ran.attempted >= 12
    assert ran.failed == 0


def test_a_gradient_of_another_shape_is_refused_where_it_would_be_read() -> None:
    """The operation is called directly; these strides would lead beyond the gradient's memory."""
    users, items, weights = torch.ones(9, 4), torch.ones(9, 2, 4), torch.ones(2, 9)
    gradient = torch.ops.cosim_rs.batched_cosine_gradient
    assert gradient(users, items, weights.T, 0.0, True, True)[0].shape == (9, 4)
    for wrong in (weights, weights.flatten(), weights.reshape(3, 6), weights[None]):
        with pytest.raises(RuntimeError, match="a gradient of other scores"):
            gradient(users, items, wrong, 0.0, True, True)
