"""The part of a retrieval layer that holds candidates: as weights that can be replaced and saved.

Keras tracks what is set on a layer, so this is one itself, and the layer that searches derives from
it. Nothing here knows of users.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray

from cosim_rs import Catalogue
from cosim_rs._arrays import fitting
from cosim_rs._interchange import as_array
from cosim_rs.keras._candidates import CandidateIds, WatchedVariable, load_ids, save_ids


class CandidateHolder(keras.layers.Layer):
    """A layer with candidates and, if they have names of their own, their ids."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.candidate_embeddings: Any = None
        self._id_variable: Any = None
        self._ids: CandidateIds | None = None
        self._catalogue: tuple[int, Catalogue] | None = None
        self._bound_to_eager = ""

    @property
    def candidate_ids(self) -> NDArray[Any] | None:
        """The ids, shape (N,); None if candidates are known by their rows."""
        return None if self._ids is None else self._ids.names

    def update_candidates(
        self, candidate_embeddings: ArrayLike, candidate_ids: ArrayLike | None = None
    ) -> None:
        """Replace all candidates, by any number of them.

        As many candidates as before, with ids if there were ids, are seen by a model's graphs that
        are compiled already. After other changes models on JAX and torch compile anew by
        themselves; on TensorFlow a graph made before finds nothing any more: compile the model
        again. A ``jax.jit`` of your own keeps the candidates it has seen, as it keeps any weights
        that are not passed to it.

        Parameters
        ----------
        candidate_embeddings : array_like, shape (N, D)
            The new candidates, copied, in the layer's variable dtype.
        candidate_ids : array_like, shape (N,), optional
            Their ids. By default their rows.

        Raises
        ------
        TypeError, ValueError
            If they are of another kind or shape, or ids not unique; nothing is replaced then.

        Examples
        --------
        >>> import numpy as np
        >>> from cosim_rs.keras import BruteForceRetrieval
        >>> retrieval = BruteForceRetrieval(np.eye(3, dtype="float32"), k=1)
        >>> retrieval.update_candidates(np.eye(5, dtype="float32"), [10, 20, 30, 40, 50])
        >>> scores, ids = retrieval(np.eye(5, dtype="float32")[3:])
        >>> np.asarray(ids).tolist()
        [[40], [50]]
        """
        # A copy, as JAX uses an array where it lies if it can.
        embeddings = np.array(as_array("candidate_embeddings", at_hand(candidate_embeddings)))
        if embeddings.ndim != 2:
            raise fitting("candidate_embeddings", embeddings.shape, "(N, D)")
        ids, id_dtype = None, None
        if candidate_ids is not None:
            ids = CandidateIds(at_hand(candidate_ids), len(embeddings))
            id_dtype = ids.tensor_dtype
        has_same_kind = (self._id_variable is None) == (id_dtype is None)
        self._set("candidate_embeddings", embeddings, self.variable_dtype, has_same_kind)
        self._set("_id_variable", None if ids is None or id_dtype is None else ids.names, id_dtype)
        self._ids = ids
        self._catalogue = None
        # In words already, as tracers stumble over an array of strings even in an error.
        self._bound_to_eager = ""
        if ids is not None and id_dtype is None:
            self._bound_to_eager = (
                f"candidate_ids of dtype {ids.names.dtype} cannot be in a compiled graph: "
                "call the layer, or the model, eagerly; or leave candidate_ids out and look up "
                "the rows that it returns"
            )

    def _set(
        self, attribute: str, values: NDArray[Any] | None, dtype: str | None, may_stay: bool = True
    ) -> None:
        """Assign to the variable, or put another one in its place if it does not fit."""
        old = getattr(self, attribute)
        if values is not None:
            values = ops.convert_to_tensor(values, dtype)
            wanted = tuple(values.shape), dtype
            if old is not None and may_stay and (tuple(old.shape), old.dtype) == wanted:
                old.assign(values)
                return
        was_locked = self._tracker.locked
        if old is not None:
            if keras.backend.backend() == "tensorflow" and keras.backend.is_float_dtype(old.dtype):
                # Graphs that still hold it must not answer with what is no more.
                old.assign(ops.full(old.shape, float("nan"), old.dtype))
            self._untrack_variable(old)
        self._tracker.unlock()
        setattr(self, attribute, None)
        if values is not None:
            name = attribute.removeprefix("_")
            options = {"dtype": dtype, "trainable": False, "autocast": False, "name": name}
            setattr(self, attribute, WatchedVariable(values, **options))
        if was_locked:
            self._tracker.lock()

    def _as_catalogue(self) -> Catalogue:
        """The candidates, prepared for searching; anew after they were assigned, by whomever."""
        version = self.candidate_embeddings.version
        if self._catalogue is None or self._catalogue[0] != version:
            items = np.asarray(at_hand(self.candidate_embeddings))
            self._catalogue = version, Catalogue(items)
        return self._catalogue[1]

    def _named(self, places: Any) -> Any:
        """The ids at these places, which are a tensor or an array."""
        if self._ids is None:
            return ops.cast(ops.convert_to_tensor(places), "int32")
        if self._id_variable is None:
            return self._ids.named(np.asarray(at_hand(places)))
        if not ops.is_tensor(places):
            return ops.convert_to_tensor(self._ids.named(places), self._id_variable.dtype)
        names = ops.take(value(self._id_variable), ops.maximum(places, 0))
        return ops.where(places < 0, -ops.ones_like(names), names)

    def save_own_variables(self, store: Any) -> None:
        """Save embeddings and ids, if there are any.

        Parameters
        ----------
        store : dict
            Keras' own.

        Raises
        ------
        OSError
            If they cannot be written.

        Examples
        --------
        >>> import numpy as np
        >>> from cosim_rs.keras import BruteForceRetrieval
        >>> store = {}
        >>> BruteForceRetrieval(np.eye(2, dtype="float32"), ["a", "bc"]).save_own_variables(store)
        >>> sorted(store)
        ['embeddings', 'ids_ends', 'ids_utf8']
        """
        if self.candidate_embeddings is not None:
            store["embeddings"] = at_hand(self.candidate_embeddings)
        if self._ids is not None:
            save_ids(store, self._ids.names)

    def load_own_variables(self, store: Any) -> None:
        """Take over what was saved, also if it is another number of candidates.

        Nothing changes if none were saved.

        Parameters
        ----------
        store : dict
            Keras' own.

        Raises
        ------
        TypeError, ValueError
            If what was saved are no candidates.

        Examples
        --------
        >>> import numpy as np
        >>> from cosim_rs.keras import BruteForceRetrieval
        >>> store, retrieval = {}, BruteForceRetrieval()
        >>> BruteForceRetrieval(np.eye(2, dtype="float32"), ["a", "bc"]).save_own_variables(store)
        >>> retrieval.load_own_variables(store)
        >>> retrieval.candidate_ids.tolist()
        ['a', 'bc']
        """
        if "embeddings" in store.keys():  # noqa: SIM118 - Keras 3.5 has no `in`
            self.update_candidates(np.asarray(store["embeddings"]), load_ids(store))


def value(variable: Any) -> Any:
    """A variable's values as a tensor; `convert_to_tensor` gives TensorFlow's variable back."""
    return ops.stop_gradient(variable.value)


def at_hand(values: Any) -> Any:
    """A tensor's or a variable's values as an array; anything else as it is."""
    if isinstance(values, keras.Variable):
        values = value(values)
    if not ops.is_tensor(values):
        return values
    # TensorFlow's bfloat16 knows NumPy 1's protocol alone, by which Keras converts.
    is_tensorflow = keras.backend.backend() == "tensorflow"
    return values.numpy() if is_tensorflow else ops.convert_to_numpy(values)


__all__ = ["CandidateHolder", "at_hand", "value"]
