"""Who scores every user with every item, and the bare product that such a matrix cannot avoid.

With an `out` already touched the question is arithmetic; with a fresh output it is what a user
waits for, page faults included. Of one set with itself the question is whether symmetry pays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Case, Inputs
from .contenders import Call, Contender, threads


def contenders(case: Case) -> list[Contender]:
    """Everyone who takes part, the library first."""
    if case.table == "matrix-out":
        return [
            Contender("cosim_rs", "cosim_rs", _cosim_out, ("cosim_rs",)),
            Contender("NumPy, bare matmul", "matmul", _bare_matmul, expects="dot"),
        ]
    if case.table == "symmetric":
        return [
            Contender("cosim_rs of x", "cosim_rs", _cosim_symmetric, ("cosim_rs",)),
            Contender("cosim_rs of x and y", "two arguments", _cosim_two, ("cosim_rs",)),
            Contender("scikit-learn of x", "scikit-learn", _sklearn_symmetric, ("sklearn",)),
        ]
    return [
        Contender("cosim_rs", "cosim_rs", _cosim, ("cosim_rs",)),
        Contender("NumPy, normalise first", "NumPy", _numpy_first),
        Contender("NumPy, divide after", "NumPy", _numpy_after),
        Contender("scikit-learn", "scikit-learn", _sklearn, ("sklearn",)),
        Contender("JAX jit", "JAX", _jax, ("jax",)),
        # Documented as rsqrt with one Newton step: about 2⁻²² for each of two norms.
        Contender("SimSIMD cdist", "SimSIMD", _simsimd, ("simsimd",), slack=2.0**-21),
        Contender("NumKong cdist", "NumKong", _numkong, ("numkong",)),
        Contender("torch normalize + mm", "torch", _torch, ("torch",)),
    ]


def _cosim(inputs: Inputs) -> Call:
    import cosim_rs

    return lambda: cosim_rs.cosine_similarity(inputs.users, inputs.items)


def _cosim_out(inputs: Inputs) -> Call:
    import cosim_rs

    scores = inputs.scores()
    return lambda: cosim_rs.cosine_similarity(inputs.users, inputs.items, out=scores)


def _cosim_symmetric(inputs: Inputs) -> Call:
    import cosim_rs

    scores = inputs.scores()
    return lambda: cosim_rs.cosine_similarity(inputs.users, out=scores)


def _cosim_two(inputs: Inputs) -> Call:
    import cosim_rs

    # A copy, as a library may see that two arguments are one.
    scores, others = inputs.scores(), inputs.users.copy()
    return lambda: cosim_rs.cosine_similarity(inputs.users, others, out=scores)


def _bare_matmul(inputs: Inputs) -> Call:
    users, transposed, products = inputs.users, inputs.items.T, inputs.scores()
    return lambda: np.matmul(users, transposed, out=products)


def _numpy_first(inputs: Inputs) -> Call:
    users, items = inputs.users, inputs.items

    def call() -> Any:
        directions = users / np.linalg.norm(users, axis=1, keepdims=True)
        return directions @ (items / np.linalg.norm(items, axis=1, keepdims=True)).T

    return call


def _numpy_after(inputs: Inputs) -> Call:
    users, items = inputs.users, inputs.items

    def call() -> Any:
        scores = users @ items.T
        scores /= np.linalg.norm(users, axis=1)[:, None]
        scores /= np.linalg.norm(items, axis=1)
        return scores

    return call


def _sklearn(inputs: Inputs) -> Call:
    from sklearn.metrics.pairwise import cosine_similarity

    return lambda: cosine_similarity(inputs.users, inputs.items)


def _sklearn_symmetric(inputs: Inputs) -> Call:
    from sklearn.metrics.pairwise import cosine_similarity

    return lambda: cosine_similarity(inputs.users)


def _jax(inputs: Inputs) -> Call:
    import jax
    import jax.numpy as jnp

    users, items = jnp.asarray(inputs.users), jnp.asarray(inputs.items)

    @jax.jit
    def scored(users: Any, items: Any) -> Any:
        squares = jnp.sum(users * users, axis=1)[:, None] * jnp.sum(items * items, axis=1)
        return users @ items.T / jnp.sqrt(squares)

    return lambda: scored(users, items).block_until_ready()


def _simsimd(inputs: Inputs) -> Call:
    import simsimd

    count = threads()
    users, items = inputs.users, inputs.items

    def call() -> Any:
        return 1.0 - np.asarray(simsimd.cdist(users, items, "cosine", threads=count))

    return call


def _numkong(inputs: Inputs) -> Call:
    import numkong

    users, items = inputs.users, inputs.items
    return lambda: 1.0 - np.asarray(numkong.cdist(users, items, "angular"))


def _torch(inputs: Inputs) -> Call:
    import torch
    from torch.nn.functional import normalize

    torch.set_num_threads(threads())
    users, items = torch.from_numpy(inputs.users), torch.from_numpy(inputs.items)

    @torch.inference_mode()
    def call() -> Any:
        return torch.mm(normalize(users), normalize(items).T)

    return call
