"""The Keras tests run on the backend that KERAS_BACKEND names, by default JAX."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

pytest.register_assert_rewrite("on_backend")

# Where the backend's own module is missing, the formula is what gets tested; that it is missing
# fails test_native.py.
_EXPECTED = ("ignore:cosim_rs.* cannot be imported, so keras.ops:RuntimeWarning",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the warnings through that frameworks make by themselves."""
    for item in items:
        for expected in _EXPECTED:
            item.add_marker(pytest.mark.filterwarnings(expected))
