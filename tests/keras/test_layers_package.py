"""The face of `cosim_rs.keras`: names, documentation, and what is said when Keras is missing."""

from __future__ import annotations

import doctest
import importlib
import inspect
import sys
import types
import warnings
from typing import Any

import keras
import numpy as np
import pytest
from helpers import gaussian_rows, run_python
from on_backend import BACKEND

import cosim_rs.keras
from cosim_rs.keras import _backend, _formula, _requirement

NAMES = ["BruteForceRetrieval", "NormalizedDotProductSimilarity", "TopKRecommendationSelector"]


def test_all_is_explicit_sorted_and_true() -> None:
    assert cosim_rs.keras.__all__ == NAMES
    for name in NAMES:
        layer = getattr(cosim_rs.keras, name)
        assert issubclass(layer, keras.layers.Layer)
        assert layer.__module__ == "cosim_rs.keras"
        assert keras.saving.get_registered_object(f"cosim_rs>{name}") is layer


def own_classes(name: str) -> list[type]:
    """The layer, and what it derives from here."""
    layer = getattr(cosim_rs.keras, name)
    return [one for one in layer.__mro__ if one.__module__.startswith("cosim_rs.")]


@pytest.mark.parametrize("name", ["cosim_rs.keras", *NAMES])
def test_examples(name: str) -> None:
    holders = [cosim_rs.keras] if name == "cosim_rs.keras" else own_classes(name)
    finder = doctest.DocTestFinder(recurse=name in NAMES)
    # Layers name another module than that of their methods, which would be passed over.
    found = [one for holder in holders for one in finder.find(holder, name, False, globs={})]
    outcomes = [doctest.DocTestRunner().run(example) for example in found]
    assert sum(outcome.attempted for outcome in outcomes) > 0
    assert sum(outcome.failed for outcome in outcomes) == 0


@pytest.mark.parametrize("name", NAMES)
def test_public_methods_are_documented(name: str) -> None:
    members = [member for holder in own_classes(name) for member in vars(holder).items()]
    for key, method in members:
        if not key.startswith("_") and (inspect.isfunction(method) or isinstance(method, property)):
            assert method.__doc__, key


def test_signatures() -> None:
    wanted = {
        "NormalizedDotProductSimilarity": "epsilon=1e-07, native=True, **kwargs",
        "TopKRecommendationSelector": "k=10, **kwargs",
        "BruteForceRetrieval": (
            "candidate_embeddings=None, candidate_ids=None, k=10, return_scores=True, "
            "normalize=True, **kwargs"
        ),
    }
    for name, arguments in wanted.items():
        parameters = inspect.signature(getattr(cosim_rs.keras, name)).parameters.values()
        plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
        assert ", ".join(map(str, plain)) == arguments


def test_without_keras_the_error_says_how_to_get_it() -> None:
    code = """
import sys
sys.modules["keras"] = None
import cosim_rs
try:
    import cosim_rs.keras
except ImportError as error:
    print(error)
"""
    message = "cosim_rs.keras needs Keras 3, which is not installed; install it by: "
    assert run_python(code) == message + "pip install 'cosim-rs[keras]'\n"


@pytest.mark.parametrize("version", ["2.15.0", "3.4.1", "3.0.5"])
def test_an_old_keras_is_refused(version: str) -> None:
    with pytest.raises(ImportError, match=rf"needs Keras 3.5 or newer, not {version}; install it"):
        _requirement.check(version)


@pytest.mark.parametrize("version", ["3.5.0", "3.15.1", "3.16.0.dev0", "4.0"])
def test_a_newer_keras_is_taken(version: str) -> None:
    _requirement.check(version)


class TestBackend:
    @pytest.fixture(autouse=True)
    def _found_anew(self) -> Any:
        _backend._native_module.cache_clear()
        yield
        _backend._native_module.cache_clear()

    def test_the_module_of_the_backend_scores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        called: list[tuple[str, float]] = []
        module = types.ModuleType(f"cosim_rs.{BACKEND}")
        for name in ("batched_cosine_similarity", "cosine_similarity"):

            def score(x: Any, y: Any, *, epsilon: float = 0.0, name: str = name) -> Any:
                called.append((name, epsilon))
                return getattr(_formula, name)(x, y, epsilon=epsilon)

            setattr(module, name, score)
        monkeypatch.setitem(sys.modules, f"cosim_rs.{BACKEND}", module)
        pair = [gaussian_rows(2, 1, 4), gaussian_rows(2, 3, 4)]
        cosim_rs.keras.NormalizedDotProductSimilarity(epsilon=0.25)(pair)
        assert called == [("batched_cosine_similarity", 0.25)]
        cosim_rs.keras.NormalizedDotProductSimilarity(native=False)(pair)
        assert len(called) == 1
        retrieval = cosim_rs.keras.BruteForceRetrieval(gaussian_rows(5, 4))
        retrieval(gaussian_rows(2, 4), training=True)
        assert called[1:] == [("cosine_similarity", 0.0)]

    def test_without_it_the_formula_scores_after_one_warning(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, f"cosim_rs.{BACKEND}", None)
        pair = [gaussian_rows(2, 1, 4), gaussian_rows(2, 3, 4)]
        with pytest.warns(RuntimeWarning, match=f"cosim_rs.{BACKEND} cannot be imported") as seen:
            layer = cosim_rs.keras.NormalizedDotProductSimilarity()
        scores = layer(pair)
        assert len(seen) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = cosim_rs.keras.NormalizedDotProductSimilarity()(pair)
        formula = cosim_rs.keras.NormalizedDotProductSimilarity(native=False)(pair)
        for other in (again, formula):
            assert np.array_equal(
                keras.ops.convert_to_numpy(scores), keras.ops.convert_to_numpy(other)
            )

    def test_an_error_within_it_is_not_hidden(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(name: str) -> Any:
            raise RuntimeError(name)

        monkeypatch.setattr(importlib, "import_module", broken)
        with pytest.raises(RuntimeError):
            _backend.scores_module(native=True)
