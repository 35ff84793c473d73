"""What the oldest JAX has under other names, by the names that tests use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax

# Of JAX a module always, but no attribute in the oldest.
from jax import export

if hasattr(jax, "enable_x64"):
    enable_x64 = jax.enable_x64
else:
    from jax.experimental import enable_x64

if hasattr(jax, "shard_map"):
    shard_map = jax.shard_map
else:
    from jax.experimental import shard_map as _experimental

    # Of foreign functions it does not know what they do to what is the same on all devices.
    shard_map = partial(_experimental.shard_map, check_rep=False)


def foreign(target: str, result: jax.ShapeDtypeStruct) -> Callable[..., Any]:
    """A handler, to be called with arrays and its attributes by name."""
    if hasattr(jax, "ffi"):
        return jax.ffi.ffi_call(target, result)
    from jax.extend import ffi

    return partial(ffi.ffi_call, target, result)


__all__ = ["enable_x64", "export", "foreign", "shard_map"]
