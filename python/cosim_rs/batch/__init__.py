"""Scoring batches of a table: an Arrow record batch in, a record batch out.

`BatchScorer` is what jobs on files and on engines are made of. It names the columns, holds nothing
but plain values, and so goes to any process, where it opens the catalogue by its path, once. It
needs pyarrow: ``pip install cosim-rs[batch]``.
"""

try:
    import pyarrow  # noqa: F401 -- to say what is missing
except ImportError as error:
    raise ImportError("cosim_rs.batch needs pyarrow: pip install cosim-rs[batch]") from error

from cosim_rs.batch._errors import ColumnError
from cosim_rs.batch._listed import ListScorer
from cosim_rs.batch._pairs import PairScorer
from cosim_rs.batch._results import skipped
from cosim_rs.batch._scorer import BatchScorer, score_batch

__all__ = ["BatchScorer", "ColumnError", "ListScorer", "PairScorer", "score_batch", "skipped"]
