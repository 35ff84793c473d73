"""Eager tensors of TensorFlow are taken where they lie; symbolic ones and a GPU's are refused."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from helpers import assert_same_bits
from interchange import assert_places_taken, assert_shared, assert_taken, numbers

import cosim_rs
from cosim_rs._interchange import as_array

DTYPES = (np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.int8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_function_takes_them(dtype: Any) -> None:
    assert_taken(tf.constant, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_they_are_read_where_they_lie(dtype: Any) -> None:
    tensor = tf.constant(numbers(6, 17, dtype=dtype))
    assert_shared(tensor, np.asarray(tensor))
    assert not np.shares_memory(tensor.numpy(), np.asarray(tensor))  # what not to do


def test_places() -> None:
    assert_places_taken(tf.constant)


def test_variables_are_taken_as_they_are_now() -> None:
    assert_taken(tf.Variable, np.float32)
    values = numbers(6, 17)
    variable = tf.Variable(values)
    catalogue = cosim_rs.Catalogue(variable)
    assert np.shares_memory(as_array("x", variable), as_array("x", variable))
    variable.assign(tf.zeros_like(variable))
    expected = cosim_rs.top_k(values, values, 3)
    assert_same_bits(catalogue.top_k(values, 3).scores, expected.scores)
    assert (cosim_rs.cosine_similarity(variable) == 0).all()


def test_symbolic_tensors_are_refused() -> None:
    @tf.function(autograph=False)
    def traced(x: Any) -> Any:
        return cosim_rs.cosine_similarity(x)

    with pytest.raises(TypeError, match=r"^x: got a symbolic tensor, expected an eager one: "):
        traced(tf.ones((2, 3)))


def test_a_tensor_of_a_gpu_is_refused() -> None:
    """There is no GPU here, so the class and its device have to be enough."""
    device = "/job:localhost/replica:0/task:0/device:GPU:0"
    kind = type("Tensor", (), {"__module__": "tensorflow.python", "device": device})
    wanted = rf"^items: got a tensor on {device}, expected memory of the CPU: .* \.cpu\(\)$"
    with pytest.raises(TypeError, match=wanted):
        cosim_rs.top_k(numbers(2, 3), kind(), 1)


@pytest.mark.parametrize(
    "offered",
    [tf.constant(["a"]), tf.sparse.from_dense(np.eye(2)), tf.ragged.constant([[1.0], [2.0, 3.0]])],
    ids=lambda offered: type(offered).__name__,
)
def test_what_is_not_dense_numbers_is_refused(offered: Any) -> None:
    with pytest.raises(TypeError, match=r"^x: got dtype object, expected real numbers"):
        cosim_rs.cosine_similarity(offered)
