"""The face of the package: its names, signatures, types, and what importing it brings along."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType

import pytest
from helpers import run_python

import cosim_rs

SIGNATURES = {
    "batched_cosine_similarity": "(users, items, *, out=None, epsilon=0.0, threads=None)",
    "paired_cosine_similarity": "(x, y, *, out=None, epsilon=0.0, threads=None)",
    "candidate_cosine_similarity": ("(users, items, ids, *, out=None, epsilon=0.0, threads=None)"),
    "cosine_similarity": "(x, y=None, *, out=None, epsilon=0.0, threads=None)",
    "top_k": (
        "(users, items, k=10, *, exclude=None, allow=None, candidates=None, min_score=None, "
        "exclude_self=False, epsilon=0.0, threads=None)"
    ),
    "range_search": "(users, items, min_score, *, exclude=None, allow=None, threads=None)",
    "mine_pairs": "(x, y=None, *, min_score, max_pairs=None, threads=None, progress=False)",
    "group_pairs": "(pairs, count)",
    "set_num_threads": "(n)",
    "get_num_threads": "()",
    "show_config": "(mode='stdout')",
}
CLASSES = {
    "Catalogue": "(items, ids=None, *, epsilon=0.0, copy=False, threads=None)",
    "Pairs": "(scores, i, j)",
    "RangeResult": "(indptr, indices, scores)",
    "TopK": "(scores, indices)",
    "threadpool_limits": "(n)",
}


def test_all_is_explicit_sorted_and_true() -> None:
    assert set(cosim_rs.__all__) == {*CLASSES, "__version__", *SIGNATURES}
    assert list(cosim_rs.__all__) == sorted(cosim_rs.__all__)
    public = {
        name
        for name, value in vars(cosim_rs).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public == set(cosim_rs.__all__) - {"__version__"}


def test_results_are_named_tuples_similarity_first() -> None:
    assert cosim_rs.TopK._fields == ("scores", "indices")


def test_classes_name_the_package_as_their_module() -> None:
    """Pickles refer to them so, and outlive a move within the package."""
    for name in CLASSES:
        assert getattr(cosim_rs, name).__module__ == "cosim_rs"


@pytest.mark.parametrize("name", [*SIGNATURES, *CLASSES])
def test_signatures(name: str) -> None:
    signature = inspect.signature(getattr(cosim_rs, name))
    plain = signature.replace(
        parameters=[
            parameter.replace(annotation=inspect.Parameter.empty)
            for parameter in signature.parameters.values()
        ],
        return_annotation=inspect.Signature.empty,
    )
    assert str(plain) == {**SIGNATURES, **CLASSES}[name]


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_parameter_and_result_has_its_type(name: str) -> None:
    function = getattr(cosim_rs, name)
    assert set(function.__annotations__) == {*inspect.signature(function).parameters, "return"}


def test_the_types_are_shipped() -> None:
    package = Path(cosim_rs.__file__).parent
    assert (package / "py.typed").is_file()
    assert (package / "__init__.pyi").is_file()
    assert (package / "_cosim_rs.pyi").is_file()


def test_importing_brings_numpy_alone() -> None:
    """No framework comes along, however many are installed."""
    code = """
import sys
import numpy
def roots():
    return {name.partition(".")[0] for name in sys.modules}
before = roots()
import cosim_rs
print(sorted(roots() - before - sys.stdlib_module_names))
"""
    assert run_python(code) == "['cosim_rs']\n"


def test_importing_starts_no_thread_and_reads_no_variable() -> None:
    """A bad variable is an error of the first use, not of the import."""
    code = "import threading, cosim_rs; print(threading.active_count())"
    assert run_python(code, COSIM_RS_KERNEL="none", COSIM_RS_NUM_THREADS="none") == "1\n"
