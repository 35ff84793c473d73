"""`NormalizedDotProductSimilarity` goes around Keras' `Layer.__call__` where that does nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from helpers import assert_same_bits, gaussian_rows
from on_backend import BACKEND, compiled, gradients, tensor

from cosim_rs.keras import NormalizedDotProductSimilarity

by_keras = keras.layers.Layer.__call__


def pair(dtype: str = "float32") -> list[Any]:
    return [tensor(gaussian_rows(4, 1, 20), dtype), tensor(gaussian_rows(4, 6, 20, seed=1), dtype)]


def array(values: Any) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(values))


def built(dtype: str = "float32", **options: Any) -> NormalizedDotProductSimilarity:
    layer = NormalizedDotProductSimilarity(dtype=dtype, **options)
    layer(pair(layer.compute_dtype))
    return layer


@pytest.fixture
def keras_calls(monkeypatch: pytest.MonkeyPatch) -> list[keras.layers.Layer]:
    """The layers that Keras' `Layer.__call__` has called."""
    calls: list[keras.layers.Layer] = []

    def counted(self: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        calls.append(self)
        return by_keras(self, *args, **kwargs)

    monkeypatch.setattr(keras.layers.Layer, "__call__", counted)
    return calls


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float16", "mixed_bfloat16"])
@pytest.mark.parametrize("form", [list, tuple])
def test_plain_calls_give_the_same_bits(
    native: bool, dtype: str, form: Callable[[Any], Any], keras_calls: list[Any]
) -> None:
    layer = NormalizedDotProductSimilarity(native=native, dtype=dtype)
    inputs = form(pair(layer.compute_dtype))
    first = layer(inputs)
    assert keras_calls == [layer]  # to be built
    scores = layer(inputs)
    assert keras_calls == [layer]
    assert scores.dtype == first.dtype
    for other in (first, by_keras(layer, inputs)):
        assert_same_bits(array(scores), array(other))


def test_gradients_are_the_same() -> None:
    layer, weights = built(), tensor(gaussian_rows(4, 6, seed=2))

    def gradients_of(call: Callable[[Any], Any]) -> list[Any]:
        return gradients(lambda *sides: keras.ops.sum(call(list(sides)) * weights), *pair())

    for found, wanted in zip(
        gradients_of(layer), gradients_of(lambda inputs: by_keras(layer, inputs)), strict=True
    ):
        assert_same_bits(array(found), array(wanted))


def test_within_a_model_it_is_called_plainly(keras_calls: list[Any]) -> None:
    inputs = [keras.Input((1, 20)), keras.Input((None, 20))]
    model = keras.Model(inputs, NormalizedDotProductSimilarity()(inputs))
    keras_calls.clear()
    scores = model(pair())
    assert keras_calls == [model]
    assert_same_bits(array(scores), array(built()(pair())))


def test_errors_are_those_of_any_layer() -> None:
    layer, (user, items) = built(), pair()
    with pytest.raises(ValueError, match=r"user and items: got shapes \(3, 1, 20\)") as caught:
        layer([user[:3], items])
    assert "calling NormalizedDotProductSimilarity.call()" in str(caught.value)


OTHER_INPUTS: dict[str, Callable[[], Any]] = {
    "arrays": lambda: [gaussian_rows(4, 1, 20), gaussian_rows(4, 6, 20)],
    "one array": lambda: [pair()[0], gaussian_rows(4, 6, 20)],
    "dict": lambda: dict(zip(("user", "items"), pair(), strict=True)),
    "other dtype": lambda: pair("float16"),
    "one of another dtype": lambda: [pair()[0], pair("float16")[1]],
    "integers": lambda: pair("int32"),
    "symbolic": lambda: [keras.Input((1, 20)), keras.Input((6, 20))],
    "variable": lambda: [pair()[0], keras.Variable(pair()[1])],
}


@pytest.mark.parametrize("kind", OTHER_INPUTS)
def test_other_inputs_go_through_keras(kind: str, keras_calls: list[Any]) -> None:
    inputs = OTHER_INPUTS[kind]()
    layer = built()
    keras_calls.clear()
    layer(inputs)
    assert keras_calls == [layer]


def test_other_arguments_go_through_keras(keras_calls: list[Any]) -> None:
    layer = built()
    keras_calls.clear()
    layer(inputs=pair())
    with pytest.raises(ValueError, match="3 of them"):
        layer([*pair(), pair()[0]])
    with pytest.raises(TypeError):
        layer(*pair())
    with pytest.raises(TypeError):
        layer()
    assert keras_calls == [layer] * 4


def test_a_regularised_layer_has_its_loss() -> None:
    layer = built(activity_regularizer=keras.regularizers.L2(0.5))
    user, items = pair()
    scores = array(layer([user, items * 0]))
    assert not scores.any()
    assert [float(array(loss)) for loss in layer.losses] == [0.0]
    layer([user, items])
    assert [float(array(loss)) > 0 for loss in layer.losses] == [True]


def test_an_input_spec_is_checked() -> None:
    layer = built()
    layer.input_spec = [keras.layers.InputSpec(ndim=3), keras.layers.InputSpec(shape=(4, 7, 20))]
    with pytest.raises(ValueError, match="incompatible with the layer"):
        layer(pair())


def test_a_distribution_goes_through_keras(
    keras_calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = built()
    keras_calls.clear()
    monkeypatch.setattr(keras.distribution, "distribution", object)
    layer(pair())
    assert keras_calls == [layer]


def test_a_derived_class_goes_through_keras() -> None:
    class Trained(NormalizedDotProductSimilarity):
        def call(self, inputs: Any, training: bool = False) -> Any:
            return super().call(inputs) + (1.0 if training else 0.0)

    class Outer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.scores = Trained()

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.scores(inputs)

    outer = Outer()
    plain, trained = outer(pair()), outer(pair(), training=True)
    assert np.abs(array(trained) - array(plain) - 1).max() < 1e-6


def test_compiled_calls_go_through_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with tensors that are at hand where a graph of names is made."""
    layer = built()
    user, items = pair()
    wanted = array(layer([user, items]))
    graphs: list[bool] = []
    if BACKEND != "torch":  # whose compiler would follow this too

        def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
            graphs.append(True)
            return by_keras(self, *args, **kwargs)

        monkeypatch.setattr(keras.layers.Layer, "__call__", watched)
    for scores in (
        compiled(lambda user, items: layer([user, items]))(user, items),
        compiled(lambda user: layer([user, items]))(user),
    ):
        np.testing.assert_allclose(array(scores), wanted, atol=1e-6)
    assert len(graphs) == (0 if BACKEND == "torch" else 2)
    held = compiled(lambda: layer([user, items]))()
    np.testing.assert_allclose(array(held), wanted, atol=1e-6)
    assert len(graphs) == {"jax": 2, "tensorflow": 3, "torch": 0}[BACKEND]


def test_within_a_layer_of_unknown_shapes() -> None:
    """Keras finds those out by a call, on torch with tensors that have no memory."""

    class Outer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.scores = built()

        def call(self, inputs: Any) -> Any:
            return self.scores(inputs) * 2

    inputs = [keras.Input((1, 20)), keras.Input((6, 20))]
    model = keras.Model(inputs, Outer()(inputs))
    assert model.output.shape == (None, 6)
    wanted = array(built()(pair())) * 2
    np.testing.assert_allclose(model.predict(pair(), verbose=0), wanted, atol=1e-6)


@pytest.mark.skipif(BACKEND != "torch", reason="the other backends have no hooks")
def test_hooks_are_called() -> None:
    layer = built()
    seen: list[Any] = []
    layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    scores = layer(pair())
    assert len(seen) == 1
    assert seen[0] is scores
