"""What differs between backends: tensors, compiling, gradients, and waiting for a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Scores = Callable[[Any, Any], Any]
"""Of users and items."""


class Jax:
    def __init__(self) -> None:
        import jax
        import jax.numpy as jnp

        self.tensor, self.compiled, self.wait = jnp.asarray, jax.jit, jax.block_until_ready
        self._jax = jax

    def compiled_gradients(self, scores: Scores, weights: Any) -> Scores:
        return self._jax.jit(self.gradients(scores, weights))

    def gradients(self, scores: Scores, weights: Any) -> Scores:
        return self._jax.value_and_grad(lambda u, v: (scores(u, v) * weights).sum(), argnums=(0, 1))


class TensorFlow:
    def __init__(self) -> None:
        import tensorflow as tf

        self.tensor, self.compiled = tf.constant, tf.function
        self._tf = tf

    def wait(self, result: Any) -> Any:
        return result

    def compiled_gradients(self, scores: Scores, weights: Any) -> Scores:
        return self._tf.function(self.gradients(scores, weights))

    def gradients(self, scores: Scores, weights: Any) -> Scores:
        tf = self._tf

        def call(users: Any, items: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch((users, items))
                loss = tf.reduce_sum(scores(users, items) * weights)
            return loss, tape.gradient(loss, (users, items))

        return call


class Torch:
    def __init__(self) -> None:
        import torch

        self.compiled = torch.compile
        # Many layers share the code that is compiled here, and each counts.
        torch._dynamo.config.recompile_limit = 256
        self._torch = torch

    def compiled_gradients(self, scores: Scores, weights: Any) -> Scores:
        return self.gradients(self.compiled(scores), weights)

    def tensor(self, array: np.ndarray[Any, Any]) -> Any:
        return self._torch.from_numpy(array)

    def wait(self, result: Any) -> Any:
        return result

    def gradients(self, scores: Scores, weights: Any) -> Scores:
        torch = self._torch

        def call(users: Any, items: Any) -> Any:
            users, items = users.detach().requires_grad_(), items.detach().requires_grad_()
            loss = (scores(users, items) * weights).sum()
            return loss, torch.autograd.grad(loss, (users, items))

        return call


MODES = {"jax": Jax, "tensorflow": TensorFlow, "torch": Torch}
