"""From a file to the first answer: a catalogue is opened and searched for one user.

The system still has the file in memory, as it was just written. What others keep are the items at
length 1, mapped as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Case, Inputs
from .contenders import Call, Contender
from .found import Found
from .search import best_of
from .vectors import directions

Names = Callable[[NDArray[np.int64]], Any]


def contenders(_: Case) -> list[Contender]:
    """Everyone who takes part, the library first."""
    named: list[tuple[str, Names]] = [
        ("ids of whole numbers", lambda rows: rows),
        ("ids of strings", lambda rows: [f"{row:08}" for row in rows]),
    ]
    return [
        Contender("cosim_rs Catalogue", "cosim_rs", _catalogue, ("cosim_rs",), "best"),
        *(
            Contender(
                f"cosim_rs Catalogue, {what}", what, partial(_named, names), ("cosim_rs",), "best"
            )
            for what, names in named
        ),
        Contender("NumPy load, matmul + argpartition", "NumPy", _numpy, expects="best"),
        Contender("FAISS read_index, IndexFlatIP", "FAISS", _faiss, ("faiss",), "best"),
    ]


def _catalogue(inputs: Inputs) -> Call:
    import cosim_rs

    return _opened(inputs, cosim_rs.Catalogue(inputs.items))


def _named(names: Names, inputs: Inputs) -> Call:
    """Ids in no order, each of which says which row it is of."""
    import cosim_rs

    rows = np.random.default_rng(0).permutation(len(inputs.items))
    return _opened(inputs, cosim_rs.Catalogue(inputs.items[rows], names(rows)))


def _opened(inputs: Inputs, catalogue: Any) -> Call:
    users, k, opened = inputs.users, inputs.k, type(catalogue).open
    folder = tempfile.TemporaryDirectory()
    catalogue.save(_in(folder))
    return lambda: opened(_in(folder)).top_k(users, k)


def _numpy(inputs: Inputs) -> Call:
    users, k, folder = inputs.users, inputs.k, tempfile.TemporaryDirectory()
    np.save(_in(folder), inputs.directions)
    return lambda: best_of(directions(users) @ np.load(_in(folder), mmap_mode="r").T, k)


def _faiss(inputs: Inputs) -> Call:
    import faiss

    users, k, folder = inputs.users, inputs.k, tempfile.TemporaryDirectory()
    index = faiss.IndexFlatIP(inputs.items.shape[1])
    index.add(inputs.directions)
    faiss.write_index(index, _in(folder))

    def call() -> Found:
        opened = faiss.read_index(_in(folder), faiss.IO_FLAG_MMAP_IFC)
        return Found(*opened.search(directions(users), k))

    return call


def _in(folder: tempfile.TemporaryDirectory[str]) -> str:
    """The one file of a folder, which goes when nobody holds it."""
    return str(Path(folder.name) / "items.npy")
