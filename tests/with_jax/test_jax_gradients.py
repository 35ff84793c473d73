"""Gradients in JAX are those of the formula, in the dtype of what they are the gradient of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import rows_of_every_magnitude
from jax_forms import DTYPES, FORMS, Array, Form, forget, native, numbers
from older_jax import enable_x64

import cosim_rs.jax

forms = pytest.mark.parametrize("form", FORMS)
UNIT = {"float32": 2.0**-24, "float64": 2.0**-53, "float16": 2.0**-11, "bfloat16": 2.0**-8}


def gradients(form: Form, x: Any, y: Any, weights: Any, epsilon: float = 0.0) -> list[Array]:
    """Of both sides, of the scores times weights."""

    def loss(x: Any, y: Any) -> Any:
        return jnp.sum(form.score(x, y, epsilon=epsilon) * weights)

    return [np.asarray(gradient) for gradient in jax.grad(loss, argnums=(0, 1))(x, y)]


def differences(loss: Callable[[Array], Any], at: Array, step: float = 1e-5) -> Array:
    """The gradient of a float64 function by central differences."""
    gradient = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        gradient[place] = (loss(up) - loss(down)) / (2 * step)
    return gradient


def case(form: Form, dtype: str = "float64", dim: int = 5) -> tuple[Array, Array, Array]:
    x_shape, y_shape = form.shapes(3, 4, dim)
    x, y = numbers(*x_shape, dtype=dtype, seed=1), numbers(*y_shape, dtype=dtype, seed=2)
    scores = form.oracle(x.astype(np.float64), y.astype(np.float64), 0.0)
    return x, y, numbers(*scores.shape, dtype="float64", seed=3)


# Of these norms, near 2, the second raises some and the third all.
@forms
@pytest.mark.parametrize("epsilon", [0.0, 2.1, 100.0])
def test_they_are_the_slopes_of_the_oracle(form: str, epsilon: float) -> None:
    x, y, weights = case(FORMS[form])
    oracle = FORMS[form].oracle
    with enable_x64(True), native(backward=True):
        actual = gradients(FORMS[form], x, y, weights, epsilon)
    expected = (
        differences(lambda x: (oracle(x, y, epsilon) * weights).sum(), x),
        differences(lambda y: (oracle(x, y, epsilon) * weights).sum(), y),
    )
    for one, other in zip(actual, expected, strict=True):
        # Differences have an error of step² and of 2⁻⁵³ / step.
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-8)


def plain(x: Any, y: Any, epsilon: float) -> Any:
    """The formula for JAX to differentiate; one for all forms, which broadcast."""
    norms = jnp.sqrt((x * x).sum(-1)), jnp.sqrt((y * y).sum(-1))
    return (x * y).sum(-1) / (jnp.maximum(norms[0], epsilon) * jnp.maximum(norms[1], epsilon))


@forms
@pytest.mark.parametrize("epsilon", [0.0, 2.1])
@pytest.mark.parametrize("length", [7, 16, 33, 129])
def test_they_are_those_jax_gives_the_formula(form: str, epsilon: float, length: int) -> None:
    x, y, weights = case(FORMS[form], "float32", length)
    weights = weights.astype(np.float32)

    def loss(x: Any, y: Any) -> Any:
        return (plain(x if form == "paired" else x[:, None], y, epsilon) * weights).sum()

    with enable_x64(True):
        exact = jax.grad(loss, argnums=(0, 1))(x.astype(np.float64), y.astype(np.float64))
        exact = [np.asarray(gradient) for gradient in exact]
    actual = gradients(FORMS[form], x, y, weights, epsilon)
    for one, other in zip(actual, exact, strict=True):
        assert one.dtype == jnp.float32
        # Each of up to 4 scores' gradients is of at most its weight, over a norm, and wrong by what
        # a score is and some roundings more.
        scale = 4 * np.abs(weights).max() / min(np.linalg.norm(v, axis=-1).min() for v in (x, y))
        assert np.abs(one - other).max() <= (length / 4 + 20) * 2.0**-24 * scale


@forms
@pytest.mark.parametrize("y_dtype", DTYPES)
@pytest.mark.parametrize("x_dtype", DTYPES)
def test_every_dtype_beside_every_other(form: str, x_dtype: str, y_dtype: str) -> None:
    x, y, weights = case(FORMS[form], dim=33)
    x, y = x.astype(jnp.dtype(x_dtype)), y.astype(jnp.dtype(y_dtype))
    weights = weights.astype(np.float64 if "float64" in (x_dtype, y_dtype) else np.float32)
    with enable_x64(True):
        with native(backward=True):
            actual = gradients(FORMS[form], x, y, weights)
        wide = (x.astype(np.float64), y.astype(np.float64), weights.astype(np.float64))
        exact = gradients(FORMS[form], *wide)
    computed = UNIT[str(weights.dtype)]
    for side, one, other in zip((x, y), actual, exact, strict=True):
        assert one.dtype == side.dtype
        assert one.shape == side.shape
        error = np.abs(one.astype(np.float64) - np.asarray(other))
        # One rounding to its own dtype (at the least subnormal's size too), the rest as computed.
        smallest = float(jnp.finfo(side.dtype).smallest_subnormal)
        bound = UNIT[str(side.dtype)] * np.abs(other) + 100 * computed + smallest
        assert (error <= bound).all()


@forms
@pytest.mark.parametrize("argument", [0, 1])
def test_one_side_alone_has_the_same_bits(form: str, argument: int) -> None:
    x, y, weights = (array.astype(np.float32) for array in case(FORMS[form]))
    with native(backward=True):
        alone = jax.grad(lambda x, y: (FORMS[form].score(x, y) * weights).sum(), argument)(x, y)
    assert np.array_equal(alone, gradients(FORMS[form], x, y, weights)[argument])


@forms
def test_what_was_wanted_before_is_not_what_is_wanted(form: str) -> None:
    """JAX keeps some of the first gradient's trace with the compiled function."""
    for order in ([0, (0, 1), 1], [1, 0, (0, 1)]):
        forget()
        x, y, weights = (array.astype(np.float32) for array in case(FORMS[form]))
        compiled = jax.jit(lambda x, y, weights=weights: (FORMS[form].score(x, y) * weights).sum())
        expected = gradients(FORMS[form], x, y, weights)
        for loss in (compiled, jax.checkpoint(compiled)):
            for argument in order:
                actual = jax.jit(jax.grad(loss, argument))(x, y)
                places = argument if isinstance(argument, tuple) else (argument,)
                actual = actual if isinstance(argument, tuple) else (actual,)
                for place, one in zip(places, actual, strict=True):
                    assert np.array_equal(one, expected[place])


@forms
def test_only_what_is_wanted_is_computed(form: str) -> None:
    x, y, weights = (array.astype(np.float32) for array in case(FORMS[form]))
    for argument, name in (0, "x"), (1, "y"), ((0, 1), "xy"):
        gradient = jax.grad(lambda x, y: (FORMS[form].score(x, y) * weights).sum(), argument)
        program = jax.jit(gradient).lower(x, y).as_text()
        assert f"@cosim_rs_{form}_gradient_{name}(" in program
        assert program.count(f"@cosim_rs_{form}_gradient_") == 1


@forms
@pytest.mark.parametrize("epsilon", [0.0, 1e-3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finite_vectors_have_finite_gradients(form: str, epsilon: float, dtype: str) -> None:
    shapes = FORMS[form].shapes(40, 7, 33)
    with enable_x64(dtype == "float64"):
        sides = []
        for seed, shape in enumerate(shapes):
            rows = rows_of_every_magnitude(int(np.prod(shape[:-1])), 33, dtype, seed)
            sides.append(np.nan_to_num(rows, nan=0, posinf=0, neginf=0).reshape(shape))
        x, y = sides
        weights = numbers(*FORMS[form].score(x, y).shape, dtype=dtype) * 1e30
        for gradient in gradients(FORMS[form], x, y, weights, epsilon):
            assert np.isfinite(gradient).all()


@forms
def test_zero_vectors(form: str) -> None:
    x, y, weights = case(FORMS[form])
    x[0], y[0] = 0, 0
    with enable_x64(True):
        x_gradient, y_gradient = gradients(FORMS[form], x, y, weights)
        assert not np.any(x_gradient[0])
        assert not np.any(y_gradient[0])
        assert np.all(x_gradient[1:] != 0)
        # With epsilon a zero vector has the slope of the clamped formula.
        x_gradient, _ = gradients(FORMS[form], x, y, weights, 0.5)
        loss = lambda x: (FORMS[form].oracle(x, y, 0.5) * weights).sum()  # noqa: E731
        np.testing.assert_allclose(x_gradient, differences(loss, x), rtol=0, atol=1e-8)


@forms
def test_nan_and_infinity_stay_where_they_are(form: str) -> None:
    x, y, weights = (array.astype(np.float32) for array in case(FORMS[form]))
    y[..., 0, 0] = np.nan
    _, y_gradient = gradients(FORMS[form], x, y, weights)
    assert np.isnan(y_gradient[..., 0, :]).all()
    assert np.isfinite(y_gradient[..., 1:, :]).all()


@forms
def test_the_clip_has_no_gradient_of_its_own(form: str) -> None:
    """Rounding takes some scores of parallel vectors past 1; their slopes do not become 0."""
    x, y, weights = (array.astype(np.float32) for array in case(FORMS[form], dim=3))
    y[...] = (x[:, None] if form == "batched" else x[:1] if form == "matrix" else x) * 1.1
    with enable_x64(True):
        exact = gradients(FORMS[form], x.astype(float), y.astype(float), weights.astype(float))
    for one, other in zip(gradients(FORMS[form], x, y, weights), exact, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_one_set_has_the_gradient_of_both_places() -> None:
    x, weights = numbers(4, 5), numbers(4, 4, seed=1)

    def loss(x: Any, y: Any) -> Any:
        return (cosim_rs.jax.cosine_similarity(x, y) * weights).sum()

    both = jax.grad(loss, argnums=(0, 1))(x, x)
    alone = jax.grad(lambda x: (cosim_rs.jax.cosine_similarity(x) * weights).sum())(x)
    np.testing.assert_allclose(alone, both[0] + both[1], rtol=1e-6)


def test_users_of_three_axes() -> None:
    x, y = numbers(3, 1, 5), numbers(3, 4, 5)
    score = cosim_rs.jax.batched_cosine_similarity
    three = jax.grad(lambda x: score(x, y)[:, 1].sum())(x)
    two = jax.grad(lambda x: score(x, y)[:, 1].sum())(x[:, 0])
    assert np.array_equal(three[:, 0], two)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
@forms
def test_empty(form: str, shape: tuple[int, int, int]) -> None:
    x, y = (numbers(*shape) for shape in FORMS[form].shapes(*shape))
    for side, gradient in zip((x, y), gradients(FORMS[form], x, y, np.float32(1)), strict=True):
        assert gradient.shape == side.shape
        assert form == "paired" or not np.any(gradient)  # of which one has no length of 0


SECOND = "differentiated once.*second derivatives"


@forms
def test_second_derivatives_are_refused(form: str) -> None:
    x, y, weights = (array.astype(np.float32) for array in case(FORMS[form]))

    def loss(x: Any) -> Any:
        return (FORMS[form].score(x, y) * weights).sum()

    with pytest.raises(NotImplementedError, match=SECOND):
        jax.hessian(loss)(x)
    with pytest.raises(NotImplementedError, match=SECOND):
        jax.grad(lambda x: (jax.grad(loss)(x) ** 2).sum())(x)
    with pytest.raises(NotImplementedError, match=SECOND):
        jax.jit(jax.jacrev(jax.grad(loss)))(x)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(loss, (x,), (x,))
