"""Gradients of torch's tensors: those of the formula, natively, where they are needed."""

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
from torch.utils._python_dispatch import TorchDispatchMode
from torch_forms import DTYPES, FORMS, Form, as_numpy, gradients, native, weights_for


def bound(form: Form, x: Tensor, y: Tensor, weights: Tensor, dtype: torch.dtype) -> Any:
    """How far gradients in this dtype may be from the formula's: a number a vector of x, and of y.

    A term of the gradient of v is no longer than 2·|g| / |v|. Its relative error is at most one
    rounding for each element of the dot product and of both norms, and some for the rest; sums of
    terms add one a term.
    """
    roundings = 3 * x.shape[-1] + x.shape[0] + y.shape[-2] + 20
    g = weights.double().abs().unsqueeze(-1) * roundings * 2 * torch.finfo(dtype).eps

    def most(side: Tensor, vectors: Tensor) -> Tensor:
        shortest = vectors.double().norm(dim=-1, keepdim=True)
        return (g / shortest).sum_to_size(shortest.shape).reshape(*side.shape[:-1], 1)

    left, right = form.pairs(x, y)
    return most(x, left), most(y, right)


def assert_close(
    form: Form, x: Tensor, y: Tensor, weights: Tensor | None, **options: float
) -> None:
    """The native gradients are, but for rounding, those of the plain formula in float64."""
    with native(forward=1, backward=1):
        actual = gradients(form.torch, x, y, weights, **options)
    shown = torch.ones(form.oracle(as_numpy(x.double()), as_numpy(y.double())).shape)
    used = shown if weights is None else weights
    expected = gradients(form.plain, x.double(), y.double(), used.double(), **options)
    dtype = torch.float64 if torch.float64 in (x.dtype, y.dtype) else torch.float32
    bounds = bound(form, x, y, used, dtype)
    for side, got, wanted, most in zip((x, y), actual, expected, bounds, strict=True):
        assert got.dtype == side.dtype
        assert got.shape == side.shape
        rounding = torch.finfo(side.dtype)
        allowed = most + wanted.abs() * rounding.eps + rounding.smallest_normal * rounding.eps
        assert ((got.double() - wanted).abs() <= allowed).all()


@pytest.mark.parametrize("dim", [length for length in LENGTHS if length])
@pytest.mark.parametrize("name", FORMS)
def test_lengths(name: str, dim: int) -> None:
    x, y = FORMS[name].inputs(dim)
    assert_close(FORMS[name], x, y, weights_for(FORMS[name].torch(x, y)))


@pytest.mark.parametrize(("x_dtype", "y_dtype"), [*product(DTYPES, DTYPES)])
@pytest.mark.parametrize("name", FORMS)
def test_dtypes(name: str, x_dtype: torch.dtype, y_dtype: torch.dtype) -> None:
    x, y = FORMS[name].inputs()
    x, y = x.to(x_dtype), y.to(y_dtype)
    assert_close(FORMS[name], x, y, weights_for(FORMS[name].torch(x, y)))


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 5.7, 50.0])
@pytest.mark.parametrize("name", FORMS)
def test_epsilon(name: str, epsilon: float) -> None:
    """At 5.7 some norms are raised and some are not."""
    x, y = FORMS[name].inputs()
    norms = torch.cat([x.norm(dim=-1).flatten(), y.norm(dim=-1).flatten()])
    assert norms.min() < 5.7 < norms.max()
    assert_close(FORMS[name], x, y, weights_for(FORMS[name].torch(x, y)), epsilon=epsilon)
    x, y = x.double(), y.double()
    assert_close(FORMS[name], x, y, weights_for(FORMS[name].torch(x, y)), epsilon=epsilon)


@pytest.mark.parametrize("epsilon", [0.0, 2.9])
@pytest.mark.parametrize("name", FORMS)
def test_finite_differences_of_the_oracle(name: str, epsilon: float) -> None:
    form = FORMS[name]
    x, y = (side.double() for side in form.inputs(7))
    weights = weights_for(form.torch(x, y))
    step = 2.0**-18  # the error of central differences is its square, and 2**-52 divided by it

    def loss(left: Any, right: Any) -> float:
        return float((form.oracle(left, right, epsilon) * weights.numpy()).sum())

    actual = gradients(form.torch, x, y, weights, epsilon=epsilon)
    sides = [x.numpy(), y.numpy()]
    for which, gradient in enumerate(actual):
        for place in np.ndindex(*gradient.shape):
            up, down = ([side.copy() for side in sides] for _ in range(2))
            up[which][place] += step
            down[which][place] -= step
            difference = (loss(*up) - loss(*down)) / (2 * step)
            assert gradient[place].item() == pytest.approx(difference, abs=2e-9)


@pytest.mark.parametrize("name", FORMS)
def test_strides(name: str) -> None:
    form = FORMS[name]
    x, y = form.inputs()
    weights = weights_for(form.torch(x, y))
    assert_close(form, x, y, None)  # the gradient of a sum has stride 0
    assert_close(form, x, y, weights.repeat_interleave(2, -1)[..., ::2])
    transposed = weights.t().contiguous().t() if weights.ndim == 2 else weights
    assert_close(form, x, y, transposed)
    strided = x.repeat_interleave(3, -1)[..., ::3]
    assert_close(form, strided, y.transpose(0, -1).contiguous().transpose(0, -1), weights)
    assert_close(form, x[:1].expand(x.shape), y[:1].expand(y.shape), weights)


def test_users_with_an_axis_of_one() -> None:
    x, y = FORMS["batched"].inputs()
    weights = weights_for(FORMS["batched"].torch(x, y))
    x_gradient, y_gradient = gradients(FORMS["batched"].torch, x, y, weights)
    others = gradients(FORMS["batched"].torch, x[:, None], y, weights)
    assert others[0].shape == (3, 1, 33)
    assert torch.equal(others[0][:, 0], x_gradient)
    assert torch.equal(others[1], y_gradient)


class Wanted(TorchDispatchMode):
    """Which gradients are asked of the operations."""

    def __init__(self) -> None:
        super().__init__()
        self.sides: list[tuple[bool, bool]] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        results = function(*args, **(kwargs or {}))
        if function.name().endswith("_gradient"):
            self.sides.append(args[-2:])
            assert [bool(result.numel()) for result in results] == list(args[-2:])
        return results


@pytest.mark.parametrize("name", FORMS)
def test_only_what_is_needed(name: str) -> None:
    form = FORMS[name]
    x, y = form.inputs()
    both = gradients(form.torch, x, y, None)
    for which in range(2):
        sides = [x.clone(), y.clone()]
        sides[which].requires_grad_()
        with native(forward=1, backward=1), Wanted() as wanted:
            form.torch(*sides).sum().backward()
        assert wanted.sides == [(which == 0, which == 1)]
        assert sides[1 - which].grad is None
        assert torch.equal(sides[which].grad, both[which])


def test_one_set_gets_both() -> None:
    x, _ = FORMS["matrix"].inputs()
    weights = weights_for(torch.empty(3, 3))
    own = x.clone().requires_grad_()
    FORMS["matrix"].torch(own).backward(weights)
    expected = sum(gradients(FORMS["matrix"].torch, x, x.clone(), weights))
    assert torch.equal(own.grad, expected)


@pytest.mark.parametrize("shape", [(0, 5, 7), (3, 0, 7), (3, 5, 0)])
def test_empty_sides(shape: tuple[int, int, int]) -> None:
    batch, count, dim = shape
    cases = {
        "batched": (torch.ones(batch, dim), torch.ones(shape)),
        "paired": (torch.ones(batch, dim), torch.ones(batch, dim)),
        "matrix": (torch.ones(batch, dim), torch.ones(count, dim)),
    }
    for name, (x, y) in cases.items():
        for side, gradient in zip((x, y), gradients(FORMS[name].torch, x, y, None), strict=True):
            assert gradient.shape == side.shape
            assert name == "paired" or (gradient == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_vectors_have_finite_gradients(dtype: torch.dtype) -> None:
    limits = torch.finfo(dtype)
    least = limits.smallest_normal * limits.eps
    rows = torch.tensor(
        [[0.0, 0.0], [least, 0.0], [least, -least], [limits.max, limits.max], [1.0, -limits.max]],
        dtype=dtype,
    )
    for weight in (1.0, torch.finfo(torch.float32).max):
        weights = torch.full((5, 5), weight, dtype=torch.promote_types(dtype, torch.float32))
        for gradient in gradients(FORMS["matrix"].torch, rows, rows.clone(), weights):
            assert gradient.isfinite().all()
            assert (gradient[0] == 0).all()
            assert gradient[1, 1].abs() > 0


def test_a_subnormal_vector_has_the_largest_gradient() -> None:
    x = torch.tensor([[1e-44, 0.0]])
    y = torch.tensor([[1.0, 1.0]])
    x_gradient, y_gradient = gradients(FORMS["paired"].torch, x, y, None)
    assert x_gradient[0, 0].abs() <= 2.0**-22 / 1e-44  # two terms that are alike but for rounding
    assert x_gradient[0, 1] == torch.finfo(torch.float32).max
    assert y_gradient[0, 0].item() == pytest.approx(8**-0.5)


def test_a_score_of_one_has_a_gradient() -> None:
    """It is rounded into [-1, 1], which is no reason to have none."""
    x, y = torch.tensor([[3.0, 4.0]]), torch.tensor([[3.0, 4.0 + 2**-20]])
    x_gradient, _ = gradients(FORMS["paired"].torch, x, y, None)
    assert FORMS["paired"].torch(x, y).item() == 1
    assert (x_gradient != 0).all()


def test_what_is_not_finite_gives_nan() -> None:
    y = torch.ones(1, 2, 2)
    for bad in (torch.nan, torch.inf):
        x = torch.tensor([[bad, 1.0]])
        for gradient in gradients(FORMS["batched"].torch, x, y, None):
            assert gradient.isnan().all()


@pytest.mark.skipif(not SUPPORTED, reason="no way to set the mode of this machine")
@pytest.mark.parametrize("name", FORMS)
def test_flush_to_zero_changes_nothing(name: str) -> None:
    form = FORMS[name]
    x, y = (side * 2.0**-130 for side in form.inputs())
    weights = weights_for(form.torch(x, y)) * 2.0**-128
    expected = gradients(form.torch, x, y, weights)
    x.requires_grad_()
    y.requires_grad_()
    with extra_mode(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO):
        form.torch(x, y).backward(weights)  # on this thread, as all of the CPU alone
    for side, wanted in zip((x, y), expected, strict=True):
        assert_same_bits(as_numpy(side.grad), as_numpy(wanted))


def test_autocast_changes_nothing() -> None:
    for form in FORMS.values():
        x, y = form.inputs()
        expected = gradients(form.torch, x, y, None)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            actual = gradients(form.torch, x, y, None)
        assert all(map(torch.equal, actual, expected))


def test_gradients_are_added_up_as_torch_does() -> None:
    x, y = FORMS["batched"].inputs()
    y = torch.nn.Parameter(y)
    for _ in range(2):
        FORMS["batched"].torch(x, y).sum().backward()
    twice = 2 * gradients(FORMS["batched"].torch, x, y, None)[1]
    assert torch.equal(y.grad, twice)


def test_checkpoints() -> None:
    from torch.utils.checkpoint import checkpoint

    def function(x: Tensor, y: Tensor) -> Tensor:
        return checkpoint(FORMS["batched"].torch, x, y, use_reentrant=False)

    x, y = FORMS["batched"].inputs()
    expected = gradients(FORMS["batched"].torch, x, y, None)
    assert all(map(torch.equal, gradients(function, x, y, None), expected))


@pytest.mark.parametrize("name", FORMS)
def test_second_derivatives_are_refused(name: str) -> None:
    x, y = FORMS[name].inputs()
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(FORMS[name].torch(x, y).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"no second derivatives"):
        gradient.sum().backward()
    with pytest.raises(RuntimeError, match=r"no second derivatives"):
        torch.autograd.functional.hessian(lambda x: FORMS[name].torch(x, y).sum(), x.detach())


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")  # torch's own, of its decompositions
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_forward_mode_is_refused() -> None:
    x, y = FORMS["paired"].inputs()
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        with pytest.raises((RuntimeError, NotImplementedError), match=r"forward.*AD|jvp"):
            FORMS["paired"].torch(dual, y)


def test_backward_from_several_threads() -> None:
    x, y = FORMS["batched"].inputs(65)
    expected = gradients(FORMS["batched"].torch, x, y, None)

    def call(_: int) -> tuple[Tensor, Tensor]:
        return gradients(FORMS["batched"].torch, x, y, None)

    with ThreadPoolExecutor(4) as executor:
        for actual in executor.map(call, range(100)):
            assert all(map(torch.equal, actual, expected))
