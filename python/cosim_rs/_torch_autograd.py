"""The first derivatives of scores: how autograd, torch.func and compilers come by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from cosim_rs._torch_forms import Gradient, Scores


def keep(ctx: Any, inputs: tuple[Tensor, Tensor, float], output: Tensor) -> None:
    x, y, ctx.epsilon = inputs
    ctx.save_for_backward(x, y)


def backward_of(gradient: Gradient) -> Callable[[Any, Tensor], tuple[Tensor | None, ...]]:
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


def functions(
    name: str, plain: Scores, backward: Callable[..., Any]
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
        "setup_context": staticmethod(keep),
        "generate_vmap_rule": True,
    }
    return type(name, (Function,), methods), type(name, (Function,), transforms)


__all__ = ["backward_of", "functions", "keep"]
