"""What was found, as columns; and what was skipped, as a note beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from cosim_rs._search import TopK
from cosim_rs.batch._naming import Naming

RESULT = {"nested": ("recommendations",), "long": ("rank", "item_id", "score")}
"""The columns of what is found, beside the ids, by the format."""
NOTE = b"cosim_rs.skipped"
"""The key of the schema's metadata."""


def skipped(result: pa.RecordBatch | pa.Table | pa.Schema) -> dict[str, int]:
    """How much was skipped, by the reason.

    Parameters
    ----------
    result : pyarrow.RecordBatch, Table or Schema
        What a scorer gave.

    Returns
    -------
    dict
        ``null`` and ``not finite`` are vectors that have no result; ``unknown excluded`` and
        ``unknown candidates`` are ids that the catalogue does not have. What was not met is not
        there.
    """
    schema = result if isinstance(result, pa.Schema) else result.schema
    counts: dict[str, int] = json.loads((schema.metadata or {}).get(NOTE, b"{}"))
    return counts


def with_skipped(columns: Mapping[str, pa.Array], counts: Mapping[str, int]) -> pa.RecordBatch:
    """A batch of these columns that tells what was skipped."""
    note = json.dumps({reason: count for reason, count in counts.items() if count}, sort_keys=True)
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    return pa.RecordBatch.from_arrays(
        list(columns.values()), schema=pa.schema(fields, {NOTE: note.encode()})
    )


class Found:
    """What a search found, row by row of a batch.

    Parameters
    ----------
    found : TopK
        Places and scores.
    naming : Naming
        What the places are called.
    """

    def __init__(self, found: TopK, naming: Naming) -> None:
        is_item = found.indices >= 0
        self._counts = np.count_nonzero(is_item, axis=1)
        self._starts = np.concatenate([[0], np.cumsum(self._counts)])
        is_full = int(self._starts[-1]) == is_item.size
        places = found.indices.ravel() if is_full else found.indices[is_item]
        scores = found.scores.ravel() if is_full else found.scores[is_item]
        self._items = naming.named(places)
        self._scores = pa.array(scores)

    def nested(self) -> dict[str, pa.Array]:
        """A list a row."""
        pairs = pa.StructArray.from_arrays([self._items, self._scores], ["item_id", "score"])
        starts = pa.array(self._starts.astype(np.int32))
        return {"recommendations": pa.ListArray.from_arrays(starts, pairs)}

    def long(self, ids: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """A row an item, with the row's ids repeated, and ranks from 1 on."""
        rows = np.repeat(np.arange(len(self._counts)), self._counts)
        ranks = np.arange(len(rows)) - self._starts[rows] + 1
        repeated = {name: column.take(pa.array(rows)) for name, column in ids.items()}
        return {
            **repeated,
            "rank": pa.array(ranks.astype(np.int32)),
            "item_id": self._items,
            "score": self._scores,
        }


__all__ = ["RESULT", "Found", "skipped", "with_skipped"]
