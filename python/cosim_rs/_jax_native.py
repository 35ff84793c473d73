"""The operations of JAX as XLA calls them: handlers of its foreign function interface.

They are registered at first use, and only with versions of JAX that were tried: the interface is
one of C structs, and what it says of its own version is not to be asked by those it does not suit.
"""

from __future__ import annotations

import importlib
import inspect
import threading
from typing import Any, Final

import jax
import numpy as np
from jax.extend import backend

from cosim_rs import _cosim_rs
from cosim_rs._frameworks import warn_once

OLDEST: Final = (0, 4, 31)  # the oldest version tried
NEWEST: Final = (0, 10)  # the newest; with whatever comes after the second number

_lock = threading.Lock()
_registered: list[bool] = []


def is_native() -> bool:
    """Whether the operations are there on the CPU; a warning says once why not."""
    reason = _unknown(jax.__version__)
    if reason is None:
        reason = _registration()
    if reason is not None:
        warn_once("jax", reason)
    elif not is_cpu_alone() and jax.default_backend() != "cpu":
        warn_once("jax", f"its platform here is {jax.default_backend()}; native is the CPU alone")
    return reason is None


def is_cpu_alone() -> bool:
    """Whether JAX has no other platform in this process, so that none needs be traced for."""
    backends = getattr(backend, "backends", None)  # not in the oldest versions
    return backends is not None and set(backends()) <= {"cpu"}


def call(name: str, results: list[Any], *arrays: Any, epsilon: float) -> list[Any]:
    """Call a handler by the name of its target; results are shapes and dtypes."""
    # Of NumPy's type, or JAX without 64 bits would round it.
    attribute = np.float64(epsilon)
    target = f"cosim_rs_{name}"
    outcome: list[Any]
    if hasattr(jax, "ffi"):
        bound = jax.ffi.ffi_call(target, results, vmap_method="broadcast_all")
        outcome = list(bound(*arrays, epsilon=attribute))
    else:
        outcome = _old_call(target, results, *arrays, epsilon=attribute)
    return outcome


def _old_call(target: str, results: list[Any], *arrays: Any, epsilon: Any) -> list[Any]:
    """As JAX before 0.5 has it, in two ways."""
    ffi: Any = importlib.import_module("jax.extend.ffi")
    if "vmap_method" not in inspect.signature(ffi.ffi_call).parameters:
        # One after the other under `vmap`: the other way leaves what is shared without its axis.
        return list(ffi.ffi_call(target, results, *arrays, vectorized=False, epsilon=epsilon))
    bound = ffi.ffi_call(target, results, vmap_method="broadcast_all")
    return list(bound(*arrays, epsilon=epsilon)) if callable(bound) else list(bound)


def _registration() -> str | None:
    """Register once, whatever thread comes first, and say why not."""
    with _lock:
        if _registered:
            return None
        try:
            ffi = jax.ffi if hasattr(jax, "ffi") else importlib.import_module("jax.extend.ffi")
            register = ffi.register_ffi_target
        except (ImportError, AttributeError) as error:
            return f"jax {jax.__version__} has no foreign functions: {error}"
        for name, handler in _cosim_rs.xla_handlers():
            register(name, handler, platform="cpu")
        _registered.append(True)
    return None


def _unknown(version: str) -> str | None:
    """Why not with this version, if not."""
    numbers = []
    for part in version.split(".")[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        numbers.append(int(digits or 0))
    if tuple(numbers) >= OLDEST and tuple(numbers[: len(NEWEST)]) <= NEWEST:
        return None
    tried = f"{'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
    return f"jax {version} is none of the versions tried, {tried}"
