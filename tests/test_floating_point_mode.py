"""A caller's floating-point mode neither changes a score nor is changed by a call.

Threads of TensorFlow and XLA run with subnormal numbers flushed to zero.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from battery import rows_of_every_magnitude
from entry_points import ENTRY_POINTS, EntryPoint
from floating_point_mode import (
    DENORMALS_ARE_ZERO,
    FLUSH_TO_ZERO,
    ROUND_TOWARD_ZERO,
    SUPPORTED,
    extra_mode,
    get_mode,
)
from helpers import SCORE_DTYPES, assert_same_bits, run_python

import cosim_rs

pytestmark = pytest.mark.skipif(
    not SUPPORTED, reason="setting the floating-point mode needs x86-64 and System V calls"
)

MODES = {
    "flush to zero": FLUSH_TO_ZERO | DENORMALS_ARE_ZERO,
    "round toward zero": ROUND_TOWARD_ZERO,
    "both": FLUSH_TO_ZERO | DENORMALS_ARE_ZERO | ROUND_TOWARD_ZERO,
}


def test_the_flags_act() -> None:
    tiny, tenth = np.float32(1e-38), np.float32(0.1)
    with extra_mode(FLUSH_TO_ZERO):
        flushed = tiny * tenth
    with extra_mode(DENORMALS_ARE_ZERO):
        read_as_zero = np.float32(1e-39) * np.float32(1e10)
    with extra_mode(ROUND_TOWARD_ZERO):
        rounded_down = np.float32(1) + np.float32(2**-24 + 2**-30)
    assert (flushed, read_as_zero, rounded_down) == (0, 0, 1)
    assert tiny * tenth != 0
    assert np.float32(1e-39) * np.float32(1e10) != 0
    assert np.float32(1) + np.float32(2**-24 + 2**-30) != 1


@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("score", ENTRY_POINTS.values(), ids=ENTRY_POINTS)
def test_scores_and_mode_are_kept(score: EntryPoint, mode: str, dtype: type) -> None:
    x = rows_of_every_magnitude(40, 33, dtype, seed=1)
    y = rows_of_every_magnitude(60, 33, dtype, seed=2)
    expected = score(x, y)
    with extra_mode(MODES[mode]):
        before = get_mode()
        actual = score(x, y)
        after = get_mode()
    assert_same_bits(actual, expected)
    assert after == before
    assert before & MODES[mode] == MODES[mode]


# 1e-40 is subnormal in float32, and 0.1 is rounded up; the rows are shorter than either.
@pytest.mark.parametrize("epsilon", [1e-40, 0.1])
@pytest.mark.parametrize("mode", MODES)
def test_epsilon_is_kept(mode: str, epsilon: float) -> None:
    rows = np.full((2, 3), epsilon / 10, np.float32)
    expected = cosim_rs.cosine_similarity(rows, epsilon=epsilon)
    with extra_mode(MODES[mode]):
        actual = cosim_rs.cosine_similarity(rows, epsilon=epsilon)
    assert_same_bits(actual, expected)


CONVERTED = {
    "subnormal float32 beside float64": (np.full((1, 3), 1e-40, np.float32), np.ones((1, 3))),
    "subnormal float16": (np.full((1, 3), 1e-7, np.float16), np.ones((1, 3), np.int8)),
    "subnormal float32 in lists": ([[np.float32(1e-40), np.float64(0)]], np.ones((1, 2))),
    "subnormal float32 in a column of objects": (
        pd.Series([np.full(2, 1e-40, np.float32), np.array([1, 1e-30])]),
        np.array([[1.0, 2.0]]),
    ),
    # 2**53 + 3 is a tie, rounded to 2**53 + 4; what is left of it is all of the dot product.
    "whole numbers beyond float64": (np.array([[2**53 + 3, -(2**53)]]), np.array([[1, 1]])),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", CONVERTED)
def test_converted_inputs_are_kept(kind: str, mode: str) -> None:
    x, y = CONVERTED[kind]
    expected = cosim_rs.cosine_similarity(x, y)
    with extra_mode(MODES[mode]):
        actual = cosim_rs.cosine_similarity(x, y)
    assert_same_bits(actual, expected)


def test_the_mode_is_kept_when_a_call_is_refused() -> None:
    rows = np.ones((2, 3), np.float32)
    message = "nothing raised"
    with extra_mode(MODES["both"]):
        before = get_mode()
        try:
            cosim_rs.paired_cosine_similarity(rows, rows[:1])
        except ValueError as error:
            message = str(error)
        after = get_mode()
    assert after == before
    assert "(1, 3)" in message


FIRST_CALL_WHILE_FLUSHING = """
import cosim_rs
from battery import rows_of_every_magnitude
from floating_point_mode import DENORMALS_ARE_ZERO, FLUSH_TO_ZERO, extra_mode
from helpers import assert_same_bits

x = rows_of_every_magnitude(200_000, 33, "float32", seed=1)
y = rows_of_every_magnitude(200_000, 33, "float32", seed=2)
expected = cosim_rs.paired_cosine_similarity(x, y, threads=1)
with extra_mode(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO):
    actual = cosim_rs.paired_cosine_similarity(x, y, threads=4)
assert_same_bits(actual, expected)
print("same")
"""


def test_workers_started_by_a_flushing_caller() -> None:
    """New threads inherit the mode of the one that starts them, and must not keep it."""
    assert run_python(FIRST_CALL_WHILE_FLUSHING) == "same\n"
