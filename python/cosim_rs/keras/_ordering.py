"""The best of each row: score descending, then index ascending, on every backend.

`top_k` of JAX, TensorFlow and NumPy's stable sort put equal keys in the order of their indices;
that of torch does not, so there each key is made unique by its index. NaN has no place of its own
in `top_k`: what is not a number, and what is masked, gets a key below those of all numbers.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


def filled_like(tensor: Any, number: float) -> Any:
    """A tensor of one number; on torch `ops.full_like` makes float32 of it, and is not compiled."""
    return ops.ones_like(tensor) * number


def ranking_keys(scores: Any, keep: Any = None) -> Any:
    """Keys that sort as (kept numbers, kept NaN, all others), float32 or float64.

    They make room for the last two at the very end of the numbers: -inf and the two numbers
    next to it are taken for equal.
    """
    name = keras.backend.standardize_dtype(scores.dtype)
    dtype = name if name == "float64" else "float32"
    keys = ops.cast(ops.stop_gradient(scores), dtype)
    lowest = np.finfo(dtype).min
    least = float(np.nextafter(lowest, np.zeros((), dtype)))
    # Not `maximum`, which rounds float64 to float32 on torch.
    numbers = ops.where(keys < least, filled_like(keys, least), keys)
    numbers = ops.where(ops.equal(keys, 0), ops.zeros_like(keys), numbers)  # -0 is 0
    keys = ops.where(ops.isnan(keys), filled_like(keys, float(lowest)), numbers)
    return keys if keep is None else ops.where(keep, keys, filled_like(keys, float("-inf")))


def top_indices(keys: Any, k: int) -> Any:
    """Places (B, min(k, N)) of the largest keys (B, N), equal ones by index; int32.

    Keys are float32 or float64 without NaN and without -0.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        indices = jax.lax.top_k(keys, min(k, keys.shape[-1]))[1]
    elif backend == "tensorflow":
        import tensorflow as tf

        count = keys.shape[-1]
        found = tf.minimum(k, tf.shape(keys)[-1]) if count is None else min(k, count)
        indices = tf.math.top_k(keys, found).indices
    elif backend == "torch":
        indices = _torch_top_indices(keys, k)
    else:
        indices = ops.convert_to_tensor(_sorted_indices(ops.convert_to_numpy(keys), k))
    return ops.cast(indices, "int32")


def _torch_top_indices(keys: Any, k: int) -> Any:
    import torch

    count = keys.shape[-1]
    k = min(k, count)
    if keys.dtype != torch.float32:
        return torch.sort(keys, dim=-1, descending=True, stable=True).indices[..., :k]
    # Bits of a float sort as the float does, once those of negative ones are turned round.
    bits = keys.contiguous().view(torch.int32).to(torch.int64)
    bits = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    unique = bits * count - torch.arange(count, device=keys.device)
    return torch.topk(unique, k, dim=-1).indices


def _sorted_indices(keys: Any, k: int) -> Any:
    return np.argsort(-keys, axis=-1, kind="stable")[..., :k]


__all__ = ["filled_like", "ranking_keys", "top_indices"]
