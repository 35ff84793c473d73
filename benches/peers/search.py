"""Who finds the best items of each user, exactly, and what preparing for it takes.

Everyone has prepared its items outside the clock, but for the library's search in one shot. The
users come as they are, and whoever needs them at length 1 brings them there inside it.

The fastest exact peer of a shape is what the library is compared with; so all of them are one
family, and one that has a better setting than its default takes part with both.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import approximate, sums
from .cases import Array, Case, Inputs
from .contenders import Call, Contender, threads
from .found import Found
from .vectors import directions

PEER = "exact peer"


def contenders(case: Case) -> list[Contender]:
    """Everyone who takes part, the library first."""
    if case.table == "search-preparing":
        prepared = Contender(
            "cosim_rs.Catalogue", "cosim_rs", _preparing, ("cosim_rs",), "catalogue"
        )
        return [prepared, *sums.contenders()]
    entries = [
        Contender("cosim_rs Catalogue", "cosim_rs", _catalogue, ("cosim_rs",), "best"),
        Contender("cosim_rs in one shot", "one shot", _one_shot, ("cosim_rs",), "best"),
    ]
    if case.table == "search":
        entries += [*_peers(), approximate.torch_bfloat16()]
    if case.indexed:
        entries += approximate.indexes()
    if case.shape[0] == 1:
        # One user's search is bound by reading; with more, arithmetic comes on top of it.
        entries += sums.contenders("codes")
    return entries


def _peers() -> list[Contender]:
    # usearch returns 1 − x, from which the score comes by one more subtraction.
    subtracted = 2.0**-23
    return [
        Contender("NumPy matmul + argpartition", PEER, _numpy, expects="best"),
        Contender("torch mm + topk", PEER, _torch, ("torch",), "best"),
        Contender("JAX jit, matmul + top_k", PEER, _jax, ("jax",), "best"),
        Contender("FAISS IndexFlatIP", PEER, _faiss, ("faiss",), "best"),
        Contender("FAISS IndexFlatIP, BLAS", PEER, _faiss_blas, ("faiss",), "best"),
        Contender("usearch, exact", PEER, _usearch, ("usearch",), "best", subtracted),
        Contender("implicit topk", PEER, _implicit, ("implicit",), "best"),
    ]


def _catalogue(inputs: Inputs) -> Call:
    import cosim_rs

    users, k, catalogue = inputs.users, inputs.k, cosim_rs.Catalogue(inputs.items)
    note = f"{_scored(inputs):.0f} items scored a user"

    def call() -> Found:
        found = catalogue.top_k(users, k)
        return Found(found.scores, found.ids, note)

    return call


def _scored(inputs: Inputs) -> float:
    """How many items, of all that there are, the bound leaves to be scored exactly for a user."""
    from cosim_rs import _cosim_rs
    from cosim_rs._search import Filter, Segment

    codes = _cosim_rs.prepare(inputs.items, 0.0, None)
    segments = [Segment(inputs.items, codes)]
    found = _cosim_rs.top_k(inputs.users, segments, inputs.k, Filter(), 0.0, None)
    assert found is not None
    return found[2] / len(inputs.users)


def _one_shot(inputs: Inputs) -> Call:
    import cosim_rs

    users, items, k = inputs.users, inputs.items, inputs.k
    return lambda: cosim_rs.top_k(users, items, k)


def _preparing(inputs: Inputs) -> Call:
    import cosim_rs

    items = inputs.items
    return lambda: cosim_rs.Catalogue(items)


def _numpy(inputs: Inputs) -> Call:
    users, transposed, k = inputs.users, inputs.directions.T, inputs.k

    return lambda: best_of(directions(users) @ transposed, k)


def best_of(scores: Array, k: int) -> Found:
    """The best k of each row, by NumPy."""
    items = np.argpartition(scores, -k, axis=1)[:, -k:]
    best = np.take_along_axis(scores, items, axis=1)
    order = np.argsort(-best, axis=1)
    return Found(np.take_along_axis(best, order, axis=1), np.take_along_axis(items, order, axis=1))


def _torch(inputs: Inputs) -> Call:
    import torch
    from torch.nn.functional import normalize

    torch.set_num_threads(threads())
    users, k = torch.from_numpy(inputs.users), inputs.k
    transposed = torch.from_numpy(inputs.directions).T

    @torch.inference_mode()
    def call() -> Any:
        return torch.topk(torch.mm(normalize(users), transposed), k)

    return call


def _jax(inputs: Inputs) -> Call:
    import jax
    import jax.numpy as jnp

    users, items = jnp.asarray(inputs.users), jnp.asarray(inputs.directions)

    @partial(jax.jit, static_argnums=2)
    def found(users: Any, items: Any, k: int) -> Any:
        scaled = users / jnp.linalg.norm(users, axis=1, keepdims=True)
        return jax.lax.top_k(scaled @ items.T, k)

    return lambda: [part.block_until_ready() for part in found(users, items, inputs.k)]


def _faiss(inputs: Inputs) -> Call:
    import faiss

    faiss.omp_set_num_threads(threads())
    users, k, index = inputs.users, inputs.k, faiss.IndexFlatIP(inputs.items.shape[1])
    index.add(inputs.directions)
    return lambda: index.search(directions(users), k)


def _faiss_blas(inputs: Inputs) -> Call:
    return by_product(_faiss(inputs))


def by_product(search: Call) -> Call:
    """By a matrix product, which FAISS does without up to batches that suit dozens of threads."""
    import faiss

    default = faiss.cvar.distance_compute_blas_threshold

    def call() -> Any:
        # Of the whole library, and so only for this call.
        faiss.cvar.distance_compute_blas_threshold = 0
        try:
            return search()
        finally:
            faiss.cvar.distance_compute_blas_threshold = default

    return call


def _usearch(inputs: Inputs) -> Call:
    from usearch.index import search

    users, items, k, count = inputs.users, inputs.directions, inputs.k, threads()
    shape = len(users), k

    def call() -> Found:
        found = search(items, directions(users), k, "ip", exact=True, threads=count)
        return Found(1 - found.distances.reshape(shape), found.keys.reshape(shape))

    return call


def _implicit(inputs: Inputs) -> Call:
    from implicit.cpu.topk import topk

    users, items, k, count = inputs.users, inputs.directions, inputs.k, threads()

    def call() -> Found:
        found, scores = topk(items, directions(users), k, num_threads=count)
        return Found(scores, found)

    return call
