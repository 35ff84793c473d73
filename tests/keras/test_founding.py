"""The programs that the layer was made for, with nothing but Keras and its name."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cosim_rs.keras import NormalizedDotProductSimilarity, TopKRecommendationSelector


def test_users_with_a_hundred_candidates() -> None:
    layer = NormalizedDotProductSimilarity()
    user_embedding = keras.random.normal((32, 1, 64))
    candidate_embeddings = keras.random.normal((32, 100, 64))
    scores = layer([user_embedding, candidate_embeddings])
    assert tuple(scores.shape) == (32, 100)
    values = keras.ops.convert_to_numpy(scores)
    assert values.min() >= -1
    assert values.max() <= 1


def test_users_with_fifty_candidates() -> None:
    layer = NormalizedDotProductSimilarity()
    user_embedding = keras.random.normal((8, 1, 32))
    candidate_embeddings = keras.random.normal((8, 50, 32))
    scores = layer([user_embedding, candidate_embeddings])
    assert tuple(scores.shape) == (8, 50)


@pytest.mark.parametrize("batch", [1, 32, 256])
def test_batches_with_a_thousand_candidates(batch: int) -> None:
    layer = NormalizedDotProductSimilarity()
    user_embedding = keras.random.normal((batch, 1, 64))
    candidate_embeddings = keras.random.normal((batch, 1000, 64))
    scores = layer([user_embedding, candidate_embeddings])
    assert tuple(scores.shape) == (batch, 1000)
    dot = keras.layers.Dot(axes=-1, normalize=True)
    wanted = dot([user_embedding, candidate_embeddings])[:, 0]
    difference = keras.ops.max(keras.ops.abs(scores - wanted))
    assert float(difference) <= 1e-6


def tower(name: str) -> keras.Sequential:
    return keras.Sequential(
        [
            keras.layers.Embedding(40, 16),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(8),
        ],
        name=name,
    )


def test_the_whole_chain_learns() -> None:
    """Ids to embeddings to feature towers to scores to the best three, which training finds."""
    keras.utils.set_random_seed(1)
    user_id = keras.Input((1,), dtype="int32", name="user_id")
    candidate_ids = keras.Input((None,), dtype="int32", name="candidate_ids")
    user, candidates = tower("user")(user_id), tower("candidates")(candidate_ids)
    scores = NormalizedDotProductSimilarity(name="scores")([user, candidates])
    indices, best = TopKRecommendationSelector(k=3)(scores)

    generator = np.random.default_rng(0)
    users = generator.integers(0, 40, (256, 1)).astype("int32")
    items = np.stack([generator.permutation(40)[:20] for _ in users]).astype("int32")
    likes = (users % 4 == items % 4).astype("float32")  # what there is to be learnt

    model = keras.Model([user_id, candidate_ids], scores)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    losses = model.fit([users, items], likes, epochs=15, batch_size=32, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0]

    ranking = keras.Model([user_id, candidate_ids], [indices, best])
    found, found_scores = ranking.predict([users, items], verbose=0)
    assert found.shape == found_scores.shape == (256, 3)
    liked = np.take_along_axis(likes, found, axis=1)
    there_are = np.minimum(likes.sum(axis=1), 3)
    assert liked.sum() >= 0.9 * there_are.sum()
    assert (np.diff(found_scores, axis=1) <= 0).all()


def test_training_through_the_selector() -> None:
    keras.utils.set_random_seed(1)
    user, items = keras.Input((1, 8)), keras.Input((None, 8))
    dense = keras.layers.Dense(8)
    scores = NormalizedDotProductSimilarity()([dense(user), dense(items)])
    _, best = TopKRecommendationSelector(k=3)(scores)
    model = keras.Model([user, items], best)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    users, candidates = np.random.default_rng(0).standard_normal((2, 64, 10, 8), dtype="float32")
    wanted = np.full((64, 3), -1, "float32")
    fit = model.fit([users[:, :1], candidates], wanted, epochs=10, verbose=0)
    assert fit.history["loss"][-1] < 0.9 * fit.history["loss"][0]
