"""What it costs to say which items a user must not get.

Items at random are hardly ever among those that reach a user's best, so they cost what it takes to
read them. A user's own best items are: each of them is reached, and asked about, and the search has
to go down to what comes after them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from . import found
from .cases import Case, Inputs
from .contenders import Call, Contender
from .found import Items

EXCLUDED = 1000
"""Items of each user."""


def contenders(_: Case) -> list[Contender]:
    """The library with and without exclusions."""
    return [
        Contender("excluding none", "cosim_rs", partial(_excluding, None), ("cosim_rs",), "best"),
        *(
            Contender(
                f"excluding {EXCLUDED:,} of each user: {which}",
                which,
                partial(_excluding, which),
                ("cosim_rs",),
                f"best but {which}",
            )
            for which in EXCLUSIONS
        ),
    ]


def _excluding(which: str | None, inputs: Inputs) -> Call:
    import cosim_rs

    users, k, catalogue = inputs.users, inputs.k, cosim_rs.Catalogue(inputs.items)
    excluded = EXCLUSIONS[which](inputs) if which else None
    return lambda: catalogue.top_k(users, k, exclude=excluded)


def _at_random(inputs: Inputs) -> Items:
    """As drawn, in no order."""
    generator = np.random.default_rng(inputs.k)
    return np.stack(
        [
            generator.choice(len(inputs.items), EXCLUDED, replace=False, shuffle=True)
            for _ in inputs.users
        ]
    )


def _at_random_in_order(inputs: Inputs) -> Items:
    return np.sort(_at_random(inputs), axis=1)


def _best(inputs: Inputs) -> Items:
    return found.best_items(inputs, EXCLUDED)


EXCLUSIONS: dict[str, Callable[[Inputs], Items]] = {
    "at random": _at_random,
    "at random, in order": _at_random_in_order,
    "the best": _best,
}
