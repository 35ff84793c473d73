"""The layer that scores each user against its own items."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cosim_rs.keras import _backend
from cosim_rs.keras._checks import Dims, as_epsilon, as_flag, as_pair, scores_shape
from cosim_rs.keras._tracing import are_at_hand


@keras.saving.register_keras_serializable(package="cosim_rs")
class NormalizedDotProductSimilarity(keras.layers.Layer):
    """Score each user against its own items: the dot products of their normalised vectors.

    Inputs are ``[user, items]``, also as a tuple, or as a dict with the keys ``"user"`` and
    ``"items"``: `user` of shape (B, 1, D) or (B, D), `items` of shape (B, N, D). The output has
    shape (B, N) and the layer's compute dtype, and lies within [-1, 1]. B and N may be unknown.

    A mask that comes with the inputs is accepted, changes no score and goes no further: the
    output's axes are users and items, which a loss would take for time.

    Parameters
    ----------
    epsilon : float, default 1e-7
        Norms are raised to at least this before the division, so that gradients of tiny vectors
        stay small. Finite and at least 0.
    native : bool, default True
        Whether to use the library's kernels, where the backend and the device allow it: one pass
        that reads each item once, with its own gradient. Otherwise, and with False, `keras.ops`
        compute the same to within the error bound; a model to be exported to where cosim_rs is
        not installed wants False.
    **kwargs
        As `keras.layers.Layer` takes: `name`, `dtype`, `trainable`.

    Raises
    ------
    TypeError, ValueError
        If `epsilon` or `native` is of another kind or value; when built or called, if the shapes
        of user and items do not fit each other.

    Notes
    -----
    The scores are those of `cosim_rs.batched_cosine_similarity` with this epsilon, rounded once to
    the compute dtype; bit for bit where native. float16 and bfloat16 are computed in float32. A
    zero vector scores +0; a NaN or an infinity makes the score NaN. The gradient is that of the
    formula, also at scores of 1; a norm below epsilon counts as a constant.

    The formula is that of ``keras.layers.Dot(axes=-1, normalize=True)``, whose output has the
    shape (B, 1, N).

    Examples
    --------
    >>> import numpy as np
    >>> from cosim_rs.keras import NormalizedDotProductSimilarity
    >>> user = np.array([[[3.0, 4.0]]], dtype="float32")
    >>> items = np.array([[[6.0, 8.0], [4.0, -3.0], [-3.0, -4.0]]], dtype="float32")
    >>> scores = NormalizedDotProductSimilarity()([user, items])
    >>> np.asarray(scores).round(6).tolist()
    [[1.0, 0.0, -1.0]]
    """

    def __init__(self, epsilon: float = 1e-7, native: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = as_epsilon(epsilon)
        self.native = as_flag("native", native)
        # Looked up here, as tracers do not follow imports.
        module = _backend.scores_module(self.native)
        self._batched_cosine_similarity = module.batched_cosine_similarity

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit each other; there are no weights.

        Parameters
        ----------
        input_shape : two shapes
            In any of the forms of the inputs.

        Raises
        ------
        ValueError
            If they do not.

        Examples
        --------
        >>> from cosim_rs.keras import NormalizedDotProductSimilarity
        >>> NormalizedDotProductSimilarity().build([(None, 1, 8), (None, None, 8)])
        """
        self.compute_output_shape(input_shape)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the scores, as Keras calls any layer."""
        # Around a small call Keras' layer takes several times as long as the scores, to no effect
        # where `_is_plain` says so. What Keras does for any operation comes still: quantisation,
        # rematerialisation, torch's hooks, arguments named in errors.
        if len(args) == 1 and not kwargs and self._is_plain(args[0]):
            return super(keras.layers.Layer, self).__call__(args[0])
        return super().__call__(*args, **kwargs)

    def _is_plain(self, inputs: Any) -> bool:
        """Whether calling this layer with these is nothing but calling `call`.

        Built, it is not built again; tensors at hand that have the dtype already are not converted
        and make no symbolic node, and names of scopes are seen in graphs alone. Of the rest, scopes
        of `training` and autocast reach layers and variables inside of `call`, where there are
        none, and `compute_mask` gives no mask; a class derived from this one may have them.
        """
        return (
            type(self) is NormalizedDotProductSimilarity
            and isinstance(inputs, (list, tuple))
            and len(inputs) == 2
            and are_at_hand(*inputs)
            and all(
                keras.backend.standardize_dtype(one.dtype) == self.input_dtype for one in inputs
            )
            and self.built
            and self.input_spec is None
            and self.activity_regularizer is None
            and keras.distribution.distribution() is None
        )

    def call(self, inputs: Any) -> Any:
        """Compute the scores.

        Parameters
        ----------
        inputs : two tensors, shapes (B, 1, D) or (B, D), and (B, N, D)
            ``[user, items]``, ``(user, items)`` or ``{"user": user, "items": items}``.

        Returns
        -------
        tensor, shape (B, N)
            In the layer's compute dtype.

        Raises
        ------
        ValueError
            If the shapes do not fit each other.

        Examples
        --------
        >>> import numpy as np
        >>> from cosim_rs.keras import NormalizedDotProductSimilarity
        >>> pair = {"user": np.ones((2, 4), "float32"), "items": np.ones((2, 3, 4), "float32")}
        >>> tuple(NormalizedDotProductSimilarity().call(pair).shape)
        (2, 3)
        """
        user, items = as_pair(inputs)
        user, items = self._as_vectors(user), self._as_vectors(items)
        try:
            scores = self._batched_cosine_similarity(user, items, epsilon=self.epsilon)
        except ValueError:
            # Shapes are looked at by what computes; twice would be felt in small calls. What does
            # not fit is said again by the names that it has here.
            scores_shape(user.shape, items.shape)
            raise
        # Small calls are most of Keras' time, and a cast to the same dtype takes some of it.
        is_cast = keras.backend.standardize_dtype(scores.dtype) == self.compute_dtype
        return scores if is_cast else ops.cast(scores, self.compute_dtype)

    def _as_vectors(self, vectors: Any) -> Any:
        vectors = ops.convert_to_tensor(vectors)
        is_float = keras.backend.is_float_dtype(vectors.dtype)
        return vectors if is_float else ops.cast(vectors, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Dims:
        """Tell the shape of the scores, without computing any.

        Parameters
        ----------
        input_shape : two shapes
            In any of the forms of the inputs; None is any size.

        Returns
        -------
        tuple, (B, N)
            With None for a size that is not known.

        Raises
        ------
        ValueError
            If the shapes do not fit each other.

        Examples
        --------
        >>> from cosim_rs.keras import NormalizedDotProductSimilarity
        >>> NormalizedDotProductSimilarity().compute_output_shape([(None, 1, 8), (None, 50, 8)])
        (None, 50)
        """
        return scores_shape(*as_pair(input_shape))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Pass no mask on.

        Examples
        --------
        >>> from cosim_rs.keras import NormalizedDotProductSimilarity
        >>> NormalizedDotProductSimilarity().compute_mask(None)
        """

    def get_config(self) -> dict[str, Any]:
        """Tell the arguments that make this layer again.

        Returns
        -------
        dict
            As `from_config` takes it.

        Examples
        --------
        >>> from cosim_rs.keras import NormalizedDotProductSimilarity
        >>> NormalizedDotProductSimilarity(epsilon=0.001).get_config()["epsilon"]
        0.001
        """
        return {**super().get_config(), "epsilon": self.epsilon, "native": self.native}


__all__ = ["NormalizedDotProductSimilarity"]
