"""Who finds all pairs of one set that score enough.

The vectors are of low rank, as trained ones are, and a fifth of them are copies of others that are
off by more or less. Everyone begins with bare vectors.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from .cases import Case, Inputs
from .contenders import Call, Contender, threads

TILE = 2048, 512
"""Scores that torch makes at a time: the fastest of a dozen shapes, in half the time of rows."""
PARTNERS = 10
"""How many pairs of each row sentence-transformers is asked for: few, but they hold all that count.
By default it is 100, which took 1.6 times as long."""


def contenders(_: Case) -> list[Contender]:
    """Everyone who takes part, the library first."""
    miner = f"sentence-transformers paraphrase_mining_embeddings, top_k = {PARTNERS}"
    needs = ("sentence_transformers",)
    return [
        Contender("cosim_rs.mine_pairs", "cosim_rs", _cosim, ("cosim_rs",), "pairs"),
        Contender("torch mm in tiles", "torch", _torch, ("torch",), "pairs"),
        Contender(miner, "sentence-transformers", _miner, needs, "pairs"),
    ]


def _cosim(inputs: Inputs) -> Call:
    import cosim_rs

    rows, least = inputs.users, inputs.least
    return lambda: cosim_rs.mine_pairs(rows, min_score=least)


def _torch(inputs: Inputs) -> Call:
    import torch
    from torch.nn.functional import normalize

    torch.set_num_threads(threads())
    rows, least = torch.from_numpy(inputs.users), inputs.least

    @torch.inference_mode()
    def call() -> Any:
        units, parts = normalize(rows), []
        for first in range(0, len(units), TILE[0]):
            for other in range(first, len(units), TILE[1]):
                left, right = units[first : first + TILE[0]], units[other : other + TILE[1]]
                scores = torch.mm(left, right.T)
                # Most rows have no hit, and a maximum is sooner found than the places of hits.
                near = torch.nonzero(scores.amax(1) >= least)[:, 0]
                i, j = torch.nonzero(scores[near] >= least, as_tuple=True)
                reached, i, j = scores[near][i, j], first + near[i], other + j
                parts.append(tuple(part[i < j] for part in (reached, i, j)))
        scores, i, j = (torch.cat(part) for part in zip(*parts, strict=True))
        order = torch.argsort(scores, descending=True)
        return scores[order], i[order], j[order]

    return call


def _miner(inputs: Inputs) -> Call:
    import torch
    from sentence_transformers.util import paraphrase_mining_embeddings

    torch.set_num_threads(threads())
    rows, least = torch.from_numpy(inputs.users), inputs.least

    def call() -> Any:
        found = paraphrase_mining_embeddings(rows, top_k=PARTNERS)
        # Best first; it has no least score of its own.
        return tuple(zip(*takewhile(lambda pair: pair[0] >= least, found), strict=True))

    return call
