"""`NormalizedDotProductSimilarity`: its forms of inputs, shapes, dtypes, masks, and its scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from helpers import assert_same_bits, error_bound, gaussian_rows
from on_backend import array, compiled, gradients, tensor, with_float64

import cosim_rs
from cosim_rs._reference import cosine_scores
from cosim_rs.keras import NormalizedDotProductSimilarity, _formula

EPSILON = 1e-7


def example(batch: int = 4, count: int = 6, dim: int = 8) -> tuple[Any, Any]:
    return gaussian_rows(batch, 1, dim), gaussian_rows(batch, count, dim, seed=1)


def named_inputs() -> dict[str, Any]:
    return {
        "user": keras.Input((1, 8), name="user"),
        "items": keras.Input((None, 8), name="items"),
    }


@pytest.mark.parametrize("native", [True, False])
def test_scores_are_those_of_the_library(native: bool) -> None:
    user, items = example(dim=100)
    scores = array(NormalizedDotProductSimilarity(native=native)([user, items]))
    wanted = cosim_rs.batched_cosine_similarity(user, items, epsilon=EPSILON)
    # Both are within the bound of the exact score.
    assert np.abs(scores - wanted).max() <= 2 * error_bound(100, np.float32)
    exact = cosine_scores(user, items, EPSILON)
    assert np.abs(scores - exact).max() <= error_bound(100, np.float32)


def test_scores_are_those_of_keras_dot() -> None:
    user, items = example(dim=64)
    ours = array(NormalizedDotProductSimilarity()([user, items]))
    theirs = array(keras.layers.Dot(axes=-1, normalize=True)([tensor(user), tensor(items)]))
    # Theirs is not held to the bound; its factors are rounded once more each.
    assert np.abs(ours - theirs[:, 0]).max() <= 3 * error_bound(64, np.float32)


def test_all_forms_of_inputs_give_the_same() -> None:
    layer = NormalizedDotProductSimilarity()
    user, items = (tensor(side) for side in example())
    wanted = keras.ops.convert_to_numpy(layer([user, items]))
    for inputs in (
        (user, items),
        {"user": user, "items": items},
        {"items": items, "user": user},
        [user[:, 0], items],
        {"user": user[:, 0], "items": items},
    ):
        for one in (layer, NormalizedDotProductSimilarity()):
            assert_same_bits(keras.ops.convert_to_numpy(one(inputs)), wanted)


def test_integers_are_converted() -> None:
    user, items = np.array([[3, 4]], "int32"), np.array([[[6, 8], [4, -3]]], "int64")
    scores = NormalizedDotProductSimilarity()([user.astype("int32"), items.astype("int32")])
    assert array(scores).round(6).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("user", "items", "wanted"),
    [
        ((3, 8), (3, 8), r"items \(B, N, D\)"),
        ((3, 8), (4, 6, 8), r"user \(4, 8\) or \(4, 1, 8\), to fit items"),
        ((3, 1, 7), (3, 6, 8), r"user \(3, 8\) or \(3, 1, 8\), to fit items"),
        ((3, 2, 8), (3, 6, 8), r"user \(3, 8\) or \(3, 1, 8\)"),
        ((8,), (3, 6, 8), r"user \(3, 8\) or \(3, 1, 8\)"),
        ((3, 1, 1, 8), (3, 6, 8), r"user \(3, 8\) or \(3, 1, 8\)"),
        ((None, 1, 7), (None, None, 8), r"user \(any, 8\) or \(any, 1, 8\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(user: Any, items: Any, wanted: str) -> None:
    message = rf"^user and items: got shapes .*{user[-1]}.* and .*{items[-1]}.*, expected {wanted}"
    layer = NormalizedDotProductSimilarity()
    with pytest.raises(ValueError, match=message):
        layer.build([user, items])
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape({"user": user, "items": items})
    if None not in user:
        with pytest.raises(ValueError, match="user and items: got shapes"):
            layer([np.ones(user, "float32"), np.ones(items, "float32")])
        layer([np.ones((2, 5), "float32"), np.ones((2, 3, 5), "float32")])
        with pytest.raises(ValueError, match="user and items: got shapes"):  # built by now
            layer([np.ones(user, "float32"), np.ones(items, "float32")])


@pytest.mark.parametrize(
    ("inputs", "got"),
    [
        (np.ones((3, 4), "float32"), r"one tensor of shape \(3, 4\)"),
        ([np.ones((3, 4), "float32")] * 3, "3 of them"),
        ({"user": np.ones((3, 4), "float32")}, r"a dict with keys \['user'\]"),
    ],
)
def test_inputs_that_are_no_pair_are_named(inputs: Any, got: str) -> None:
    with pytest.raises(ValueError, match=rf"inputs: got {got}, expected \[user, items\]"):
        NormalizedDotProductSimilarity()(inputs)


@pytest.mark.parametrize("epsilon", [-1e-7, np.nan, np.inf])
def test_an_epsilon_that_is_out_of_range(epsilon: float) -> None:
    with pytest.raises(ValueError, match="epsilon: got"):
        NormalizedDotProductSimilarity(epsilon=epsilon)


def test_arguments_of_other_kinds() -> None:
    with pytest.raises(TypeError, match="epsilon: got str"):
        NormalizedDotProductSimilarity(epsilon="small")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="native: got int"):
        NormalizedDotProductSimilarity(native=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("epsilon", [0.0, 1e-12, 0.5])
@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float16", "mixed_bfloat16"])
def test_the_config_makes_the_same_layer(epsilon: float, native: bool, dtype: str) -> None:
    layer = NormalizedDotProductSimilarity(epsilon, native, dtype=dtype, name="scores")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is NormalizedDotProductSimilarity
    assert (again.epsilon, again.native, again.name) == (epsilon, native, "scores")
    assert again.dtype_policy.name == dtype
    assert again.get_config() == layer.get_config()
    assert keras.saving.get_registered_name(type(layer)) == (
        "cosim_rs>NormalizedDotProductSimilarity"
    )


def test_epsilon_counts() -> None:
    user, items = example()
    for epsilon in (0.0, 50.0):
        scores = array(NormalizedDotProductSimilarity(epsilon=epsilon)([user, items]))
        wanted = cosine_scores(user, items, epsilon)
        assert np.abs(scores - wanted).max() <= error_bound(8, np.float32)


@pytest.mark.parametrize(
    ("user", "items", "shape"),
    [
        ((None, 1, 8), (None, None, 8), (None, None)),
        ((None, 8), (None, 5, 8), (None, 5)),
        ((3, 8), (None, 5, 8), (3, 5)),
        ((None, 8), (3, None, 8), (3, None)),
        ((None, 1, None), (None, 5, 8), (None, 5)),
        ((None, None, 8), (None, 5, 8), (None, 5)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_symbolic_calls(
    user: Any, items: Any, shape: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They never enter the computation."""
    layer = NormalizedDotProductSimilarity(dtype=dtype)
    monkeypatch.setattr(layer, "call", lambda inputs: pytest.fail("computed"))
    tensors = [keras.Input(batch_shape=side) for side in (user, items)]
    for inputs in (tensors, tuple(tensors), dict(zip(("user", "items"), tensors, strict=True))):
        for output in (layer(inputs), layer.compute_output_spec(inputs)):
            assert output.shape == shape
            assert output.dtype == layer.compute_dtype
    assert layer.compute_output_shape([user, items]) == shape


@pytest.mark.parametrize("form", ["list", "dict"])
def test_any_batch_and_any_number_of_items(form: str) -> None:
    inputs = named_inputs()
    given = inputs if form == "dict" else list(inputs.values())
    model = keras.Model(inputs, NormalizedDotProductSimilarity()(given))
    for batch, count in [(1, 1), (4, 6), (5, 3)]:
        user, items = example(batch, count)
        wanted = cosine_scores(user, items, EPSILON)
        for scores in (
            model({"user": tensor(user), "items": tensor(items)}),
            model.predict({"user": user, "items": items}, verbose=0),
        ):
            assert tuple(scores.shape) == (batch, count)
            assert np.abs(array(scores) - wanted).max() <= error_bound(8, np.float32)


def test_compiled_calls_are_the_same_to_within_the_bound() -> None:
    user, items = (tensor(side) for side in example(dim=64))
    layer = NormalizedDotProductSimilarity()
    assert layer.supports_jit
    assert layer.supports_masking
    inside = compiled(lambda user, items: layer([user, items]))(user, items)
    assert np.abs(array(inside) - array(layer([user, items]))).max() <= (
        2 * error_bound(64, np.float32)
    )


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("native", [True, False])
def test_half_types_are_rounded_once(policy: str, native: bool) -> None:
    user, items = example(count=200, dim=33)
    layer = NormalizedDotProductSimilarity(native=native, dtype=policy)
    scores = layer([user, items])
    half = keras.backend.standardize_dtype(scores.dtype)
    assert half == layer.compute_dtype == policy.removeprefix("mixed_")
    exact = cosine_scores(array(tensor(user, half)), array(tensor(items, half)), EPSILON)
    digits = {"float16": 11, "bfloat16": 8}[half]
    rounding = np.abs(exact) * 2.0**-digits + 2.0**-25  # half a unit, also of subnormals
    assert (np.abs(array(scores) - exact) <= rounding + error_bound(33, np.float32)).all()


def test_float64() -> None:
    user, items = example(dim=33)
    with with_float64():
        scores = NormalizedDotProductSimilarity(dtype="float64")(
            [user.astype("float64"), items.astype("float64")]
        )
        found = keras.ops.convert_to_numpy(scores)
    assert found.dtype == np.float64
    exact = cosine_scores(user, items, EPSILON)
    assert np.abs(found - exact).max() <= error_bound(33, np.float64)


def test_masks_are_accepted_change_nothing_and_end_here() -> None:
    words = keras.Input((None,), dtype="int32")
    user = keras.Input((8,))
    embedded = keras.layers.Embedding(20, 8, mask_zero=True)(words)
    assert embedded._keras_mask is not None
    scores = NormalizedDotProductSimilarity()([user, embedded])
    assert getattr(scores, "_keras_mask", None) is None
    model = keras.Model([user, words], [embedded, scores])
    ids, users = np.array([[3, 0, 5], [0, 0, 7]]), gaussian_rows(2, 8)
    vectors, found = model([tensor(users), tensor(ids, "int32")])
    assert getattr(found, "_keras_mask", None) is None
    wanted = cosine_scores(users[:, None], array(vectors), EPSILON)
    assert np.abs(array(found) - wanted).max() <= error_bound(8, np.float32)
    training = keras.Model([user, words], scores)
    training.compile(loss="mse", optimizer="sgd")
    training.fit([users, ids], np.zeros((2, 3), "float32"), verbose=0)


def test_extremes() -> None:
    user, items = example(batch=5)
    user[0], user[1], user[2], user[3, 0, 2] = 0.0, user[1] * 1e-30, user[2] * 1e30, np.nan
    items[4, 1] = np.inf
    scores = array(NormalizedDotProductSimilarity()([user, items]))
    assert (scores[0] == 0).all()
    assert not np.signbit(scores[0]).any()
    assert np.isnan(scores[3]).all()
    assert np.isnan(scores[4]).tolist() == [False, True, False, False, False, False]
    wanted = cosine_scores(user, items, EPSILON)
    assert np.abs(scores - wanted)[:3].max() <= error_bound(8, np.float32)
    assert (np.abs(scores[1]) < 1e-20).all()


def test_gradients_are_those_of_the_plain_formula() -> None:
    user, items = (tensor(side) for side in example(dim=20))
    weights = tensor(gaussian_rows(4, 6, seed=2))
    layer = NormalizedDotProductSimilarity()
    layer([user, items])

    def loss(user: Any, items: Any) -> Any:
        return keras.ops.sum(layer([user, items]) * weights)

    def plain(user: Any, items: Any) -> Any:
        norms = keras.ops.norm(user, axis=-1) * keras.ops.norm(items, axis=-1)
        return keras.ops.sum(keras.ops.sum(user * items, axis=-1) / norms * weights)

    for run in (loss, compiled(loss)):
        pairs = zip(gradients(run, user, items), gradients(plain, user, items), strict=True)
        for found, wanted in pairs:
            assert np.abs(array(found) - array(wanted)).max() <= 1e-5 * np.abs(array(wanted)).max()


def test_no_gradient_is_lost_or_infinite() -> None:
    user, items = example()
    user[0], items[1, 0], user[2], items[3, 0] = 0.0, 0.0, user[2] * 1e-30, items[3, 0] * 1e30
    items[3, 1] = user[3, 0] * 2
    layer = NormalizedDotProductSimilarity()

    def loss(user: Any, items: Any) -> Any:
        return keras.ops.sum(layer([user, items]))

    of_user, of_items = (array(one) for one in gradients(loss, tensor(user), tensor(items)))
    assert np.isfinite(of_user).all()
    assert np.isfinite(of_items).all()
    assert (np.abs(of_user).max(axis=(1, 2)) > 0).all()
    assert (of_items[0] == 0).all()  # of a zero user, whose scores are all 0
    assert (np.abs(of_items[1:]).max(axis=2) > 0).all()


@pytest.mark.parametrize("form", ["list", "dict"])
def test_saved_models_come_back(form: str, tmp_path: Path) -> None:
    inputs = named_inputs()
    given = inputs if form == "dict" else list(inputs.values())
    model = keras.Model(inputs, NormalizedDotProductSimilarity(epsilon=0.25)(given))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    batch = dict(zip(inputs, (tensor(side * 0.01) for side in example()), strict=True))
    wanted = keras.ops.convert_to_numpy(model(batch))
    assert_same_bits(keras.ops.convert_to_numpy(again(batch)), wanted)


def test_without_native_the_formula_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[float] = []
    formula = _formula.batched_cosine_similarity

    def watched(users: Any, items: Any, *, epsilon: float) -> Any:
        called.append(epsilon)
        return formula(users, items, epsilon=epsilon)

    monkeypatch.setattr(_formula, "batched_cosine_similarity", watched)
    NormalizedDotProductSimilarity(epsilon=0.5, native=False)(list(example()))
    assert called == [0.5]
