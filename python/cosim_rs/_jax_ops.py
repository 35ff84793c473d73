"""The operations of JAX with their gradients: native on the CPU, the formula elsewhere."""

from __future__ import annotations

from functools import partial
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np
from jax import ShapeDtypeStruct
from jax.custom_derivatives import SymbolicZero

from cosim_rs import _jax_formula, _jax_native
from cosim_rs._jax_formula import result_dtype

Array = jax.Array

# Where the vectors of each form get an axis of length 1, and the scores lose it.
_AXES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "batched": ((-2,), ()),
    "paired": ((-2,), (-2,)),
    "matrix": ((), ()),
}


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def scores(form: str, epsilon: float, x: Array, y: Array) -> Array:
    """Scores of a form, of shapes and dtypes that fit."""
    return _scores(form, epsilon, x, y)


def _forward(form: str, epsilon: float, x: Any, y: Any) -> tuple[Array, Any]:
    # Which gradients are wanted is known when this is traced, and told to `_backward` by the length
    # of an array: JAX keeps the tree of what is returned here from the first trace of a compiled
    # function, whatever is wanted of it later, but types from the one in hand.
    wanted = jnp.zeros(x.perturbed + 2 * y.perturbed, jnp.int8)
    return _scores(form, epsilon, x.value, y.value), (x.value, y.value, wanted)


def _backward(form: str, epsilon: float, kept: Any, weights: Any) -> tuple[Any, Any]:
    x, y, wanted = kept
    sides = (bool(wanted.size & 1), bool(wanted.size & 2))
    if isinstance(weights, SymbolicZero) or not any(sides):
        return None, None
    gradients = iter(_gradients(form, epsilon, sides, x, y, weights))
    x_gradient, y_gradient = (next(gradients) if side else None for side in sides)
    return x_gradient, y_gradient


scores.defvjp(_forward, _backward, symbolic_zeros=True)


def _refuse(*_: Any) -> NoReturn:
    raise NotImplementedError(
        "cosim_rs.jax: these scores can be differentiated once, in reverse mode (jax.grad, "
        "jax.vjp); second derivatives, such as jax.hessian, are not supported"
    )


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _scores(form: str, epsilon: float, x: Array, y: Array) -> Array:
    def native(x: Array, y: Array) -> Array:
        result = _like(x, _scores_shape(form, x, y), result_dtype(x, y))
        return _jax_native.call(f"{form}_scores", [result], x, y, epsilon=epsilon)[0]

    def own(x: Array, y: Array) -> Array:
        x_axes, y_axes = _AXES[form]
        cosines = _jax_formula.scores(
            jnp.expand_dims(x, x_axes), jnp.expand_dims(y, y_axes), epsilon
        )
        return cosines.reshape(_scores_shape(form, x, y))

    return _by_platform(native, own, x, y)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def _gradients(
    form: str, epsilon: float, wanted: tuple[bool, bool], x: Array, y: Array, weights: Array
) -> list[Array]:
    def native(x: Array, y: Array, weights: Array) -> list[Array]:
        sides = [side for side, is_wanted in zip((x, y), wanted, strict=True) if is_wanted]
        results = [_like(side, side.shape, side.dtype) for side in sides]
        name = "".join(name for name, is_wanted in zip("xy", wanted, strict=True) if is_wanted)
        return _jax_native.call(f"{form}_gradient_{name}", results, x, y, weights, epsilon=epsilon)

    def own(x: Array, y: Array, weights: Array) -> list[Array]:
        x_axes, y_axes = _AXES[form]
        vectors = jnp.expand_dims(x, x_axes), jnp.expand_dims(y, y_axes)
        shape = (*vectors[0].shape[:-1], vectors[1].shape[-2])
        gradients = _jax_formula.gradients(*vectors, weights.reshape(shape), epsilon, wanted)
        sides = [side for side, is_wanted in zip((x, y), wanted, strict=True) if is_wanted]
        return [
            gradient.reshape(side.shape) for gradient, side in zip(gradients, sides, strict=True)
        ]

    return _by_platform(native, own, x, y, weights)


_scores.defjvp(_refuse)
_gradients.defjvp(_refuse)


def vary_alike(*arrays: Array) -> list[Array]:
    """Arrays that vary along the same axes of a mesh: within `jax.shard_map` all of any's."""
    axes = [_varying(array) for array in arrays]
    missing = [tuple(frozenset().union(*axes) - own) for own in axes]
    return [
        _vary(array, more) if more else array for array, more in zip(arrays, missing, strict=True)
    ]


def _vary(array: Array, axes: tuple[str, ...]) -> Array:
    if hasattr(jax.lax, "pcast"):
        return jax.lax.pcast(array, axes, to="varying")
    return getattr(jax.lax, "pvary")(array, axes)  # noqa: B009 - the name before


def _varying(array: Array) -> frozenset[str]:
    """The axes, however this version of JAX names what knows them."""
    kind = jax.typeof(array) if hasattr(jax, "typeof") else None
    return frozenset(getattr(getattr(kind, "mat", None), "varying", getattr(kind, "vma", ())))


def _like(array: Array, shape: tuple[int, ...], dtype: Any) -> Any:
    """A result that varies as an argument does."""
    axes = _varying(array)
    if not axes:
        return ShapeDtypeStruct(shape, dtype)
    if hasattr(kind := jax.typeof(array), "mat"):
        return kind.update(shape=shape, dtype=np.dtype(dtype), weak_type=False)
    return ShapeDtypeStruct(shape, dtype, **{"vma": axes})


def _by_platform(native: Any, own: Any, *arrays: Array) -> Any:
    if not _jax_native.is_native():
        return own(*arrays)
    if _jax_native.is_cpu_alone():
        return native(*arrays)  # the formula takes far longer to trace
    return jax.lax.platform_dependent(*arrays, cpu=native, default=own)


def _scores_shape(form: str, x: Array, y: Array) -> tuple[int, ...]:
    """(B, N), (B,) or (U, N)."""
    if form == "paired":
        return x.shape[:-1]
    return (x.shape[0], y.shape[-2])
