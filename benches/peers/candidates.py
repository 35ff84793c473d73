"""Who scores lists of candidates out of one table, and so reads rows here and there.

The library and the kernels of `gather` read a row where it lies. Everyone else first copies all
that is listed to (B, N, D), as users do; whoever can copies it to a place already touched.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .cases import Case, Inputs
from .contenders import Call, Contender, threads


def contenders(_: Case) -> list[Contender]:
    """Everyone who takes part, the library first."""
    kernels = ("over_users", "over_rows", "over_parts")
    gathers = ("over_users", "over_parts", "over_all")
    return [
        Contender("cosim_rs", "cosim_rs", partial(_cosim, np.int64), ("cosim_rs",)),
        Contender("cosim_rs, int32", "int32", partial(_cosim, np.int32), ("cosim_rs",)),
        *(_gather(name) for name in gathers),
        *(_taken(name) for name in kernels),
        Contender("NumPy indexing + numba", "take + numba", _indexed, ("numba",)),
        Contender("NumPy take + einsum", "take + einsum", _einsum),
        Contender("torch index + normalize + bmm", "torch", _torch, ("torch",)),
    ]


def _cosim(dtype: type, inputs: Inputs) -> Call:
    import cosim_rs

    users, items, scores = inputs.users, inputs.items, inputs.scores()
    ids = inputs.ids.astype(dtype)
    return lambda: cosim_rs.candidate_cosine_similarity(users, items, ids, out=scores)


def _gather(name: str) -> Contender:
    def prepare(inputs: Inputs) -> Call:
        from . import gather

        kernel, scores = getattr(gather, name), inputs.scores()

        def call() -> Any:
            kernel(inputs.users, inputs.items, inputs.ids, scores)
            return scores

        return call

    return Contender(f"numba gather {name.replace('_', ' ')}", "gather", prepare, ("numba",))


def _taken(name: str) -> Contender:
    def prepare(inputs: Inputs) -> Call:
        from . import fused

        kernel, scores, taken = getattr(fused, name), inputs.scores(), _room(inputs)

        def call() -> Any:
            # Without "clip" NumPy would fill a buffer first, so that an error spares `out`.
            np.take(inputs.items, inputs.ids, axis=0, out=taken, mode="clip")
            kernel(inputs.users, taken, scores)
            return scores

        return call

    name_read = f"NumPy take + numba {name.replace('_', ' ')}"
    return Contender(name_read, "take + numba", prepare, ("numba",))


def _indexed(inputs: Inputs) -> Call:
    from . import fused

    scores = inputs.scores()

    def call() -> Any:
        fused.over_parts(inputs.users, inputs.items[inputs.ids], scores)
        return scores

    return call


def _einsum(inputs: Inputs) -> Call:
    users, taken = inputs.users, _room(inputs)

    def call() -> Any:
        np.take(inputs.items, inputs.ids, axis=0, out=taken, mode="clip")
        dots = np.einsum("bd,bnd->bn", users, taken)
        user_squares = np.einsum("bd,bd->b", users, users)
        return dots / np.sqrt(user_squares[:, None] * np.einsum("bnd,bnd->bn", taken, taken))

    return call


def _torch(inputs: Inputs) -> Call:
    import torch
    from torch.nn.functional import embedding, normalize

    torch.set_num_threads(threads())
    users, items = torch.from_numpy(inputs.users), torch.from_numpy(inputs.items)
    ids = torch.from_numpy(inputs.ids)

    @torch.inference_mode()
    def call() -> Any:
        listed = normalize(embedding(ids, items), dim=-1)
        return torch.bmm(listed, normalize(users, dim=-1)[..., None])

    return call


def _room(inputs: Inputs) -> Any:
    """Room for all that is listed, already touched."""
    return np.ones((*inputs.ids.shape, inputs.items.shape[1]), inputs.items.dtype)
