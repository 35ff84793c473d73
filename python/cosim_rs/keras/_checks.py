"""What arguments of the layers must be, and the errors that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cosim_rs._arrays import as_count, as_epsilon
from cosim_rs._filters import as_flag

Dims = tuple[int | None, ...]

PAIR = "[user, items], (user, items) or {'user': user, 'items': items}"


def as_pair(inputs: Any) -> tuple[Any, Any]:
    """Two tensors, or their two shapes, from the forms in which a layer takes them."""
    if isinstance(inputs, Mapping):
        if set(inputs) != {"user", "items"}:
            raise ValueError(f"inputs: got a dict with keys {sorted(inputs)}, expected {PAIR}")
        return inputs["user"], inputs["items"]
    is_pair = isinstance(inputs, Sequence) and len(inputs) == 2
    if not is_pair or any(part is None or isinstance(part, int) for part in inputs):
        raise ValueError(f"inputs: got {_described(inputs)}, expected {PAIR}")
    return inputs[0], inputs[1]


def scores_shape(user: Sequence[int | None], items: Sequence[int | None]) -> Dims:
    """(B, N), of a user's shape and its items'; ValueError if they do not fit each other."""
    user, items = tuple(user), tuple(items)
    got = f"got shapes {user} and {items}"
    if len(items) != 3:
        raise ValueError(f"user and items: {got}, expected items (B, N, D)")
    batch, count, dim = items
    wanted = f"({_dim(batch)}, {_dim(dim)}) or ({_dim(batch)}, 1, {_dim(dim)})"
    one = user[1:-1] if len(user) in (2, 3) else (0,)
    if one not in ((), (1,), (None,)):
        raise ValueError(f"user and items: {got}, expected user {wanted}")
    if _differ(user[0], batch) or _differ(user[-1], dim):
        raise ValueError(f"user and items: {got}, expected user {wanted}, to fit items")
    return (user[0] if batch is None else batch), count


def rows_shape(name: str, shape: Sequence[int | None]) -> Dims:
    """A matrix' shape; ValueError if it is none."""
    if len(shape) != 2:
        raise ValueError(f"{name}: got shape {tuple(shape)}, expected two axes, (B, N)")
    return tuple(shape)


def _described(inputs: Any) -> str:
    if hasattr(inputs, "shape"):
        return f"one tensor of shape {tuple(inputs.shape)}"
    if not isinstance(inputs, Sequence):
        return type(inputs).__name__
    if all(part is None or isinstance(part, int) for part in inputs):
        return f"one tensor of shape {tuple(inputs)}"
    return f"{len(inputs)} of them"


def _differ(a: int | None, b: int | None) -> bool:
    return a is not None and b is not None and a != b


def _dim(size: int | None) -> str:
    return "any" if size is None else str(size)


__all__ = ["as_count", "as_epsilon", "as_flag", "as_pair", "rows_shape", "scores_shape"]
