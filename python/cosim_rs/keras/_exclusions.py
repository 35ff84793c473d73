"""Who must not be found, as places among the candidates: with numbers at hand, and in a graph."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from cosim_rs._interchange import as_array
from cosim_rs.keras._candidates import CandidateIds


def places_at_hand(
    exclusions: Any, users: int, count: int, ids: CandidateIds | None
) -> NDArray[np.int64]:
    """Places (U, M) of ids that are at hand; -1 for what is no candidate."""
    if ops.is_tensor(exclusions):
        exclusions = ops.convert_to_numpy(exclusions)
    names = as_array("exclusions", exclusions)
    if names.ndim != 2 or len(names) != users:
        raise ValueError(
            f"exclusions: got shape {names.shape}, expected ({users}, M), a row a user"
        )
    if ids is not None:
        return ids.places(names)
    if names.size and names.dtype.kind not in "iu":
        raise TypeError(f"exclusions: got dtype {names.dtype}, expected whole numbers")
    return np.where((names >= 0) & (names < count), names, -1).astype(np.int64)


def places_in_graph(exclusions: Any, ids: Any) -> Any:
    """Places (U, M) of ids (U, M) among the ids (N,), all tensors; -1 for what is no candidate."""
    exclusions = ops.cast(exclusions, ids.dtype)
    order = ops.argsort(ids)
    in_order = ops.take(ids, order)
    nearest = _searchsorted(in_order, ops.reshape(exclusions, (-1,)))
    nearest = ops.minimum(ops.cast(nearest, "int32"), ids.shape[0] - 1)
    nearest = ops.reshape(nearest, ops.shape(exclusions))
    places = ops.cast(ops.take(order, nearest), "int32")
    is_known = ops.equal(ops.take(in_order, nearest), exclusions)
    return ops.where(is_known, places, -ops.ones_like(places))


def _searchsorted(in_order: Any, names: Any) -> Any:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Keras 3.5 asks for the tensor's `len`, which one in a graph has not.
        return tf.searchsorted(in_order, names)
    return ops.searchsorted(in_order, names)


def marked(places: Any, scores: Any) -> Any:
    """Which of the scores (U, N) are at these places (U, M); places outside are nowhere."""
    users, count = ops.shape(scores)
    is_place = ops.logical_and(places >= 0, places < count)
    # Others go to a column of their own, which is cut off.
    columns = ops.where(is_place, places, ops.zeros_like(places) + count)
    if keras.backend.backend() == "torch":
        import torch

        flags = torch.zeros(users, count + 1, dtype=torch.bool, device=scores.device)
        return flags.scatter(1, columns.to(torch.int64), True)[:, :count]
    columns = ops.cast(columns, "int32")
    rows = ops.expand_dims(ops.arange(users, dtype="int32"), 1) + ops.zeros_like(columns)
    pairs = ops.reshape(ops.stack([rows, columns], axis=-1), (-1, 2))
    hits = ops.scatter(pairs, ops.ones_like(pairs[:, 0]), (users, count + 1))
    return hits[:, :count] > 0


__all__ = ["marked", "places_at_hand", "places_in_graph"]
