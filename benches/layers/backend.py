"""One backend, in this process: every case, raced; the figures as JSON on the standard output."""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

import cosim_rs
from benches.peers.timing import Entrant, race, sampler
from cosim_rs._reference import cosine_scores
from cosim_rs.keras import NormalizedDotProductSimilarity

from . import faults
from .modes import MODES

SMALL, LARGE = (8, 50, 32), (256, 1000, 64)
EPSILON = 1e-7


def by_einsum(users: Any, items: Any) -> Any:
    """Keras' operations, one way."""
    users, items = ops.normalize(users, axis=-1), ops.normalize(items, axis=-1)
    return ops.einsum("bd,bnd->bn", users, items)


def by_matmul(users: Any, items: Any) -> Any:
    """Keras' operations, another way: nothing as large as the items beside them."""
    dots = ops.squeeze(ops.matmul(items, ops.expand_dims(users, -1)), -1)
    lengths = ops.sqrt(ops.sum(users * users, axis=-1, keepdims=True))
    item_lengths = ops.sqrt(ops.sum(items * items, axis=-1))
    return dots / (ops.maximum(lengths, EPSILON) * ops.maximum(item_lengths, EPSILON))


class ByOps(keras.layers.Layer):
    """One of the two, as a layer."""

    def __init__(self, scores: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.scores = scores

    def call(self, inputs: Any) -> Any:
        return self.scores(*inputs)

    def compute_output_shape(self, shapes: Any) -> Any:
        return shapes[1][:2]


class Backend:
    def __init__(self, rounds: int) -> None:
        self.name, self.rounds = keras.backend.backend(), rounds
        self.mode: Any = MODES[self.name]()
        self.native = importlib.import_module(f"cosim_rs.{self.name}")

    def functions(self) -> dict[str, Callable[[Any, Any], Any]]:
        def native(users: Any, items: Any) -> Any:
            return self.native.batched_cosine_similarity(users, items, epsilon=EPSILON)

        return {"cosim_rs": native, "ops, einsum": by_einsum, "ops, matmul": by_matmul}

    def layers(self, dtype: str = "float32") -> dict[str, Callable[[Any, Any], Any]]:
        layers = {
            "cosim_rs": NormalizedDotProductSimilarity(dtype=dtype),
            "ops, einsum": ByOps(by_einsum),
            "ops, matmul": ByOps(by_matmul),
        }
        return {name: (lambda u, v, layer=layer: layer([u, v])) for name, layer in layers.items()}

    def cases(self) -> Iterator[tuple[str, tuple[int, int, int], dict[str, Any], bool]]:
        """Work, shape, contenders, and whether gradients are wanted."""
        yield "layer, eager", SMALL, self.layers(), False
        yield "function, eager", SMALL, self.functions(), False
        yield "layer, eager", LARGE, self.layers(), False
        for gradients in (False, True):
            if gradients:
                yield "layer, eager, forward and backward", LARGE, self.layers(), True
            work = "layer, compiled" + (", forward and backward" if gradients else "")
            yield work, LARGE, self.layers(), gradients
        yield "layer, eager, bfloat16 policy", LARGE, self.brain(), False

    def brain(self) -> dict[str, Any]:
        """The layer under two policies, its inputs in the type of each."""
        brain, single = self.layers("bfloat16")["cosim_rs"], self.layers()["cosim_rs"]
        cast: dict[int, list[Any]] = {}

        def call(users: Any, items: Any) -> Any:
            if id(items) not in cast:
                cast[id(items)] = [ops.cast(side, "bfloat16") for side in (users, items)]
            return brain(*cast[id(items)])

        return {"cosim_rs": call, "cosim_rs, float32": single}

    def calls(
        self,
        shape: tuple[int, int, int],
        contenders: dict[str, Any],
        gradients: bool,
        compiled: bool,
    ) -> dict[str, Callable[[], Any]]:
        """What is timed, of everyone; their results are checked."""
        generator, (batch, count, dim) = np.random.default_rng(0), shape
        arrays = [
            generator.standard_normal(s, dtype=np.float32)
            for s in ((batch, dim), (batch, count, dim), (batch, count))
        ]
        users, items, weights = map(self.mode.tensor, arrays)
        exact = cosine_scores(arrays[0][:, None], arrays[1])
        calls = {}
        for name, scores in contenders.items():
            call = self.call(scores, weights, gradients, compiled)
            given = call(users, items)
            wanted = np.sum(exact * arrays[2]) if gradients else exact
            got = ops.convert_to_numpy(ops.cast(given[0] if gradients else given, "float32"))
            near = 1.0 if gradients else 1e-2 if "bfloat16" in str(given.dtype) else 1e-5
            if not np.allclose(got, wanted, atol=near):
                raise AssertionError(f"{self.name}, {name}: wrong by {np.abs(got - wanted).max()}")
            calls[name] = self.timed(call, users, items)
        return calls

    def raced(self, calls: dict[str, Callable[[], Any]]) -> dict[str, Any]:
        """Medians and quartiles of everyone, in seconds."""
        entrants = [Entrant(name, name, sampler(call)) for name, call in calls.items()]
        race(entrants, self.rounds)
        return {one.name: (one.median, *one.quartiles) for one in entrants}

    def call(self, scores: Any, weights: Any, gradients: bool, compiled: bool) -> Any:
        """What is timed: scores, or their loss and its gradients."""
        if gradients:
            mode = self.mode.compiled_gradients if compiled else self.mode.gradients
            return mode(scores, weights)
        return self.mode.compiled(scores) if compiled else scores

    def timed(self, call: Any, users: Any, items: Any) -> Callable[[], Any]:
        wait = self.mode.wait
        return lambda: wait(call(users, items))

    def epochs(self) -> dict[str, Any]:
        """An epoch of a two-tower model with 1,000 candidates a query."""
        generator = np.random.default_rng(0)
        query = generator.integers(0, 1000, 2048)
        images = generator.integers(0, 20_000, (2048, 1000))
        right = generator.integers(0, 1000, 2048)
        models = {}
        for name, similarity in {
            "cosim_rs": NormalizedDotProductSimilarity(),
            "ops, einsum": ByOps(by_einsum),
            "ops, matmul": ByOps(by_matmul),
        }.items():
            inputs = [keras.Input((), dtype="int32"), keras.Input((1000,), dtype="int32")]
            user = keras.layers.Dense(64)(keras.layers.Embedding(1000, 64)(inputs[0]))
            items = keras.layers.Embedding(20_000, 64)(inputs[1])
            models[name] = keras.Model(inputs, similarity([user, items]))
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            models[name].compile(optimizer="sgd", loss=loss)
            models[name].fit([query[:256], images[:256]], right[:256], batch_size=64, verbose=0)
        seconds: dict[str, list[float]] = {name: [] for name in models}
        for _ in range(3):
            for name, model in models.items():
                start = time.perf_counter()
                model.fit([query, images], right, batch_size=64, verbose=0)
                seconds[name].append(time.perf_counter() - start)
        return {name: tuple(np.percentile(taken, [50, 25, 75])) for name, taken in seconds.items()}


def main() -> None:
    warnings.simplefilter("error", RuntimeWarning)  # a fallback would be measured as if native
    backend = Backend(rounds=int(sys.argv[1]))
    figures, costs = [], []
    for work, shape, contenders, gradients in backend.cases():
        print(f"{backend.name}: {work} {shape}", file=sys.stderr, flush=True)
        calls = backend.calls(shape, contenders, gradients, "compiled" in work)
        figures.append((work, shape, backend.raced(calls)))
        if gradients:
            costs.append((work, {name: faults.per_call(call) for name, call in calls.items()}))
    print(f"{backend.name}: fit", file=sys.stderr, flush=True)
    figures.append(("fit, one epoch of 2,048 queries", (64, 1000, 64), backend.epochs()))
    module = importlib.import_module(backend.name)
    assert min(cosim_rs._cosim_rs.native_calls()) > 0, "not native"
    print(json.dumps({"version": module.__version__, "figures": figures, "faults": costs}))


if __name__ == "__main__":
    main()
