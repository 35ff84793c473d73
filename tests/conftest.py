"""Set-up of the whole suite: what it runs on, repeatable properties, and clean threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Wherever Keras is used first: in its own tests, or in what a page shows.
os.environ.setdefault("KERAS_BACKEND", "jax")

pytest.register_assert_rewrite("helpers", "interchange", "torch_forms")

# The same examples in every run and no database of them, so a failure comes back when run again;
# no deadline, because machines and kernels differ in speed.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the tests of large packages, unless they are asked for: `make test-backends`."""
    name = collection_path.name
    is_large = name in ("backends", "with_tensorflow", "with_torch")
    is_asked_for = any(name in argument for argument in config.args)
    return True if is_large and not is_asked_for else None


def pytest_report_header() -> str:
    """Name the kernel and the threads under test."""
    import cosim_rs

    return f"cosim_rs: {cosim_rs.show_config(mode='dicts')}"


@pytest.fixture(autouse=True)
def _same_threads_afterwards() -> Iterator[None]:
    """Keep a test's set_num_threads from the next test."""
    import cosim_rs

    threads = cosim_rs.get_num_threads()
    yield
    if cosim_rs.get_num_threads() != threads:
        cosim_rs.set_num_threads(threads)
