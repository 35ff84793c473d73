"""The three forms of scores, as torch's functions, as NumPy's, and as a plain formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import torch
from helpers import gaussian_rows
from torch import Tensor

import cosim_rs
import cosim_rs.torch
from cosim_rs import _cosim_rs
from cosim_rs._reference import cosine_scores

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


class Form(NamedTuple):
    """One form of scores."""

    torch: Callable[..., Tensor]
    numpy: Callable[..., Any]
    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    pairs: Callable[[Any, Any], tuple[Any, Any]]
    """Both sides so that they broadcast to the pairs."""

    def inputs(self, dim: int = 33, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Two sides, of this length."""
        x = gaussian_rows(*self.x_shape, dim, seed=seed)
        y = gaussian_rows(*self.y_shape, dim, seed=seed + 1)
        return torch.from_numpy(x), torch.from_numpy(y)

    def oracle(self, x: Any, y: Any, epsilon: float = 0.0) -> Any:
        """The scores in float64."""
        return cosine_scores(*self.pairs(x, y), epsilon)

    def plain(self, x: Tensor, y: Tensor, epsilon: float = 0.0) -> Tensor:
        """The scores by torch's own operations, with their own gradients, of ordinary vectors."""
        left, right = self.pairs(x, y)
        x_norms = torch.linalg.vector_norm(left, dim=-1).clamp_min(epsilon)
        y_norms = torch.linalg.vector_norm(right, dim=-1).clamp_min(epsilon)
        return (left * right).sum(-1) / (x_norms * y_norms)


FORMS = {
    "batched": Form(
        cosim_rs.torch.batched_cosine_similarity,
        cosim_rs.batched_cosine_similarity,
        (3,),
        (3, 5),
        lambda x, y: (x[:, None] if x.ndim == 2 else x, y),
    ),
    "paired": Form(
        cosim_rs.torch.paired_cosine_similarity,
        cosim_rs.paired_cosine_similarity,
        (4,),
        (4,),
        lambda x, y: (x, y),
    ),
    "matrix": Form(
        cosim_rs.torch.cosine_similarity,
        cosim_rs.cosine_similarity,
        (3,),
        (5,),
        lambda x, y: (x[:, None], y),
    ),
}


def as_numpy(tensor: Tensor) -> Any:
    """The numbers of a tensor, bfloat16 too."""
    tensor = tensor.detach().contiguous()
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def gradients(
    function: Callable[..., Tensor], x: Tensor, y: Tensor, weights: Tensor | None, **options: float
) -> tuple[Tensor, Tensor]:
    """The gradients of both sides for these of the scores; None are those of their sum."""
    x, y = x.detach().requires_grad_(), y.detach().requires_grad_()
    scores = function(x, y, **options)
    if weights is None:
        scores.sum().backward()
    else:
        scores.backward(weights)
    assert x.grad is not None
    assert y.grad is not None
    return x.grad, y.grad


def weights_for(scores: Tensor, seed: int = 7) -> Tensor:
    """Some gradient of these scores."""
    return torch.from_numpy(np.asarray(gaussian_rows(*scores.shape, seed=seed))).to(scores.dtype)


@contextmanager
def native(forward: int = 0, backward: int = 0) -> Iterator[None]:
    """Raise unless the block computes scores, and gradients, natively so often at least."""
    before = _cosim_rs.native_calls()
    yield
    after = _cosim_rs.native_calls()
    assert after[0] - before[0] >= forward, "the scores were not computed natively"
    assert after[1] - before[1] >= backward, "the gradients were not computed natively"
