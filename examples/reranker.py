"""Train a re-ranker with Keras: similarity and side features of each candidate, together.

A first stage has found 20 images for a query image; some show the same digit. The re-ranker orders
them anew. For each candidate it has the cosine of its learned vector with the query's, and side
features that a vector does not hold: how much more ink it has than the query, and where its middle
lies. A small network makes one number of these. The best of each list are selected by
`TopKRecommendationSelector`, in the model itself.

    KERAS_BACKEND=tensorflow python examples/reranker.py
"""

from __future__ import annotations

import argparse
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

import cosim_rs
from cosim_rs.keras import NormalizedDotProductSimilarity, TopKRecommendationSelector

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

CANDIDATES = 20
FEATURES = 3


def load_images() -> tuple[Floats, Integers]:
    """Every image as a row of 64 pixels from 0 to 1, and the digit that each shows."""
    digits = load_digits()
    return (digits.data / 16).astype(np.float32), digits.target.astype(np.int64)


def side_features(images: Floats) -> Floats:
    """How much ink each image (..., 64) has, and how far down and to the right its middle lies."""
    pixels = images.reshape(*images.shape[:-1], 8, 8)
    ink = pixels.sum((-1, -2))
    places = np.linspace(-1, 1, 8, dtype=np.float32)
    down = (pixels.sum(-1) @ places) / np.maximum(ink, 1)
    right = (pixels.sum(-2) @ places) / np.maximum(ink, 1)
    return np.stack([ink / 20, down, right], axis=-1)


def lists(images: Floats, labels: Integers, rows: Integers) -> tuple[dict[str, Floats], Floats]:
    """The inputs of the images in these rows as queries, and which candidates show their digit.

    The candidates are what a search by the bare pixels finds last among its best 60: the hard ones.
    """
    found = cosim_rs.Catalogue(images).similar(rows, 60).ids[:, -CANDIDATES:]
    inputs = {
        "query": images[rows],
        "candidates": images[found],
        "features": side_features(images[found]) - side_features(images[rows])[:, None],
    }
    return inputs, (labels[found] == labels[rows][:, None]).astype(np.float32)


def build(similarity: keras.layers.Layer) -> keras.Model:
    """The model: a query (B, 64), candidates (B, N, 64) and features (B, N, 3) to logits (B, N)."""
    query = keras.Input((64,), name="query")
    candidates = keras.Input((None, 64), name="candidates")
    features = keras.Input((None, FEATURES), name="features")
    hidden, vector = keras.layers.Dense(64, activation="tanh"), keras.layers.Dense(32)
    scores = similarity([vector(hidden(query)), vector(hidden(candidates))])
    scores = keras.layers.Reshape((-1, 1))(scores)
    together = keras.layers.Concatenate()([scores, features])
    hidden = keras.layers.Dense(16, activation="tanh")(together)
    logits = keras.layers.Dense(1)(hidden)
    logits = keras.layers.Reshape((-1,), name="logits")(logits)
    model = keras.Model({"query": query, "candidates": candidates, "features": features}, logits)
    model.compile(
        optimizer=keras.optimizers.Adam(0.002),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


def recall(model: keras.Model, inputs: Any, relevant: Floats, k: int) -> float:
    """Of the candidates that the model puts first, the share that shows the query's digit."""
    selector = TopKRecommendationSelector(k)
    best = keras.Model(model.inputs, selector(model.output))
    indices, _ = best.predict(inputs, verbose=0)
    return float(np.take_along_axis(relevant, np.asarray(indices, np.int64), axis=1).mean())


def train(
    similarity: keras.layers.Layer, data: Any, epochs: int
) -> tuple[keras.Model, list[float]]:
    """A model trained from the same start as any other, and the loss after each epoch."""
    keras.utils.set_random_seed(7)
    model = build(similarity)
    history = model.fit(*data, batch_size=32, epochs=epochs, shuffle=False, verbose=0)
    return model, [float(loss) for loss in history.history["loss"]]


def main() -> None:
    """Train the re-ranker and its twin, and say how the order has improved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=1200, help="queries to train with")
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()

    images, labels = load_images()
    rows = np.random.default_rng(1).permutation(len(images))
    data = lists(images, labels, rows[: options.queries])
    unseen = lists(images, labels, rows[-400:])
    model, losses = train(NormalizedDotProductSimilarity(), data, options.epochs)
    _, twin_losses = train(NormalizedDotProductSimilarity(native=False), data, options.epochs)
    print(f"{keras.backend.backend()}: loss of each epoch, and of the twin by Keras' operations")
    for loss, twin in zip(losses, twin_losses, strict=True):
        print(f"  {loss:.6f}  {twin:.6f}")
    chance = float(unseen[1].mean())
    loss = model.evaluate(*unseen, verbose=0)
    print(f"unseen queries: loss {loss:.4f}")
    print(f"candidates that show the digit: {chance:.3f}")
    print(f"among the 5 that come first: {recall(model, *unseen, k=5):.3f}")


if __name__ == "__main__":
    main()
