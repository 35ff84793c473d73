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
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from cosim_rs._frameworks import warn_once
from cosim_rs._torch_autograd import backward_of, functions, keep
from cosim_rs._torch_forms import BATCHED, MATRIX, PAIRED, Form, Gradient, Scores
from cosim_rs._torch_formula import gradients, scored_dtype, scores
from cosim_rs._torch_load import implement
from cosim_rs._torch_vmap import gradient_vmap, scores_vmap

_SCORES = "(Tensor x, Tensor y, float epsilon) -> Tensor"
_GRADIENT = (
    "(Tensor x, Tensor y, Tensor scores_gradient, float epsilon, bool of_x, bool of_y)"
    " -> (Tensor, Tensor)"
)
_TAGS = (torch.Tag.pt2_compliant_tag, torch.Tag.flexible_layout)


class Operations(NamedTuple):
    """What computes one form of scores."""

    similarity: Scores
    scores: Scores
    eager: type[Function]
    """Gives the scores their gradient where nothing is transformed: at the least cost."""
    transformed: type[Function]
    """The same for torch.func."""


def _operations(form: Form) -> Operations:
    """Define a form's operations, with all but native kernels."""
    similarity = _define(form.similarity, _SCORES, *_scores_kernels(form))
    plain = _define(f"{form.stem}_scores", _SCORES, *_scores_kernels(form))
    gradient = _define(f"{form.stem}_gradient", _GRADIENT, *_gradient_kernels(form))
    backward = backward_of(gradient)
    torch.library.register_autograd(similarity, backward, setup_context=keep)
    for operation in (similarity, plain):
        torch.library.register_vmap(operation, scores_vmap(form, operation))
    torch.library.register_vmap(gradient, gradient_vmap(form, gradient))
    return Operations(similarity, plain, *functions(form.similarity, plain, backward))


def _define(name: str, schema: str, kernel: Callable[..., Any], fake: Callable[..., Any]) -> Any:
    qualified = f"cosim_rs::{name}"
    torch.library.define(qualified, schema, tags=_TAGS)
    torch.library.impl(qualified, "CompositeExplicitAutograd", kernel)
    torch.library.register_fake(qualified, fake)
    return getattr(torch.ops.cosim_rs, name).default


# Kernels, and what they give without its numbers.


def _scores_kernels(form: Form) -> tuple[Scores, Scores]:
    def kernel(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
        _warn(x)
        return scores(*form.as_matrices(x, y), epsilon).reshape(form.scores_shape(x, y))

    def fake(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
        return x.new_empty(form.scores_shape(x, y), dtype=scored_dtype(x, y))

    return kernel, fake


def _gradient_kernels(form: Form) -> tuple[Gradient, Gradient]:
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


def _warn(tensor: Tensor) -> None:
    device = tensor.device.type
    reason = _why_not if device == "cpu" else f"tensors of {device} are not in the CPU's memory"
    warn_once("torch", reason or "of this kind of tensor there is no kernel")


FORMS = {"batched": BATCHED, "paired": PAIRED, "matrix": MATRIX}
batched, paired, matrix = (_operations(form) for form in FORMS.values())
_why_not = implement()

__all__ = ["FORMS", "Operations", "batched", "matrix", "paired"]
