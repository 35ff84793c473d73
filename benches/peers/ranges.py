"""Who finds all items of at least a score for each user.

Everyone has prepared its items before the clock starts, but for *in one shot*. The rows of the
library are sorted, which nobody else's are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Case, Inputs
from .contenders import Call, Contender, threads
from .search import by_product
from .vectors import directions

BLOCK = 32
"""Users of a block of NumPy's: their scores with 100,000 items are 13 MB."""


def contenders(_: Case) -> list[Contender]:
    """Everyone who takes part, the library first."""
    return [
        Contender("cosim_rs Catalogue", "cosim_rs", _catalogue, ("cosim_rs",), "rows"),
        Contender("cosim_rs in one shot", "one shot", _one_shot, ("cosim_rs",), "rows"),
        Contender("NumPy in blocks", "NumPy", _numpy, expects="rows"),
        Contender("FAISS IndexFlatIP", "FAISS", _faiss, ("faiss",), "rows"),
        Contender("FAISS IndexFlatIP, BLAS", "FAISS", _faiss_blas, ("faiss",), "rows"),
    ]


def _catalogue(inputs: Inputs) -> Call:
    import cosim_rs

    users, least, catalogue = inputs.users, inputs.least, cosim_rs.Catalogue(inputs.items)
    return lambda: catalogue.range_search(users, least)


def _one_shot(inputs: Inputs) -> Call:
    import cosim_rs

    users, items, least = inputs.users, inputs.items, inputs.least
    return lambda: cosim_rs.range_search(users, items, least)


def _numpy(inputs: Inputs) -> Call:
    users, transposed, least = inputs.users, inputs.directions.T, inputs.least
    count = len(inputs.items)

    def call() -> Any:
        parts = []
        for start in range(0, len(users), BLOCK):
            scores = (directions(users[start : start + BLOCK]) @ transposed).reshape(-1)
            reached = np.flatnonzero(scores >= least)
            parts.append((start * count + reached, scores[reached]))
        numbers, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
        of, items = np.divmod(numbers, count)
        return np.searchsorted(of, np.arange(len(users) + 1)), items, scores

    return call


def _faiss(inputs: Inputs) -> Call:
    import faiss

    faiss.omp_set_num_threads(threads())
    users, least, index = inputs.users, inputs.least, faiss.IndexFlatIP(inputs.items.shape[1])
    index.add(inputs.directions)

    def call() -> Any:
        starts, scores, items = index.range_search(directions(users), least)
        return starts, items, scores

    return call


def _faiss_blas(inputs: Inputs) -> Call:
    return by_product(_faiss(inputs))
