"""Scores of the two vectors that are in each row of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cosim_rs import _arrays
from cosim_rs._scores import paired_cosine_similarity
from cosim_rs.batch._columns import check_batch, column_of, dim_of, vectors_of
from cosim_rs.batch._results import with_skipped


@dataclass(frozen=True)
class PairScorer:
    """Scores two columns of vectors against each other, row by row.

    The scores are those of `paired_cosine_similarity`, bit for bit. Where a vector is null or has a
    null, a NaN or an infinity in it the score is null, and `skipped` counts the row.

    Parameters
    ----------
    x_column, y_column : str
        Vectors of one length, in any of the forms that `BatchScorer` takes.
    id_column, threads
        As for `BatchScorer`.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from cosim_rs.batch import PairScorer
    >>> pairs = pa.record_batch({"x": [[1.0, 0.0], [2.0, 1.0]], "y": [[3.0, 4.0], None]})
    >>> PairScorer("x", "y")(pairs).column("score").to_pylist()
    [0.6, None]
    """

    x_column: str
    y_column: str
    id_column: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        vars(self).update(threads=_arrays.as_threads(self.threads))
        if self.id_column == "score":
            raise ValueError("id_column: got 'score', as the column of the result is called")

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score the pairs; see `BatchScorer`."""
        check_batch(batch)
        names = self.x_column, self.y_column
        dim = next((dim for name in names if (dim := dim_of(batch, name)) is not None), 0)
        x, y = (vectors_of(batch, name, dim, "as the others") for name in names)
        scores = paired_cosine_similarity(x.vectors, y.vectors, threads=self.threads)
        # Where there are nulls alone their length is not known, so of their scores nothing is.
        missing = x.missing | y.missing
        unscored = missing | np.isnan(scores)
        null = np.count_nonzero(missing)
        name = self.id_column
        ids = {} if name is None else {name: column_of(batch, name)}
        columns = ids | {"score": pa.array(scores, mask=unscored)}
        counts = {"null": int(null), "not finite": int(np.count_nonzero(unscored) - null)}
        return with_skipped(columns, counts)


__all__ = ["PairScorer"]
