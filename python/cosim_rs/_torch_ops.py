"""The operations that torch's dispatcher knows: defined, implemented and made differentiable here.

Each of the three forms has three operations:

``…_similarity``
    The scores, for compilers and transforms: autograd and vmap are registered for it.
``…_scores``
    The same scores without autograd, for eager calls: autograd's kernel in Python would take longer
    than many scores do. `Operations.eager` gives them their gradient where one is needed.
``…_gradient``
    The gradients of both sides; an empty tensor for one that is not needed.

Kernels for the CPU are native, if they can be had: then a call goes from torch's dispatcher to the
Rust core. On every other device, and without them, torch's own operations compute the same formula.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from cosim_rs import _cosim_rs
from cosim_rs._frameworks import warn_once
from cosim_rs._torch_forms import BATCHED, MATRIX, PAIRED, Form
from cosim_rs._torch_formula import gradients, scored_dtype, scores

# The versions in which native kernels are used: from the oldest that has all functions that they
# need, to the newest that was tried.
OLDEST = (2, 8)
NEWEST = (2, 15)

_LIBRARIES = ("libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.dll")
_SCORES = "(Tensor x, Tensor y, float epsilon) -> Tensor"
_GRADIENT = (
    "(Tensor x, Tensor y, Tensor scores_gradient, float epsilon, bool of_x, bool of_y)"
    " -> (Tensor, Tensor)"
)
_TAGS = (torch.Tag.pt2_compliant_tag, torch.Tag.flexible_layout)

_Scores = Callable[[Tensor, Tensor, float], Tensor]
_Gradient = Callable[[Tensor, Tensor, Tensor, float, bool, bool], tuple[Tensor, Tensor]]


class Operations(NamedTuple):
    """What computes one form of scores."""

    similarity: _Scores
    scores: _Scores
    eager: type[Function]
    """Gives the scores their gradient where nothing is transformed: at the least cost."""
    transformed: type[Function]
    """The same for torch.func."""


def _operations(form: Form) -> Operations:
    """Define a form's operations, with all but native kernels."""
    similarity = _define(form.similarity, _SCORES, *_scores_kernels(form))
    plain = _define(f"{form.stem}_scores", _SCORES, *_scores_kernels(form))
    gradient = _define(f"{form.stem}_gradient", _GRADIENT, *_gradient_kernels(form))
    backward = _backward(gradient)
    torch.library.register_autograd(similarity, backward, setup_context=_keep)
    for operation in (similarity, plain):
        torch.library.register_vmap(operation, _scores_vmap(form, operation))
    torch.library.register_vmap(gradient, _gradient_vmap(form, gradient))
    return Operations(similarity, plain, *_functions(form, plain, backward))


def _define(name: str, schema: str, kernel: Callable[..., Any], fake: Callable[..., Any]) -> Any:
    qualified = f"cosim_rs::{name}"
    torch.library.define(qualified, schema, tags=_TAGS)
    torch.library.impl(qualified, "CompositeExplicitAutograd", kernel)
    torch.library.register_fake(qualified, fake)
    return getattr(torch.ops.cosim_rs, name).default


# Kernels, and what they give without its numbers.


def _scores_kernels(form: Form) -> tuple[_Scores, _Scores]:
    def kernel(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
        _warn(x)
        return scores(*form.as_matrices(x, y), epsilon).reshape(form.scores_shape(x, y))

    def fake(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
        return x.new_empty(form.scores_shape(x, y), dtype=scored_dtype(x, y))

    return kernel, fake


def _gradient_kernels(form: Form) -> tuple[_Gradient, _Gradient]:
    def kernel(
        x: Tensor, y: Tensor, scores_gradient: Tensor, epsilon: float, of_x: bool, of_y: bool
    ) -> tuple[Tensor, Tensor]:
        _warn(x)
        x_matrix, y_matrix = form.as_matrices(x, y)
        weights = scores_gradient.reshape(*x_matrix.shape[:-1], y_matrix.shape[-2])
        x_gradient, y_gradient = gradients(x_matrix, y_matrix, weights, epsilon)
        return (
            x_gradient.reshape(x.shape).contiguous() if of_x else x.new_empty(0),
            y_gradient.reshape(y.shape).contiguous() if of_y else y.new_empty(0),
        )

    def fake(
        x: Tensor, y: Tensor, scores_gradient: Tensor, epsilon: float, of_x: bool, of_y: bool
    ) -> tuple[Tensor, Tensor]:
        return x.new_empty(x.shape if of_x else 0), y.new_empty(y.shape if of_y else 0)

    return kernel, fake


# Derivatives.


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor, float], output: Tensor) -> None:
    x, y, ctx.epsilon = inputs
    ctx.save_for_backward(x, y)


def _backward(gradient: _Gradient) -> Callable[[Any, Tensor], tuple[Tensor | None, ...]]:
    class Once(Function):
        """The gradient where it may be differentiated: as a constant it would be silently wrong."""

        generate_vmap_rule = True

        @staticmethod
        def forward(*arguments: Any) -> tuple[Tensor, Tensor]:
            return gradient(*arguments)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            pass

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> None:
            raise RuntimeError("cosim_rs.torch: scores have no second derivatives, only first ones")

    def backward(ctx: Any, scores_gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, y = ctx.saved_tensors
        of_x, of_y, _ = ctx.needs_input_grad
        compute = Once.apply if torch.is_grad_enabled() else gradient
        x_gradient, y_gradient = compute(x, y, scores_gradient, ctx.epsilon, of_x, of_y)
        return x_gradient if of_x else None, y_gradient if of_y else None, None

    return backward


def _functions(
    form: Form, plain: _Scores, backward: Callable[..., Any]
) -> tuple[type[Function], type[Function]]:
    def eager(ctx: Any, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.epsilon = epsilon
        return plain(x, y, epsilon)

    def transformed(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
        return plain(x, y, epsilon)

    methods = {"forward": staticmethod(eager), "backward": staticmethod(backward)}
    transforms = methods | {
        "forward": staticmethod(transformed),
        "setup_context": staticmethod(_keep),
        "generate_vmap_rule": True,
    }
    name = form.similarity
    return type(name, (Function,), methods), type(name, (Function,), transforms)


# Batches of the operations.


def _scores_vmap(form: Form, operation: _Scores) -> Callable[..., tuple[Tensor, int]]:
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], x: Tensor, y: Tensor, epsilon: float
    ) -> tuple[Tensor, int]:
        (x, y), batch = form.flattened(*_leading(info.batch_size, in_dims, x, y))
        return operation(x, y, epsilon).unflatten(0, batch), 0

    return vmap


def _gradient_vmap(form: Form, operation: _Gradient) -> Callable[..., Any]:
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        x: Tensor,
        y: Tensor,
        scores_gradient: Tensor,
        epsilon: float,
        of_x: bool,
        of_y: bool,
    ) -> tuple[tuple[Tensor, Tensor], tuple[int | None, int | None]]:
        tensors = _leading(info.batch_size, in_dims, x, y, scores_gradient)
        (x, y, weights), batch = form.flattened(*tensors)
        x_gradient, y_gradient = operation(x, y, weights, epsilon, of_x, of_y)
        return (
            x_gradient.unflatten(0, batch) if of_x else x_gradient,
            y_gradient.unflatten(0, batch) if of_y else y_gradient,
        ), (0 if of_x else None, 0 if of_y else None)

    return vmap


def _leading(size: int, dims: tuple[int | None, ...], *tensors: Tensor) -> list[Tensor]:
    """Each tensor with the axis of the batch first; without memory of its own if it had none."""
    return [
        tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
        for tensor, dim in zip(tensors, dims, strict=False)
    ]


# Native kernels.


def _implement() -> str | None:
    """Register the native kernels; otherwise say why there are none."""
    release = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if not OLDEST <= release <= NEWEST:
        tried = " to ".join(f"{major}.{minor}" for major, minor in (OLDEST, NEWEST))
        return f"torch {torch.__version__} was not tried, only {tried}"
    folder = Path(torch.__file__).parent / "lib"
    library = next((folder / name for name in _LIBRARIES if (folder / name).exists()), None)
    try:
        _cosim_rs.implement_for_torch(str(library or _LIBRARIES[0]))
    except RuntimeError as error:
        return f"torch {torch.__version__} cannot be used: {error}"
    return None


def _warn(tensor: Tensor) -> None:
    device = tensor.device.type
    reason = _why_not if device == "cpu" else f"tensors of {device} are not in the CPU's memory"
    warn_once("torch", reason or "of this kind of tensor there is no kernel")


batched, paired, matrix = (_operations(form) for form in (BATCHED, PAIRED, MATRIX))
_why_not = _implement()

__all__ = ["NEWEST", "OLDEST", "Operations", "batched", "matrix", "paired"]
