"""A catalogue changes, by itself and while another thread searches it.

Each call changes a copy, which shares all but the change. Every change ends with the inputs' items,
so that what is found afterwards is judged like any search.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from .cases import Case, Inputs
from .contenders import Call, Contender

CHANGED = 1000
"""Items of a change."""
IN_A_ROW = 100
"""Changes of one call that makes several, and so has to put pieces together."""

Change = Callable[[Any], None]
Prepare = Callable[[Inputs], tuple[Any, Change]]


def contenders(_: Case) -> list[Contender]:
    """The library alone."""
    kinds: list[tuple[str, Prepare]] = [
        (f"add {CHANGED:,} items", _adding),
        (f"update {CHANGED:,} items", _updating),
        (f"add {CHANGED:,} items, {IN_A_ROW} times", _adding_in_a_row),
    ]
    entries = []
    for name, prepare in kinds:
        calls = {name: _changing, f"{name}, searched meanwhile": _changing_while_searched}
        for told, call in calls.items():
            entries.append(
                Contender(told, told, partial(call, prepare), ("cosim_rs",), "catalogue")
            )
    calls = {"search": _searching, "search, updated meanwhile": _searching_while_updated}
    entries += [Contender(told, told, call, ("cosim_rs",), "best") for told, call in calls.items()]
    return entries


def _adding(inputs: Inputs) -> tuple[Any, Change]:
    import cosim_rs

    first, more = np.split(inputs.items, [-CHANGED])
    return cosim_rs.Catalogue(first), lambda catalogue: catalogue.add(more)


def _adding_in_a_row(inputs: Inputs) -> tuple[Any, Change]:
    import cosim_rs

    first = max(CHANGED, len(inputs.items) - IN_A_ROW * CHANGED)
    parts = [inputs.items[row : row + CHANGED] for row in range(first, len(inputs.items), CHANGED)]

    def change(catalogue: Any) -> None:
        for more in parts:
            catalogue.add(more)

    return cosim_rs.Catalogue(inputs.items[:first]), change


def _updating(inputs: Inputs) -> tuple[Any, Change]:
    """Items here and there have others in their places at first."""
    import cosim_rs

    rows = np.random.default_rng(0).choice(len(inputs.items), CHANGED, replace=False)
    wanted, before = inputs.items[rows], inputs.items.copy()
    before[rows] = wanted[::-1]
    return cosim_rs.Catalogue(before), lambda catalogue: catalogue.update(rows, wanted)


def _changing(prepare: Prepare, inputs: Inputs) -> Call:
    catalogue, change = prepare(inputs)

    def call() -> Any:
        changed = copy.copy(catalogue)
        change(changed)
        return changed

    return call


def _changing_while_searched(prepare: Prepare, inputs: Inputs) -> Call:
    catalogue, change = prepare(inputs)

    def call() -> Any:
        changed = copy.copy(catalogue)
        with meanwhile(lambda: changed.top_k(inputs.users, inputs.k)):
            change(changed)
        return changed

    return call


def _searching(inputs: Inputs) -> Call:
    import cosim_rs

    catalogue = cosim_rs.Catalogue(inputs.items)
    return lambda: catalogue.top_k(inputs.users, inputs.k)


def _searching_while_updated(inputs: Inputs) -> Call:
    """What is there is put in its own place, over and over."""
    catalogue, change = _updating(inputs)
    change(catalogue)

    def call() -> Any:
        with meanwhile(lambda: change(catalogue)):
            return catalogue.top_k(inputs.users, inputs.k)

    return call


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[None]:
    """Let another thread do some work over and over, and not wait for its end."""
    stop = threading.Event()

    def repeat() -> None:
        while not stop.is_set():
            work()

    threading.Thread(target=repeat).start()
    try:
        yield
    finally:
        stop.set()
