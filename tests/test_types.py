"""The types that the stub promises are those that come out; `make lint` has the checkers' part."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin

import numpy as np
import pytest
import typing_extensions
from helpers import TESTS
from numpy.typing import NDArray

import cosim_rs

STUB = Path(cosim_rs.__file__).with_suffix(".pyi")


def assert_type(value: Any, expected: Any) -> Any:
    """Raise unless a value is what its type says, the dtypes of arrays included."""
    origin, arguments = get_origin(expected) or expected, get_args(expected)
    if hasattr(origin, "__value__"):  # a type alias: NDArray, since NumPy 2.5
        return assert_type(value, origin.__value__[arguments])
    if not isinstance(value, origin):
        raise AssertionError(f"got {type(value).__name__}, expected {expected}")
    if origin is np.ndarray:
        assert_type(value.dtype, arguments[1])
    elif origin is np.dtype:
        if value.type is not arguments[0]:
            raise AssertionError(f"got {value}, expected {expected}")
    elif origin is cosim_rs.TopK:
        for array, dtype in zip(value, arguments, strict=True):
            assert_type(array, NDArray[dtype])
    elif origin is cosim_rs.Catalogue:
        assert_type(value.dtype, np.dtype[arguments[0]])
        assert_type(value.ids, NDArray[arguments[1]])
    return value


def typical_uses() -> ModuleType:
    """The file of uses, where `assert_type` compares what comes out."""
    path = TESTS / "typed" / "typical_uses.py"
    spec = importlib.util.spec_from_file_location("typical_uses", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.assert_type is typing_extensions.assert_type
    module.assert_type = assert_type
    return module


USES: tuple[Callable[[], None], ...] = typical_uses().USES


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_what_comes_out_has_the_type(use: Callable[[], None]) -> None:
    use()


def test_every_use_is_run() -> None:
    path = TESTS / "typed" / "typical_uses.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [use.__name__ for use in USES] == functions


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (np.zeros(2, np.float32), NDArray[np.float64]),
        (np.zeros(2).dtype, np.dtype[np.float32]),
        (cosim_rs.top_k([1.0], [[1.0]]), cosim_rs.TopK[np.float32, np.int64]),
        (cosim_rs.top_k([1.0], [[1.0]]), cosim_rs.TopK[np.float64, np.int32]),
        (cosim_rs.Catalogue([[1.0]]), cosim_rs.Catalogue[np.float32, np.int64]),
        (cosim_rs.Catalogue([[1.0]], ["a"]), cosim_rs.Catalogue[np.float64, np.int64]),
        (1, str),
    ],
)
def test_another_type_is_noticed(value: object, wrong: Any) -> None:
    with pytest.raises(AssertionError, match="expected"):
        assert_type(value, wrong)


def test_the_stub_is_shipped_and_names_what_is_public() -> None:
    names: dict[str, Any] = {}
    (listed,) = (
        node
        for node in ast.parse(STUB.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    exec(ast.unparse(listed), names)
    assert names["__all__"] == cosim_rs.__all__


def test_dtypes_can_be_named_at_run_time() -> None:
    """In annotations that are evaluated, as those of dataclasses may be."""
    assert get_args(cosim_rs.TopK[np.float32, np.int64]) == (np.float32, np.int64)
    assert get_origin(cosim_rs.Catalogue[np.float32, np.str_]) is cosim_rs.Catalogue
