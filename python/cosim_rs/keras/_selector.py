"""The layer that selects each row's best scores."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cosim_rs.keras._checks import Dims, as_count, rows_shape
from cosim_rs.keras._ordering import filled_like, ranking_keys, top_indices


@keras.saving.register_keras_serializable(package="cosim_rs")
class TopKRecommendationSelector(keras.layers.Layer):
    """Select the k best scores of each row, and tell where they are.

    Scores of shape (B, N) give a pair ``(indices, scores)``, both of shape (B, min(k, N)): int32
    indices, and the scores in the layer's compute dtype. The gradient of the selected scores
    reaches the scores they came from.

    Parameters
    ----------
    k : int, default 10
        How many to select, at least 1; all, if there are fewer.
    **kwargs
        As `keras.layers.Layer` takes: `name`, `dtype`, `trainable`.

    Raises
    ------
    TypeError, ValueError
        If `k` is no whole number of at least 1; when called, if the scores or the mask are of
        another shape.

    Notes
    -----
    The order is score descending, then index ascending, on every backend: equal scores, 0 and -0
    among them, keep their order. Scores that are NaN come after all numbers. Masked ones come last
    of all; where they are returned, because there are not k others, their score is -inf. (-inf and
    the two numbers next to it are taken for equal.)

    As any layer's, floating inputs are first converted to the compute dtype, where scores that
    differed may be equal: give ``dtype="float64"`` to select from float64.

    Examples
    --------
    >>> import numpy as np
    >>> from cosim_rs.keras import TopKRecommendationSelector
    >>> scores = np.array([[0.1, 0.9, 0.5, 0.9]], dtype="float32")
    >>> indices, best = TopKRecommendationSelector(k=3)(scores)
    >>> np.asarray(indices), np.asarray(best)
    (array([[1, 3, 2]], dtype=int32), array([[0.9, 0.9, 0.5]], dtype=float32))
    >>> mask = np.array([[True, False, True, True]])
    >>> indices, best = TopKRecommendationSelector(k=3)(scores, mask=mask)
    >>> np.asarray(indices).tolist()
    [[3, 2, 0]]
    """

    def __init__(self, k: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.k = as_count("k", k)

    def build(self, scores_shape: Any) -> None:
        """Check the shape of the scores; there are no weights.

        Parameters
        ----------
        scores_shape : tuple, (B, N)
            With None for a size that is not known.

        Raises
        ------
        ValueError
            If there are not two axes.

        Examples
        --------
        >>> from cosim_rs.keras import TopKRecommendationSelector
        >>> TopKRecommendationSelector().build((None, 100))
        """
        rows_shape("scores", scores_shape)

    def call(self, scores: Any, mask: Any = None) -> tuple[Any, Any]:
        """Select.

        Parameters
        ----------
        scores : tensor, shape (B, N)
            Higher is better.
        mask : bool tensor, shape (B, N) or what broadcasts to it, optional
            True where a score may be selected. By default the mask that came with `scores`, if
            there is one.

        Returns
        -------
        indices : int32 tensor, shape (B, min(k, N))
            The selected columns, best first.
        scores : tensor, shape (B, min(k, N))
            Their scores.

        Raises
        ------
        ValueError
            If shapes do not fit.

        Examples
        --------
        >>> import numpy as np
        >>> from cosim_rs.keras import TopKRecommendationSelector
        >>> indices, best = TopKRecommendationSelector(k=1).call(np.array([[0.2, 0.8]], "float32"))
        >>> np.asarray(indices).tolist()
        [[1]]
        """
        scores = ops.convert_to_tensor(scores)
        rows_shape("scores", scores.shape)
        if not keras.backend.is_float_dtype(scores.dtype):
            scores = ops.cast(scores, self.compute_dtype)
        keep = None
        if mask is not None:
            keep = _as_rows(ops.cast(mask, "bool"), scores)
            scores = ops.where(keep, scores, filled_like(scores, float("-inf")))
        indices = top_indices(ranking_keys(scores, keep), self.k)
        return indices, ops.take_along_axis(scores, indices, axis=-1)

    def compute_output_shape(self, scores_shape: Any) -> tuple[Dims, Dims]:
        """Tell the shapes of indices and scores, without selecting any.

        Parameters
        ----------
        scores_shape : tuple, (B, N)
            With None for a size that is not known.

        Returns
        -------
        two tuples, (B, min(k, N))
            With None for a size that is not known.

        Raises
        ------
        ValueError
            If there are not two axes.

        Examples
        --------
        >>> from cosim_rs.keras import TopKRecommendationSelector
        >>> TopKRecommendationSelector(k=5).compute_output_shape((None, 100))
        ((None, 5), (None, 5))
        """
        batch, count = rows_shape("scores", scores_shape)
        shape = batch, (None if count is None else min(self.k, count))
        return shape, shape

    def compute_output_spec(self, scores: Any, mask: Any = None) -> tuple[Any, Any]:
        """Tell shapes and dtypes of indices and scores, without selecting any.

        Parameters
        ----------
        scores, mask
            As `call` takes them, or symbolic.

        Returns
        -------
        two of `keras.KerasTensor`
            int32, and the layer's compute dtype.

        Raises
        ------
        ValueError
            If shapes do not fit.

        Examples
        --------
        >>> import keras
        >>> from cosim_rs.keras import TopKRecommendationSelector
        >>> indices, best = TopKRecommendationSelector().compute_output_spec(keras.Input((5,)))
        >>> indices.shape, indices.dtype, best.dtype
        ((None, 5), 'int32', 'float32')
        """
        shape = self.compute_output_shape(scores.shape)[0]
        return (
            keras.KerasTensor(shape, dtype="int32"),
            keras.KerasTensor(shape, dtype=self.compute_dtype),
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Pass no mask on.

        Examples
        --------
        >>> from cosim_rs.keras import TopKRecommendationSelector
        >>> TopKRecommendationSelector().compute_mask(None)
        """

    def get_config(self) -> dict[str, Any]:
        """Tell the arguments that make this layer again.

        Returns
        -------
        dict
            As `from_config` takes it.

        Examples
        --------
        >>> from cosim_rs.keras import TopKRecommendationSelector
        >>> TopKRecommendationSelector(k=3).get_config()["k"]
        3
        """
        return {**super().get_config(), "k": self.k}


def _as_rows(mask: Any, scores: Any) -> Any:
    """The mask, for each score."""
    wanted, got = tuple(scores.shape), tuple(mask.shape)
    fits = len(got) <= 2 and all(
        size in (1, None, full) or full is None
        for size, full in zip(reversed(got), reversed(wanted), strict=False)
    )
    if not fits:
        raise ValueError(f"mask: got shape {got}, expected {wanted}, as scores")
    return ops.logical_and(mask, ops.ones_like(scores, dtype="bool"))


__all__ = ["TopKRecommendationSelector"]
