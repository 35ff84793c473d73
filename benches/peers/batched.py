"""Who scores batches, each user with candidates of their own, and the limits of doing so.

Small batches are measured as a user would call: inputs in, a fresh array out. From memory everyone
who can takes an `out` that is already touched, or page faults would be most of what is measured.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import sums
from .cases import Case, Inputs
from .contenders import Call, Contender, threads


def contenders(case: Case) -> list[Contender]:
    """Everyone who takes part, the library first."""
    parallel = ["over_users", "over_rows", "over_parts"]
    entries = [
        Contender("cosim_rs", "cosim_rs", partial(_cosim, given=case.from_memory), ("cosim_rs",)),
        *(_numba(name, "numba", case) for name in parallel),
        Contender("NumPy einsum", "NumPy", _numpy_einsum),
        Contender("NumPy matmul", "NumPy", _numpy_matmul),
        Contender("scikit-learn, user by user", "scikit-learn", _sklearn, ("sklearn",)),
        Contender("JAX jit", "JAX", _jax, ("jax",)),
        # Documented as rsqrt with one Newton step: about 2⁻²² for each of two norms.
        Contender("SimSIMD, user by user", "SimSIMD", _simsimd, ("simsimd",), slack=2.0**-21),
        Contender("NumKong, user by user", "NumKong", _numkong, ("numkong",)),
        Contender("torch normalize + bmm", "torch", _torch, ("torch",)),
        Contender("Keras Dot(normalize=True)", "Keras", _keras, ("keras",)),
        Contender("Keras Dot under jax.jit", "Keras", _keras_jit, ("keras", "jax")),
    ]
    if not case.from_memory:
        return [*entries, _numba("on_one_thread", "numba on one thread", case)]
    fresh = Contender(
        "cosim_rs, fresh output", "fresh", partial(_cosim, given=False), ("cosim_rs",)
    )
    return [*entries, fresh, *sums.contenders()]


def _cosim(inputs: Inputs, given: bool) -> Call:
    import cosim_rs

    users, items = inputs.users, inputs.items
    if not given:
        return lambda: cosim_rs.batched_cosine_similarity(users, items)
    scores = inputs.scores()
    return lambda: cosim_rs.batched_cosine_similarity(users, items, out=scores)


def _numba(name: str, family: str, case: Case) -> Contender:
    def prepare(inputs: Inputs) -> Call:
        from . import fused

        kernel = getattr(fused, name)
        users, items = inputs.users[:, 0], inputs.items
        if not case.from_memory:
            scored = fused.allocating(kernel)
            return lambda: scored(users, items)
        scores = inputs.scores()

        def call() -> Any:
            kernel(users, items, scores)
            return scores

        return call

    return Contender(f"numba {name.replace('_', ' ')}", family, prepare, ("numba",))


def _numpy_einsum(inputs: Inputs) -> Call:
    users, items = inputs.users[:, 0], inputs.items

    def call() -> Any:
        dots = np.einsum("bd,bnd->bn", users, items)
        user_squares = np.einsum("bd,bd->b", users, users)
        item_squares = np.einsum("bnd,bnd->bn", items, items)
        return dots / np.sqrt(user_squares[:, None] * item_squares)

    return call


def _numpy_matmul(inputs: Inputs) -> Call:
    users, items = inputs.users, inputs.items

    def call() -> Any:
        dots = (items @ users.transpose(0, 2, 1))[..., 0]
        return dots / (np.linalg.norm(users, axis=-1) * np.linalg.norm(items, axis=-1))

    return call


def _sklearn(inputs: Inputs) -> Call:
    from sklearn.metrics.pairwise import cosine_similarity

    users, items, scores = inputs.users, inputs.items, inputs.scores()

    def call() -> Any:
        for user, candidates, row in zip(users, items, scores, strict=True):
            row[:] = cosine_similarity(user, candidates)[0]
        return scores

    return call


def _jax(inputs: Inputs) -> Call:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    users, items = jnp.asarray(inputs.users[:, 0]), jnp.asarray(inputs.items)

    @jax.jit
    def scored(users: Any, items: Any) -> Any:
        dots = jnp.sum(users[:, None] * items, axis=-1)
        squares = jnp.sum(users * users, axis=-1)[:, None] * jnp.sum(items * items, axis=-1)
        return dots / jnp.sqrt(squares)

    return lambda: scored(users, items).block_until_ready()


def _simsimd(inputs: Inputs) -> Call:
    import simsimd

    return _by_user(inputs, simsimd.cosine)


def _numkong(inputs: Inputs) -> Call:
    import numkong

    return _by_user(inputs, numkong.angular)


def _by_user(inputs: Inputs, distances: Any) -> Call:
    users, items, scores = inputs.users, inputs.items, inputs.scores()

    def call() -> Any:
        for user, candidates, row in zip(users, items, scores, strict=True):
            np.subtract(1.0, np.asarray(distances(user, candidates)), out=row)
        return scores

    return call


def _torch(inputs: Inputs) -> Call:
    import torch
    from torch.nn.functional import normalize

    torch.set_num_threads(threads())
    users, items = torch.from_numpy(inputs.users), torch.from_numpy(inputs.items)

    @torch.inference_mode()
    def call() -> Any:
        return torch.bmm(normalize(items, dim=-1), normalize(users, dim=-1).transpose(1, 2))

    return call


def _keras(inputs: Inputs) -> Call:
    layer, tensors = _keras_layer(inputs)
    return lambda: _ready(layer(tensors))


def _keras_jit(inputs: Inputs) -> Call:
    import jax
    import keras

    if keras.backend.backend() != "jax":
        raise NotImplementedError("jax.jit needs Keras on its JAX backend")
    layer, tensors = _keras_layer(inputs)
    jitted = jax.jit(lambda users, items: layer([users, items]))
    return lambda: _ready(jitted(*tensors))


def _keras_layer(inputs: Inputs) -> tuple[Any, list[Any]]:
    import keras

    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    # The type is named, or Keras would cast float64 inputs to its default.
    layer = keras.layers.Dot(axes=2, normalize=True, dtype=inputs.items.dtype.name)
    return layer, [keras.ops.convert_to_tensor(array) for array in (inputs.users, inputs.items)]


def _ready(scores: Any) -> Any:
    return scores.block_until_ready() if hasattr(scores, "block_until_ready") else scores
