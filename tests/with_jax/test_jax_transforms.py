"""JAX's transformations of the scores: each gives what plain calls give."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import run_python
from jax_forms import FORMS, assert_bits, native, numbers
from older_jax import export

import cosim_rs
import cosim_rs.jax
from cosim_rs.jax import batched_cosine_similarity, cosine_similarity, paired_cosine_similarity

forms = pytest.mark.parametrize("form", FORMS)


@forms
def test_vmap_over_both_arguments_nested(form: str) -> None:
    score, expected, _, shapes = FORMS[form]
    x_shape, y_shape = shapes(3, 4, 17)
    x, y = numbers(2, 5, *x_shape), numbers(2, 5, *y_shape, seed=1)
    with native():
        scores = jax.vmap(jax.vmap(score))(x, y)
    one_by_one = [[expected(x[i, j], y[i, j]) for j in range(5)] for i in range(2)]
    assert_bits(scores, np.array(one_by_one))
    turned = jax.vmap(score, in_axes=(1, 2), out_axes=1)(
        np.moveaxis(x[0], 0, 1), np.moveaxis(y[0], 0, 2)
    )
    assert_bits(jnp.moveaxis(turned, 1, 0), np.array(one_by_one[0]))


@forms
def test_vmap_over_one_argument(form: str) -> None:
    score, expected, _, shapes = FORMS[form]
    x_shape, y_shape = shapes(3, 4, 17)
    x, y = numbers(5, *x_shape), numbers(5, *y_shape, seed=1)
    left = jax.vmap(score, in_axes=(0, None))(x, y[0])
    assert_bits(left, np.array([expected(row, y[0]) for row in x]))
    right = jax.vmap(score, in_axes=(None, 0))(x[0], y)
    assert_bits(right, np.array([expected(x[0], row) for row in y]))
    outer = jax.vmap(jax.vmap(score, in_axes=(None, 0)), in_axes=(0, None))(x, y)
    assert_bits(outer, np.array([[expected(a, b) for b in y] for a in x]))


@forms
def test_gradients_under_vmap(form: str) -> None:
    score, _, _, shapes = FORMS[form]
    x_shape, y_shape = shapes(3, 4, 17)
    x, y = numbers(5, *x_shape), numbers(5, *y_shape, seed=1)

    def loss(x: Any, y: Any) -> Any:
        return (score(x, y) ** 2).sum()

    gradient = jax.grad(loss, argnums=(0, 1))
    with native(forward=True, backward=True):
        together = jax.vmap(gradient)(x, y)
    for side, one in zip((0, 1), together, strict=True):
        assert_bits(one, np.array([gradient(a, b)[side] for a, b in zip(x, y, strict=True)]))
    # The argument that is shared has the sum of the gradients.
    total = jax.grad(lambda y: jax.vmap(loss, in_axes=(0, None))(x, y).sum())(y[0])
    by_hand = sum(np.asarray(gradient(a, y[0])[1], np.float64) for a in x)
    np.testing.assert_allclose(total, by_hand, atol=1e-5)


@forms
def test_value_and_grad_compiled_and_not(form: str) -> None:
    score, expected, _, shapes = FORMS[form]
    x, y = (numbers(*shape, seed=i) for i, shape in enumerate(shapes(3, 4, 17)))
    both = jax.value_and_grad(lambda x: score(x, y, epsilon=0.1).sum())
    with native(backward=True):
        value, gradient = jax.jit(both)(x)
    np.testing.assert_allclose(value, expected(x, y, epsilon=0.1).sum(), rtol=1e-5)
    assert_bits(gradient, np.asarray(both(x)[1]))


@forms
def test_scan(form: str) -> None:
    score, expected, _, shapes = FORMS[form]
    x_shape, y_shape = shapes(3, 4, 17)
    x, y = numbers(*x_shape), numbers(6, *y_shape, seed=1)

    def scores(x: Any) -> Any:
        return jax.lax.scan(lambda carry, one: (carry, score(carry, one)), x, y)[1]

    assert_bits(scores(x), np.array([expected(x, one) for one in y]))
    gradient = jax.jit(jax.grad(lambda x: scores(x).sum()))(x)
    by_hand = sum(jax.grad(lambda x, one=one: score(x, one).sum())(x) for one in y)
    np.testing.assert_allclose(gradient, by_hand, atol=1e-5)


@forms
def test_checkpoint(form: str) -> None:
    score, _, _, shapes = FORMS[form]
    x, y = (numbers(*shape, seed=i) for i, shape in enumerate(shapes(3, 4, 17)))

    def loss(x: Any, y: Any) -> Any:
        return jnp.sin(score(jnp.tanh(x), y)).sum()

    plain = jax.jit(jax.grad(loss, argnums=(0, 1)))(x, y)
    for again in (jax.checkpoint(loss), jax.checkpoint(lambda x, y: jax.jit(loss)(x, y))):
        with native(backward=True):
            gradients = jax.jit(jax.grad(again, argnums=(0, 1)))(x, y)
        for one, other in zip(gradients, plain, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_control_flow() -> None:
    x, y = numbers(3, 17), numbers(3, 17, seed=1)

    def choose(flag: Any) -> Any:
        return jax.lax.cond(
            flag, lambda: paired_cosine_similarity(x, y), lambda: paired_cosine_similarity(x, x)
        )

    assert_bits(jax.jit(choose)(True), cosim_rs.paired_cosine_similarity(x, y))
    assert_bits(jax.jit(choose)(False), cosim_rs.paired_cosine_similarity(x, x))
    mapped = jax.lax.map(lambda row: cosine_similarity(row[None], y)[0], x)
    assert_bits(mapped, cosim_rs.cosine_similarity(x, y))


def test_a_model_learns_as_with_the_plain_formula() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 64, 8)).astype(np.float32)
    start = rng.standard_normal((8, 8)).astype(np.float32)

    def plain(u: Any, v: Any) -> Any:
        return (u * v).sum(-1) / (jnp.linalg.norm(u, axis=-1) * jnp.linalg.norm(v, axis=-1))

    def losses(score: Any) -> list[float]:
        step = jax.jit(jax.value_and_grad(lambda w: ((score(x @ w, y) - 1) ** 2).mean()))
        weights, history = start, []
        for _ in range(30):
            loss, gradient = step(weights)
            weights = weights - 1.0 * gradient
            history.append(float(loss))
        return history

    ours, theirs = losses(paired_cosine_similarity), losses(plain)
    assert ours[-1] < 0.9 * ours[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


@pytest.mark.skipif(
    not hasattr(jax, "ffi"), reason="this JAX cannot give symbolic shapes their numbers again"
)
def test_symbolic_shapes_in_an_export() -> None:
    batch, count = export.symbolic_shape("b, n")
    shapes = (
        jax.ShapeDtypeStruct((batch, 17), jnp.float32),
        jax.ShapeDtypeStruct((batch, count, 17), jnp.float32),
    )
    function = jax.jit(batched_cosine_similarity)
    # JAX's own check: a file with a foreign function needs that function where it is loaded.
    with pytest.raises(ValueError, match="cosim_rs_batched_scores"):
        export.export(function)(*shapes)
    allowed = export.DisabledSafetyCheck.custom_call("cosim_rs_batched_scores")
    exported = export.export(function, disabled_checks=[allowed])(*shapes)
    for batch, count in ((3, 4), (1, 7)):
        x, y = numbers(batch, 17), numbers(batch, count, 17, seed=1)
        assert_bits(exported.call(x, y), cosim_rs.batched_cosine_similarity(x, y))
    with pytest.raises(ValueError, match=r"^users: got shape"):
        export.export(function, disabled_checks=[allowed])(shapes[1], shapes[1])


SHARDED = """
import jax, numpy as np
from functools import partial
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import cosim_rs, cosim_rs.jax
from helpers import assert_same_bits
from older_jax import shard_map
from cosim_rs.jax import batched_cosine_similarity, cosine_similarity

assert len(jax.devices()) == 2
mesh = Mesh(np.array(jax.devices()), ("data",))
rng = np.random.default_rng(0)
x, y = rng.standard_normal((6, 33), np.float32), rng.standard_normal((6, 4, 33), np.float32)
shared = rng.standard_normal((5, 33), np.float32)

def check(score, expected, x, y, y_spec):
    over_shards = shard_map(score, mesh=mesh, in_specs=(P("data"), y_spec), out_specs=P("data"))
    for run in (over_shards, jax.jit(over_shards)):
        before = cosim_rs._cosim_rs.native_calls()[0]
        assert_same_bits(np.asarray(run(x, y)), expected(x, y))
        assert cosim_rs._cosim_rs.native_calls()[0] == before + 2, "one call a device"
    loss = lambda score: lambda x, y: (score(x, y) ** 2).sum()
    sharded = jax.jit(jax.grad(loss(over_shards), argnums=(0, 1)))(x, y)
    whole = jax.grad(loss(score), argnums=(0, 1))(x, y)
    for one, other in zip(sharded, whole):
        np.testing.assert_allclose(one, other, atol=1e-5)

check(batched_cosine_similarity, cosim_rs.batched_cosine_similarity, x, y, P("data"))
check(cosine_similarity, cosim_rs.cosine_similarity, x, shared, P())
check(partial(cosine_similarity, epsilon=7.0), partial(cosim_rs.cosine_similarity, epsilon=7.0),
      x, shared, P())

# A plain call gathers what lies on several devices first.
spread = [jax.device_put(side, NamedSharding(mesh, P("data"))) for side in (x, y)]
assert_same_bits(
    np.asarray(batched_cosine_similarity(*spread)), cosim_rs.batched_cosine_similarity(x, y)
)
print("same")
"""


def test_shards_on_two_devices() -> None:
    flags = "--xla_force_host_platform_device_count=2"
    assert run_python(SHARDED, XLA_FLAGS=flags) == "same\n"


def test_x64_of_the_whole_process() -> None:
    code = """
import numpy as np
import jax
import cosim_rs, cosim_rs.jax
from helpers import assert_same_bits, gaussian_rows
x = gaussian_rows(4, 33, dtype=np.float64)
scores = cosim_rs.jax.cosine_similarity(x, epsilon=0.1)
assert_same_bits(np.asarray(scores), cosim_rs.cosine_similarity(x, epsilon=0.1))
gradient = jax.grad(lambda x: cosim_rs.jax.cosine_similarity(x)[0, 1])(x)
print(gradient.dtype, cosim_rs._cosim_rs.native_calls())
"""
    assert run_python(code, JAX_ENABLE_X64="1") == "float64 (2, 1)\n"
