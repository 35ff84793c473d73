"""A SavedModel keeps the operations; a process that loads it registers them first."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from helpers import run_python

import cosim_rs.tensorflow
from cosim_rs.tensorflow import batched_cosine_similarity

LOADING = """
import sys
import numpy as np
import tensorflow as tf
import cosim_rs.tensorflow
from cosim_rs._cosim_rs import native_calls
{register}
model = tf.saved_model.load({path!r})
rng = np.random.default_rng(0)
users = tf.constant(rng.standard_normal((3, 8)), tf.float32)
items = tf.constant(rng.standard_normal((3, 5, 8)), tf.float32)
with tf.GradientTape() as tape:
    tape.watch(users)
    scores = model.score(users, items)
gradient = tape.gradient(scores, users)
assert native_calls() == (1, 1)
with tf.GradientTape() as tape:
    tape.watch(users)
    own = cosim_rs.tensorflow.batched_cosine_similarity(users, items, epsilon=0.1)
assert (scores.numpy() == own.numpy()).all()
assert (gradient.numpy() == tape.gradient(own, users).numpy()).all()
print("same")
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 8)), tf.TensorSpec((None, None, 8))])
        def score(self, users: Any, items: Any) -> Any:
            return batched_cosine_similarity(users, items, epsilon=0.1)

    path: Path = tmp_path_factory.mktemp("model")
    tf.saved_model.save(Model(), str(path))
    return str(path)


def test_it_is_loaded_where_the_operations_are_registered(saved: str) -> None:
    code = LOADING.format(path=saved, register="cosim_rs.tensorflow.register()")
    assert run_python(code, TF_CPP_MIN_LOG_LEVEL="2") == "same\n"


def test_it_says_what_is_missing_elsewhere(saved: str) -> None:
    code = LOADING.format(path=saved, register="")
    with pytest.raises(AssertionError, match="Op type not registered 'CosimRsBatchedScores'"):
        run_python(code, TF_CPP_MIN_LOG_LEVEL="2")


def test_registering_twice_is_no_harm() -> None:
    cosim_rs.tensorflow.register()
    cosim_rs.tensorflow.register()
    assert (cosim_rs.tensorflow.cosine_similarity(np.eye(2)).numpy() == np.eye(2)).all()


def test_docstring_examples() -> None:
    assert doctest.testmod(cosim_rs.tensorflow) == (0, 13)
