"""TensorFlow's own operations, where nothing native can run, compute the same."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from battery import rows_of_every_magnitude
from helpers import SCORE_DTYPES, assert_same_bits, error_bound, run_python
from tensorflow_cases import CASES, DTYPES, Case, gradients, native, weights_of

import cosim_rs.tensorflow
from cosim_rs._tensorflow import native as native_module
from cosim_rs.tensorflow import batched_cosine_similarity, cosine_similarity

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
pytestmark = pytest.mark.filterwarnings("ignore:cosim_rs.tensorflow computes by:RuntimeWarning")

HOW = {
    "eager": lambda run: run,
    "graph": lambda run: tf.function(run, autograph=False),
    "dynamic": lambda run: tf.function(
        run, autograph=False, input_signature=[tf.TensorSpec(None)] * run.__code__.co_argcount
    ),
    "xla": lambda run: tf.function(run, autograph=False, jit_compile=True),
}


@every_case
@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
@pytest.mark.parametrize("epsilon", [0.0, 5.7])
@pytest.mark.usefixtures("too_new")
def test_every_dtype(case: Case, first: Any, second: Any, epsilon: float) -> None:
    x, y = case.inputs(first, second)
    weights = weights_of(case, x, y)
    with native(forward=0, backward=0):
        scores = case.score(x, y, epsilon=epsilon)
        found = gradients(case, x, y, weights, epsilon=epsilon)
    computed = np.float64 if np.float64 in (first, second) else np.float32
    assert scores.dtype == computed
    expected = case.oracle(np.float64(x), np.float64(y), epsilon)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=error_bound(33, computed))
    exact = _native_gradients(case, np.float64(x), np.float64(y), weights, epsilon)
    for actual, wanted, side in zip(found, exact, (x, y), strict=True):
        assert actual.dtype.as_numpy_dtype == side.dtype
        stored = float(ml_dtypes.finfo(side.dtype).eps)
        allowed = np.abs(wanted).max() * (6 * error_bound(33, computed) + stored)
        np.testing.assert_allclose(np.float64(actual.numpy()), wanted, rtol=0, atol=allowed)


def _native_gradients(case: Case, *arguments: Any) -> list[Any]:
    """As native code has them, whatever the version is taken for."""
    x, y, weights, epsilon = arguments
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(native_module, "_parts", native_module._Parts())
        return [side.numpy() for side in gradients(case, x, y, weights, epsilon=epsilon)]


# Compilation by XLA takes seconds.
EPSILONS = [(how, 0.0) for how in HOW]
EPSILONS += [(how, epsilon) for how in HOW if how != "xla" for epsilon in (1e-40, 1e-3, 1e38)]


@every_case
@pytest.mark.parametrize(("how", "epsilon"), EPSILONS)
@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.usefixtures("too_new")
def test_every_magnitude(case: Case, how: str, dtype: Any, epsilon: float) -> None:
    """Zeros, NaN, infinities, subnormal and huge vectors, in threads that flush subnormals."""
    if how == "dynamic" and dtype == np.float64:
        dtype = np.float32  # what its signature says
    x, y = (
        rows_of_every_magnitude(int(np.prod(shape[:-1])), 33, dtype, seed).reshape(shape)
        for seed, shape in enumerate(
            ((40, 33), (40, 9, 33)) if len(case.shapes[1]) == 3 else ((40, 33),) * 2
        )
    )
    with native(forward=0):
        scores = HOW[how](lambda x, y: case.score(x, y, epsilon=epsilon))(x, y).numpy()
    expected = case.oracle(x, y, epsilon)
    assert (np.isnan(scores) == np.isnan(expected)).all()
    assert not (np.signbit(scores) & (scores == 0)).any()
    np.testing.assert_allclose(scores, expected, rtol=0, atol=error_bound(33, dtype))


@every_case
@pytest.mark.parametrize(("how", "epsilon"), EPSILONS)
@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.usefixtures("too_new")
def test_finite_vectors_have_finite_gradients(
    case: Case, how: str, dtype: Any, epsilon: float
) -> None:
    dtype = np.float32 if how == "dynamic" else dtype
    limits = np.finfo(dtype)
    x, y = case.inputs(dtype)
    for rows in (x, y.reshape(-1, 33)):
        rows[0] = limits.max
        rows[3] = np.sign(rows[3]) * limits.smallest_subnormal
    run = HOW[how](lambda x, y, weight: gradients(case, x, y, weight, epsilon=epsilon))
    for weight in (0.0, 1.0, limits.max, -limits.max):
        found = run(x, y, tf.constant(weight, dtype))
        for gradient in found:
            assert np.isfinite(gradient).all()
            assert weight or not np.any(gradient)
        if epsilon == 0:
            assert not np.any(found[0][1])  # at a zero vector


@pytest.mark.parametrize("how", HOW)
@pytest.mark.usefixtures("too_new")
def test_a_score_that_is_clipped_has_its_gradient(how: str) -> None:
    x, y = np.array([[1.0, 0.0]], np.float32), np.array([[1.0, 1e-4]], np.float32)
    found = HOW[how](lambda x, y: gradients(CASES["matrix"], x, y, 1.0))(x, y)
    np.testing.assert_allclose(found[0], [[0, 1e-4]], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found[1], [[0, -1e-4]], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.usefixtures("too_new")
def test_scores_are_within_one(how: str) -> None:
    """Without a clip, the rounded product of a vector with itself is above it now and then."""
    rows = rows_of_every_magnitude(300, 33, np.float32, seed=1)
    scores = HOW[how](lambda x, y: CASES["paired"].score(x, y))(rows, rows).numpy()
    assert np.nanmax(scores) == 1


@pytest.mark.usefixtures("too_new")
def test_a_nan_spreads_to_its_gradients() -> None:
    users, items = CASES["batched"].inputs(np.float32)
    items[0, 1, 5] = np.nan
    found = gradients(CASES["batched"], users, items, 1.0)
    assert np.isnan(found[0].numpy()).any(-1).tolist() == [True, False, False, False]
    assert np.argwhere(np.isnan(found[1].numpy()).all(-1)).tolist() == [[0, 1]]


@pytest.mark.parametrize("shape", [(0, 3, 5), (2, 0, 5), (2, 3, 0), (0, 0, 0)])
@pytest.mark.usefixtures("too_new")
def test_nothing(shape: tuple[int, int, int]) -> None:
    users, items = np.ones((shape[0], shape[2]), np.float32), np.ones(shape, np.float32)
    expected = cosim_rs.batched_cosine_similarity(users, items)
    assert_same_bits(batched_cosine_similarity(users, items).numpy(), expected)
    found = gradients(CASES["batched"], users, items, 1.0)
    assert [side.shape.as_list() for side in found] == [list(users.shape), list(shape)]


@pytest.mark.parametrize("how", ["eager", "graph"])
@pytest.mark.usefixtures("too_new")
def test_second_derivatives_are_refused(how: str) -> None:
    def second(users: Any, items: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(users)
            gradient, _ = gradients(CASES["batched"], users, items, 1.0)
        return outer.gradient(gradient, users)

    users, items = (tf.constant(side) for side in CASES["batched"].inputs(np.float32))
    with pytest.raises(NotImplementedError, match="gradient of a gradient of cosine scores"):
        HOW[how](second)(users, items)


MISFITS = {
    "batched": ((2, 3), (2, 5, 4)),
    "batched of other users": ((1, 3), (2, 5, 3)),
    "paired": ((2, 3), (1, 3)),
    "matrix": ((2, 3), (2, 4)),
}


@pytest.mark.parametrize("kind", MISFITS)
@pytest.mark.usefixtures("too_new")
def test_shapes_that_turn_out_not_to_fit(kind: str) -> None:
    """They are not broadcast."""
    run = HOW["dynamic"](lambda x, y: CASES[kind.split()[0]].score(x, y))
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(*(tf.ones(shape) for shape in MISFITS[kind]))


@pytest.mark.filterwarnings("default:cosim_rs.tensorflow computes by:RuntimeWarning")
class TestReasons:
    """Why nothing native ran, and that it is said."""

    @pytest.mark.usefixtures("too_new")
    def test_a_version_that_was_not_tried(self) -> None:
        with pytest.warns(
            RuntimeWarning, match=r"TensorFlow 2\.99\.0 was not tried, 1\.0 to 2\.\d+ were"
        ):
            cosine_similarity(tf.ones((2, 3)))
        with pytest.raises(RuntimeError, match=r"cannot be registered: TensorFlow 2\.99\.0"):
            cosim_rs.tensorflow.register()

    def test_a_missing_part(self, monkeypatch: pytest.MonkeyPatch, too_new: None) -> None:
        from tensorflow.python.framework import op_def_library

        monkeypatch.delattr(op_def_library, "_apply_op_helper")
        with pytest.warns(RuntimeWarning, match=r"is missing: .*_apply_op_helper"):
            scores = cosine_similarity(tf.ones((2, 4)))
        assert (scores.numpy() == 1).all()

    def test_a_missing_symbol(self, monkeypatch: pytest.MonkeyPatch, too_new: None) -> None:
        monkeypatch.setattr(native_module, "NEWEST", (3, 0))
        monkeypatch.setattr(
            native_module._cosim_rs, "register_tensorflow", lambda: "it has no TF_X"
        )
        parts = native_module._Parts()
        parts.registered = lambda name: None
        monkeypatch.setattr(native_module, "_Parts", lambda: parts)
        with pytest.warns(RuntimeWarning, match=r"cannot be extended: it has no TF_X"):
            cosine_similarity(tf.ones((2, 3)))

    def test_names_that_are_taken(self, monkeypatch: pytest.MonkeyPatch, too_new: None) -> None:
        """To register an operation twice would end the process."""
        monkeypatch.setattr(native_module, "NEWEST", (3, 0))
        with pytest.warns(RuntimeWarning, match=r"registered already"):
            cosine_similarity(tf.ones((2, 3)))

    def test_another_device(self, monkeypatch: pytest.MonkeyPatch, unwarned: None) -> None:
        """There is no GPU here: tensors of graphs say where they will be."""
        cosim_rs.tensorflow.register()
        monkeypatch.setattr(native_module._parts, "only_cpu", False)

        def on(device: str) -> Any:
            with tf.device(device):
                return cosine_similarity(tf.ones((2, 4)) * 2)

        with native(forward=1):
            tf.function(lambda: on("CPU:0"), autograph=False)()
        with native(forward=1):
            on("CPU:0")
        with native(forward=0), pytest.warns(RuntimeWarning, match="another device than the CPU"):
            scores = tf.function(lambda: on("GPU:0"), autograph=False)()
        assert (scores.numpy() == 1).all()


WITHOUT_LIBRARY = """
from cosim_rs._cosim_rs import register_tensorflow
print(register_tensorflow())
"""


def test_nothing_is_loaded_for_it() -> None:
    assert run_python(WITHOUT_LIBRARY) == "libtensorflow_framework.so.2 is not loaded\n"
