"""The three forms of scores, as far as they differ: their shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Size, Tensor

Scores = Callable[[Tensor, Tensor, float], Tensor]
"""Of x and y and epsilon."""
Gradient = Callable[[Tensor, Tensor, Tensor, float, bool, bool], tuple[Tensor, Tensor]]
"""Of x, y, the gradient of their scores and epsilon; whether of x is needed, and of y."""


class Form(NamedTuple):
    """One form of scores."""

    similarity: str
    """The operation of the scores."""
    stem: str
    """How the names of the others begin."""
    scores_shape: Callable[[Tensor, Tensor], tuple[int, ...]]
    """That of the scores of two tensors."""
    as_matrices: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    """Views ``(…, U, D)`` and ``(…, N, D)``, for scores ``(…, U, N)`` of all pairs."""
    most_axes: int
    """More axes than this of y, leading ones, have to be made one."""

    def flattened(self, *tensors: Tensor) -> tuple[list[Tensor], Size]:
        """The same problems, each tensor with a leading axis of its own, with that axis merged."""
        if tensors[1].ndim <= self.most_axes:
            return list(tensors), tensors[1].shape[:1]
        return [tensor.flatten(0, 1) for tensor in tensors], tensors[1].shape[:2]


def _batched_as_matrices(users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    return (users.unsqueeze(-2) if users.ndim < items.ndim else users), items


BATCHED = Form(
    "batched_cosine_similarity",
    "batched_cosine",
    lambda users, items: items.shape[:-1],
    _batched_as_matrices,
    3,
)
PAIRED = Form(
    "paired_cosine_similarity",
    "paired_cosine",
    lambda x, y: y.shape[:-1],
    lambda x, y: (x.unsqueeze(-2), y.unsqueeze(-2)),
    2,
)
MATRIX = Form(
    "cosine_similarity",
    "cosine",
    lambda x, y: (*x.shape[:-1], y.shape[-2]),
    lambda x, y: (x, y),
    3,  # a batch of matrices as well
)

__all__ = ["BATCHED", "MATRIX", "PAIRED", "Form", "Gradient", "Scores"]
