"""The scores and their gradients by torch's own operations, for where there are no native ones.

All three forms are taken as ``(…, U, D)`` and ``(…, N, D)``, where one of U and N may be 1. Each
vector is first divided by its largest magnitude, or by epsilon if that is larger, so that no square
leaves the range of its type; a cosine does not depend on it, and a gradient is divided by it again.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


def scores(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    """The scores ``(…, U, N)`` of x ``(…, U, D)`` and y ``(…, N, D)``."""
    if x.numel() == 0 or y.numel() == 0:
        return x.new_zeros((*x.shape[:-1], y.shape[-2]), dtype=scored_dtype(x, y))
    with torch.autocast(x.device.type, enabled=False):
        return _scores(*_scaled_sides(x, y, epsilon))


def gradients(
    x: Tensor, y: Tensor, scores_gradient: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """The gradients of x and y, given that of their scores; see src/gradient/mod.rs."""
    if x.numel() == 0 or y.numel() == 0:
        return x.new_zeros(x.shape), y.new_zeros(y.shape)
    with torch.autocast(x.device.type, enabled=False):
        scaled_x, scaled_y = _scaled_sides(x, y, epsilon)
        unit, weights = _scaled_weights(scores_gradient)
        norms = _product(scaled_x, scaled_y)
        weights = torch.where(norms == 0, 0, weights)  # of a zero vector there is none
        along = weights * _scores(scaled_x, scaled_y)
        toward = weights / _or_one(norms)
        of_x = scaled_x.gradient(along.sum(-1), toward @ scaled_y.vectors, unit)
        of_y = scaled_y.gradient(along.sum(-2), toward.mT @ scaled_x.vectors, unit)
        return _rounded(of_x, x.dtype), _rounded(of_y, y.dtype)


def scored_dtype(x: Tensor, y: Tensor) -> torch.dtype:
    """The dtype of the scores: float64 if either side is, else float32."""
    return torch.float64 if torch.float64 in (x.dtype, y.dtype) else torch.float32


class _Scaled(NamedTuple):
    """Vectors that are divided by a scale each."""

    vectors: Tensor
    scale: Tensor
    """``(…, 1)``"""
    norms: Tensor
    """Of the divided vectors, at least epsilon on this scale: 0 only for a zero vector."""
    raised: Tensor
    """Where epsilon is the norm."""

    def gradient(self, along: Tensor, toward: Tensor, unit: Tensor) -> Tensor:
        """What is along the vectors taken off, as far as they are divided by their own norms."""
        own = torch.where(self.raised, 0, along / _or_one(self.norms).square())
        gradient = toward - own.unsqueeze(-1) * self.vectors
        # In the order in which nothing overflows unless the result does.
        small = gradient * unit / self.scale
        return torch.where(self.scale > 1, gradient / self.scale * unit, small)


def _scaled_sides(x: Tensor, y: Tensor, epsilon: float) -> tuple[_Scaled, _Scaled]:
    dtype = scored_dtype(x, y)
    return _scaled(x.to(dtype), epsilon), _scaled(y.to(dtype), epsilon)


def _scaled(vectors: Tensor, epsilon: float) -> _Scaled:
    scale = _or_one(vectors.abs().amax(-1, keepdim=True).clamp_min(epsilon))
    divided = vectors / scale
    own = torch.linalg.vector_norm(divided, dim=-1)
    least = torch.full_like(scale, epsilon).squeeze(-1) / scale.squeeze(-1)
    return _Scaled(divided, scale, torch.maximum(own, least), own < least)


def _scores(x: _Scaled, y: _Scaled) -> Tensor:
    cosines = x.vectors @ y.vectors.mT / _or_one(_product(x, y))
    return cosines.clamp(-1.0, 1.0) + 0.0  # which turns -0 into +0


def _product(x: _Scaled, y: _Scaled) -> Tensor:
    return x.norms.unsqueeze(-1) * y.norms.unsqueeze(-2)


def _or_one(numbers: Tensor) -> Tensor:
    return torch.where(numbers == 0, 1, numbers)


def _scaled_weights(gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The largest magnitude, and the gradient divided by it; NaN where it is not finite."""
    finite = gradient.isfinite()
    largest = _or_one(torch.where(finite, gradient, 0).abs().amax())
    return largest, torch.where(finite, gradient / largest, torch.nan)


def _rounded(gradient: Tensor, dtype: torch.dtype) -> Tensor:
    """The gradient in this dtype; what is too large becomes the largest finite number."""
    most = torch.finfo(dtype).max
    return gradient.clamp(-most, most).to(dtype)


__all__ = ["gradients", "scored_dtype", "scores"]
