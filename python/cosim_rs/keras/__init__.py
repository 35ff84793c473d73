"""cosim_rs as Keras 3 layers, on any of Keras' backends.

`NormalizedDotProductSimilarity` scores each user against its own items, in training and after.
`TopKRecommendationSelector` selects the best scores of each row.
It needs Keras 3.5 or newer: ``pip install cosim-rs[keras]``, and the backend of your choice.

Examples
--------
>>> import keras
>>> from cosim_rs.keras import NormalizedDotProductSimilarity
>>> user = keras.random.normal((32, 1, 64))
>>> items = keras.random.normal((32, 100, 64))
>>> tuple(NormalizedDotProductSimilarity()([user, items]).shape)
(32, 100)
"""

from cosim_rs.keras import _requirement as _requirement  # isort: skip  # before Keras is missed

from cosim_rs.keras._selector import TopKRecommendationSelector
from cosim_rs.keras._similarity import NormalizedDotProductSimilarity

# Where they are public, and where Keras finds them again when it loads.
for _public in (NormalizedDotProductSimilarity, TopKRecommendationSelector):
    _public.__module__ = "cosim_rs.keras"

__all__ = ["NormalizedDotProductSimilarity", "TopKRecommendationSelector"]
