"""Typical uses and the types they have: for the type checkers, and to be run.

A checker compares each expression with the type beside it. test_types.py runs this file with an
`assert_type` that compares the dtypes that come out; so neither the stub nor this file can name a
wrong one.
"""

from __future__ import annotations

import copy
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import cosim_rs

narrow = np.ones((2, 3), np.float32)
wide = np.ones((2, 3))
half = np.ones((2, 3), np.float16)
bytewise = np.ones((2, 3), np.int8)
short, single = np.ones((2, 3), np.int16), np.ones((2, 3), np.int32)
counts, unsigned = np.ones((2, 3), np.int64), np.ones((2, 3), np.uint8)
long = np.ones((2, 3), np.longdouble)
flags = np.ones((2, 3), np.bool_)
listed = [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
unknown: NDArray[Any] = np.ones((2, 3), np.float32)


def scores() -> None:
    """Float32 if both sides fit into it, float64 if either does not."""
    stack, wide_stack = narrow[None], wide[None]
    batched = cosim_rs.batched_cosine_similarity
    assert_type(batched(narrow[:1], stack), NDArray[np.float32])
    assert_type(batched(half[:1], stack, epsilon=1e-6, threads=2), NDArray[np.float32])
    assert_type(batched(narrow[:1], wide_stack), NDArray[np.float64])
    assert_type(batched([listed[0]], [listed]), NDArray[np.float64])

    paired = cosim_rs.paired_cosine_similarity
    assert_type(paired(narrow, bytewise), NDArray[np.float32])
    assert_type(paired(wide, half), NDArray[np.float64])
    assert_type(paired(counts, narrow), NDArray[np.float64])
    assert_type(paired(narrow, flags), NDArray[np.float64])
    assert_type(paired(short, narrow), NDArray[np.float64])
    assert_type(paired(narrow, single), NDArray[np.float64])
    assert_type(paired(unsigned, bytewise), NDArray[np.float64])
    assert_type(paired(narrow, long), NDArray[np.float64])
    assert_type(paired(np.ones((2, 3), np.float32), narrow), NDArray[np.float32])
    assert_type(paired(wide.astype(np.float32), narrow.astype(np.float32)), NDArray[np.float32])
    assert_type(paired(narrow.astype(np.float64), narrow), NDArray[np.float64])

    matrix = cosim_rs.cosine_similarity
    assert_type(matrix(narrow), NDArray[np.float32])
    assert_type(matrix(wide), NDArray[np.float64])
    assert_type(matrix(narrow, half), NDArray[np.float32])
    assert_type(matrix(listed), NDArray[np.float64])
    assert_type(matrix(narrow, listed), NDArray[np.float64])


def where_they_are_written() -> None:
    """What is given as `out` comes back, whatever the inputs are known to be."""
    out, wide_out = np.empty(2, np.float32), np.empty(2)
    paired = cosim_rs.paired_cosine_similarity
    assert_type(paired(narrow, narrow, out=out), np.ndarray[tuple[int], np.dtype[np.float32]])
    assert_type(paired(wide, narrow, out=wide_out), np.ndarray[tuple[int], np.dtype[np.float64]])
    written: NDArray[np.float32] = paired(unknown, unknown, out=out)
    assert written is out


def searches() -> None:
    """Scores as above, and rows."""
    found = cosim_rs.top_k(narrow, half, 1, min_score=0.5)
    assert_type(found, cosim_rs.TopK[np.float32, np.int64])
    assert_type(found.scores, NDArray[np.float32])
    assert_type(found.indices, NDArray[np.int64])
    best, rows = found
    assert_type(best, NDArray[np.float32])
    assert_type(rows, NDArray[np.int64])
    assert_type(cosim_rs.top_k(narrow, wide), cosim_rs.TopK[np.float64, np.int64])
    assert_type(cosim_rs.top_k(listed[0], narrow), cosim_rs.TopK[np.float64, np.int64])
    excluded = cosim_rs.top_k(narrow, narrow, exclude=[[0], [1]], allow=[True, False])
    assert_type(excluded.ids, NDArray[np.int64])


def catalogues() -> None:
    """Items and ids have dtypes, and what is found has them."""
    rows = cosim_rs.Catalogue(narrow)
    assert_type(rows, cosim_rs.Catalogue[np.float32, np.int64])
    assert_type(rows.dtype, np.dtype[np.float32])
    assert_type(rows.top_k(half), cosim_rs.TopK[np.float32, np.int64])
    assert_type(rows.top_k(wide), cosim_rs.TopK[np.float64, np.int64])
    written = cosim_rs.Catalogue(wide.astype(np.float32)).top_k(wide.astype(np.float32))
    assert_type(written, cosim_rs.TopK[np.float32, np.int64])
    assert_type(rows.scores(narrow, [[0], [1]]), NDArray[np.float32])
    assert_type(rows.scores(listed, [[0], [1]]), NDArray[np.float64])

    names: NDArray[np.str_] = np.array(["tea", "cup"])
    named = cosim_rs.Catalogue(wide, names, epsilon=1e-6)
    assert_type(named, cosim_rs.Catalogue[np.float64, np.str_])
    assert_type(named.ids, NDArray[np.str_])
    assert_type(named.similar("tea", 1), cosim_rs.TopK[np.float64, np.str_])
    assert_type(named.top_k(narrow).ids, NDArray[np.str_])

    numbers = cosim_rs.Catalogue(narrow, np.array([7, 8], np.uint32))
    assert_type(numbers, cosim_rs.Catalogue[np.float32, np.uint32])
    assert_type(copy.copy(numbers).ids, NDArray[np.uint32])


def where_dtypes_are_not_known(given: NDArray[Any] = unknown, read: Any = unknown) -> None:
    """Nothing is refused, and nothing promised."""
    for_one: NDArray[np.float32] = cosim_rs.cosine_similarity(given)
    for_two: NDArray[np.float32] = cosim_rs.batched_cosine_similarity(read, read[:, None])
    found: cosim_rs.TopK[np.float32, np.int64] = cosim_rs.top_k(given, given)
    plain: cosim_rs.TopK = cosim_rs.top_k(narrow, given)  # as in annotations of one's own
    mine: cosim_rs.TopK[np.float32, np.int64] = cosim_rs.Catalogue(given).top_k(given)
    assert for_one.dtype == for_two.dtype == found[0].dtype == plain.scores.dtype == mine[0].dtype
    named = cosim_rs.Catalogue(narrow, ["tea", "cup"])
    loaded: cosim_rs.Catalogue[np.float32, np.str_] = pickle.loads(pickle.dumps(named))
    assert loaded.ids.tolist() == ["tea", "cup"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "items.safetensors")
        named.save(path)
        opened: cosim_rs.Catalogue[np.float32, np.str_]
        opened = cosim_rs.Catalogue.open(str(path), mmap=False, verify=True)
    assert opened.ids.tolist() == ["tea", "cup"]


def configuration() -> None:
    """Threads and kernels."""
    with cosim_rs.threadpool_limits(2) as limits:
        assert_type(limits, cosim_rs.threadpool_limits)
        assert_type(cosim_rs.get_num_threads(), int)
    assert_type(cosim_rs.show_config(mode="dicts")["kernels"], list[str])
    cosim_rs.show_config()
    cosim_rs.set_num_threads(cosim_rs.get_num_threads())


USES = (
    scores,
    where_they_are_written,
    searches,
    catalogues,
    where_dtypes_are_not_known,
    configuration,
)
