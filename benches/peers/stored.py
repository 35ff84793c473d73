"""The same batch with its items stored in each type: what reading fewer bytes is worth.

The items are whole numbers that all types hold, so that one oracle judges them all.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from .cases import Case, Inputs
from .contenders import Call, Contender


def contenders(_: Case) -> list[Contender]:
    """The library by itself, float32 first."""
    narrow = ("float16", "bfloat16", "int8")
    return [
        Contender("cosim_rs", "cosim_rs", partial(_cosim, "float32"), ("cosim_rs",)),
        *(
            Contender(f"cosim_rs, {name}", name, partial(_cosim, name), ("cosim_rs", "ml_dtypes"))
            for name in narrow
        ),
    ]


def _cosim(dtype: str, inputs: Inputs) -> Call:
    import cosim_rs

    users, scores = inputs.users, inputs.scores()
    items = inputs.items.astype(_named(dtype))
    return lambda: cosim_rs.batched_cosine_similarity(users, items, out=scores)


def _named(dtype: str) -> np.dtype:
    """NumPy's dtype, or the one that it does not have."""
    if dtype != "bfloat16":
        return np.dtype(dtype)
    import ml_dtypes

    return np.dtype(ml_dtypes.bfloat16)
