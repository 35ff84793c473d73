"""Tensors of torch on the CPU are taken where they lie; any others are refused."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from helpers import assert_same_bits
from interchange import (
    Array,
    assert_places_taken,
    assert_shared,
    assert_taken,
    copied_bytes,
    numbers,
)

import cosim_rs
from cosim_rs._interchange import as_array
from cosim_rs._tensors import BFLOAT16

DTYPES = (np.float32, np.float64, np.float16, np.int8)


def bfloat16(values: Array) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)).bfloat16()


def parameter(values: Array) -> torch.Tensor:
    return torch.nn.Parameter(torch.from_numpy(values.copy()))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_function_takes_them(dtype: Any) -> None:
    assert_taken(torch.from_numpy, dtype)
    # The same numbers, in other strides.
    assert_taken(lambda values: torch.from_numpy(np.asfortranarray(values)), dtype)
    assert_taken(lambda values: torch.from_numpy(np.repeat(values, 2, -1))[..., ::2], dtype)


def test_every_function_takes_bfloat16() -> None:
    assert_taken(bfloat16, ml_dtypes.bfloat16)


def test_places() -> None:
    assert_places_taken(torch.from_numpy)


@pytest.mark.parametrize("dtype", DTYPES)
def test_they_are_read_where_they_lie(dtype: Any) -> None:
    values = numbers(6, 5, 17, dtype=dtype)
    tensor = torch.from_numpy(values)
    assert_shared(tensor, values)
    assert_shared(tensor[2:, ::2], values[2:, ::2])
    assert_shared(tensor.transpose(0, 2), values.swapaxes(0, 2))
    assert_shared(tensor[:1].expand(4, 5, 17), np.broadcast_to(values[:1], (4, 5, 17)))


def test_bfloat16_is_read_where_it_lies() -> None:
    tensor = bfloat16(numbers(6, 17))
    bits = tensor.view(torch.int16).numpy()
    for view, expected in (
        (tensor, bits),
        (tensor[1::2], bits[1::2]),
        (tensor.T, bits.T),
        (torch.nn.Parameter(tensor), bits),
    ):
        taken = as_array("x", view)
        assert taken.dtype == BFLOAT16
        assert np.shares_memory(taken, bits)
        assert_same_bits(taken.view(np.int16), expected)


def test_every_bfloat16_is_widened_as_torch_does() -> None:
    patterns = np.random.default_rng(0).permutation(2**16).astype(np.int16).reshape(-1, 32)
    tensor = torch.from_numpy(patterns).view(torch.bfloat16)
    expected = cosim_rs.cosine_similarity(tensor[:20].float(), tensor[20:].float())
    assert_same_bits(cosim_rs.cosine_similarity(tensor[:20], tensor[20:]), expected)


def test_those_that_require_a_gradient_are_detached() -> None:
    assert_taken(parameter, np.float32)
    weights = parameter(numbers(6, 17))
    assert_shared(weights, weights.detach().numpy())
    assert weights.requires_grad
    computed = weights * 2
    assert_same_bits(cosim_rs.cosine_similarity(computed), cosim_rs.cosine_similarity(weights))
    assert computed.requires_grad


def test_numbers_that_are_lazily_negated_are_written_out() -> None:
    values = torch.from_numpy(numbers(4, 17))
    negated = torch.complex(values, values).conj().imag
    assert negated.is_neg()
    expected = cosim_rs.cosine_similarity(-values.numpy())
    assert_same_bits(cosim_rs.cosine_similarity(negated), expected)
    expected = cosim_rs.cosine_similarity(-values, values)
    assert_same_bits(cosim_rs.cosine_similarity(negated, values), expected)


def test_large_tensors_are_not_copied() -> None:
    tensor = torch.from_numpy(numbers(1000, 1000))
    users, out = numbers(1, 1000), np.empty((1, 1000), np.float32)
    for items in (tensor, tensor.T, tensor.clone().requires_grad_()):
        used = copied_bytes(
            lambda x=items: cosim_rs.cosine_similarity(users, x, out=out, threads=1)
        )
        assert used < 400_000
    assert copied_bytes(lambda: as_array("x", tensor.bfloat16())) < 400_000


def test_a_catalogue_borrows_them() -> None:
    tensor = torch.from_numpy(numbers(40, 17))
    borrowed, own = cosim_rs.Catalogue(tensor), cosim_rs.Catalogue(tensor, copy=True)
    assert own.nbytes == borrowed.nbytes + 4 * 40 * 17
    before = own.top_k(tensor[:3].clone(), 5)
    users = tensor[:3].clone()
    tensor.zero_()
    assert_same_bits(own.top_k(users, 5).scores, before.scores)


def test_a_catalogue_keeps_their_memory() -> None:
    rows = numbers(40, 17)
    catalogue = cosim_rs.Catalogue(torch.from_numpy(rows.copy()).clone())
    torch.zeros(40, 17)  # would lie where a freed one lay
    assert_same_bits(catalogue.top_k(rows, 3).scores, cosim_rs.top_k(rows, rows, 3).scores)


REFUSED = {
    "meta": (torch.ones(2, 3, device="meta"), r"a tensor on meta, expected memory of the CPU: "),
    "bfloat16 on meta": (
        torch.ones(2, 3, device="meta", dtype=torch.bfloat16),
        r"a tensor on meta, expected memory of the CPU: move it there first, as by \.cpu\(\)$",
    ),
    "sparse": (torch.eye(3).to_sparse(), r"a tensor of torch.float32, torch.sparse_coo, which"),
    "float8": (torch.ones(2, 3).to(torch.float8_e4m3fn), r"a tensor of torch.float8_e4m3fn, "),
    "complex": (torch.ones(2, 3, dtype=torch.complex64), r"dtype complex64, expected real"),
    "conjugated": (torch.ones(2, 3, dtype=torch.complex64).conj(), r"dtype complex64, expected"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_others_are_refused(kind: str) -> None:
    tensor, got = REFUSED[kind]
    rows = np.ones((2, 3), np.float32)
    with pytest.raises(TypeError, match=rf"^x: got {got}"):
        cosim_rs.cosine_similarity(tensor)
    with pytest.raises(TypeError, match=rf"^y: got {got}"):
        cosim_rs.paired_cosine_similarity(rows, tensor)
    with pytest.raises(TypeError, match=rf"^users: got {got}"):
        cosim_rs.top_k(tensor, rows, 1)
    with pytest.raises(TypeError, match=rf"^items: got {got}"):
        cosim_rs.Catalogue(tensor)


def test_out_is_a_numpy_array() -> None:
    with pytest.raises(TypeError, match=r"^out: got Tensor, expected a numpy.ndarray or None$"):
        cosim_rs.cosine_similarity(numbers(2, 3), out=torch.zeros(2, 2))


def test_a_subclass_is_taken_too() -> None:
    class Named(torch.Tensor):
        pass

    values = numbers(4, 17)
    assert_shared(torch.from_numpy(values).as_subclass(Named), values)
