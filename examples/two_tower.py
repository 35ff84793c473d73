"""Train a two-tower model with Keras, on any backend, and search all items with what it learned.

A query is a digit, by its name; the items are scikit-learn's 1,797 bundled 8 x 8 images of digits.
The model puts both into one space: an embedding and a dense layer for queries, dense layers for
images. It is trained to score an image of the query's digit above 49 others, and never sees a
label but through that. Then all images go through the item tower once, into a `Catalogue`, and each
query finds its best ones exactly. How many of those show the right digit tells what was learned.

The model is saved, loaded and trained on; its twin that scores by Keras' own operations has the
same losses.

    KERAS_BACKEND=torch python examples/two_tower.py
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

import cosim_rs
from cosim_rs.keras import NormalizedDotProductSimilarity

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

CANDIDATES = 50
DIM = 32
SHARPNESS = 10.0
"""Scores lie within [-1, 1]: a softmax of them would hardly prefer anything."""


def load_images() -> tuple[Floats, Integers]:
    """Every image as a row of 64 pixels from 0 to 1, and the digit that each shows."""
    digits = load_digits()
    return (digits.data / 16).astype(np.float32), digits.target.astype(np.int64)


def lists(images: Floats, labels: Integers, count: int, seed: int) -> tuple[list[Any], Integers]:
    """Queries (count,), a list of candidate images for each, and the place of the right one.

    One of a query's candidates shows its digit, at a random place; the others do not.
    """
    generator = np.random.default_rng(seed)
    queries = generator.integers(0, 10, count)
    right = generator.integers(0, CANDIDATES, count)
    rows = np.empty((count, CANDIDATES), np.int64)
    for digit in range(10):
        asked = np.flatnonzero(queries == digit)
        others, own = np.flatnonzero(labels != digit), np.flatnonzero(labels == digit)
        rows[asked] = generator.choice(others, (len(asked), CANDIDATES))
        rows[asked, right[asked]] = generator.choice(own, len(asked))
    return [queries, images[rows]], right


def build(similarity: keras.layers.Layer) -> keras.Model:
    """The model: (B,) queries and (B, N, 64) candidates to (B, N) logits, for any B and N."""
    query = keras.Input((), dtype="int32", name="query")
    candidates = keras.Input((None, 64), name="candidates")
    user = keras.layers.Embedding(10, DIM, name="digit")(query)
    user = keras.layers.Dense(DIM, name="user")(user)
    hidden = keras.layers.Dense(64, activation="relu", name="hidden")(candidates)
    items = keras.layers.Dense(DIM, name="item")(hidden)
    scores = similarity([user, items])
    logits = keras.layers.Rescaling(SHARPNESS, name="logits")(scores)
    model = keras.Model([query, candidates], logits)
    model.compile(
        optimizer=keras.optimizers.Adam(0.005),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseTopKCategoricalAccuracy(k=3, name="top3")],
    )
    return model


def recall(model: keras.Model, images: Floats, labels: Integers, k: int) -> float:
    """Of each query's k best images of all, the share that shows its digit."""
    digits = np.arange(10)
    users = keras.Model(model.inputs[0], model.get_layer("user").output)
    image = keras.Input((64,))
    items = keras.Model(image, model.get_layer("item")(model.get_layer("hidden")(image)))
    catalogue = cosim_rs.Catalogue(items.predict(images, verbose=0))
    found = catalogue.top_k(users.predict(digits, verbose=0), k)
    return float(np.mean(labels[found.ids] == digits[:, None]))


def train(
    similarity: keras.layers.Layer, data: Any, epochs: int
) -> tuple[keras.Model, list[float]]:
    """A model trained from the same start as any other, and the loss after each epoch."""
    keras.utils.set_random_seed(7)
    model = build(similarity)
    history = model.fit(*data, batch_size=64, epochs=epochs, shuffle=False, verbose=0)
    return model, [float(loss) for loss in history.history["loss"]]


def main() -> None:
    """Train both, compare, search, save and load."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=4000, help="queries to train with")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--export", type=Path, help="a folder for a model without cosim_rs")
    options = parser.parse_args()

    images, labels = load_images()
    data = lists(images, labels, options.queries, seed=1)
    unseen = lists(images, labels, 500, seed=2)
    keras.utils.set_random_seed(7)
    before = recall(build(NormalizedDotProductSimilarity()), images, labels, k=50)

    model, losses = train(NormalizedDotProductSimilarity(), data, options.epochs)
    _, twin_losses = train(
        keras.layers.Lambda(by_keras, output_shape=by_keras_shape), data, options.epochs
    )
    print(f"{keras.backend.backend()}: loss of each epoch, and of the twin by Keras' operations")
    for loss, twin in zip(losses, twin_losses, strict=True):
        print(f"  {loss:.6f}  {twin:.6f}")

    loss, top3 = model.evaluate(*unseen, batch_size=64, verbose=0)
    print(f"unseen queries: loss {loss:.4f}, right image among the best 3 of 50: {top3:.3f}")
    after = recall(model, images, labels, k=50)
    print(f"best 50 of all {len(images)} images for each query that show its digit:")
    print(f"  {before:.3f} before training, {after:.3f} after")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
    same = np.array_equal(loaded.predict(unseen[0], verbose=0), model.predict(unseen[0], verbose=0))
    print(f"saved and loaded, the model predicts the same: {same}")
    if options.export:
        plain = build(NormalizedDotProductSimilarity(native=False))
        plain.set_weights(model.get_weights())
        plain.export(str(options.export))
        print(f"exported: {options.export}")


def by_keras(inputs: list[Any]) -> Any:
    """The same scores as one writes them with Keras' operations."""
    user, items = (keras.ops.normalize(side, axis=-1) for side in inputs)
    return keras.ops.einsum("bd,bnd->bn", user, items)


def by_keras_shape(shapes: Any) -> Any:
    """The shape of those."""
    return shapes[1][:2]


if __name__ == "__main__":
    main()
