"""Scores of torch's tensors have the bits of NumPy's functions, in each form."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from floating_point_mode import DENORMALS_ARE_ZERO, FLUSH_TO_ZERO, SUPPORTED, extra_mode
from helpers import LENGTHS, assert_same_bits
from torch import Tensor
from torch_forms import DTYPES, FORMS, as_numpy, native

import cosim_rs


def assert_same_as_numpy(name: str, x: Tensor, y: Tensor, **options: Any) -> None:
    form = FORMS[name]
    with native(forward=1):
        scores = form.torch(x, y, **options)
    assert scores.device == torch.device("cpu")
    assert scores.is_contiguous()
    assert_same_bits(as_numpy(scores), form.numpy(as_numpy(x), as_numpy(y), **options))


@pytest.mark.parametrize("dim", LENGTHS)
@pytest.mark.parametrize("name", FORMS)
def test_lengths(name: str, dim: int) -> None:
    assert_same_as_numpy(name, *FORMS[name].inputs(dim))


@pytest.mark.parametrize(("x_dtype", "y_dtype"), [*product(DTYPES, DTYPES)])
@pytest.mark.parametrize("name", FORMS)
def test_dtypes(name: str, x_dtype: torch.dtype, y_dtype: torch.dtype) -> None:
    x, y = FORMS[name].inputs()
    assert_same_as_numpy(name, x.to(x_dtype), y.to(y_dtype))
    is_double = torch.float64 in (x_dtype, y_dtype)
    scores = FORMS[name].torch(x.to(x_dtype), y.to(y_dtype))
    assert scores.dtype == (torch.float64 if is_double else torch.float32)


@pytest.mark.parametrize("epsilon", [0.0, 1e-3, 0.1, 6.0, 50, np.float64(0.3), 1e-300])
@pytest.mark.parametrize("name", FORMS)
def test_epsilon(name: str, epsilon: float) -> None:
    """0.1 is another number in float32: it comes as it is."""
    x, y = FORMS[name].inputs()
    assert_same_as_numpy(name, x, y, epsilon=epsilon)
    assert_same_as_numpy(name, x.double(), y, epsilon=epsilon)
    assert_same_as_numpy(name, x * 1e-3, y.half(), epsilon=epsilon)


def test_epsilon_is_not_rounded() -> None:
    x = torch.tensor([[0.01]], dtype=torch.float64)
    score = cosim_rs.torch.paired_cosine_similarity(x, x, epsilon=0.1)
    assert score.item() == pytest.approx(0.01, rel=1e-14)


LAYOUTS = {
    "transposed": lambda t: t.transpose(0, -1).contiguous().transpose(0, -1),
    "every other": lambda t: t.repeat_interleave(2, -1)[..., ::2],
    "a slice": lambda t: torch.cat([t, t, t], 0)[t.shape[0] : 2 * t.shape[0]],
    "wider rows": lambda t: torch.cat([t, t], -1)[..., : t.shape[-1]],
    "expanded": lambda t: t[:1].expand(t.shape),
    "one number": lambda t: t.flatten()[0].expand(t.shape),
    "negated lazily": lambda t: torch.complex(t, t).conj().imag,
    "a parameter": lambda t: torch.nn.Parameter(t),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", FORMS)
def test_layouts(name: str, layout: str) -> None:
    x, y = FORMS[name].inputs()
    assert_same_as_numpy(name, LAYOUTS[layout](x), LAYOUTS[layout](y))
    assert_same_as_numpy(name, x, LAYOUTS[layout](y))


def test_memory_that_is_not_aligned() -> None:
    x, _ = FORMS["paired"].inputs()
    memory = bytearray(x.numel() * 4 + 1)
    memory[1:] = x.numpy().tobytes()
    tensor = torch.frombuffer(memory, dtype=torch.float32, offset=1).view(x.shape)
    assert tensor.data_ptr() % 4 != 0
    assert_same_as_numpy("matrix", x, tensor)


@pytest.mark.parametrize("dtype", DTYPES)
def test_users_with_an_axis_of_one(dtype: torch.dtype) -> None:
    x, y = FORMS["batched"].inputs()
    assert_same_as_numpy("batched", x[:, None].to(dtype), y)
    strided = x.t().contiguous().t()[:, None]
    assert_same_as_numpy("batched", strided.to(dtype), y)


@pytest.mark.parametrize("shape", [(0, 5, 7), (3, 0, 7), (3, 5, 0), (0, 0, 0), (1, 1, 1)])
def test_empty_sides(shape: tuple[int, int, int]) -> None:
    batch, count, dim = shape
    assert_same_as_numpy("batched", torch.ones(batch, dim), torch.ones(shape))
    assert_same_as_numpy("batched", torch.ones(batch, 1, dim), torch.ones(shape))
    assert_same_as_numpy("paired", torch.ones(batch, dim), torch.ones(batch, dim))
    assert_same_as_numpy("matrix", torch.ones(batch, dim), torch.ones(count, dim))


def extreme_rows() -> Tensor:
    tiny, huge = torch.finfo(torch.float32).smallest_normal, torch.finfo(torch.float32).max
    rows = torch.from_numpy(FORMS["matrix"].inputs(17)[0].numpy()[:1]).repeat(9, 1)
    rows[1] *= 2.0**-140  # subnormal
    rows[2] = 1e-45
    rows[3] = rows[3] / rows[3].abs().max() * huge
    rows[4] *= tiny
    rows[5] = 0.0
    rows[6, 3] = torch.nan
    rows[7, 3] = torch.inf
    rows[8] = -0.0
    return rows


@pytest.mark.parametrize("epsilon", [0.0, 1e-40, 1e-3])
def test_extreme_vectors(epsilon: float) -> None:
    rows = extreme_rows()
    assert_same_as_numpy("matrix", rows, rows.clone(), epsilon=epsilon)
    assert_same_as_numpy("paired", rows, rows.flip(0), epsilon=epsilon)
    assert_same_as_numpy("batched", rows, rows.repeat(9, 1, 1), epsilon=epsilon)


@pytest.mark.skipif(not SUPPORTED, reason="no way to set the mode of this machine")
@pytest.mark.parametrize("name", FORMS)
def test_flush_to_zero_changes_nothing(name: str) -> None:
    rows = extreme_rows()
    x, y = (rows, rows.repeat(9, 1, 1)) if name == "batched" else (rows, rows.flip(0))
    expected = FORMS[name].numpy(x.numpy(), y.numpy())
    with extra_mode(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO):
        scores = FORMS[name].torch(x, y)
        assert (torch.tensor([1e-45]) * 1).item() == 0  # and the mode is back
    assert_same_bits(as_numpy(scores), expected)


def test_one_set() -> None:
    x, _ = FORMS["matrix"].inputs()
    assert_same_bits(
        as_numpy(cosim_rs.torch.cosine_similarity(x)), cosim_rs.cosine_similarity(x.numpy())
    )


def test_modes_without_gradients() -> None:
    for name, form in FORMS.items():
        x, y = form.inputs()
        x.requires_grad_()
        with torch.no_grad():
            assert not form.torch(x, y).requires_grad
            assert_same_as_numpy(name, x, y)
        with torch.inference_mode():
            assert form.torch(x, y).is_inference()
            assert_same_as_numpy(name, x, y)


def test_autocast_changes_nothing() -> None:
    for name, form in FORMS.items():
        x, y = form.inputs()
        expected = form.numpy(x.numpy(), y.numpy())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert_same_bits(as_numpy(form.torch(x, y)), expected)
            assert_same_as_numpy(name, x.bfloat16(), y)


def test_large_scores_by_several_threads() -> None:
    x, y = torch.randn(64, 96), torch.randn(64, 300, 96)
    cosim_rs.set_num_threads(2)
    assert_same_as_numpy("batched", x, y)


def test_calls_from_several_threads() -> None:
    x, y = FORMS["batched"].inputs(65)
    expected = FORMS["batched"].numpy(x.numpy(), y.numpy())

    def call(_: int) -> Any:
        return as_numpy(FORMS["batched"].torch(x, y))

    with ThreadPoolExecutor(4) as executor:
        for scores in executor.map(call, range(200)):
            assert_same_bits(scores, expected)


def test_a_subclass_is_taken_too() -> None:
    class Named(torch.Tensor):
        pass

    x, y = FORMS["matrix"].inputs()
    scores = cosim_rs.torch.cosine_similarity(x.as_subclass(Named), y)
    assert type(scores) is Named
    expected = cosim_rs.cosine_similarity(x.numpy(), y.numpy())
    assert_same_bits(as_numpy(scores.as_subclass(Tensor)), expected)
