"""Who takes part in which table."""

from __future__ import annotations

from . import (
    batched,
    candidates,
    changing,
    excluding,
    inputs,
    matrix,
    opening,
    pairs,
    ranges,
    search,
    stored,
)
from .cases import Case
from .contenders import Contender

OWN = {
    "search-excluding": excluding,
    "stored": stored,
    "inputs": inputs,
    "opening": opening,
    "changing": changing,
    "ranges": ranges,
    "pairs": pairs,
}
"""Tables that have a line-up of their own."""


def contenders(case: Case) -> list[Contender]:
    """Everyone of a case, the library first."""
    if case.table in OWN:
        return OWN[case.table].contenders(case)
    if case.rows:
        return candidates.contenders(case)
    if case.k:
        return search.contenders(case)
    return batched.contenders(case) if case.is_batch else matrix.contenders(case)
