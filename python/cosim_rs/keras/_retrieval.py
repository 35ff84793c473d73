"""The layer that finds the best of many candidates for each user."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from cosim_rs._arrays import fitting
from cosim_rs.keras import _backend
from cosim_rs.keras._checks import as_count, as_flag
from cosim_rs.keras._exclusions import marked, places_at_hand, places_in_graph
from cosim_rs.keras._holding import CandidateHolder, at_hand, value
from cosim_rs.keras._ordering import filled_like, top_indices
from cosim_rs.keras._tracing import is_compiling, wants_gradient


@keras.saving.register_keras_serializable(package="cosim_rs")
class BruteForceRetrieval(CandidateHolder):
    """Find the k best of all candidates for each user, exactly.

    The arguments, and the order of the results, are those of keras-rs' layer of this name; it
    scores by cosine unless told otherwise. Called eagerly, it searches a `cosim_rs.Catalogue`;
    within a compiled graph (`predict` on TensorFlow and JAX, ``jit``, ``tf.function``,
    ``torch.compile``) it scores all candidates. The answers are the same.

    Parameters
    ----------
    candidate_embeddings : array_like, shape (N, D), optional
        The candidates; without them, `update_candidates` must be called before the layer is.
    candidate_ids : array_like, shape (N,), optional
        Their ids: whole numbers or strings, no two alike. By default the rows, 0 to N - 1.
    k : int, default 10
        How many to find for each user; all, if there are fewer.
    return_scores : bool, default True
        Whether to return ``(scores, ids)``, or ids alone.
    normalize : bool, default True
        Whether to score by cosine (see `cosim_rs.cosine_similarity`), or by the plain dot product,
        which `keras.ops` compute to the backend's own precision.
    **kwargs
        As `keras.layers.Layer` takes: `name`, `dtype`, `trainable`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, shape or value; when called, if there are no candidates
        or `users` do not fit them.

    Notes
    -----
    The order is score descending, then row ascending, by scores in float32 (float64 for a float64
    layer) that are rounded to the compute dtype last. A place that cannot be filled, because of
    exclusions or scores that are NaN, holds the score -inf and the id -1 (or an empty string).

    Ids are int32 tensors where int32 holds all of them, else int64 tensors. Strings, and numbers
    that the backend has no tensors for (beyond int32 on JAX without x64), come back as a NumPy
    array, and only from an eager call: a compiled graph cannot hold them, so within one the call
    raises a `ValueError`. To compile, leave `candidate_ids` out and look up the rows it returns.

    Embeddings and ids are saved with the layer. They are weights that are not trained; an eager
    search has no gradient: call with ``training=True`` for one (JAX and torch see by themselves
    that one is wanted).

    Examples
    --------
    >>> import numpy as np
    >>> from cosim_rs.keras import BruteForceRetrieval
    >>> embeddings = np.array([[0.0, 2.0], [3.0, 0.0], [4.0, 3.0]], dtype="float32")
    >>> retrieval = BruteForceRetrieval(embeddings, ["tea", "cup", "mug"], k=2)
    >>> scores, ids = retrieval(np.array([[1.0, 0.0]], dtype="float32"))
    >>> ids.tolist(), np.asarray(scores)
    ([['cup', 'mug']], array([[1. , 0.8]], dtype=float32))
    """

    def __init__(
        self,
        candidate_embeddings: ArrayLike | None = None,
        candidate_ids: ArrayLike | None = None,
        k: int = 10,
        return_scores: bool = True,
        normalize: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.k = as_count("k", k)
        self.return_scores = as_flag("return_scores", return_scores)
        self.normalize = as_flag("normalize", normalize)
        # Exclusions may be strings, which are no tensors; `call` converts the users by itself.
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        # Looked up here, as tracers do not follow imports.
        self._cosine_similarity = _backend.scores_module(native=True).cosine_similarity
        if candidate_embeddings is not None:
            self.update_candidates(candidate_embeddings, candidate_ids)
        elif candidate_ids is not None:
            raise ValueError("candidate_ids: got them without candidate_embeddings, expected both")

    def call(
        self, users: Any, k: int | None = None, exclusions: Any = None, training: bool = False
    ) -> Any:
        """Find the best candidates of each user.

        Parameters
        ----------
        users : tensor, shape (U, D) or (U, 1, D)
            The queries.
        k : int, optional
            How many to find, by default the layer's `k`.
        exclusions : array_like or tensor, shape (U, M), optional
            Ids that each user must not get; rows are filled up with -1, or empty strings. Ids of
            no candidate exclude nothing.
        training : bool, default False
            Whether to compute by `keras.ops` so that there is a gradient, also eagerly.

        Returns
        -------
        scores : tensor, shape (U, min(k, N))
            Best first, in the layer's compute dtype. Not if `return_scores` is False.
        ids : tensor or NumPy array, shape (U, min(k, N))
            Whose scores these are.

        Raises
        ------
        TypeError, ValueError
            If there are no candidates, users or exclusions do not fit them, or their ids cannot
            be in a compiled graph.

        Examples
        --------
        >>> import numpy as np
        >>> from cosim_rs.keras import BruteForceRetrieval
        >>> retrieval = BruteForceRetrieval(np.eye(3, dtype="float32"), return_scores=False)
        >>> users = np.array([[3.0, 2.0, 1.0]], dtype="float32")
        >>> np.asarray(retrieval(users, k=2, exclusions=[[0, -1]])).tolist()
        [[1, 2]]
        """
        k = self.k if k is None else as_count("k", k)
        if self.candidate_embeddings is None:
            raise ValueError("there are no candidates yet: call update_candidates first")
        users = self._as_rows(users)
        candidates = value(self.candidate_embeddings)
        compiling = is_compiling(users, candidates)
        if compiling and self._bound_to_eager:
            raise ValueError(self._bound_to_eager)
        if compiling or training or not self.normalize or wants_gradient(users):
            scores, places = self._scan(users, candidates, k, exclusions)
        else:
            scores, places = self._search(users, k, exclusions)
        ids = self._named(places)
        return (ops.cast(scores, self.compute_dtype), ids) if self.return_scores else ids

    def _as_rows(self, users: Any) -> Any:
        users = ops.convert_to_tensor(users)
        if self.autocast or not keras.backend.is_float_dtype(users.dtype):
            users = ops.cast(users, self.compute_dtype)
        self._check_users(users.shape)
        return ops.squeeze(users, 1) if len(users.shape) == 3 else users

    def _check_users(self, shape: Any) -> None:
        shape = tuple(shape)
        dim = None if self.candidate_embeddings is None else self.candidate_embeddings.shape[1]
        is_rows = len(shape) == 2 or (len(shape) == 3 and shape[1] in (1, None))
        if not is_rows or (None not in (dim, shape[-1]) and shape[-1] != dim):
            size = "D" if dim is None else dim
            raise fitting("users", shape, f"(U, {size}) or (U, 1, {size})")

    def _search(self, users: Any, k: int, exclusions: Any) -> tuple[Any, Any]:
        """Scores and places, by the catalogue."""
        exclude = None
        if exclusions is not None:
            count = self.candidate_embeddings.shape[0]
            exclude = places_at_hand(exclusions, users.shape[0], count, self._ids)
        found = self._as_catalogue().top_k(at_hand(users), k, exclude=exclude)
        return ops.convert_to_tensor(found.scores), found.indices

    def _scan(self, users: Any, candidates: Any, k: int, exclusions: Any) -> tuple[Any, Any]:
        """Scores and places, by scoring all candidates."""
        if self.normalize:
            scores = self._cosine_similarity(users, candidates, epsilon=0.0)
        else:
            scores = ops.matmul(ops.cast(users, candidates.dtype), ops.transpose(candidates))
            is_double = keras.backend.standardize_dtype(scores.dtype) == "float64"
            scores = scores if is_double else ops.cast(scores, "float32")
        nowhere = ops.isnan(scores)
        if exclusions is not None:
            nowhere = ops.logical_or(nowhere, marked(self._places(exclusions, users), scores))
        scores = ops.where(nowhere, filled_like(scores, float("-inf")), scores)
        keys = ops.stop_gradient(scores)
        keys = ops.where(ops.equal(keys, 0), ops.zeros_like(keys), keys)  # -0 is 0
        places = top_indices(keys, k)
        scores = ops.take_along_axis(scores, places, axis=-1)
        is_found = ops.stop_gradient(scores) > float("-inf")
        return scores, ops.where(is_found, places, -ops.ones_like(places))

    def _places(self, exclusions: Any, users: Any) -> Any:
        """Places of the excluded, as a tensor."""
        if not ops.is_tensor(exclusions) or not is_compiling(exclusions):
            given = at_hand(exclusions)
            rows = len(given) if users.shape[0] is None else users.shape[0]
            count = self.candidate_embeddings.shape[0]
            places = places_at_hand(given, rows, count, self._ids)
            return ops.convert_to_tensor(places.astype(np.int32))
        if len(exclusions.shape) != 2:
            raise fitting("exclusions", tuple(exclusions.shape), "(U, M), a row a user")
        if self._id_variable is None:
            return ops.cast(exclusions, "int32")
        return places_in_graph(exclusions, value(self._id_variable))

    def compute_output_spec(
        self, users: Any, k: int | None = None, exclusions: Any = None, training: bool = False
    ) -> Any:
        """Tell shapes and dtypes of the results, without searching.

        Parameters
        ----------
        users, k, exclusions, training
            As in `call`.

        Returns
        -------
        `keras.KerasTensor`, or two of them
            As `call` returns; the number of columns is None while there are no candidates.

        Raises
        ------
        TypeError, ValueError
            If `users` do not fit the candidates, or `k` is no whole number of at least 1.

        Examples
        --------
        >>> import keras
        >>> import numpy as np
        >>> from cosim_rs.keras import BruteForceRetrieval
        >>> retrieval = BruteForceRetrieval(np.eye(3, dtype="float32"))
        >>> scores, ids = retrieval.compute_output_spec(keras.Input((3,)))
        >>> scores.shape, ids.dtype
        ((None, 3), 'int32')
        """
        self._check_users(users.shape)
        k = self.k if k is None else as_count("k", k)
        known = self.candidate_embeddings
        shape = users.shape[0], (None if known is None else min(k, known.shape[0]))
        dtype = "int32" if self._ids is None else self._ids.tensor_dtype or "string"
        ids = keras.KerasTensor(shape, dtype=dtype)
        if not self.return_scores:
            return ids
        return keras.KerasTensor(shape, dtype=self.compute_dtype), ids

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Pass no mask on.

        Examples
        --------
        >>> from cosim_rs.keras import BruteForceRetrieval
        >>> BruteForceRetrieval().compute_mask(None)
        """

    def get_config(self) -> dict[str, Any]:
        """Tell the arguments that make this layer again, candidates excepted.

        Returns
        -------
        dict
            As `from_config` takes it.

        Examples
        --------
        >>> from cosim_rs.keras import BruteForceRetrieval
        >>> BruteForceRetrieval(k=3).get_config()["k"]
        3
        """
        own = {"k": self.k, "return_scores": self.return_scores, "normalize": self.normalize}
        return {**super().get_config(), **own}


__all__ = ["BruteForceRetrieval"]
