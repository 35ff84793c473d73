"""The versions of frameworks are stated alike: in the modules, the documentation and the pins."""

from __future__ import annotations

import ast
import re

import pytest
from helpers import REPOSITORY

MODULES = {
    "JAX": ("jax", "_jax_native.py"),
    "TensorFlow": ("tensorflow-cpu", "_tensorflow/native.py"),
    "torch": ("torch", "_torch_load.py"),
    "Keras": ("keras", "keras/_requirement.py"),
}


def stated(module: str, name: str) -> str | None:
    """A version of a module's source: the modules themselves import what is not installed."""
    source = (REPOSITORY / "python" / "cosim_rs" / module).read_text(encoding="utf-8")
    found = re.search(rf"^{name}\S* .*?(\(.+?\))", source, re.MULTILINE)
    return found and ".".join(map(str, ast.literal_eval(found[1])))


@pytest.mark.parametrize("framework", MODULES)
def test_the_oldest_are_those_that_are_tested(framework: str) -> None:
    package, module = MODULES[framework]
    pins = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").partition("\noldest = [")[2]
    pinned = re.search(
        rf'^ +"{package}==([\d.]+?)(\.\*)?",', pins.partition("\n]")[0], re.MULTILINE
    )
    assert pinned is not None
    assert pinned[1] == stated(module, "OLDEST")


@pytest.mark.parametrize("framework", MODULES)
def test_the_page_about_keras_says_which(framework: str) -> None:
    page = (REPOSITORY / "docs" / "keras.md").read_text(encoding="utf-8")
    oldest, newest = (stated(MODULES[framework][1], name) for name in ("OLDEST", "NEWEST"))
    if newest is None:
        assert f"Keras itself is taken from {oldest} on" in page
    else:
        assert re.search(rf"^\| {framework} \|.*\| {oldest} to {newest} \|$", page, re.MULTILINE)
