"""The Keras tests run on the backend that KERAS_BACKEND names, by default JAX."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("on_backend")

_EXPECTED = (
    # Keras exports from JAX by way of TensorFlow as JAX asks no longer to be told to.
    "ignore:The `native_serialization` parameter is deprecated:DeprecationWarning",
    # Keras' variables know NumPy 1's protocol, and Keras converts them when it saves.
    *(
        f"ignore:__array__ implementation doesn't accept a copy:DeprecationWarning:{module}"
        for module in (
            "keras.src.backend.common.variables",
            "keras.src.backend.jax.core",
            "keras.src.backend.tensorflow.core",
            "keras.src.backend.torch.core",
        )
    ),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the warnings through that frameworks make by themselves."""
    for item in items:
        for expected in _EXPECTED:
            item.add_marker(pytest.mark.filterwarnings(expected))
