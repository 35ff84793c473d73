"""Scores in JAX are those for NumPy arrays, bit for bit, whatever the call."""

from __future__ import annotations

import doctest
import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import rows_of_every_magnitude
from floating_point_mode import DENORMALS_ARE_ZERO, FLUSH_TO_ZERO, SUPPORTED, extra_mode
from helpers import LENGTHS, run_python
from jax_forms import DTYPES, FORMS, assert_bits, native, numbers
from older_jax import enable_x64, foreign

import cosim_rs
import cosim_rs.jax
from cosim_rs import _cosim_rs

forms = pytest.mark.parametrize("form", FORMS)


def every_magnitude(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Any:
    rows = rows_of_every_magnitude(int(np.prod(shape[:-1])), shape[-1], dtype, seed)
    return rows.reshape(shape)


@forms
@pytest.mark.parametrize("length", LENGTHS)
def test_every_length(form: str, length: int) -> None:
    score, expected, _, shapes = FORMS[form]
    x, y = (numbers(*shape, seed=i) for i, shape in enumerate(shapes(3, 5, length)))
    with native():
        eager = score(x, y)
    assert_bits(eager, expected(x, y))


@forms
@pytest.mark.parametrize("y_dtype", DTYPES)
@pytest.mark.parametrize("x_dtype", DTYPES)
def test_every_dtype_beside_every_other(form: str, x_dtype: str, y_dtype: str) -> None:
    score, expected, _, shapes = FORMS[form]
    x_shape, y_shape = shapes(3, 5, 33)
    x, y = numbers(*x_shape, dtype=x_dtype), numbers(*y_shape, dtype=y_dtype, seed=1)
    with enable_x64(True), native():
        scores = jax.jit(score)(jnp.asarray(x), jnp.asarray(y))
        assert_bits(scores, expected(x, y))
    assert scores.dtype == ("float64" if "float64" in (x_dtype, y_dtype) else "float32")


def test_numpy_float64_without_x64_is_what_jax_makes_of_it() -> None:
    x = numbers(3, 17, dtype="float64")
    expected = cosim_rs.cosine_similarity(x.astype(np.float32))
    assert_bits(cosim_rs.jax.cosine_similarity(x), expected)


# 1e-40 is subnormal in float32, and 0.1 is no float32.
@forms
@pytest.mark.parametrize("epsilon", [0.0, 1e-300, 1e-40, 0.1, 5.7, 1e30, np.float32(0.1), 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_epsilon(form: str, epsilon: float, dtype: str) -> None:
    score, expected, _, shapes = FORMS[form]
    x, y = (every_magnitude(*shape, dtype=dtype, seed=1) for shape in shapes(17, 31, 33))
    with enable_x64(dtype == "float64"):
        assert_bits(score(x, y, epsilon=epsilon), expected(x, y, epsilon=float(epsilon)))
        assert_bits(
            jax.jit(lambda x, y: score(x, y, epsilon=epsilon))(x, y),
            expected(x, y, epsilon=float(epsilon)),
        )


def test_epsilon_is_not_rounded_to_float32() -> None:
    x, y = np.array([[0.03, 0.04]]), np.array([[0.3, 0.4]])
    with enable_x64(True):
        scores = np.asarray(cosim_rs.jax.paired_cosine_similarity(x, y, epsilon=0.1))
    assert_bits(scores, cosim_rs.paired_cosine_similarity(x, y, epsilon=0.1))
    rounded = cosim_rs.paired_cosine_similarity(x, y, epsilon=float(np.float32(0.1)))
    assert scores[0] != rounded[0]


@forms
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_vectors_of_every_magnitude(form: str, dtype: str) -> None:
    """Zeros, NaN, infinities, subnormal and huge ones; XLA's threads flush subnormals."""
    score, expected, _, shapes = FORMS[form]
    x, y = (
        every_magnitude(*shape, dtype=dtype, seed=i) for i, shape in enumerate(shapes(60, 7, 33))
    )
    with enable_x64(dtype == "float64"):
        assert_bits(score(x, y), expected(x, y))
        # Large enough for XLA to run it in its own threads.
        assert_bits(jax.jit(score)(x, y), expected(x, y))


@pytest.mark.skipif(not SUPPORTED, reason="setting the floating-point mode needs x86-64")
@forms
def test_a_caller_that_flushes_to_zero(form: str) -> None:
    score, expected, _, shapes = FORMS[form]
    x, y = (every_magnitude(*shape, seed=i) for i, shape in enumerate(shapes(60, 7, 33)))
    scores = expected(x, y)
    x, y = jnp.asarray(x), jnp.asarray(y)
    with extra_mode(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO):
        actual = jax.block_until_ready(score(x, y))
    assert_bits(actual, scores)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0), (1, 1, 1)])
@forms
def test_empty(form: str, shape: tuple[int, int, int]) -> None:
    score, expected, _, shapes = FORMS[form]
    x, y = (numbers(*shape) for shape in shapes(*shape))
    assert_bits(score(x, y), expected(x, y))


def test_users_of_three_axes() -> None:
    x, y = numbers(3, 1, 17), numbers(3, 5, 17)
    assert_bits(
        cosim_rs.jax.batched_cosine_similarity(x, y), cosim_rs.batched_cosine_similarity(x, y)
    )


def test_one_set() -> None:
    x = numbers(9, 17)
    assert_bits(cosim_rs.jax.cosine_similarity(x), cosim_rs.cosine_similarity(x))


@forms
def test_layouts(form: str) -> None:
    """What is computed before in the same program may come in any order of axes."""
    score, expected, _, shapes = FORMS[form]
    x, y = (numbers(*shape, seed=i) for i, shape in enumerate(shapes(6, 5, 33)))
    turned = jax.jit(lambda x, y: score(x.T.T, jnp.transpose(y)))
    assert_bits(turned(x, np.ascontiguousarray(y.T)), expected(x, y))
    sliced = jax.jit(lambda x, y: score(x[::2], y[::2]))
    if form != "matrix":
        assert_bits(sliced(x, y), expected(x[::2], y[::2]))
    assert_bits(score(np.asfortranarray(x), y[..., ::-1][..., ::-1]), expected(x, y))


REFUSED = {
    "batched": [
        ((3, 4), (3, 4), r"items: got shape \(3, 4\), expected \(B, N, D\)"),
        ((2, 4), (3, 5, 4), r"users: got shape \(2, 4\), expected \(3, 4\) or \(3, 1, 4\), to fit"),
        ((3, 2, 4), (3, 5, 4), r"users: got shape \(3, 2, 4\), expected"),
    ],
    "paired": [
        ((3,), (3,), r"x: got shape \(3,\), expected \(B, D\)"),
        ((3, 4), (3, 5), r"y: got shape \(3, 5\), expected \(3, 4\), as x has"),
    ],
    "matrix": [
        ((3, 4, 1), (3, 4), r"x: got shape \(3, 4, 1\), expected \(U, D\)"),
        ((3, 4), (4, 3), r"y: got shape \(4, 3\), expected \(N, 4\), to fit x of shape \(3, 4\)"),
    ],
}


@forms
def test_shapes_that_do_not_fit(form: str) -> None:
    for x_shape, y_shape, message in REFUSED[form]:
        for score in (FORMS[form].score, jax.jit(FORMS[form].score)):
            with pytest.raises(ValueError, match=f"^{message}"):
                score(numbers(*x_shape), numbers(*y_shape))


ACCEPTED = "expected float32, float64, float16 or bfloat16"


@forms
def test_what_is_no_such_array(form: str) -> None:
    score, _, _, shapes = FORMS[form]
    x, y = (numbers(*shape) for shape in shapes(2, 3, 4))
    names = ("users", "items") if form == "batched" else ("x", "y")
    for bad, got in (
        (np.ones(x.shape, np.int32), f"dtype int32, {ACCEPTED}"),
        (np.ones(x.shape, np.complex64), f"dtype complex64, {ACCEPTED}"),
        (np.ones(x.shape, bool), f"dtype bool, {ACCEPTED}"),
        (np.ones(x.shape, object), f"dtype object, {ACCEPTED}"),
        (x.tolist(), "list, expected an array of"),
        ("words", "str, expected an array of"),
        (None, "NoneType, expected an array of"),
    ):
        with pytest.raises(TypeError, match=rf"^{names[0]}: got {got}"):
            score(bad, y)
        if bad is not None:
            with pytest.raises(TypeError, match=rf"^{names[1]}: got {got}"):
                score(x, bad)


@forms
def test_epsilon_that_is_none(form: str) -> None:
    score, _, _, shapes = FORMS[form]
    x, y = (numbers(*shape) for shape in shapes(2, 3, 4))
    for bad in (-1.0, float("nan"), float("inf"), -1, np.float32("nan"), 1e300):
        with pytest.raises(ValueError, match=r"^epsilon: got .*, expected a finite number"):
            score(x, y, epsilon=bad)
    for bad in ("1", None, 1j, [0.1]):
        with pytest.raises(TypeError, match=r"^epsilon: got .*, expected a real number"):
            score(x, y, epsilon=bad)
    with pytest.raises(TypeError, match=r"^epsilon: got .*, expected a real number"):
        jax.jit(lambda epsilon: score(x, y, epsilon=epsilon))(0.1)


def test_many_threads_at_first_use() -> None:
    code = """
import threading
import numpy as np
import cosim_rs.jax
x = np.random.default_rng(0).standard_normal((40, 33)).astype(np.float32)
results, start = [], threading.Barrier(8)
def work():
    start.wait()
    results.append(np.asarray(cosim_rs.jax.cosine_similarity(x)))
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
expected = cosim_rs.cosine_similarity(x)
print(len(results), all((result == expected).all() for result in results))
print(cosim_rs._cosim_rs.native_calls()[0])
"""
    assert run_python(code) == "8 True\n8\n"


def test_calls_of_many_threads() -> None:
    x, y = numbers(50, 33), numbers(400, 33)
    expected, wrong = cosim_rs.cosine_similarity(x, y), []

    def work() -> None:
        for _ in range(20):
            if not np.array_equal(cosim_rs.jax.cosine_similarity(x, y), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_eager_call_is_traced_once() -> None:
    x = numbers(3, 19)
    cosim_rs.jax.cosine_similarity(x)
    traced = cosim_rs.jax._matrix._cache_size()
    before = _cosim_rs.native_calls()[0]
    for _ in range(5):
        cosim_rs.jax.cosine_similarity(x).block_until_ready()
    assert cosim_rs.jax._matrix._cache_size() == traced
    assert _cosim_rs.native_calls()[0] == before + 5


def test_a_handler_reports_what_does_not_fit() -> None:
    cosim_rs.jax.cosine_similarity(numbers(2, 3))  # registers them
    result = jax.ShapeDtypeStruct((2, 2), jnp.float32)
    call = foreign("cosim_rs_matrix_scores", result)
    x = numbers(2, 3)
    for arguments, attributes, message in (
        ((x, x[:, :2]), {"epsilon": np.float64(0)}, r"shapes \[2, 3\] and \[2, 2\] do not fit"),
        ((x, x), {"epsilon": np.float32(0.5)}, "epsilon of type 11, expected float64"),
        ((x, x), {}, "no scalar epsilon"),
        ((x,), {"epsilon": np.float64(0)}, "1 arguments"),
        ((x, x.astype(np.int32)), {"epsilon": np.float64(0)}, "numbers of XLA's type 4"),
        ((x, x), {"epsilon": np.float64(-1)}, "epsilon: got -1, expected"),
    ):
        with pytest.raises(Exception, match=f"cosim_rs: .*{message}"):
            jax.block_until_ready(call(*arguments, **attributes))


def test_the_examples() -> None:
    results = doctest.testmod(cosim_rs.jax)
    assert results.attempted > 12
    assert not results.failed


def test_importing_the_package_does_not_import_jax() -> None:
    assert run_python("import sys, cosim_rs; print('jax' in sys.modules)") == "False\n"
