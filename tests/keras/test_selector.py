"""`TopKRecommendationSelector`: its order on every backend, masks, shapes, dtypes, gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from helpers import assert_same_bits, gaussian_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from on_backend import array, compiled, gradients, tensor, with_float64

from cosim_rs.keras import TopKRecommendationSelector

INFINITY = float("inf")
NAN = float("nan")


def selected(scores: Any, k: int, mask: Any = None, dtype: str = "float32") -> Any:
    layer = TopKRecommendationSelector(k, dtype=dtype)
    indices, best = layer(tensor(scores, dtype), mask=mask)
    assert keras.backend.standardize_dtype(indices.dtype) == "int32"
    assert keras.backend.standardize_dtype(best.dtype) == dtype
    return keras.ops.convert_to_numpy(indices), array(best)


def rightly_selected(scores: NDArray[Any], k: int, keep: NDArray[Any]) -> NDArray[Any]:
    """By Python's stable sort: kept numbers, kept NaN, the rest."""
    rows = []
    for row, kept in zip(scores, keep, strict=True):
        pairs = zip(row.tolist(), kept.tolist(), strict=True)
        ranks = [
            (0, -score) if there and score == score else (1 if there else 2, 0.0)
            for score, there in pairs
        ]
        rows.append(sorted(range(len(row)), key=lambda n: ranks[n])[:k])
    return np.array(rows)


SCORES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e-3, 100.0, -100.0, INFINITY, -INFINITY, NAN])


@settings(max_examples=40)
@given(
    st.lists(st.tuples(SCORES, st.sampled_from([True, True, False])), min_size=9, max_size=9),
    st.sampled_from([1, 4, 9, 20]),
    st.sampled_from(["float32", "float16", "bfloat16"]),
)
def test_the_order_is_that_of_a_stable_sort(
    row: list[tuple[float, bool]], k: int, dtype: str
) -> None:
    scores = array(tensor([[score for score, _ in row]], dtype))
    keep = np.array([[kept for _, kept in row]])
    for mask in (None, keep):
        indices, best = selected(scores, k, mask, dtype)
        kept = np.ones_like(keep) if mask is None else keep
        wanted = rightly_selected(scores, k, kept)
        assert indices.tolist() == wanted.tolist()
        shown = np.where(kept, scores, -INFINITY)
        assert np.array_equal(best, np.take_along_axis(shown, wanted, axis=1), equal_nan=True)


def test_ties_keep_their_order_in_long_rows() -> None:
    """Where a partial selection would not keep it by chance."""
    scores = np.random.default_rng(0).integers(0, 4, (5, 3000)).astype("float32")
    indices, _ = selected(scores, 1000)
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :1000]
    assert indices.tolist() == wanted.tolist()
    inside = compiled(TopKRecommendationSelector(1000))(tensor(scores))[0]
    assert keras.ops.convert_to_numpy(inside).tolist() == wanted.tolist()


def test_close_scores_are_told_apart() -> None:
    base = np.float32(0.3)
    scores = np.array([[base, np.nextafter(base, np.float32(1)), -base, 0, -1e-30, 1e-30, 3e38]])
    assert selected(scores, 7)[0].tolist() == [[6, 1, 0, 5, 3, 4, 2]]


def test_float64_is_selected_as_float64() -> None:
    scores = np.array([[0.3, 0.3 + 1e-15, 0.3 - 1e-15, NAN, 0.3, -INFINITY, -0.0, 0.0]])
    with with_float64():
        layer = TopKRecommendationSelector(8, dtype="float64")
        indices, best = layer(tensor(scores, "float64"))
        assert keras.ops.convert_to_numpy(indices).tolist() == [[1, 0, 4, 2, 6, 7, 5, 3]]
        assert keras.backend.standardize_dtype(best.dtype) == "float64"


def test_masked_scores_come_last_and_say_so() -> None:
    scores = [[9.0, NAN, 1.0, -INFINITY]]
    indices, best = selected(scores, 4, np.array([[False, True, True, True]]))
    assert indices.tolist() == [[2, 3, 1, 0]]
    assert np.array_equal(best, [[1.0, -INFINITY, NAN, -INFINITY]], equal_nan=True)


def test_one_mask_for_all_rows() -> None:
    scores = gaussian_rows(3, 5)
    for mask in (np.array([True, False, True, True, False]), np.ones((3, 1), bool)):
        wanted = selected(scores, 5, np.broadcast_to(mask, (3, 5)))
        found = selected(scores, 5, mask)
        assert found[0].tolist() == wanted[0].tolist()


class NoughtIsMissing(keras.layers.Layer):
    """Scores of which those that are 0 are masked."""

    def call(self, scores: Any) -> Any:
        return scores * 1.0

    def compute_mask(self, scores: Any, previous_mask: Any = None) -> Any:
        return keras.ops.not_equal(scores, 0)

    def compute_output_shape(self, scores_shape: Any) -> Any:
        return scores_shape


def test_a_mask_that_comes_with_the_scores_is_used() -> None:
    given = keras.Input((3,))
    masked = NoughtIsMissing()(given)
    model = keras.Model(given, TopKRecommendationSelector(3)(masked))
    indices, best = model(tensor([[-1.0, 0.0, -2.0]]))
    assert keras.ops.convert_to_numpy(indices).tolist() == [[0, 2, 1]]
    assert array(best).tolist() == [[-1.0, -2.0, -INFINITY]]


@pytest.mark.parametrize("mask", [(4, 3), (2, 4), (3, 3), (1, 3, 4)])
def test_a_mask_that_does_not_fit_is_named(mask: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"mask: got shape .*, expected \(3, 4\), as scores"):
        TopKRecommendationSelector()(np.ones((3, 4), "float32"), mask=np.ones(mask, bool))


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4)])
def test_scores_that_are_no_matrix_are_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"scores: got shape .*, expected two axes, \(B, N\)"):
        TopKRecommendationSelector()(np.ones(shape, "float32"))
    layer = TopKRecommendationSelector()
    layer(np.ones((1, 2), "float32"))
    with pytest.raises(ValueError, match="scores: got shape"):
        layer(np.ones(shape, "float32"))


@pytest.mark.parametrize(("k", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_k_is_a_whole_number_of_at_least_one(k: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="k: got"):
        TopKRecommendationSelector(k)


@pytest.mark.parametrize("k", [1, 3, 100])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "bfloat16"])
def test_the_config_makes_the_same_layer(k: int, dtype: str) -> None:
    layer = TopKRecommendationSelector(k=np.int64(k), dtype=dtype, name="best")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is TopKRecommendationSelector
    assert (again.k, again.name, again.dtype_policy.name) == (k, "best", dtype)
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("scores", "shape"),
    [
        ((None, None), (None, None)),
        ((None, 8), (None, 3)),
        ((4, 2), (4, 2)),
        ((4, None), (4, None)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("masked", [True, False])
def test_symbolic_calls(scores: Any, shape: Any, dtype: str, masked: bool) -> None:
    layer = TopKRecommendationSelector(3, dtype=dtype)
    given = keras.Input(batch_shape=scores)
    mask = keras.Input(batch_shape=scores, dtype="bool") if masked else None
    indices, best = layer(given, mask=mask)
    assert indices.shape == best.shape == shape
    assert (indices.dtype, best.dtype) == ("int32", layer.compute_dtype)
    assert layer.compute_output_shape(scores) == (shape, shape)


def test_any_number_of_scores_in_a_model() -> None:
    scores = keras.Input((None,))
    model = keras.Model(scores, TopKRecommendationSelector(3)(scores))
    for shape in [(2, 5), (3, 2), (1, 1)]:
        given = gaussian_rows(*shape)
        wanted = np.argsort(-given, axis=1, kind="stable")[:, :3]
        for indices, best in (model(tensor(given)), model.predict(given, verbose=0)):
            assert np.asarray(keras.ops.convert_to_numpy(indices)).tolist() == wanted.tolist()
            assert array(best).tolist() == np.take_along_axis(given, wanted, 1).tolist()


def test_gradients_reach_the_selected_scores_alone() -> None:
    scores = tensor([[0.1, 0.9, NAN, 0.5, 0.7]])
    mask = tensor([[True, True, True, True, False]], "bool")
    layer, weights = TopKRecommendationSelector(2), tensor([[2.0, 3.0]])

    def loss(scores: Any) -> Any:
        return keras.ops.sum(layer(scores, mask=mask)[1] * weights)

    for run in (loss, compiled(loss)):
        assert array(gradients(run, scores)[0]).tolist() == [[0.0, 2.0, 0.0, 3.0, 0.0]]


def test_saved_models_come_back(tmp_path: Path) -> None:
    scores = keras.Input((6,))
    model = keras.Model(scores, TopKRecommendationSelector(2)(scores))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    given = tensor(gaussian_rows(3, 6))
    for one, other in zip(model(given), again(given), strict=True):
        assert_same_bits(keras.ops.convert_to_numpy(other), keras.ops.convert_to_numpy(one))
