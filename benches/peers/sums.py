"""What reading costs at least: the sum of the same bytes, by the fastest readers at hand.

The sum of the items bounds whoever has to read each of their numbers once. A search over codes of
one byte a number reads a quarter of that, which is summed as words of eight bytes.
"""

from __future__ import annotations

from functools import partial

from .cases import Inputs
from .contenders import Call, Contender, threads


def contenders(of: str = "items") -> list[Contender]:
    """Readers of the inputs' `items` or `codes`."""
    kind = f"sum of {of}"
    return [
        Contender("sum, numba", "sum", partial(_numba, of, "sum_of_parts"), ("numba",), kind),
        Contender(
            "sum, numba streams", "sum", partial(_numba, of, "sum_of_streams"), ("numba",), kind
        ),
        Contender("sum, torch", "sum", partial(_torch, of), ("torch",), kind),
    ]


def _numba(of: str, name: str, inputs: Inputs) -> Call:
    from . import fused

    total, numbers = getattr(fused, name), getattr(inputs, of).reshape(-1)
    return lambda: total(numbers)


def _torch(of: str, inputs: Inputs) -> Call:
    import torch

    torch.set_num_threads(threads())
    numbers = torch.from_numpy(getattr(inputs, of))
    return lambda: torch.sum(numbers)
