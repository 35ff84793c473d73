"""`BruteForceRetrieval`: its answers eager and compiled, ids, exclusions, gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from helpers import assert_same_bits, error_bound, gaussian_rows
from numpy.typing import NDArray
from on_backend import BACKEND, array, compiled, gradients, tensor, with_float64
from retrieval_cases import DIM, IDS, candidates, numbers, retrieval_model

import cosim_rs
from cosim_rs.keras import BruteForceRetrieval

RUNS = [pytest.param(lambda function: function, id="eager"), pytest.param(compiled, id="compiled")]


def can_compile(layer: BruteForceRetrieval) -> bool:
    return layer.compute_output_spec(keras.KerasTensor((1, DIM)))[1].dtype != "string"


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("run", RUNS)
def test_the_best_are_found(kind: str, run: Callable[..., Any]) -> None:
    ids, users = IDS[kind], gaussian_rows(5, DIM)
    layer = BruteForceRetrieval(candidates(), ids, k=4)
    if run is compiled and not can_compile(layer):
        pytest_raises_compiled(layer, users)
        return
    scores, found = run(layer)(tensor(users))
    wanted = cosim_rs.Catalogue(candidates(), ids).top_k(users, 4)
    assert numbers(found).tolist() == wanted.ids.tolist()
    # Bit for bit where both are native; else each is within the bound of the exact score.
    assert np.abs(array(scores) - wanted.scores).max() <= 2 * error_bound(DIM, np.float32)


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("run", RUNS)
def test_exclusions(kind: str, normalize: bool, run: Callable[..., Any]) -> None:
    ids, users = IDS[kind], gaussian_rows(5, DIM)
    names = np.arange(30) if ids is None else ids
    layer = BruteForceRetrieval(candidates(), ids, k=30, normalize=normalize)
    is_text = names.dtype.kind in "US"
    excluded = np.full(
        (5, 4), names.dtype.type(b"" if names.dtype.kind == "S" else "") if is_text else -1
    )
    excluded = excluded.astype(names.dtype if is_text else np.int64)
    for user in range(4):
        excluded[user, : user + 1] = names[user * 3 : user * 3 + user + 1]
    excluded[4, 1] = names[29]
    excluded[4, 2] = "nobody" if is_text else 99  # no candidate: nothing is excluded
    if run is compiled and not can_compile(layer):
        pytest_raises_compiled(layer, users)
        return
    if run is compiled:
        function = run(lambda users, excluded: layer(users, exclusions=excluded))
        scores, found = function(
            tensor(users), tensor(excluded, "int64" if kind == "int64" else "int32")
        )
    else:
        scores, found = layer(tensor(users), exclusions=excluded)
    known = [[name for name in row if name in names] for row in excluded]
    for row, score, gone, user in zip(numbers(found), array(scores), known, users, strict=True):
        exact = plain_scores(user, normalize)
        best = [n for n in np.argsort(-exact, kind="stable") if names[n] not in gone]
        filled = [names[n] for n in best]
        assert row[: len(filled)].tolist() == np.array(filled).tolist()
        assert np.abs(score[: len(filled)] - exact[best]).max() <= 1e-5
        nobody = (b"" if names.dtype.kind == "S" else "") if is_text else -1
        assert row[len(filled) :].tolist() == [nobody] * len(gone)
        assert (score[len(filled) :] == -np.inf).all()


def pytest_raises_compiled(layer: BruteForceRetrieval, users: Any) -> None:
    if BACKEND == "torch":
        # Whose compiler does not follow how Keras passes an error on, if it must not stop there.
        import torch

        expected = pytest.raises(torch._dynamo.exc.Unsupported)
    else:
        expected = pytest.raises(ValueError, match="cannot be in a compiled graph: call the layer")
    with expected:
        compiled(layer)(tensor(users))


def plain_scores(user: NDArray[Any], normalize: bool) -> NDArray[Any]:
    items = candidates().astype(np.float64)
    scores = items @ user.astype(np.float64)
    lengths = np.linalg.norm(items, axis=1) * np.linalg.norm(user.astype(np.float64))
    return scores / lengths if normalize else scores


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("normalize", [True, False])
def test_ties_nan_and_zero(run: Callable[..., Any], normalize: bool) -> None:
    items = np.array([[0, 1], [1, 0], [np.nan, 1], [1, 0], [0, 0], [-1, 0], [0, -1]], np.float32)
    layer = BruteForceRetrieval(items, k=20, normalize=normalize)
    scores, found = run(layer)(tensor([[1.0, 0.0], [0.0, 0.0], [np.nan, 0.0]]))
    assert numbers(found).tolist() == [
        [1, 3, 0, 4, 6, 5, -1],
        [0, 1, 3, 4, 5, 6, -1],
        [-1] * 7,
    ]
    assert array(scores)[:, -1].tolist() == [-np.inf] * 3
    assert array(scores)[0, :6].tolist() == [1, 1, 0, 0, 0, -1]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("return_scores", [True, False])
def test_k_and_what_is_returned(run: Callable[..., Any], return_scores: bool) -> None:
    layer = BruteForceRetrieval(candidates(), k=3, return_scores=return_scores)
    users = tensor(gaussian_rows(5, 1, DIM))
    for k, columns in [(None, 3), (1, 1), (100, 30)]:
        outputs = run(lambda users, k=k: layer(users, k=k))(users)
        for output in outputs if return_scores else [outputs]:
            assert tuple(output.shape) == (5, columns)
        spec = layer.compute_output_spec(keras.KerasTensor((5, 1, DIM)), k=k)
        for output in spec if return_scores else [spec]:
            assert output.shape == (5, columns)


def test_eager_search_uses_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    top_k = cosim_rs.Catalogue.top_k

    def watched(self: Any, users: Any, k: int, **options: Any) -> Any:
        searched.append(k)
        return top_k(self, users, k, **options)

    monkeypatch.setattr(cosim_rs.Catalogue, "top_k", watched)
    layer = BruteForceRetrieval(candidates(), k=3)
    users = tensor(gaussian_rows(5, DIM))
    for _ in range(2):
        scores, _ = layer(users)
    wanted = cosim_rs.top_k(gaussian_rows(5, DIM), candidates(), 3)
    assert_same_bits(numbers(scores), wanted.scores)
    assert searched == [3, 3]
    compiled(layer)(users)
    layer(users, training=True)
    BruteForceRetrieval(candidates(), normalize=False)(users)
    assert searched == [3, 3]


def test_dtypes_of_what_is_returned() -> None:
    users = gaussian_rows(5, DIM)
    for policy in ("float32", "mixed_float16", "bfloat16"):
        layer = BruteForceRetrieval(candidates(), IDS["small"], dtype=policy)
        for run in (layer, compiled(layer)):
            scores, found = run(tensor(users))
            assert keras.backend.standardize_dtype(scores.dtype) == layer.compute_dtype
            assert keras.backend.standardize_dtype(found.dtype) == "int32"
        spec = layer.compute_output_spec(keras.KerasTensor((None, DIM)))
        assert [one.dtype for one in spec] == [layer.compute_dtype, "int32"]
        assert layer.candidate_embeddings.dtype == layer.variable_dtype
    with with_float64():
        layer = BruteForceRetrieval(candidates(), IDS["int64"], k=2, dtype="float64")
        for run in (layer, compiled(layer)):
            scores, found = run(tensor(users, "float64"))
            assert keras.backend.standardize_dtype(scores.dtype) == "float64"
            assert keras.backend.standardize_dtype(found.dtype) == "int64"
            wanted = cosim_rs.Catalogue(candidates(), IDS["int64"]).top_k(users.astype(float), 2)
            assert numbers(found).tolist() == wanted.ids.tolist()
            assert np.abs(numbers(scores) - wanted.scores).max() <= 2 * error_bound(8, float)


def test_half_users_give_the_same_eager_and_compiled() -> None:
    """Places are chosen by the scores in float32, before these are rounded and tie."""
    items = candidates(3000)
    layer = BruteForceRetrieval(items, k=50, dtype="mixed_bfloat16")
    users = gaussian_rows(5, DIM)
    eager, inside = layer(tensor(users)), compiled(layer)(tensor(users))
    assert numbers(eager[1]).tolist() == numbers(inside[1]).tolist()
    halves = array(tensor(users, "bfloat16")).astype(np.float32)
    wanted = cosim_rs.top_k(halves, items, 50).indices
    assert numbers(eager[1]).tolist() == wanted.tolist()


@pytest.mark.parametrize("shape", [(DIM,), (5, 7), (5, 2, DIM), (5, 1, 1, DIM)])
def test_users_that_do_not_fit(shape: tuple[int, ...]) -> None:
    layer = BruteForceRetrieval(candidates())
    message = r"users: got shape .*, expected \(U, 8\) or \(U, 1, 8\)"
    with pytest.raises(ValueError, match=message):
        layer(np.ones(shape, "float32"))
    with pytest.raises(ValueError, match=message):
        layer.compute_output_spec(keras.KerasTensor(shape))


@pytest.mark.parametrize(
    ("ids", "exclusions", "error", "message"),
    [
        (None, [1, 2], ValueError, r"exclusions: got shape \(2,\), expected \(2, M\)"),
        (None, [[1]], ValueError, r"exclusions: got shape \(1, 1\), expected \(2, M\)"),
        (None, [["a"], ["b"]], TypeError, "exclusions: got dtype <U1, expected whole numbers"),
        (None, [[1.0], [2.0]], TypeError, "exclusions: got dtype float64, expected whole numbers"),
        ("small", [["a"], ["b"]], TypeError, "exclusions: got dtype <U1, expected whole numbers"),
        ("strings", [[1], [2]], TypeError, "exclusions: got dtype int64, expected strings"),
    ],
)
@pytest.mark.parametrize("normalize", [True, False])
def test_exclusions_that_do_not_fit(
    ids: Any, exclusions: Any, error: type[Exception], message: str, normalize: bool
) -> None:
    layer = BruteForceRetrieval(candidates(), ids and IDS[ids], normalize=normalize)
    with pytest.raises(error, match=message):
        layer(gaussian_rows(2, DIM), exclusions=exclusions)


def test_arguments_of_other_kinds() -> None:
    for arguments, message in [
        ({"k": 0}, "k: got 0"),
        ({"k": 1.5}, "k: got float"),
        ({"return_scores": 1}, "return_scores: got int"),
        ({"normalize": "no"}, "normalize: got str"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            BruteForceRetrieval(candidates(), **arguments)
    with pytest.raises(ValueError, match="k: got 0"):
        BruteForceRetrieval(candidates())(gaussian_rows(2, DIM), k=0)


@pytest.mark.parametrize("k", [1, 7])
@pytest.mark.parametrize("return_scores", [True, False])
@pytest.mark.parametrize("normalize", [True, False])
def test_the_config_makes_the_same_layer(k: int, return_scores: bool, normalize: bool) -> None:
    layer = BruteForceRetrieval(candidates(), None, k, return_scores, normalize, dtype="float16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert (again.k, again.return_scores, again.normalize) == (k, return_scores, normalize)
    assert again.get_config() == layer.get_config()
    assert again.candidate_embeddings is None


@pytest.mark.parametrize("normalize", [True, False])
def test_gradients_reach_the_users(normalize: bool) -> None:
    layer = BruteForceRetrieval(candidates(), k=2, normalize=normalize)
    users = gaussian_rows(3, DIM)

    def loss(users: Any) -> Any:
        return keras.ops.sum(layer(users, training=True)[0])

    step = 1e-5
    wanted = np.empty((3, DIM))
    for user, axis in np.ndindex(3, DIM):
        ends = []
        for sign in (1, -1):
            moved = users[user].astype(np.float64)
            moved[axis] += sign * step
            ends.append(np.sort(plain_scores64(moved, normalize))[-2:].sum())
        wanted[user, axis] = (ends[0] - ends[1]) / (2 * step)
    for run in (loss, compiled(loss)):
        found = array(gradients(run, tensor(users))[0])
        assert np.abs(found - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())


def plain_scores64(user: NDArray[np.float64], normalize: bool) -> NDArray[np.float64]:
    items = candidates().astype(np.float64)
    scores = items @ user
    lengths = np.linalg.norm(items, axis=1) * np.linalg.norm(user)
    return scores / lengths if normalize else scores


def test_it_is_the_same_in_any_batch_of_a_model() -> None:
    model = retrieval_model(BruteForceRetrieval(candidates(), k=4))
    users = gaussian_rows(7, DIM)
    whole = numbers(model(tensor(users))[1])
    assert model.predict(users, batch_size=3, verbose=0)[1].tolist() == whole.tolist()
    assert numbers(model(tensor(users[2:3]))[1]).tolist() == whole[2:3].tolist()
