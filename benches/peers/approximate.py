"""Who finds most of the best items of each user, but not all: the price of being exact.

An index is tuned before it is timed: its effort rises by a quarter until it finds as many of the
best items as are asked for. The smallest such effort is the fastest, and the table says what it is
and what was found with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .cases import Inputs
from .contenders import Call, Contender, threads
from .found import Found
from .vectors import directions

RECALL = 0.95
"""The share of the best items that an index has to find."""
LINKS = 32
"""Of each item of a graph: what is usual for some hundred thousand vectors."""


def torch_bfloat16() -> Contender:
    """Half the bytes and twice the arithmetic, at scores of two to three digits."""
    return Contender("torch mm + topk, bfloat16", "bfloat16", _torch_bfloat16, ("torch",), "recall")


def indexes() -> list[Contender]:
    """Indexes that look at some of the items only."""
    return [
        Contender("FAISS IndexHNSWFlat", "HNSW", _hnsw, ("faiss",), "recall"),
        Contender("FAISS IndexIVFFlat", "IVF", _ivf, ("faiss",), "recall"),
    ]


def _torch_bfloat16(inputs: Inputs) -> Call:
    import torch
    from torch.nn.functional import normalize

    torch.set_num_threads(threads())
    users, k = torch.from_numpy(inputs.users), inputs.k
    transposed = torch.from_numpy(inputs.directions).bfloat16().T

    @torch.inference_mode()
    def call() -> Found:
        scores, items = torch.topk(torch.mm(normalize(users).bfloat16(), transposed), k)
        return Found(scores.float(), items)

    return call


def _hnsw(inputs: Inputs) -> Call:
    import faiss

    faiss.omp_set_num_threads(threads())
    depth = inputs.items.shape[1]
    index = faiss.IndexHNSWFlat(depth, LINKS, faiss.METRIC_INNER_PRODUCT)
    index.add(inputs.directions)

    def exert(effort: int) -> str:
        index.hnsw.efSearch = effort
        return f"efSearch {effort}"

    return _tuned(index, inputs, exert, start=inputs.k, most=len(inputs.items))


def _ivf(inputs: Inputs) -> Call:
    import faiss

    faiss.omp_set_num_threads(threads())
    depth = inputs.items.shape[1]
    # As many lists as items in a list, so that choosing among either costs the same.
    lists = math.isqrt(len(inputs.items))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(depth), depth, lists, faiss.METRIC_INNER_PRODUCT)
    index.train(inputs.directions)
    index.add(inputs.directions)

    def exert(effort: int) -> str:
        index.nprobe = effort
        return f"nprobe {effort}"

    return _tuned(index, inputs, exert, start=1, most=lists)


def _tuned(index: Any, inputs: Inputs, exert: Callable[[int], str], start: int, most: int) -> Call:
    """The search with the least effort that finds enough, of `start` and what follows it."""
    import faiss

    users, k = inputs.users, inputs.k
    exact = faiss.IndexFlatIP(inputs.items.shape[1])
    exact.add(inputs.directions)
    # Two sums of one product may differ in their last bits.
    least = exact.search(directions(users), k)[0][:, -1:] - 1e-6
    effort = start
    setting = exert(effort)
    while (index.search(directions(users), k)[0] >= least).mean() < RECALL and effort < most:
        effort = min(math.ceil(1.25 * effort), most)
        setting = exert(effort)

    def call() -> Found:
        scores, items = index.search(directions(users), k)
        return Found(scores, items, setting)

    return call
