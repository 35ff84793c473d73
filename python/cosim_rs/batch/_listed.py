"""Scores of the items that are listed in each row of a batch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cosim_rs import _arrays
from cosim_rs._arrays import Scores, Vectors
from cosim_rs.batch._columns import check_batch, column_of, lists_of, vectors_of
from cosim_rs.batch._naming import Places
from cosim_rs.batch._opened import Opened, opened
from cosim_rs.batch._results import with_skipped

MOST_PLACES = 1 << 20
"""Of a table that lists of unlike lengths are filled up to."""


@dataclass(frozen=True)
class ListScorer:
    """Scores each row's own list of a catalogue's items.

    The scores are those of `Catalogue.scores`, bit for bit. A vector that is null or has a null, a
    NaN or an infinity in it has null instead of scores, and `skipped` counts it. An id that the
    catalogue does not have has null instead of a score, and is counted as well.

    Parameters
    ----------
    catalogue, vector_column, id_column, threads
        As for `BatchScorer`.
    candidates_column : str
        Lists of ids. The result has them as well, beside ``scores``, lists of the same lengths.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import pyarrow as pa
    >>> import cosim_rs
    >>> from cosim_rs.batch import ListScorer
    >>> path = os.path.join(tempfile.mkdtemp(), "items.safetensors")
    >>> cosim_rs.Catalogue(np.eye(3), ids=["tea", "cup", "mug"]).save(path)
    >>> users = pa.record_batch({"taste": [[0.0, 3.0, 4.0]], "offers": [["mug", "jug", "tea"]]})
    >>> ListScorer(path, "taste", "offers")(users).column("scores").to_pylist()
    [[0.8, None, 0.0]]
    """

    catalogue: str
    vector_column: str
    candidates_column: str
    id_column: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without the catalogue."""
        threads = _arrays.as_threads(self.threads)
        vars(self).update(catalogue=os.fspath(self.catalogue), threads=threads)
        if "scores" in (self.id_column, self.candidates_column):
            raise ValueError("got a column called 'scores', as the one of the result is called")

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score the lists of each row; see `BatchScorer`."""
        check_batch(batch)
        items = opened(self.catalogue)
        users = vectors_of(batch, self.vector_column, items.dim)
        starts, ids = lists_of(batch, self.candidates_column)
        places = items.find(self.candidates_column, ids)
        scores = _scores(items, users.vectors, starts, places, self.threads)
        rows = np.repeat(np.arange(len(batch)), np.diff(starts))
        suspects = np.ones(len(batch), np.bool_)
        suspects[rows[np.isfinite(scores)]] = False  # with another vector, all would be NaN
        skipped = users.not_finite(suspects)
        lists = pa.ListArray.from_arrays(
            pa.array(starts.astype(np.int32)),
            pa.array(scores, mask=places < 0),
            mask=pa.array(skipped),
        )
        names = (self.id_column, self.candidates_column)
        columns = {name: column_of(batch, name) for name in names if name is not None}
        unknown = int(np.count_nonzero(places < 0)) - ids.null_count
        counts = users.skipped(skipped) | {"unknown candidates": unknown}
        return with_skipped(columns | {"scores": lists}, counts)


def _scores(
    items: Opened,
    users: Vectors,
    starts: NDArray[np.int64],
    places: Places,
    threads: int | None,
) -> Scores:
    """The score of each place, for the user whose list it is in."""
    dtype = np.result_type(items.dtype, _arrays.scored_dtype(users))
    scores = np.empty(len(places), dtype)
    lengths = np.diff(starts)
    for first, end, most in _cuts(lengths):
        is_filled = np.arange(most) < lengths[first:end, None]
        table = np.full(is_filled.shape, -1)
        here = slice(starts[first], starts[end])
        table[is_filled] = places[here]
        scores[here] = items.scores(users[first:end], table, threads)[is_filled]
    return scores


def _cuts(lengths: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Rows from one to another whose lists fit a table of moderate size, and its columns."""
    first = most = 0
    for row, length in enumerate(lengths.tolist()):
        if max(most, length) * (row + 1 - first) > MOST_PLACES and row > first:
            yield first, row, most
            first, most = row, 0
        most = max(most, length)
    if len(lengths):
        yield first, len(lengths), most


__all__ = ["ListScorer"]
