"""The best items of a catalogue for each row of a batch."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from cosim_rs import _arrays, _filters
from cosim_rs._search import Filter
from cosim_rs.batch._columns import check_batch, column_of, is_vectors, lists_of, vectors_of
from cosim_rs.batch._naming import Places, given_ids
from cosim_rs.batch._opened import Opened, opened
from cosim_rs.batch._results import RESULT, Found, with_skipped


@dataclass(frozen=True, eq=False)
class BatchScorer:
    """Finds the best items of a catalogue for each row of a record batch.

    It holds the path of the catalogue, which each process that calls it opens once; so it can be
    pickled and sent to the workers of any engine. What it finds is, bit for bit, what
    `Catalogue.top_k` finds, however the rows are cut into batches.

    A vector that is null or has a null, a NaN or an infinity in it finds nothing: its list is
    empty, and `skipped` counts it. A zero vector scores 0 with every item. Ids in `exclude_column`
    and `candidates_column` that the catalogue does not have are left out, and counted.

    Parameters
    ----------
    catalogue : str or os.PathLike
        A file that `Catalogue.save` or ``cosim-rs index`` has written.
    k : int, default 10
        How many items to find; at least 1.
    id_column : str, optional
        What names the rows, taken over into the result: of any type, a dictionary as its values,
        views of strings as large strings.
    vector_column : str, optional
        The vectors: a column of lists of numbers, of a fixed size or not, or of fixed-shape
        tensors. By default the only such one that no other parameter names.
    exclude_column, candidates_column : str, optional
        Lists of items that a row must not get, and of the only ones that it may get. A null is an
        empty list.
    allow : array_like, optional
        Ids of the only items that any row may get.
    min_score : float, optional
        The least score.
    format : {"nested", "long"}, default "nested"
        One row a row, with ``recommendations``, a list of ``item_id`` and ``score``; or one row an
        item, with ``rank`` (from 1 on), ``item_id`` and ``score``.
    threads : int, optional
        The most threads to use. An engine that runs several workers on a machine does not say how
        many CPUs each may use: say it here.

    Raises
    ------
    OSError
        From a call, if the catalogue cannot be read.
    TypeError, ValueError
        If an option has a value that is not allowed; from a call if `allow` has an id that the
        catalogue does not have, or what comes is no record batch, and a `ColumnError`, which is a
        ValueError, if a column is missing, of another type than it should be, or has a vector of
        another length than the items.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import pyarrow as pa
    >>> import cosim_rs
    >>> from cosim_rs.batch import BatchScorer
    >>> path = os.path.join(tempfile.mkdtemp(), "items.safetensors")
    >>> cosim_rs.Catalogue(np.eye(3), ids=["tea", "cup", "mug"]).save(path)
    >>> users = pa.record_batch({"user": [7, 8], "taste": [[0.0, 3.0, 4.0], None]})
    >>> found = BatchScorer(path, k=2, id_column="user")(users)
    >>> found.column("recommendations").to_pylist()
    [[{'item_id': 'mug', 'score': 0.8}, {'item_id': 'cup', 'score': 0.6}], []]
    >>> cosim_rs.batch.skipped(found)
    {'null': 1}
    """

    catalogue: str
    k: int = 10
    id_column: str | None = None
    vector_column: str | None = None
    exclude_column: str | None = None
    candidates_column: str | None = None
    allow: ArrayLike | None = None
    min_score: float | None = None
    format: str = "nested"
    threads: int | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without the catalogue."""
        checked = {
            "catalogue": os.fspath(self.catalogue),
            "k": _arrays.as_count("k", self.k),
            "allow": None if self.allow is None else given_ids("allow", self.allow),
            "min_score": _filters.as_min_score(self.min_score),
            "threads": _arrays.as_threads(self.threads),
        }
        vars(self).update(checked)
        if self.format not in RESULT:
            raise ValueError(f"format: got {self.format!r}, expected one of {', '.join(RESULT)}")
        if self.format == "long" and self.id_column is None:
            raise ValueError(
                "format: got 'long' and no id_column, expected one to tell rows apart by"
            )
        if self.id_column in RESULT[self.format]:
            raise ValueError(
                f"id_column: got {self.id_column!r}, as a column of the result is called"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was made of the options in this process."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Find the best items for each row.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            U rows.

        Returns
        -------
        pyarrow.RecordBatch
            The ids and the items found, in the order of the rows; see `skipped`.
        """
        check_batch(batch)
        items = opened(self.catalogue)
        users = vectors_of(batch, self._vectors_in(batch.schema), items.dim)
        exclude, unknown_excluded = _listed(items, batch, self.exclude_column)
        candidates, unknown_candidates = _listed(items, batch, self.candidates_column)
        filter = Filter(self.min_score, exclude, self._allowed(items), candidates)
        found = items.top_k(users.vectors, self.k, filter, self.threads)
        counts = users.skipped(users.not_finite(np.all(found.indices < 0, axis=1)))
        counts |= {"unknown excluded": unknown_excluded, "unknown candidates": unknown_candidates}
        name = self.id_column
        ids = {} if name is None else {name: column_of(batch, name)}
        result = Found(found, items.naming)
        columns = result.long(ids) if self.format == "long" else ids | result.nested()
        return with_skipped(columns, counts)

    def _vectors_in(self, schema: pa.Schema) -> str:
        """The name of the column of vectors."""
        if self.vector_column is not None:
            return self.vector_column
        taken = (self.id_column, self.exclude_column, self.candidates_column)
        names = [field.name for field in schema if is_vectors(field.type)]
        fitting = [name for name in names if name not in taken]
        if len(fitting) != 1:
            got = f"vectors in {', '.join(fitting)}" if fitting else f"no vectors in {schema.names}"
            raise ValueError(
                f"vector_column: got none and {got}, expected to be told which to take"
            )
        return str(fitting[0])

    @cached_property
    def _flags(self) -> WeakKeyDictionary[Opened, NDArray[np.bool_]]:
        """A flag an item, which goes with the catalogue that it was made for."""
        return WeakKeyDictionary()

    def _allowed(self, items: Opened) -> NDArray[np.bool_] | None:
        """A flag an item."""
        if self.allow is None:
            return None
        flags = self._flags.get(items)
        if flags is None:
            flags = self._flags[items] = items.allowed(self.allow)
        return flags


def score_batch(
    batch: pa.RecordBatch, catalogue: str | os.PathLike[str], **options: Any
) -> pa.RecordBatch:
    """Find the best items of a catalogue for each row of a record batch.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        U rows.
    catalogue : str or os.PathLike
        The catalogue's file, which stays open in this process.
    **options
        As `BatchScorer` takes them.

    Returns
    -------
    pyarrow.RecordBatch
        What ``BatchScorer(catalogue, **options)(batch)`` gives.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import pyarrow as pa
    >>> import cosim_rs
    >>> path = os.path.join(tempfile.mkdtemp(), "items.safetensors")
    >>> cosim_rs.Catalogue(np.eye(2)).save(path)
    >>> users = pa.record_batch({"user": ["ann"], "taste": [[4.0, 3.0]]})
    >>> cosim_rs.batch.score_batch(users, path, id_column="user", format="long").to_pylist()
    [{'user': 'ann', 'rank': 1, 'item_id': 0, 'score': 0.8}, \
{'user': 'ann', 'rank': 2, 'item_id': 1, 'score': 0.6}]
    """
    return BatchScorer(os.fspath(catalogue), **options)(batch)


def _listed(
    items: Opened, batch: pa.RecordBatch, column: str | None
) -> tuple[tuple[Places, Places] | None, int]:
    """Listed items as the filter takes them, and how many ids are unknown."""
    if column is None:
        return None, 0
    lists = lists_of(batch, column)
    places = items.find(column, lists.values)  # -1 of what is unknown, which the filter leaves out
    unknown = int(np.count_nonzero(places < 0)) - lists.values.null_count
    return (lists.starts, places), unknown


__all__ = ["BatchScorer", "score_batch"]
