"""cosim_rs as Keras 3 layers, on any of Keras' backends.

`NormalizedDotProductSimilarity` scores each user against its own items, in training and after.
`TopKRecommendationSelector` selects the best scores of each row. `BruteForceRetrieval` finds the
best of many candidates that it holds.

It needs Keras 3.5 or newer: ``pip install cosim-rs[keras]``, and the backend of your choice.

Examples
--------
>>> import keras
>>> from cosim_rs.keras import NormalizedDotProductSimilarity, TopKRecommendationSelector
>>> user = keras.random.normal((32, 1, 64))
>>> items = keras.random.normal((32, 100, 64))
>>> scores = NormalizedDotProductSimilarity()([user, items])
>>> tuple(scores.shape)
(32, 100)
>>> indices, best = TopKRecommendationSelector(k=5)(scores)
>>> tuple(indices.shape)
(32, 5)
"""

from cosim_rs.keras import _requirement as _requirement  # isort: skip  # before Keras is missed

from cosim_rs.keras._retrieval import BruteForceRetrieval
from cosim_rs.keras._selector import TopKRecommendationSelector
from cosim_rs.keras._similarity import NormalizedDotProductSimilarity

# Where they are public, as `help` and tracebacks show it.
for _public in (BruteForceRetrieval, NormalizedDotProductSimilarity, TopKRecommendationSelector):
    _public.__module__ = "cosim_rs.keras"

__all__ = [
    "BruteForceRetrieval",
    "NormalizedDotProductSimilarity",
    "TopKRecommendationSelector",
]
