"""Uses that a type checker must refuse: each line would be an unneeded `ignore` if it did not.

Never run; what happens at run time is told in test_errors.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import cosim_rs

if TYPE_CHECKING:
    from numpy.typing import NDArray

rows = np.ones((2, 3), np.float32)
catalogue = cosim_rs.Catalogue(rows)

# Arguments by position that go by name, and names that do not exist.
cosim_rs.cosine_similarity(rows, rows, None)  # type: ignore[call-overload]
cosim_rs.top_k(rows, rows, 2, [[1]])  # type: ignore[call-overload]
cosim_rs.top_k(rows, rows, n=2)  # type: ignore[call-overload]
cosim_rs.Catalogue(rows, None, 0.1)  # type: ignore[call-overload]
cosim_rs.Catalogue.open("items", True)  # type: ignore[call-arg]
catalogue.save(3)  # type: ignore[arg-type]
cosim_rs.batched_cosine_similarity(rows)  # type: ignore[call-overload]

# Numbers of another type.
cosim_rs.cosine_similarity(rows, epsilon="0.1")  # type: ignore[call-overload]
cosim_rs.cosine_similarity(rows, threads=1.5)  # type: ignore[call-overload]
cosim_rs.top_k(rows, rows, 2.0)  # type: ignore[call-overload]
catalogue.top_k(rows, exclude={1, 2})  # type: ignore[call-overload]
catalogue.similar(0, min_score="high")  # type: ignore[arg-type]
cosim_rs.threadpool_limits("2")  # type: ignore[arg-type]
cosim_rs.set_num_threads(None)  # type: ignore[arg-type]
cosim_rs.show_config(mode="json")  # type: ignore[call-overload]

# An output that cannot hold scores.
cosim_rs.paired_cosine_similarity(rows, rows, out=np.empty(2, np.int64))  # type: ignore[type-var]
catalogue.scores(rows, [[0], [1]], out=[[0.0], [0.0]])  # type: ignore[call-overload]

# Results of another dtype, attributes that are read only or not there.
wide: NDArray[np.float64] = cosim_rs.cosine_similarity(rows)  # type: ignore[assignment]
narrow: NDArray[np.float32] = cosim_rs.cosine_similarity([[1.0]])  # type: ignore[assignment]
names: NDArray[np.str_] = catalogue.ids  # type: ignore[assignment]
found: cosim_rs.TopK[np.float64, np.int64] = catalogue.top_k(rows)  # type: ignore[assignment]
catalogue.dim = 4  # type: ignore[misc]
cosim_rs.top_k(rows, rows).places  # type: ignore[attr-defined] # noqa: B018
