"""One score per pair: every kernel, thread count, split and entry point gives the same bits.

And those bits are the ones of the model, so they are right as well as alike.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from battery import digests, rows_of_every_magnitude
from bit_model import modelled_score
from entry_points import ENTRY_POINTS
from helpers import (
    LENGTHS,
    SCORE_DTYPES,
    assert_same_bits,
    available_kernels,
    gaussian_rows,
    run_python,
)

import cosim_rs

THREAD_COUNTS = range(1, 9)


@pytest.fixture(scope="module")
def expected_digests() -> dict[str, str]:
    """The battery's, of one thread of this process."""
    return digests(threads=1)


def differing(actual: dict[str, str], expected: dict[str, str]) -> list[str]:
    """The names of cases that are not alike."""
    assert actual.keys() == expected.keys()
    return [name for name, digest in expected.items() if actual[name] != digest]


@pytest.mark.parametrize("kernel", available_kernels())
def test_every_kernel(kernel: str, expected_digests: dict[str, str]) -> None:
    code = """
import json, battery, cosim_rs
print(json.dumps([cosim_rs.show_config(mode="dicts")["kernel"], battery.digests()]))
"""
    used, actual = json.loads(run_python(code, COSIM_RS_KERNEL=kernel))
    assert used == kernel
    assert differing(actual, expected_digests) == []


@pytest.mark.parametrize("threads", THREAD_COUNTS)
def test_every_thread_count(threads: int, expected_digests: dict[str, str]) -> None:
    assert differing(digests(threads=threads), expected_digests) == []


def test_global_thread_count(expected_digests: dict[str, str]) -> None:
    for threads in (1, 3):
        cosim_rs.set_num_threads(threads)
        assert differing(digests(), expected_digests) == []


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
def test_the_model_and_every_entry_point(length: int, dtype: type) -> None:
    # Among eight rows of every magnitude are subnormal, zero, largest and infinite ones.
    few = 8 if length < 100 else 3
    x = rows_of_every_magnitude(8, length, dtype, seed=11)[:few]
    y = rows_of_every_magnitude(8, length, dtype, seed=12)[-few:]
    for epsilon in (0.0, 0.7):
        expected = np.array([[modelled_score(u, v, epsilon) for v in y] for u in x])
        for name, score in ENTRY_POINTS.items():
            actual = score(x, y, epsilon=epsilon)
            assert_same_bits(actual, expected.astype(dtype)), name


@pytest.mark.parametrize("score", ENTRY_POINTS.values(), ids=ENTRY_POINTS)
@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
def test_every_shape_of_tile(score: object, length: int, dtype: type) -> None:
    """Row counts that leave every remainder of a kernel's groups and tiles."""
    x = rows_of_every_magnitude(19, length, dtype, seed=13)
    y = rows_of_every_magnitude(35, length, dtype, seed=14)
    whole = cosim_rs.cosine_similarity(x, y)
    for users in (*range(1, 10), 19):
        for items in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 35):
            assert callable(score)
            assert_same_bits(score(x[:users], y[:items]), whole[:users, :items])


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("cut", [1, 2, 3, 5, 64, 1000, 2999])
def test_every_split_of_the_batch(dtype: type, cut: int) -> None:
    users = gaussian_rows(3, 100, dtype=dtype)
    items = gaussian_rows(3, 3000, 100, dtype=dtype)
    scores = cosim_rs.batched_cosine_similarity(users, items)
    parts = [
        cosim_rs.batched_cosine_similarity(users, part) for part in np.split(items, [cut], axis=1)
    ]
    assert_same_bits(np.concatenate(parts, axis=1), scores)
    rows = [cosim_rs.batched_cosine_similarity(users[[b]], items[[b]]) for b in range(3)]
    assert_same_bits(np.concatenate(rows), scores)


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("cut", [1, 3, 17, 128, 899])
def test_every_split_of_the_matrix(dtype: type, cut: int) -> None:
    x, y = gaussian_rows(900, 65, dtype=dtype), gaussian_rows(1000, 65, dtype=dtype)
    scores = cosim_rs.cosine_similarity(x, y)
    by_rows = [cosim_rs.cosine_similarity(part, y) for part in np.split(x, [cut])]
    by_columns = [cosim_rs.cosine_similarity(x, part) for part in np.split(y, [cut])]
    assert_same_bits(np.concatenate(by_rows), scores)
    assert_same_bits(np.concatenate(by_columns, axis=1), scores)
    # The symmetric form skips half of the work, and must not be told from the full one.
    assert_same_bits(cosim_rs.cosine_similarity(x), cosim_rs.cosine_similarity(x, x.copy()))
    pairs = cosim_rs.paired_cosine_similarity(x, y[:900])
    assert_same_bits(pairs, np.diagonal(scores).copy())
