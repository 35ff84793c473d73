"""The candidates that `BruteForceRetrieval` holds: replaced, set, copied, saved and loaded."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from helpers import assert_same_bits, gaussian_rows
from on_backend import BACKEND, compiled, tensor
from retrieval_cases import DIM, IDS, candidates, numbers, retrieval_model

import cosim_rs
from cosim_rs.keras import BruteForceRetrieval


def test_candidates_are_replaced_by_any_number() -> None:
    layer = BruteForceRetrieval(k=3)
    users = tensor(gaussian_rows(5, DIM))
    with pytest.raises(ValueError, match="there are no candidates yet"):
        layer(users)
    assert layer.compute_output_spec(keras.KerasTensor((None, DIM)))[1].shape == (None, None)
    for count, ids in [(30, None), (30, IDS["small"]), (12, None), (2, ["a", "b"]), (30, None)]:
        layer.update_candidates(candidates(count) * 2, ids)
        wanted = cosim_rs.Catalogue(candidates(count), ids).top_k(gaussian_rows(5, DIM), 3)
        assert numbers(layer(users)[1]).tolist() == wanted.ids.tolist()
        if not isinstance(ids, list):
            inside = compiled(lambda users: layer(users))(users)
            assert numbers(inside[1]).tolist() == wanted.ids.tolist()
        assert len(layer.weights) == (2 if ids is IDS["small"] else 1)
        assert layer.trainable_weights == []
        assert tuple(layer.candidate_embeddings.shape) == (count, DIM)


def test_compiled_functions_see_as_many_new_candidates() -> None:
    users = tensor(gaussian_rows(5, DIM))
    layer = BruteForceRetrieval(candidates(), IDS["small"], k=3)
    query = keras.Input((DIM,))
    model = keras.Model(query, layer(query))
    model.predict(users, verbose=0)
    layer.update_candidates(-candidates(), IDS["small"][::-1])
    wanted = cosim_rs.Catalogue(-candidates(), IDS["small"][::-1]).top_k(gaussian_rows(5, DIM), 3)
    assert model.predict(users, verbose=0)[1].tolist() == wanted.ids.tolist()
    assert numbers(model(users)[1]).tolist() == wanted.ids.tolist()


def test_models_never_answer_with_candidates_of_the_past() -> None:
    users = tensor(gaussian_rows(5, DIM))
    layer = BruteForceRetrieval(candidates(), k=3)
    query = keras.Input((DIM,))
    model = keras.Model(query, layer(query))
    model.predict(users, verbose=0)
    layer.update_candidates(candidates(20))
    wanted = cosim_rs.top_k(gaussian_rows(5, DIM), candidates(20), 3).indices
    found = model.predict(users, verbose=0)[1]
    if BACKEND == "tensorflow":
        assert (found == -1).all()
        model.make_predict_function(force=True)
        found = model.predict(users, verbose=0)[1]
    assert found.tolist() == wanted.tolist()


def test_weights_that_are_set_are_searched() -> None:
    users = tensor(gaussian_rows(5, DIM))
    layer = BruteForceRetrieval(candidates(), k=3)
    layer(users)
    layer.set_weights([-candidates()])
    wanted = cosim_rs.top_k(gaussian_rows(5, DIM), -candidates(), 3).indices
    assert numbers(layer(users)[1]).tolist() == wanted.tolist()


def test_the_callers_array_may_change() -> None:
    buffer = np.empty(30 * DIM * 4 + 64, np.uint8)
    start = -buffer.ctypes.data % 64  # so that JAX could use it where it lies
    items = buffer[start : start + 30 * DIM * 4].view(np.float32).reshape(30, DIM)
    items[:] = candidates()
    layer = BruteForceRetrieval(items, k=3)
    items[:] = 0
    wanted = cosim_rs.top_k(gaussian_rows(5, DIM), candidates(), 3).indices
    assert numbers(layer(tensor(gaussian_rows(5, DIM)))[1]).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("embeddings", "ids", "error", "message"),
    [
        (
            np.ones(3),
            None,
            ValueError,
            r"candidate_embeddings: got shape \(3,\), expected \(N, D\)",
        ),
        (np.ones((3, 2)), [1, 2], ValueError, r"candidate_ids: got shape \(2,\), expected \(3,\)"),
        (np.ones((3, 2)), [1, 2, 2], ValueError, "candidate_ids: got 2 twice"),
        (np.ones((3, 2)), [1.0, 2.0, 3.0], TypeError, "candidate_ids: got dtype float64"),
        (None, [1], ValueError, "candidate_ids: got them without candidate_embeddings"),
    ],
)
def test_candidates_that_cannot_be(
    embeddings: Any, ids: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        BruteForceRetrieval(embeddings, ids)
    if embeddings is None:
        return
    layer = BruteForceRetrieval(candidates(), IDS["small"], k=2)
    with pytest.raises(error, match=message):
        layer.update_candidates(embeddings, ids)
    assert layer.candidate_ids.tolist() == IDS["small"].tolist()
    assert tuple(layer.candidate_embeddings.shape) == (30, DIM)


@pytest.mark.parametrize("kind", IDS)
def test_candidates_are_saved_with_the_model(kind: str, tmp_path: Path) -> None:
    model = retrieval_model(BruteForceRetrieval(candidates(), IDS[kind], k=4))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    users = tensor(gaussian_rows(5, DIM))
    for one, other in zip(model(users), again(users), strict=True):
        if kind in ("strings", "bytes"):
            assert numbers(one).tolist() == numbers(other).tolist()
        else:
            assert_same_bits(numbers(other), numbers(one))
    names = again.layers[-1].candidate_ids
    if kind == "rows":
        assert names is None
    else:
        assert names.dtype == IDS[kind].dtype
        assert names.tolist() == IDS[kind].tolist()


def test_weights_of_another_number_of_candidates_are_loaded(tmp_path: Path) -> None:
    users = tensor(gaussian_rows(5, DIM))
    saved = retrieval_model(BruteForceRetrieval(candidates(30), IDS["strings"], k=4))
    saved.save_weights(tmp_path / "of.weights.h5")
    other = retrieval_model(BruteForceRetrieval(candidates(7), k=4))
    other(users)
    other.load_weights(tmp_path / "of.weights.h5")
    assert numbers(other(users)[1]).tolist() == numbers(saved(users)[1]).tolist()
    other.layers[-1].update_candidates(candidates(9), np.arange(9) + 50)
    assert set(numbers(other(users)[1]).ravel()) <= set(range(50, 59))


def test_a_layer_without_candidates_is_saved_too(tmp_path: Path) -> None:
    model = retrieval_model(BruteForceRetrieval(k=4))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.layers[-1].update_candidates(candidates())
    assert tuple(again(tensor(gaussian_rows(5, DIM)))[1].shape) == (5, 4)


def test_copies_are_of_their_own() -> None:
    users = tensor(gaussian_rows(5, DIM))
    layer = BruteForceRetrieval(candidates(), IDS["strings"], k=3)
    wanted = numbers(layer(users)[1]).tolist()
    again = copy.deepcopy(layer)
    assert numbers(again(users)[1]).tolist() == wanted
    again.update_candidates(-candidates(), IDS["strings"])
    assert numbers(layer(users)[1]).tolist() == wanted
    assert numbers(again(users)[1]).tolist() != wanted
