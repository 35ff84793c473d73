"""The Keras tests run on the backend that KERAS_BACKEND names, by default JAX."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

pytest.register_assert_rewrite("on_backend")

_EXPECTED = (
    # Where the backend's own module is missing, the formula is what gets tested; that it is
    # missing fails test_native.py.
    "ignore:cosim_rs.* cannot be imported, so keras.ops:RuntimeWarning",
    # Keras' variables know NumPy 1's protocol, and Keras converts them when it saves.
    *(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning:"
        f"keras.src.backend.{backend}.core"
        for backend in ("jax", "tensorflow", "torch")
    ),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the warnings through that frameworks make by themselves."""
    for item in items:
        for expected in _EXPECTED:
            item.add_marker(pytest.mark.filterwarnings(expected))
