"""Whether there are numbers at hand, or a graph is being made of what is to be done with them."""

from __future__ import annotations

from typing import Any

import keras


def is_compiling(*tensors: Any) -> bool:
    """Say whether these tensors have no values yet."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return any(isinstance(tensor, jax.core.Tracer) for tensor in tensors)
    if backend == "tensorflow":
        import tensorflow as tf

        return not tf.executing_eagerly()
    if backend == "torch":
        import torch

        return bool(torch.compiler.is_compiling())
    return bool(backend != "numpy")


def are_at_hand(*tensors: Any) -> bool:
    """Say whether these are the backend's own dense tensors, with values, outside of any graph."""
    if is_compiling(*tensors):
        return False
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return all(isinstance(tensor, jax.Array) for tensor in tensors)
    if backend == "tensorflow":
        import tensorflow as tf

        return all(type(tensor) is tf.__internal__.EagerTensor for tensor in tensors)
    if backend == "torch":
        import torch

        # Of no class of torch's own that only stands for one.
        return all(type(tensor) is torch.Tensor for tensor in tensors)
    return False


def wants_gradient(*tensors: Any) -> bool:
    """Say whether a gradient is asked of these tensors, as far as that can be known.

    JAX asks by tracing; TensorFlow's tapes cannot be asked what they watch.
    """
    if keras.backend.backend() != "torch":
        return False
    import torch

    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


__all__ = ["is_compiling", "wants_gradient"]
