"""Scores in JAX: operations of its own, forward and backward, compiled and eager.

On the CPU a score has the bits that the functions of `cosim_rs` give for NumPy arrays, and its
gradient is one pass over the vectors too. They run in `jax.jit`, `jax.vmap`, `jax.grad`,
`jax.lax.scan`, `jax.checkpoint` and `jax.shard_map`; differentiated once, in reverse mode. On
other platforms, or with a version of JAX that was not tried, JAX's own operations compute the same
formula, to the same bound for ordinary vectors, and a warning says why.

Only importing this module imports JAX.

Examples
--------
>>> import jax
>>> import jax.numpy as jnp
>>> from cosim_rs.jax import batched_cosine_similarity
>>> users = jnp.array([[1.0, 0.0]])
>>> items = jnp.array([[[2.0, 0.0], [0.0, 5.0], [3.0, 4.0]]])
>>> batched_cosine_similarity(users, items).tolist()
[[1.0, 0.0, 0.6000000238418579]]
>>> loss = lambda users: batched_cosine_similarity(users, items)[0, 1]
>>> jax.grad(loss)(users).tolist()
[[0.0, 1.0]]
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import jax
import numpy as np

from cosim_rs import _jax_ops
from cosim_rs._arrays import as_epsilon, fitting
from cosim_rs._jax_native import NEWEST, OLDEST

__all__ = [
    "NEWEST",
    "OLDEST",
    "batched_cosine_similarity",
    "cosine_similarity",
    "paired_cosine_similarity",
]

_DTYPES: Final = ("float32", "float64", "float16", "bfloat16")


def batched_cosine_similarity(
    users: jax.typing.ArrayLike, items: jax.typing.ArrayLike, *, epsilon: float = 0.0
) -> jax.Array:
    """Score each user against its own items.

    Parameters
    ----------
    users : array_like, shape (B, D) or (B, 1, D)
        A vector a user: an array of JAX or NumPy, of float32, float64, float16 or bfloat16. Without
        ``jax_enable_x64`` JAX makes float32 of NumPy's float64.
    items : array_like, shape (B, N, D)
        The candidates of each user, in any of these dtypes.
    epsilon : float, default 0
        Norms are raised to at least this before the division, as Keras' ``normalize`` does.
        Finite and at least 0; a constant for `jax.jit`.

    Returns
    -------
    jax.Array, shape (B, N)
        The scores in [-1, 1]: float64 if either side is, else float32. Those of
        `cosim_rs.batched_cosine_similarity`, bit for bit.

    Raises
    ------
    TypeError
        If an argument is no array, or not of these dtypes.
    ValueError
        If shapes do not fit or `epsilon` has a value that is not allowed.
    NotImplementedError
        If a derivative is differentiated once more.

    Notes
    -----
    Gradients have the dtype of what they are the gradient of. Where a norm is raised, they are
    those of the formula with epsilon for the norm; at a zero vector without epsilon they are 0;
    what is too large for its dtype is the largest finite number.

    `jax.vmap` over one argument alone makes copies of the other.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cosim_rs.jax import batched_cosine_similarity
    >>> users = jnp.array([[1.0, 0.0], [3.0, 4.0]])
    >>> items = jnp.array([[[2.0, 0.0], [-3.0, 0.0]], [[6.0, 8.0], [0.0, 0.0]]])
    >>> batched_cosine_similarity(users, items).tolist()
    [[1.0, -1.0], [1.0, 0.0]]
    """
    try:
        return _batched(users, items, as_epsilon(epsilon))
    except TypeError:
        _check_arrays(users=users, items=items)
        raise


def paired_cosine_similarity(
    x: jax.typing.ArrayLike, y: jax.typing.ArrayLike, *, epsilon: float = 0.0
) -> jax.Array:
    """Score each row of `x` against the same row of `y`.

    Parameters
    ----------
    x, y : array_like, shape (B, D)
        As the users of `batched_cosine_similarity`.
    epsilon
        As in `batched_cosine_similarity`.

    Returns
    -------
    jax.Array, shape (B,)
        The scores in [-1, 1], bit for bit those of `batched_cosine_similarity`.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As `batched_cosine_similarity`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cosim_rs.jax import paired_cosine_similarity
    >>> paired_cosine_similarity(jnp.eye(2), jnp.array([[2.0, 0.0], [4.0, 3.0]])).tolist()
    [1.0, 0.6000000238418579]
    """
    try:
        return _paired(x, y, as_epsilon(epsilon))
    except TypeError:
        _check_arrays(x=x, y=y)
        raise


def cosine_similarity(
    x: jax.typing.ArrayLike, y: jax.typing.ArrayLike | None = None, *, epsilon: float = 0.0
) -> jax.Array:
    """Score every row of `x` against every row of `y`.

    Parameters
    ----------
    x : array_like, shape (U, D)
        As the users of `batched_cosine_similarity`.
    y : array_like, shape (N, D), optional
        By default `x` itself.
    epsilon
        As in `batched_cosine_similarity`.

    Returns
    -------
    jax.Array, shape (U, N)
        The scores in [-1, 1], bit for bit those of `batched_cosine_similarity`.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As `batched_cosine_similarity`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cosim_rs.jax import cosine_similarity
    >>> cosine_similarity(jnp.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])).tolist()
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """
    other = x if y is None else y
    try:
        return _matrix(x, other, as_epsilon(epsilon))
    except TypeError:
        _check_arrays(x=x, y=other)
        raise


# Shapes and dtypes are looked at when traced, so that calls which are not traced pay for nothing.
# Each is compiled as a whole, or every eager call would be traced.


@partial(jax.jit, static_argnums=2)
def _batched(users: Any, items: Any, epsilon: float) -> jax.Array:
    _check_arrays(users=users, items=items)
    if items.ndim != 3:
        raise fitting("items", items.shape, "(B, N, D)")
    batch, _, dim = items.shape
    if users.shape not in ((batch, dim), (batch, 1, dim)):
        wanted = f"{(batch, dim)} or {(batch, 1, dim)}, to fit items of shape {items.shape}"
        raise fitting("users", users.shape, wanted)
    return _scores("batched", epsilon, users.reshape(batch, dim), items)


@partial(jax.jit, static_argnums=2)
def _paired(x: Any, y: Any, epsilon: float) -> jax.Array:
    _check_arrays(x=x, y=y)
    if x.ndim != 2:
        raise fitting("x", x.shape, "(B, D)")
    if y.shape != x.shape:
        raise fitting("y", y.shape, f"{x.shape}, as x has")
    return _scores("paired", epsilon, x, y)


@partial(jax.jit, static_argnums=2)
def _matrix(x: Any, y: Any, epsilon: float) -> jax.Array:
    _check_arrays(x=x, y=y)
    if x.ndim != 2:
        raise fitting("x", x.shape, "(U, D)")
    if y.ndim != 2 or y.shape[1] != x.shape[1]:
        raise fitting("y", y.shape, f"(N, {x.shape[1]}), to fit x of shape {x.shape}")
    return _scores("matrix", epsilon, x, y)


def _scores(form: str, epsilon: float, x: jax.Array, y: jax.Array) -> jax.Array:
    return _jax_ops.scores(form, epsilon, *_jax_ops.vary_alike(x, y))


def _check_arrays(**arrays: Any) -> None:
    accepted = f"{', '.join(_DTYPES[:-1])} or {_DTYPES[-1]}"
    for name, array in arrays.items():
        if not isinstance(array, (jax.Array, np.ndarray)):
            got = type(array).__name__
            raise TypeError(f"{name}: got {got}, expected an array of {accepted}")
        if array.dtype.name not in _DTYPES:
            raise TypeError(f"{name}: got dtype {array.dtype}, expected {accepted}")
