"""In graphs: shapes that are not known yet, pipelines of data, loops, XLA, and models of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from helpers import assert_same_bits, error_bound, gaussian_rows, run_python
from tensorflow_cases import CASES, Case, gradients, native, weights_of

import cosim_rs.tensorflow
from cosim_rs._tensorflow import native as native_module
from cosim_rs.tensorflow import (
    batched_cosine_similarity,
    cosine_similarity,
    paired_cosine_similarity,
)

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def signature(case: Case, known: str) -> list[Any]:
    if known == "nothing":
        return [tf.TensorSpec(None, tf.float32)] * 2
    keep = 1 if known == "the length" else 0
    return [tf.TensorSpec([*[None] * (len(s) - keep), *s[len(s) - keep :]]) for s in case.shapes]


@every_case
@pytest.mark.parametrize("known", ["the length", "the rank", "nothing"])
def test_shapes_that_are_not_known_yet(case: Case, known: str) -> None:
    x, y = case.inputs(np.float32)
    rank = case.score_arrays(x, y).ndim

    @tf.function(input_signature=signature(case, known))
    def run(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch((x, y))
            scores = case.score(x, y)
        assert scores.shape.rank == rank
        return scores, *tape.gradient(scores, (x, y))

    for count in (len(x), 2):
        some = x[:count], y[:count]
        with native(forward=1, backward=1):
            scores, *found = run(*some)
        assert_same_bits(scores.numpy(), case.score_arrays(*some))
        for actual, expected in zip(found, gradients(case, *some, 1.0), strict=True):
            assert_same_bits(actual.numpy(), expected.numpy())


def test_what_is_known_of_the_scores_shape() -> None:
    def shape(score: Any, *shapes: Any) -> list[int | None] | None:
        specs = [tf.TensorSpec(shape) for shape in shapes]
        concrete = tf.function(score, autograph=False).get_concrete_function(*specs)
        return concrete.structured_outputs.shape.as_list()

    assert shape(batched_cosine_similarity, (8, 3), (None, 5, 3)) == [8, 5]
    assert shape(batched_cosine_similarity, None, (4, None, 3)) == [4, None]
    assert shape(batched_cosine_similarity, (None, 1, 3), None) == [None, None]
    assert shape(paired_cosine_similarity, (None, 3), (4, None)) == [4]
    assert shape(paired_cosine_similarity, None, (4, 3)) == [4]
    assert shape(cosine_similarity, (4, None), (None, 3)) == [4, None]
    assert shape(cosine_similarity, None, (5, 3)) == [None, 5]


MISFITS = {
    "batched": ((2, 3), (2, 5, 4)),
    "batched without a batch": ((2, 3), (5, 3)),
    "batched of other users": ((1, 3), (2, 5, 3)),
    "paired": ((2, 3), (1, 3)),
    "matrix": ((2, 3), (2, 4)),
}


@pytest.mark.parametrize("kind", MISFITS)
def test_shapes_that_turn_out_not_to_fit(kind: str) -> None:
    case = CASES[kind.split()[0]]
    run = tf.function(case.score, input_signature=signature(case, "nothing"))
    x, y = (tf.ones(shape) for shape in MISFITS[kind])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"cosim_rs: .*do not fit"):
        run(x, y)


def test_a_graph_made_by_hand_of_other_types() -> None:
    """An error, where TensorFlow would end the process."""
    cosim_rs.tensorflow.register()
    x = tf.ones((2, 3), tf.float64)

    @tf.function(autograph=False)
    def run() -> Any:
        attributes = {"T": tf.float32, "epsilon_bits": 0}
        return native_module._parts.node("CosimRsMatrixScores", x=x, y=x, **attributes)[-1][0]

    with pytest.raises(
        tf.errors.InvalidArgumentError, match="an output of the type 1 instead of 2"
    ):
        run()


def test_in_a_pipeline_of_data() -> None:
    users, items = CASES["batched"].inputs(np.float32)
    data = tf.data.Dataset.from_tensor_slices((users, items)).batch(2)
    data = data.map(batched_cosine_similarity, num_parallel_calls=2)
    with native(forward=2):
        scores = np.concatenate(list(data.as_numpy_iterator()))
    assert_same_bits(scores, cosim_rs.batched_cosine_similarity(users, items))


def test_in_loops_and_branches() -> None:
    users, items = (tf.constant(side) for side in CASES["batched"].inputs(np.float32))

    @tf.function
    def run(users: Any, items: Any) -> Any:
        total = tf.zeros((4, 5))
        with tf.GradientTape() as tape:
            tape.watch(users)
            for step in tf.range(3):
                if step > 0:
                    total += batched_cosine_similarity(users, items)
        return total, tape.gradient(total, users)

    with native(forward=2, backward=2):
        total, gradient = run(users, items)
    assert_same_bits(total.numpy(), 2 * batched_cosine_similarity(users, items).numpy())
    expected = 2 * gradients(CASES["batched"], users, items, 1.0)[0].numpy()
    assert_same_bits(gradient.numpy(), expected)


@pytest.mark.parametrize("apply", [tf.map_fn, tf.vectorized_map])
def test_mapped(apply: Any) -> None:
    """TensorFlow loops over what it does not know how to vectorise."""
    stack = gaussian_rows(3, 4, 17)
    with native(forward=3):
        scores = apply(cosine_similarity, tf.constant(stack))
    assert_same_bits(scores.numpy(), np.stack([cosim_rs.cosine_similarity(x) for x in stack]))


@every_case
def test_xla_compiles_the_own_operations(case: Case, unwarned: None) -> None:
    x, y = case.inputs(np.float32)
    weights = weights_of(case, x, y)

    @tf.function(jit_compile=True, autograph=False)
    def run(x: Any, y: Any) -> Any:
        return case.score(x, y), *gradients(case, x, y, weights)

    with native(forward=0), pytest.warns(RuntimeWarning, match="XLA compiles this function"):
        scores, *found = run(x, y)
    np.testing.assert_allclose(scores, case.oracle(x, y, 0.0), rtol=0, atol=error_bound(33, "f4"))
    for actual, expected in zip(found, gradients(case, x, y, weights), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=6 * error_bound(33, "f4"))


def test_a_function_that_was_traced_before_xla_compiles_it(unwarned: None) -> None:
    """TensorFlow takes the trace that it has, and says what XLA lacks for it."""
    users, items = (tf.constant(side) for side in CASES["batched"].inputs(np.float32))
    early, late = (tf.function(batched_cosine_similarity, autograph=False) for _ in range(2))
    expected = early(users, items)
    with pytest.raises(tf.errors.InvalidArgumentError, match="CosimRsBatchedScores"):
        tf.function(early, jit_compile=True, autograph=False)(users, items)
    with native(forward=0), pytest.warns(RuntimeWarning, match="XLA"):
        scores = tf.function(late, jit_compile=True, autograph=False)(users, items)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=error_bound(33, "f4"))


def test_one_warning_and_then_silence(unwarned: None) -> None:
    x = tf.ones((2, 3))
    for place in range(2):
        run = tf.function(lambda x: cosine_similarity(x), jit_compile=True, autograph=False)
        if place == 0:
            with pytest.warns(RuntimeWarning) as caught:
                run(x)
            assert len(caught) == 1
        else:
            run(x)  # a warning would be an error


TRAINING = """
import warnings
import numpy as np
import tensorflow as tf
# Keras itself calls a deprecated function of NumPy's or of TensorFlow's in some pairs of versions.
warnings.filterwarnings("ignore", category=DeprecationWarning)
import keras
from cosim_rs._cosim_rs import native_calls
from cosim_rs.tensorflow import batched_cosine_similarity

class Scores(keras.layers.Layer):
    def call(self, users, items):
        return batched_cosine_similarity(users, items)

    def compute_output_shape(self, users_shape, items_shape):
        return items_shape[:-1]

users, items = keras.Input((8,)), keras.Input((5, 8))
tower = keras.layers.Dense(16)
model = keras.Model([users, items], Scores()(tower(users), keras.layers.Dense(16)(items)))
model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=False)
rng = np.random.default_rng(0)
data = [rng.standard_normal((320, 8)).astype("f4"), rng.standard_normal((320, 5, 8)).astype("f4")]
wanted = batched_cosine_similarity(*data).numpy()
before = native_calls()
losses = model.fit(data, wanted, epochs=10, verbose=0)
steps = tuple(after - one for after, one in zip(native_calls(), before))
first, *_, last = losses.history["loss"]
print(last < 0.5 * first, steps)
"""


def test_a_model_learns() -> None:
    environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
    assert run_python(TRAINING, **environment) == "True (100, 100)\n"
