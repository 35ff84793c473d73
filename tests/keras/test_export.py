"""Models exported with the native operations in them, as far as the backend can do that."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from helpers import assert_same_bits, gaussian_rows, run_python
from on_backend import BACKEND

import cosim_rs
from cosim_rs import _cosim_rs
from cosim_rs.keras import NormalizedDotProductSimilarity

USERS, ITEMS = gaussian_rows(3, 1, 8), gaussian_rows(3, 5, 8, seed=1)


def scoring_model(**options: Any) -> keras.Model:
    inputs = [keras.Input((1, 8)), keras.Input((None, 8))]
    return keras.Model(inputs, NormalizedDotProductSimilarity(**options)(inputs))


def expected() -> Any:
    return cosim_rs.batched_cosine_similarity(USERS, ITEMS, epsilon=1e-7)


LOADING = """
import numpy as np
import tensorflow as tf
import cosim_rs.tensorflow
from cosim_rs._cosim_rs import native_calls
cosim_rs.tensorflow.register()
model = tf.saved_model.load({path!r})
inputs = np.load({path!r} + ".npz")
scores = model.serve([tf.constant(inputs["users"]), tf.constant(inputs["items"])])
np.save({path!r} + ".npy", scores)
print(native_calls())
"""


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a SavedModel holds operations of TensorFlow's")
def test_a_saved_model_is_native_where_the_operations_are_registered(tmp_path: Path) -> None:
    path = str(tmp_path / "exported")
    scoring_model().export(path)
    np.savez(f"{path}.npz", users=USERS, items=ITEMS)
    assert run_python(LOADING.format(path=path), TF_CPP_MIN_LOG_LEVEL="2") == "(1, 0)\n"
    assert_same_bits(np.load(f"{path}.npy"), expected())


@pytest.mark.skipif(
    BACKEND != "torch" or keras.__version__.startswith("3.5."),
    reason="torch.export is torch's, and cannot follow the operations of Keras 3.5",
)
def test_torch_exports_natively_with_dynamic_shapes(tmp_path: Path) -> None:
    import torch

    batch, count = torch.export.Dim("batch"), torch.export.Dim("count")
    example = [torch.ones(4, 1, 8), torch.ones(4, 6, 8)]
    shapes = (([{0: batch}, {0: batch, 1: count}],),)
    program = torch.export.export(scoring_model(), (example,), dynamic_shapes=shapes, strict=False)
    torch.export.save(program, tmp_path / "exported.pt2")
    loaded = torch.export.load(tmp_path / "exported.pt2").module()
    before = _cosim_rs.native_calls()[0]
    scores = loaded([torch.from_numpy(USERS), torch.from_numpy(ITEMS)])
    assert _cosim_rs.native_calls()[0] == before + 1
    assert_same_bits(scores.numpy(), expected())


@pytest.mark.skipif(
    BACKEND != "jax" or importlib.util.find_spec("tensorflow") is None,
    reason="Keras exports from JAX by way of TensorFlow, where it is installed",
)
def test_jax_exports_the_formula_alone(tmp_path: Path) -> None:
    """A file with a foreign call would need it where it is loaded, so JAX makes none."""
    import tensorflow as tf

    with pytest.raises(ValueError, match="custom call"):
        scoring_model().export(str(tmp_path / "native"))
    scoring_model(native=False).export(str(tmp_path / "exported"))
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    scores = loaded.serve([tf.constant(USERS), tf.constant(ITEMS)])
    np.testing.assert_allclose(np.asarray(scores), expected(), atol=1e-6)
