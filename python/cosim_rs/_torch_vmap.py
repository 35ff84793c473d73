"""How torch.func.vmap computes a batch of the operations: as one call with an axis more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Size, Tensor

from cosim_rs._torch_forms import Form, Gradient, Scores


def scores_vmap(form: Form, operation: Scores) -> Callable[..., tuple[Tensor, int]]:
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], x: Tensor, y: Tensor, epsilon: float
    ) -> tuple[Tensor, int]:
        (x, y), batch = form.flattened(*_leading(info.batch_size, in_dims, x, y))
        return _unmerged(operation(x, y, epsilon), batch), 0

    return vmap


def gradient_vmap(form: Form, operation: Gradient) -> Callable[..., Any]:
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
            _unmerged(x_gradient, batch) if of_x else x_gradient,
            _unmerged(y_gradient, batch) if of_y else y_gradient,
        ), (0 if of_x else None, 0 if of_y else None)

    return vmap


def _leading(size: int, dims: tuple[int | None, ...], *tensors: Tensor) -> list[Tensor]:
    """Each tensor with the axis of the batch first; without memory of its own if it had none."""
    return [
        tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
        for tensor, dim in zip(tensors, dims, strict=False)
    ]


def _unmerged(tensor: Tensor, batch: Size) -> Tensor:
    return tensor.reshape(*batch, *tensor.shape[1:])


__all__ = ["gradient_vmap", "scores_vmap"]
