"""Bad input is refused by name: the argument, what came and what was wanted.

Whatever the error, `out` is untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import gaussian_rows

import cosim_rs

BATCHED = cosim_rs.batched_cosine_similarity
PAIRED = cosim_rs.paired_cosine_similarity
MATRIX = cosim_rs.cosine_similarity

Function = Callable[..., Any]


def candidates(users: Any, items: Any, **options: Any) -> Any:
    """Of the first of the items, three a user."""
    return cosim_rs.candidate_cosine_similarity(users, items, np.eye(2, 3, dtype=int), **options)


# For each function: good inputs, the names of the two, and the shape of the scores.
GOOD: dict[Function, tuple[tuple[int, ...], tuple[int, ...], str, str, tuple[int, ...]]] = {
    BATCHED: ((2, 4), (2, 3, 4), "users", "items", (2, 3)),
    PAIRED: ((2, 4), (2, 4), "x", "y", (2,)),
    MATRIX: ((2, 4), (3, 4), "x", "y", (2, 3)),
    candidates: ((2, 4), (3, 4), "users", "items", (2, 3)),
}

every_function = pytest.mark.parametrize("function", GOOD, ids=lambda function: function.__name__)


def good_inputs(function: Function) -> tuple[Any, Any]:
    """Inputs that the function takes."""
    first, second, *_ = GOOD[function]
    return gaussian_rows(*first), gaussian_rows(*second)


def refuse(
    function: Function, error: type[Exception], words: list[str], *inputs: Any, **options: Any
) -> None:
    """Call, expecting an error whose message has all the words, and `out` as it was."""
    out = options.setdefault("out", np.full(GOOD[function][-1], 7, np.float32))
    before = out.tobytes() if isinstance(out, np.ndarray) else None
    with pytest.raises(error) as raised:
        function(*inputs, **options)
    assert type(raised.value) is error
    message = str(raised.value)
    missing = [word for word in words if word not in message]
    assert not missing, message
    if isinstance(out, np.ndarray):
        assert out.tobytes() == before


@pytest.mark.parametrize(
    ("function", "first", "second", "words"),
    [
        (BATCHED, (4,), (2, 3, 4), ["users", "(4,)", "(2, 4) or (2, 1, 4)"]),
        (BATCHED, (), (2, 3, 4), ["users", "()", "(2, 4) or (2, 1, 4)"]),
        (BATCHED, (2, 2, 4), (2, 3, 4), ["users", "(2, 2, 4)", "(2, 4) or (2, 1, 4)"]),
        (BATCHED, (2, 1, 1, 4), (2, 3, 4), ["users", "(2, 1, 1, 4)", "(2, 4) or (2, 1, 4)"]),
        (BATCHED, (2, 4), (3, 4), ["items", "(3, 4)", "(B, N, D)"]),
        (BATCHED, (2, 4), (2, 1, 3, 4), ["items", "(2, 1, 3, 4)", "(B, N, D)"]),
        (BATCHED, (2, 4), (5, 3, 4), ["users", "(2, 4)", "items", "(5, 3, 4)", "(5, 4)"]),
        (BATCHED, (1, 4), (5, 3, 4), ["users", "(1, 4)", "items", "(5, 3, 4)", "(5, 4)"]),
        (BATCHED, (2, 4), (2, 3, 6), ["users", "(2, 4)", "items", "(2, 3, 6)", "(2, 6)"]),
        (BATCHED, (2, 1, 1), (2, 3, 6), ["users", "(2, 1, 1)", "items", "(2, 1, 6)"]),
        (PAIRED, (4,), (2, 4), ["x", "(4,)", "(B, D)"]),
        (PAIRED, (2, 1, 4), (2, 1, 4), ["x", "(2, 1, 4)", "(B, D)"]),
        (PAIRED, (2, 4), (4,), ["y", "(4,)", "(2, 4)"]),
        (PAIRED, (2, 4), (2, 1, 4), ["y", "(2, 1, 4)", "(2, 4)"]),
        (PAIRED, (2, 4), (5, 4), ["y", "(5, 4)", "(2, 4)"]),
        (PAIRED, (2, 4), (1, 4), ["y", "(1, 4)", "(2, 4)"]),
        (PAIRED, (2, 4), (2, 6), ["y", "(2, 6)", "(2, 4)"]),
        (MATRIX, (4,), (3, 4), ["x", "(4,)", "(U, D)"]),
        (MATRIX, (2, 1, 4), (3, 4), ["x", "(2, 1, 4)", "(U, D)"]),
        (MATRIX, (2, 4), (4,), ["y", "(4,)", "(N, 4)"]),
        (MATRIX, (2, 4), (3, 6), ["y", "(3, 6)", "(N, 4)", "x", "(2, 4)"]),
        (MATRIX, (2, 4), (3, 1), ["y", "(3, 1)", "(N, 4)", "x", "(2, 4)"]),
        (candidates, (2, 4), (4,), ["items", "(4,)", "(M, D)"]),
        (candidates, (2, 4), (2, 3, 4), ["items", "(2, 3, 4)", "(M, D)"]),
        (candidates, (2, 4), (3, 6), ["users", "(2, 4)", "(U, 6)", "items", "(3, 6)"]),
        (candidates, (2, 2, 4), (3, 4), ["users", "(2, 2, 4)", "(U, 1, 4)", "items", "(3, 4)"]),
        (candidates, (2, 1, 1), (3, 4), ["users", "(2, 1, 1)", "(U, 1, 4)"]),
        (candidates, (), (3, 4), ["users", "()", "(4,)"]),
        (candidates, (3, 4), (3, 4), ["ids", "(2, 3)", "(3, N)"]),
        (candidates, (2, 1, 4, 1), (3, 4), ["users", "(2, 1, 4, 1)"]),
    ],
)
def test_shapes(function: Function, first: Any, second: Any, words: list[str]) -> None:
    refuse(function, ValueError, words, np.ones(first, np.float32), np.ones(second, np.float32))


def test_the_shape_of_a_lone_x() -> None:
    refuse(MATRIX, ValueError, ["x", "(4,)", "(U, D)"], np.ones(4, np.float32))


@every_function
@pytest.mark.parametrize(
    "dtype", ["complex64", "complex128", "object", "<U3", "S3", "<M8[s]", "<m8[s]", "f4,f4"]
)
def test_dtypes(function: Function, dtype: str) -> None:
    good = good_inputs(function)
    for place, name in enumerate(GOOD[function][2:4]):
        inputs = list(good)
        inputs[place] = np.zeros(good[place].shape, dtype)
        words = [name, str(np.dtype(dtype)), "float32", "float64", "float16", "bfloat16", "int8"]
        refuse(function, TypeError, words, *inputs)


@every_function
def test_what_is_no_array_of_numbers(function: Function) -> None:
    first, second = good_inputs(function)
    _, _, first_name, second_name, _ = GOOD[function]
    refuse(function, TypeError, [first_name, "object", "float32"], object(), second)
    refuse(function, TypeError, [first_name, "float32"], [["a", "b", "c", "d"]] * 2, second)
    refuse(function, ValueError, [first_name], [[1.0, 2.0], [3.0]], second)
    if function is not MATRIX:
        refuse(function, TypeError, [second_name, "object", "float32"], first, None)


@every_function
@pytest.mark.parametrize("threads", [0, -1, -(2**70)])
def test_threads_below_one(function: Function, threads: int) -> None:
    words = ["threads", str(threads), "1"]
    refuse(function, ValueError, words, *good_inputs(function), threads=threads)


@every_function
@pytest.mark.parametrize("threads", [1.0, 2.5, "2", True, [2], np.float32(2), np.True_])
def test_threads_that_are_no_integer(function: Function, threads: Any) -> None:
    words = ["threads", type(threads).__name__, "whole number"]
    refuse(function, TypeError, words, *good_inputs(function), threads=threads)


@every_function
@pytest.mark.parametrize(
    "epsilon", [-1.0, -1e-300, np.nan, np.inf, -np.inf, np.float32(-1), np.float16(np.inf)]
)
def test_epsilon_out_of_range(function: Function, epsilon: float) -> None:
    words = ["epsilon", str(float(epsilon)), "finite", "at least 0"]
    refuse(function, ValueError, words, *good_inputs(function), epsilon=epsilon)


@every_function
@pytest.mark.parametrize("epsilon", ["1", None, 1j, [0.5], object()])
def test_epsilon_that_is_no_real_number(function: Function, epsilon: Any) -> None:
    words = ["epsilon", type(epsilon).__name__]
    refuse(function, TypeError, words, *good_inputs(function), epsilon=epsilon)


@every_function
@pytest.mark.parametrize("threads", [1, np.int64(2), np.uint8(3)])
def test_integers_of_numpy_are_integers(function: Function, threads: Any) -> None:
    scores = function(*good_inputs(function), threads=threads)
    assert scores.shape == GOOD[function][-1]


@pytest.mark.parametrize("n", [0, -3])
def test_set_num_threads_below_one(n: int) -> None:
    before = cosim_rs.get_num_threads()
    with pytest.raises(ValueError, match=rf"\bn\b.*{n}|{n}.*\bn\b"):
        cosim_rs.set_num_threads(n)
    assert cosim_rs.get_num_threads() == before


@pytest.mark.parametrize("n", [1.0, "2", None, True])
def test_set_num_threads_takes_an_integer(n: Any) -> None:
    before = cosim_rs.get_num_threads()
    with pytest.raises(TypeError, match=rf"\bn\b.*{type(n).__name__}"):
        cosim_rs.set_num_threads(n)
    assert cosim_rs.get_num_threads() == before


class TestOut:
    @every_function
    @pytest.mark.parametrize("shape", [(), (2, 2), (3, 2), (2, 3, 1), (1, 2, 3), (4,), (0,)])
    def test_shape(self, function: Function, shape: tuple[int, ...]) -> None:
        words = ["out", str(shape), str(GOOD[function][-1])]
        out = np.full(shape, 7, np.float32)
        refuse(function, ValueError, words, *good_inputs(function), out=out)

    @every_function
    @pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "complex64", ">f4"])
    def test_dtype(self, function: Function, dtype: str) -> None:
        out = np.full(GOOD[function][-1], 7).astype(dtype)
        words = ["out", str(np.dtype(dtype)), "float32"]
        refuse(function, TypeError, words, *good_inputs(function), out=out)

    @every_function
    def test_dtype_of_float64_scores(self, function: Function) -> None:
        first, second = good_inputs(function)
        words = ["out", "float32", "float64"]
        refuse(function, TypeError, words, first.astype(np.float64), second)

    @every_function
    @pytest.mark.parametrize("out", [[0.0, 0.0], 1.0, "out", memoryview(bytearray(8))])
    def test_is_an_array(self, function: Function, out: Any) -> None:
        words = ["out", type(out).__name__, "ndarray"]
        refuse(function, TypeError, words, *good_inputs(function), out=out)

    @every_function
    def test_is_writeable(self, function: Function) -> None:
        out = np.full(GOOD[function][-1], 7, np.float32)
        out.flags.writeable = False
        refuse(function, ValueError, ["out", "read-only"], *good_inputs(function), out=out)

    @every_function
    def test_does_not_overlap_itself(self, function: Function) -> None:
        shape = GOOD[function][-1]
        out = np.lib.stride_tricks.as_strided(np.full(9, 7, np.float32), shape, (0,) * len(shape))
        refuse(function, ValueError, ["out", "overlaps itself"], *good_inputs(function), out=out)

    @every_function
    def test_does_not_overlap_an_input(self, function: Function) -> None:
        *_, shape = GOOD[function]
        good = good_inputs(function)
        size = int(np.prod(shape))
        for place in range(2):
            count = good[place].size
            buffer = np.ones(count + size, np.float32)
            inputs = list(good)
            inputs[place] = buffer[:count].reshape(good[place].shape)
            for start in (0, 1, count - 1):
                out = buffer[start : start + size].reshape(shape)
                refuse(function, ValueError, ["out", "overlaps an input"], *inputs, out=out)
