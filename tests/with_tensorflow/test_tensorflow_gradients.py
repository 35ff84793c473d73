"""Gradients: those of the formula, of the dtype of the vectors, finite for finite vectors."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from floating_point_mode import (
    DENORMALS_ARE_ZERO,
    FLUSH_TO_ZERO,
    SUPPORTED,
    extra_mode,
)
from helpers import SCORE_DTYPES, assert_same_bits, error_bound
from tensorflow_cases import CASES, DTYPES, Array, Case, gradients, native, plainly, weights_of

from cosim_rs.tensorflow import batched_cosine_similarity, cosine_similarity

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
# Of norms about 6, some are raised to the last.
EPSILONS = (0.0, 1e-7, 5.7)


def by_differences(case: Case, x: Array, y: Array, weights: Array, epsilon: float) -> list[Array]:
    """The gradients of both sides by central differences of the oracle, in float64."""
    found, step = [], 1e-6
    for side in range(2):
        sides = [x.copy(), y.copy()]
        gradient = np.zeros_like(sides[side])
        for place in np.ndindex(gradient.shape):
            losses = []
            for sign in (1, -1):
                sides[side][place] = (x, y)[side][place] + sign * step
                losses.append(np.sum(weights * case.oracle(*sides, epsilon)))
            sides[side][place] = (x, y)[side][place]
            gradient[place] = (losses[0] - losses[1]) / (2 * step)
        found.append(gradient)
    return found


def without_zero_vectors(case: Case, *dtypes: Any) -> tuple[Array, Array]:
    x, y = case.inputs(*dtypes)
    x[1], y.reshape(-1, y.shape[-1])[2] = 1, 2
    return x, y


@every_case
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_they_are_those_of_the_oracle(case: Case, epsilon: float) -> None:
    x, y = without_zero_vectors(case, np.float64)
    norms = np.linalg.norm(np.concatenate([x, y.reshape(-1, y.shape[-1])]), axis=-1)
    assert epsilon < 1 or 0 < np.mean(norms < epsilon) < 1
    weights = weights_of(case, x, y)
    with native(forward=1, backward=1):
        found = gradients(case, x, y, weights, epsilon=epsilon)
    for actual, expected in zip(found, by_differences(case, x, y, weights, epsilon), strict=True):
        # A step of 1e-6 leaves about 1e-12 of curvature and 1e-16 / 1e-6 of rounding.
        np.testing.assert_allclose(actual.numpy(), expected, rtol=0, atol=2e-9)


@every_case
@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_every_dtype(case: Case, first: Any, second: Any, epsilon: float) -> None:
    x, y = without_zero_vectors(case, first, second)
    weights = weights_of(case, x, y)
    with native(forward=1, backward=1):
        found = gradients(case, x, y, weights, epsilon=epsilon)
    with tf.GradientTape() as tape:
        sides = tf.constant(x, tf.float64), tf.constant(y, tf.float64)
        tape.watch(sides)
        scores = plainly(case, *sides, epsilon)
    computed = np.float64 if np.float64 in (first, second) else np.float32
    for actual, expected, side in zip(
        found, tape.gradient(scores, sides, weights), (x, y), strict=True
    ):
        assert actual.dtype.as_numpy_dtype == side.dtype
        assert actual.shape == side.shape
        largest = np.abs(expected).max()
        stored = float(ml_dtypes.finfo(side.dtype).eps)
        # A sum of up to 6 terms, each as exact as a score, rounded once more where it is stored.
        allowed = largest * (6 * error_bound(33, computed) + stored)
        np.testing.assert_allclose(np.float64(actual.numpy()), expected, rtol=0, atol=allowed)


@every_case
def test_one_side_only(case: Case) -> None:
    x, y = (tf.constant(side) for side in case.inputs(np.float32))
    both = gradients(case, x, y, 1.0)
    for side in range(2):
        for persistent in (False, True):
            with tf.GradientTape(persistent=persistent) as tape:
                tape.watch((x, y)[side])
                scores = case.score(x, y)
            with native(forward=0, backward=1):
                found = tape.gradient(scores, (x, y))
            assert found[1 - side] is None
            assert_same_bits(found[side].numpy(), both[side].numpy())


@every_case
@pytest.mark.parametrize("side", [0, 1])
def test_the_other_side_is_not_computed(case: Case, side: int) -> None:
    def run(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch((x, y)[side])
            scores = case.score(x, y)
        return tape.gradient(scores, (x, y)[side])

    x, y = (tf.constant(side) for side in case.inputs(np.float32))
    graph = tf.function(run, autograph=False).get_concrete_function(x, y).graph
    kinds = {
        op.type for op in graph.get_operations() if op.type.endswith(("Gradient", "Gradients"))
    }
    assert kinds == {("CosimRsFirstGradient", "CosimRsSecondGradient")[side]}


@every_case
def test_in_graphs(case: Case) -> None:
    x, y = (tf.constant(side) for side in case.inputs(np.float32, np.float16))
    weights = weights_of(case, x.numpy(), y.numpy())
    expected = gradients(case, x, y, weights)

    def inside(x: Any, y: Any) -> Any:
        return gradients(case, x, y, weights)

    def by_v1(x: Any, y: Any) -> Any:
        return tf.gradients(case.score(x, y), (x, y), tf.constant(weights, tf.float32))

    def by_persistent_tape(x: Any, y: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch((x, y))
            scores = case.score(x, y)
        weight = tf.constant(weights, tf.float32)
        return tape.gradient(scores, x, weight), tape.gradient(scores, y, weight)

    # A persistent tape's two operations are the same, and TensorFlow makes one of them.
    for run in (inside, by_v1, by_persistent_tape):
        with native(forward=0, backward=1):  # nobody asks for the scores
            found = tf.function(run, autograph=False)(x, y)
        for actual, wanted in zip(found, expected, strict=True):
            assert_same_bits(actual.numpy(), wanted.numpy())


@every_case
@pytest.mark.parametrize("persistent", [False, True])
def test_a_tape_around_a_function(case: Case, persistent: bool) -> None:
    x, y = (tf.constant(side) for side in case.inputs(np.float32))
    expected = gradients(case, x, y, 1.0)
    score = tf.function(case.score, autograph=False)
    for _ in range(2):
        with tf.GradientTape(persistent=persistent) as tape:
            tape.watch((x, y))
            scores = score(x, y)
        with native(forward=0, backward=1):
            found = tape.gradient(scores, (x, y))
        for actual, wanted in zip(found, expected, strict=True):
            assert_same_bits(actual.numpy(), wanted.numpy())


def test_users_with_an_axis_of_one() -> None:
    case = CASES["batched"]
    users, items = case.inputs(np.float32)
    flat = gradients(case, users, items, 1.0)
    with native(forward=1, backward=1):
        wide = gradients(case, users[:, None], items, 1.0)
    assert wide[0].shape == (4, 1, 33)
    assert_same_bits(wide[0].numpy()[:, 0], flat[0].numpy())
    assert_same_bits(wide[1].numpy(), flat[1].numpy())


def test_one_set() -> None:
    """Both sides' gradients are added."""
    rows = without_zero_vectors(CASES["matrix"], np.float64)[0]
    x = tf.constant(rows)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(cosine_similarity(x) ** 2)
    found = tape.gradient(loss, x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(plainly(CASES["matrix"], x, x, 0.0) ** 2)
    np.testing.assert_allclose(found, tape.gradient(loss, x), rtol=0, atol=1e-13)


@every_case
@pytest.mark.parametrize("epsilon", [0.0, 0.5])
def test_zero_vectors(case: Case, epsilon: float) -> None:
    """No direction with epsilon 0; with more, the formula has the clamped norm."""
    x, y = case.inputs(np.float32)
    found = [side.numpy() for side in gradients(case, x, y, 1.0, epsilon=epsilon)]
    assert np.isfinite(found[0]).all()
    assert np.isfinite(found[1]).all()
    zero_user, zero_item = found[0][1], found[1].reshape(-1, 33)[2]
    assert zero_user.any() == (epsilon > 0)
    assert zero_item.any() == (epsilon > 0)


def test_a_score_that_is_clipped_has_its_gradient() -> None:
    """The cosine is 1 - 5e-9, which is 1 in float32."""
    x, y = tf.constant([[1.0, 0.0]]), tf.constant([[1.0, 1e-4]])
    assert cosine_similarity(x, y).numpy() == 1
    found = gradients(CASES["matrix"], x, y, 1.0)
    np.testing.assert_allclose(found[0], [[0, 1e-4]], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found[1], [[0, -1e-4]], rtol=1e-6, atol=2e-8)


@every_case
@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("epsilon", [0.0, 1e-40, 1e30])
def test_finite_vectors_have_finite_gradients(case: Case, dtype: Any, epsilon: float) -> None:
    limits = np.finfo(dtype)
    x, y = case.inputs(dtype)
    for rows in (x, y.reshape(-1, 33)):
        rows[0] = limits.max
        rows[3] = np.sign(rows[3]) * limits.smallest_subnormal
    for weight in (1.0, limits.max, -limits.max):
        for gradient in gradients(case, x, y, weight, epsilon=epsilon):
            assert np.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32])
def test_what_is_too_large_becomes_the_largest(dtype: Any) -> None:
    x = tf.cast([[2.0**-20, 0.0]], dtype)
    y = tf.cast([[1.0, 1.0]], dtype)
    found = gradients(CASES["paired"], x, y, [2.0**127])
    assert found[0].numpy()[0, 1] == dtype.max


def test_a_nan_spreads_to_its_gradients() -> None:
    users, items = CASES["batched"].inputs(np.float32)
    items[0, 1, 5] = np.nan
    found = gradients(CASES["batched"], users, items, 1.0)
    assert np.isnan(found[0].numpy()).any(-1).tolist() == [True, False, False, False]
    assert np.argwhere(np.isnan(found[1].numpy()).all(-1)).tolist() == [[0, 1]]


@pytest.mark.skipif(not SUPPORTED, reason="setting the mode needs x86-64 and System V calls")
@every_case
def test_a_caller_that_flushes_subnormals(case: Case) -> None:
    x, y = case.inputs(np.float32)
    x, y = tf.constant(x * np.float32(2.0**-140)), tf.constant(y * np.float32(2.0**126))
    weights = tf.cast(weights_of(case, x.numpy(), y.numpy()) * 2.0**-10, tf.float32)
    expected = gradients(case, x, y, weights)
    assert any((abs(side.numpy()[side.numpy() != 0]) < 2.0**-126).any() for side in expected)
    with extra_mode(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO):
        found = gradients(case, x, y, weights)
    for actual, wanted in zip(found, expected, strict=True):
        assert_same_bits(actual.numpy(), wanted.numpy())


@pytest.mark.parametrize("is_compiled", [False, True])
def test_second_derivatives_are_refused(is_compiled: bool) -> None:
    users, items = (tf.constant(side) for side in CASES["batched"].inputs(np.float32))

    def second(users: Any, items: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(users)
            with tf.GradientTape() as inner:
                inner.watch(users)
                scores = batched_cosine_similarity(users, items)
            gradient = inner.gradient(scores, users)
        return outer.gradient(gradient, users)

    run = tf.function(second, autograph=False) if is_compiled else second
    with pytest.raises(NotImplementedError, match="gradient of a gradient of cosine scores"):
        run(users, items)


def test_a_second_tape_that_asks_for_no_second_derivatives() -> None:
    case = CASES["batched"]
    users, items = (tf.constant(side) for side in case.inputs(np.float32))
    expected = gradients(case, users, items, 1.0)
    score = tf.function(case.score, autograph=False)
    for run in (case.score, score):
        with tf.GradientTape() as outer, tf.GradientTape() as inner:
            inner.watch(users)
            outer.watch(items)
            scores = run(users, items)
        assert_same_bits(inner.gradient(scores, users).numpy(), expected[0].numpy())
        assert_same_bits(outer.gradient(scores, items).numpy(), expected[1].numpy())


@pytest.mark.parametrize("vectorized", [False, True])
def test_jacobians(vectorized: bool) -> None:
    x, y = (tf.constant(side) for side in without_zero_vectors(CASES["paired"], np.float64))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        scores = CASES["paired"].score(x, y)
    jacobian = tape.jacobian(scores, x, experimental_use_pfor=vectorized)
    expected = gradients(CASES["paired"], x, y, tf.ones(7))[0]
    np.testing.assert_allclose(tf.reduce_sum(jacobian, 0), expected, rtol=0, atol=1e-16)
