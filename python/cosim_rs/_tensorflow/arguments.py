"""The arguments looked at: made tensors, of the dtypes and shapes that fit, or refused in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from cosim_rs._arrays import fitting

DTYPES = (tf.float32, tf.float64, tf.float16, tf.bfloat16)


@dataclass(frozen=True)
class Form:
    """Which vectors meet, and what their sides are called."""

    number: int  # as the attribute of the gradients' operations
    name: str
    sides: tuple[str, str]


BATCHED = Form(0, "Batched", ("users", "items"))
PAIRED = Form(1, "Paired", ("x", "y"))
MATRIX = Form(2, "Matrix", ("x", "y"))


def as_tensor(name: str, value: Any) -> Any:
    """Make it a dense tensor of one of the dtypes that are taken."""
    try:
        tensor = tf.convert_to_tensor(value)
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise TypeError(f"{name}: got {kind}, expected a dense tensor: {error}") from error
    if tensor.dtype not in DTYPES:
        wanted = "float32, float64, float16 or bfloat16"
        raise TypeError(f"{name}: got dtype {tensor.dtype.name}, expected {wanted}")
    if tf.executing_eagerly() and not hasattr(tensor, "numpy"):
        raise TypeError(
            f"{name}: got a symbolic tensor outside of its graph, expected an eager one"
        )
    return tensor


def scores_shape(form: Form, x: Any, y: Any) -> Any:
    """Check the shapes, as far as they are known, and tell that of the scores."""
    return _CHECKS[form.name](form.sides, x.shape, y.shape)


def _batched_shape(names: tuple[str, str], users: Any, items: Any) -> Any:
    batch, count, dim = _axes(names[1], items, "(B, N, D)")
    fits = users.rank is None or any(
        users.is_compatible_with(wanted) for wanted in ((batch, dim), (batch, 1, dim))
    )
    if not fits:
        wanted = f"{(batch, dim)} or {(batch, 1, dim)}, to fit items of shape {_shown(items)}"
        raise fitting(names[0], _shown(users), wanted)
    if batch is None and users.rank is not None:
        batch = users[0]
    return tf.TensorShape((batch, count))


def _paired_shape(names: tuple[str, str], x: Any, y: Any) -> Any:
    _axes(names[0], x, "(B, D)")
    if not y.is_compatible_with(x) or y.rank not in (None, 2):
        raise fitting(names[1], _shown(y), f"{_shown(x)}, as x has")
    both = x.merge_with(y)
    return tf.TensorShape((None,) if both.rank is None else both[:1])


def _matrix_shape(names: tuple[str, str], x: Any, y: Any) -> Any:
    users, dim = _axes(names[0], x, "(U, D)")
    if not y.is_compatible_with((None, dim)):
        wanted = f"(N, {dim}), to fit x of shape {_shown(x)}"
        raise fitting(names[1], _shown(y), wanted)
    return tf.TensorShape((users, None if y.rank is None else y[0]))


_CHECKS = {"Batched": _batched_shape, "Paired": _paired_shape, "Matrix": _matrix_shape}


def _axes(name: str, shape: Any, wanted: str) -> list[int | None]:
    """Tell the axes, None where the length is not known yet."""
    count = wanted.count(",") + 1
    if shape.rank not in (None, count):
        raise fitting(name, _shown(shape), wanted)
    axes: list[int | None] = [None] * count if shape.rank is None else shape.as_list()
    return axes


def _shown(shape: Any) -> Any:
    return "unknown" if shape.rank is None else tuple(shape.as_list())
