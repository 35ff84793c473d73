"""Where native operations are not, JAX's own compute the same, and a warning says why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import rows_of_every_magnitude
from helpers import error_bound
from jax_forms import DTYPES, FORMS, Array, Form, assert_bits, forget, native, numbers
from older_jax import enable_x64, export

from cosim_rs import _frameworks, _jax_native
from cosim_rs.jax import paired_cosine_similarity

forms = pytest.mark.parametrize("form", FORMS)
UNTRIED = "computes by jax's own operations: jax .* is none of the versions tried, 0.4.31 to 0.3"


@pytest.fixture
def _own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make this version of JAX one that was not tried."""
    monkeypatch.setattr(_jax_native, "NEWEST", (0, 3))
    monkeypatch.setattr(_frameworks, "_warned", set())
    forget()
    with pytest.warns(RuntimeWarning, match=UNTRIED), native(False, False):
        paired_cosine_similarity(numbers(1, 1), numbers(1, 1))
    yield
    forget()


def gradients(form: Form, x: Any, y: Any, weights: Any, epsilon: float = 0.0) -> list[Array]:
    def loss(x: Any, y: Any) -> Any:
        return jnp.sum(form.score(x, y, epsilon=epsilon) * weights)

    return [np.asarray(gradient) for gradient in jax.jit(jax.grad(loss, (0, 1)))(x, y)]


def every_magnitude(form: Form, dtype: str, *, is_finite: bool = False) -> list[Array]:
    sides = []
    for seed, shape in enumerate(form.shapes(40, 5, 33)):
        rows = rows_of_every_magnitude(int(np.prod(shape[:-1])), 33, dtype, seed)
        rows = np.nan_to_num(rows, nan=0, posinf=1, neginf=1) if is_finite else rows
        sides.append(rows.reshape(shape))
    return sides


@pytest.mark.usefixtures("_own")
@forms
def test_scores_keep_the_bound_of_ordinary_vectors(form: str) -> None:
    score, _, oracle, shapes = FORMS[form]
    for length, epsilon in (0, 0.0), (33, 3.3), (768, 0.0):
        x, y = (numbers(*shape, seed=i) for i, shape in enumerate(shapes(3, 5, length)))
        error = np.abs(np.asarray(score(x, y, epsilon=epsilon)) - oracle(x, y, epsilon))
        assert error.max() <= error_bound(length, np.float32)


@pytest.mark.usefixtures("_own")
@pytest.mark.parametrize("x_dtype", DTYPES)
def test_every_dtype(x_dtype: str) -> None:
    score, _, oracle, shapes = FORMS["batched"]
    x_shape, y_shape = shapes(3, 5, 33)
    for y_dtype in (DTYPES[DTYPES.index(x_dtype) - 1],):
        x, y = numbers(*x_shape, dtype=x_dtype), numbers(*y_shape, dtype=y_dtype, seed=1)
        with enable_x64(True):
            scores = np.asarray(score(x, y))
            both = gradients(FORMS["batched"], x, y, 1.0)
        is_double = "float64" in (x_dtype, y_dtype)
        assert scores.dtype == ("float64" if is_double else "float32")
        exact = oracle(x.astype(np.float64), y.astype(np.float64), 0.0)
        assert np.abs(scores - exact).max() <= error_bound(33, scores.dtype)
        assert [gradient.dtype for gradient in both] == [x.dtype, y.dtype]


@pytest.mark.usefixtures("_own")
@forms
@pytest.mark.parametrize(
    ("dtype", "epsilon"), [("float32", 0.0), ("float32", 1e-39), ("float64", 1e-3)]
)
def test_scores_of_every_magnitude(form: str, dtype: str, epsilon: float) -> None:
    """Subnormal ones too, though XLA's threads flush them; NaN where NaN belongs."""
    x, y = every_magnitude(FORMS[form], dtype)
    with enable_x64(dtype == "float64"), native(False, False):
        scores = np.asarray(FORMS[form].score(x, y, epsilon=epsilon))
    expected = FORMS[form].oracle(x, y, float(np.dtype(dtype).type(epsilon)))
    assert np.array_equal(np.isnan(scores), np.isnan(expected))
    assert np.nanmax(np.abs(scores - expected)) <= error_bound(33, dtype)
    assert not np.signbit(scores[scores == 0]).any()
    assert np.nanmax(np.abs(scores)) <= 1


@pytest.mark.usefixtures("_own")
@forms
@pytest.mark.parametrize(("dtype", "epsilon"), [("float32", 0.0), ("float64", 1e-3)])
def test_gradients_of_every_magnitude_are_near_the_native(
    form: str, dtype: str, epsilon: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = every_magnitude(FORMS[form], dtype, is_finite=True)
    weights = numbers(*FORMS[form].expected(x, y).shape, dtype=dtype)
    with enable_x64(dtype == "float64"):
        with native(False, False):
            own = gradients(FORMS[form], x, y, weights, epsilon)
        monkeypatch.undo()
        forget()
        with native(forward=False, backward=True):  # whose scores nobody asks for
            expected = gradients(FORMS[form], x, y, weights, epsilon)
    limits = np.finfo(dtype)
    for one, other in zip(own, expected, strict=True):
        assert np.isfinite(one).all()
        # A sum of numbers that are too large is the largest or not by the order of its terms.
        ordinary = np.abs(other).max(-1) < limits.max / 1e6
        assert ordinary.sum() > 0.7 * ordinary.size
        one, other = one[ordinary], other[ordinary]
        largest = np.abs(other).max(-1, keepdims=True).astype(np.float64)
        # Sums of five or forty vectors, in some order; what is subnormal may be flushed.
        error = np.abs(one.astype(np.float64) - other)
        assert (error <= 400 * limits.eps * largest + limits.smallest_normal).all()


@pytest.mark.usefixtures("_own")
@forms
def test_transformations(form: str) -> None:
    score, _, oracle, shapes = FORMS[form]
    x_shape, y_shape = shapes(3, 4, 17)
    x, y = numbers(5, *x_shape), numbers(5, *y_shape, seed=1)
    scores = np.asarray(jax.jit(jax.vmap(score))(x, y))
    expected = np.array([oracle(a, b, 0.0) for a, b in zip(x, y, strict=True)])
    assert np.abs(scores - expected).max() <= error_bound(17, np.float32)
    with pytest.raises(NotImplementedError, match="second derivatives"):
        jax.hessian(lambda x: score(x, y[0]).sum())(x[0])


@pytest.mark.usefixtures("_own")
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
@forms
def test_empty(form: str, shape: tuple[int, int, int]) -> None:
    x, y = (numbers(*shape) for shape in FORMS[form].shapes(*shape))
    scores = FORMS[form].score(x, y)
    np.testing.assert_allclose(scores, FORMS[form].expected(x, y), rtol=1e-6)
    for side, gradient in zip((x, y), gradients(FORMS[form], x, y, np.float32(1)), strict=True):
        assert gradient.shape == side.shape


def test_the_warning_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_jax_native, "NEWEST", (0, 3))
    monkeypatch.setattr(_frameworks, "_warned", set())
    forget()
    with pytest.warns(RuntimeWarning, match=UNTRIED):
        paired_cosine_similarity(numbers(1, 2), numbers(1, 2))
    paired_cosine_similarity(numbers(1, 3), numbers(1, 3))  # a warning is an error in tests
    forget()


def test_a_jax_without_foreign_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_jax_native, "_registered", [])
    monkeypatch.setattr(_frameworks, "_warned", set())
    monkeypatch.delattr(jax, "ffi", raising=False)
    monkeypatch.setitem(sys.modules, "jax.extend.ffi", None)  # where it was before
    forget()
    x = numbers(2, 5)
    with pytest.warns(RuntimeWarning, match="has no foreign functions"), native(False, False):
        scores = paired_cosine_similarity(x, x)
    np.testing.assert_allclose(scores, 1, rtol=1e-6)
    monkeypatch.undo()
    forget()
    with native():
        paired_cosine_similarity(x, x)


@pytest.mark.parametrize("version", ["0.4.31", "0.4.38", "0.5.0", "0.10.2", "0.10.9.dev20270101"])
def test_versions_tried(version: str) -> None:
    assert _jax_native._unknown(version) is None


@pytest.mark.parametrize("version", ["0.3.25", "0.4.30", "0.11.0", "1.0", "1.0rc1", "unknown"])
def test_versions_not_tried(version: str) -> None:
    reason = _jax_native._unknown(version)
    assert reason == f"jax {version} is none of the versions tried, 0.4.31 to 0.10"


@forms
def test_beside_other_platforms(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform that a program is compiled for decides."""
    monkeypatch.setattr(_jax_native, "is_cpu_alone", lambda: False)
    forget()
    score, expected, _, shapes = FORMS[form]
    x, y = (numbers(*shape, seed=i) for i, shape in enumerate(shapes(3, 4, 17)))
    with native(backward=True):
        assert_bits(score(x, y), expected(x, y))
        gradient = gradients(FORMS[form], x, y, 1.0)[0]

    forget()
    monkeypatch.undo()
    np.testing.assert_array_equal(gradient, gradients(FORMS[form], x, y, 1.0)[0])


@pytest.mark.skipif(
    not hasattr(jax, "ffi"), reason="this JAX keeps what other platforms run in what it exports"
)
@forms
def test_exported_for_another_platform(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_jax_native, "is_cpu_alone", lambda: False)
    forget()
    score, _, _, shapes = FORMS[form]
    x, y = (numbers(*shape, seed=i) for i, shape in enumerate(shapes(3, 4, 17)))

    def exported() -> export.Exported:
        function = jax.jit(jax.value_and_grad(lambda x, y: score(x, y).sum()))
        return export.export(function, platforms=["tpu"])(x, y)

    elsewhere = exported()
    assert "@cosim_rs" not in elsewhere.mlir_module()
    forget()
    monkeypatch.undo()
    # Without another platform nothing else is compiled in, and JAX refuses what it cannot keep.
    with pytest.raises(ValueError, match="custom calls"):
        exported()


def test_arrays_on_another_platform_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_jax_native, "is_cpu_alone", lambda: False)
    monkeypatch.setattr(_frameworks, "_warned", set())
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.warns(RuntimeWarning, match="its platform here is gpu; native is the CPU alone"):
        assert _jax_native.is_native()
