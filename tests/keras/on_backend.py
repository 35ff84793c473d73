"""What the tests need of each backend: gradients, compiled functions, arrays in and out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

BACKEND = keras.backend.backend()


def tensor(values: Any, dtype: str = "float32") -> Any:
    return keras.ops.convert_to_tensor(np.asarray(values), dtype=dtype)


def array(values: Any) -> NDArray[Any]:
    """As float64, which holds any of them."""
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(values, "float32")), np.float64)


@contextlib.contextmanager
def with_float64() -> Iterator[None]:
    """JAX has float64 only where it is told to."""
    if BACKEND == "jax":
        from older_jax import enable_x64

        with enable_x64(True):
            yield
    else:
        yield


def gradients(function: Callable[..., Any], *inputs: Any) -> list[Any]:
    """Of a function's only number, with respect to each input."""
    if BACKEND == "jax":
        import jax

        return list(jax.grad(function, argnums=tuple(range(len(inputs))))(*inputs))
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = function(*inputs)
        return list(tape.gradient(value, inputs))
    import torch

    leaves = [one.detach().clone().requires_grad_(True) for one in inputs]
    return list(torch.autograd.grad(function(*leaves), leaves))


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, traced into a graph; on TensorFlow with sizes left open."""
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, reduce_retracing=True)
    import torch

    if keras.__version__.startswith("3.5."):
        pytest.skip("torch's compiler cannot follow the operations of Keras 3.5")
    torch.compiler.reset()  # or it gives up after some functions of one name
    return torch.compile(function, backend="eager", fullgraph=True)
