"""Who takes part in which table."""

from __future__ import annotations

from . import batched, candidates, excluding, inputs, matrix, search, stored
from .cases import Case
from .contenders import Contender


def contenders(case: Case) -> list[Contender]:
    """Everyone of a case, the library first."""
    if case.table == "search-excluding":
        return excluding.contenders(case)
    if case.table == "stored":
        return stored.contenders(case)
    if case.table == "inputs":
        return inputs.contenders(case)
    if case.rows:
        return candidates.contenders(case)
    if case.k:
        return search.contenders(case)
    return batched.contenders(case) if case.is_batch else matrix.contenders(case)
