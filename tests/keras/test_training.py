"""The example models train, rank, are saved, loaded and exported; and as their twins do."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
from example_programs import load_example
from helpers import REPOSITORY
from on_backend import BACKEND

import cosim_rs
from cosim_rs import _cosim_rs
from cosim_rs.keras import NormalizedDotProductSimilarity

# Losses are sums of hundreds of scores that differ by some roundings, and so do the weights they
# lead to; over these few steps that stays below the fourth digit.
FOUR_DIGITS = 1e-4


@pytest.fixture(scope="module")
def two_tower() -> ModuleType:
    return load_example("two_tower")


@pytest.fixture(scope="module")
def reranker() -> ModuleType:
    return load_example("reranker")


@pytest.fixture(scope="module")
def digits(two_tower: ModuleType) -> Any:
    images, labels = two_tower.load_images()
    return images, labels, two_tower.lists(images, labels, 640, seed=1)


@pytest.fixture(scope="module")
def trained(two_tower: ModuleType, digits: Any) -> tuple[keras.Model, list[float], Any]:
    """The model, its losses, and how often its scores and gradients were native."""
    before = np.array(_cosim_rs.native_calls())
    model, losses = two_tower.train(NormalizedDotProductSimilarity(), digits[2], 2)
    return model, losses, _cosim_rs.native_calls() - before


def test_two_towers_train_natively_with_the_losses_of_their_twin(
    two_tower: ModuleType, digits: Any, trained: Any
) -> None:
    _, losses, calls = trained
    steps = 2 * 640 // 64
    assert min(calls) >= steps
    twin = keras.layers.Lambda(two_tower.by_keras, output_shape=two_tower.by_keras_shape)
    before = _cosim_rs.native_calls()
    _, expected = two_tower.train(twin, digits[2], 2)
    assert _cosim_rs.native_calls() == before
    np.testing.assert_allclose(losses, expected, rtol=FOUR_DIGITS)
    assert losses[1] < losses[0]


def test_training_brings_the_right_images_to_the_top(
    two_tower: ModuleType, digits: Any, trained: Any
) -> None:
    images, labels, _ = digits
    keras.utils.set_random_seed(7)
    before = two_tower.recall(two_tower.build(NormalizedDotProductSimilarity()), images, labels, 50)
    after = two_tower.recall(trained[0], images, labels, 50)
    # Chance finds a tenth; a trained model most.
    assert before < 0.5 < after


def test_predictions_are_those_of_the_catalogue(trained: Any, digits: Any) -> None:
    """What `predict` gives for towers is what the model itself scores."""
    model, (queries, candidates) = trained[0], (digits[2][0][0][:8], digits[2][0][1][:8])
    users = keras.Model(model.inputs[0], model.get_layer("user").output)
    items = keras.Model(model.inputs[1], model.get_layer("item").output)
    user, item = users.predict(queries, verbose=0), items.predict(candidates, verbose=0)
    found = [cosim_rs.Catalogue(own).top_k(one, 3) for own, one in zip(item, user, strict=True)]
    scores = model.predict([queries, candidates], verbose=0) / 10
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    np.testing.assert_array_equal([one.ids for one in found], wanted)
    best = np.take_along_axis(scores, wanted, axis=1)
    np.testing.assert_allclose([one.scores for one in found], best, atol=1e-6)


def test_evaluate_saves_and_loads(trained: Any, digits: Any, tmp_path: Path) -> None:
    model, (inputs, right) = trained[0], digits[2]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), expected)
    before, (loss, top3) = _cosim_rs.native_calls(), loaded.evaluate(inputs, right, verbose=0)
    assert _cosim_rs.native_calls()[0] > before[0]
    assert loss < 1
    assert top3 > 0.5
    loaded.fit(inputs, right, verbose=0)
    assert loaded.evaluate(inputs, right, verbose=0)[0] < loss


def test_the_reranker_trains_with_the_losses_of_its_twin(reranker: ModuleType) -> None:
    images, labels = reranker.load_images()
    rows = np.random.default_rng(1).permutation(len(images))
    data = reranker.lists(images, labels, rows[:320])
    before = _cosim_rs.native_calls()
    model, losses = reranker.train(NormalizedDotProductSimilarity(), data, 3)
    assert _cosim_rs.native_calls()[1] >= before[1] + 3 * 320 // 32
    _, expected = reranker.train(NormalizedDotProductSimilarity(native=False), data, 3)
    np.testing.assert_allclose(losses, expected, rtol=FOUR_DIGITS)
    assert losses[-1] < losses[0]
    untrained = reranker.build(NormalizedDotProductSimilarity())
    unseen = reranker.lists(images, labels, rows[-200:])
    assert reranker.recall(model, *unseen, k=5) > reranker.recall(untrained, *unseen, k=5)


@pytest.mark.parametrize("name", ["two_tower", "reranker"])
def test_the_programs_run(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(REPOSITORY / "examples" / f"{name}.py")]
    small = ["--queries", "128", "--epochs", "1"]
    names = os.environ | {"KERAS_BACKEND": BACKEND, "TF_CPP_MIN_LOG_LEVEL": "2"}
    finished = subprocess.run(
        [*command, *small], cwd=tmp_path, env=names, capture_output=True, text=True, check=True
    )
    assert finished.stdout.startswith(f"{BACKEND}: loss of each epoch")
    assert "RuntimeWarning" not in finished.stderr


@pytest.mark.skipif(
    BACKEND == "torch" or importlib.util.find_spec("tensorflow") is None,
    reason="Keras exports to TensorFlow's format, from TensorFlow and JAX, where it is installed",
)
def test_an_exported_model_needs_no_library_of_ours(
    two_tower: ModuleType, trained: Any, digits: Any, tmp_path: Path
) -> None:
    plain = two_tower.build(NormalizedDotProductSimilarity(native=False))
    plain.set_weights(trained[0].get_weights())
    plain.export(str(tmp_path / "exported"))
    inputs = [np.asarray(side[:4]) for side in digits[2][0]]
    np.savez(tmp_path / "inputs.npz", query=inputs[0].astype(np.int32), candidates=inputs[1])
    program = (
        "import sys, numpy as np, tensorflow as tf;"
        "model = tf.saved_model.load('exported'); inputs = np.load('inputs.npz');"
        "out = model.serve([tf.constant(inputs['query']), tf.constant(inputs['candidates'])]);"
        "np.save('out.npy', np.asarray(out)); assert 'cosim_rs' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)
    expected = trained[0].predict(inputs, verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-4)
