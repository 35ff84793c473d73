"""Fixtures of the tests of TensorFlow."""

from __future__ import annotations

import pytest

from cosim_rs import _frameworks
from cosim_rs._tensorflow import native

pytest.register_assert_rewrite("tensorflow_cases")


@pytest.fixture
def unwarned(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing had been warned of yet."""
    monkeypatch.setattr(_frameworks, "_warned", set())


@pytest.fixture
def too_new(monkeypatch: pytest.MonkeyPatch, unwarned: None) -> None:
    """As if this TensorFlow were newer than any that was tried."""
    native.missing()  # what is registered stays so
    monkeypatch.setattr(native, "_parts", None)
    monkeypatch.setattr(native, "_reason", None)
    monkeypatch.setattr(native, "NEWEST", native.OLDEST)
    monkeypatch.setattr(native, "OLDEST", (1, 0))
    monkeypatch.setattr(native.tf, "__version__", "2.99.0")
