"""Scores of tensors are those of arrays, bit for bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from battery import rows_of_every_magnitude
from floating_point_mode import (
    DENORMALS_ARE_ZERO,
    FLUSH_TO_ZERO,
    SUPPORTED,
    extra_mode,
    get_mode,
)
from helpers import LENGTHS, SCORE_DTYPES, assert_same_bits, gaussian_rows, run_python
from tensorflow_cases import CASES, DTYPES, Case, native

import cosim_rs.tensorflow
from cosim_rs.tensorflow import batched_cosine_similarity, cosine_similarity

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def compiled(case: Case) -> Any:
    return tf.function(lambda x, y, epsilon: case.score(x, y, epsilon=epsilon), autograph=False)


@every_case
@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
@pytest.mark.parametrize("epsilon", [0.0, 0.7])
def test_every_dtype(case: Case, first: Any, second: Any, epsilon: float) -> None:
    x, y = case.inputs(first, second)
    expected = case.score_arrays(x, y, epsilon=epsilon)
    with native(forward=2):
        eager = case.score(tf.constant(x), tf.constant(y), epsilon=epsilon)
        graph = compiled(case)(tf.constant(x), tf.constant(y), epsilon)
    assert_same_bits(eager.numpy(), expected)
    assert_same_bits(graph.numpy(), expected)


@every_case
@pytest.mark.parametrize("dtype", SCORE_DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_and_magnitude(case: Case, dtype: Any, length: int) -> None:
    """Zeros, NaN, infinities, subnormal and huge vectors; TensorFlow's threads flush subnormals."""
    shapes = [(*shape[:-1], length) for shape in case.shapes]
    x, y = (
        rows_of_every_magnitude(int(np.prod(shape[:-1])), length, dtype, seed).reshape(shape)
        for seed, shape in enumerate(shapes)
    )
    for epsilon in (0.0, 1e-40):
        expected = case.score_arrays(x, y, epsilon=epsilon)
        assert_same_bits(
            case.score(tf.constant(x), tf.constant(y), epsilon=epsilon).numpy(), expected
        )
        assert_same_bits(compiled(case)(tf.constant(x), tf.constant(y), epsilon).numpy(), expected)


@every_case
@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
def test_eager_tensors_take_the_short_way(
    case: Case, first: Any, second: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = (tf.constant(side) for side in case.inputs(first, second))
    cosim_rs.tensorflow.register()
    monkeypatch.setattr(cosim_rs.tensorflow, "_scores", lambda *_: pytest.fail("the long way"))
    with native(forward=2):
        case.score(x, y)
        case.score(x, y, epsilon=0.5)


def test_work_of_many_threads() -> None:
    users = rows_of_every_magnitude(70, 100, np.float32, seed=1)
    items = rows_of_every_magnitude(70 * 500, 100, np.float32, seed=2).reshape(70, 500, 100)
    expected = cosim_rs.batched_cosine_similarity(users, items)
    score = tf.function(batched_cosine_similarity, autograph=False)
    with native(forward=2):
        assert_same_bits(score(tf.constant(users), tf.constant(items)).numpy(), expected)
        assert_same_bits(batched_cosine_similarity(users, items).numpy(), expected)


def test_users_with_an_axis_of_one() -> None:
    users, items = CASES["batched"].inputs(np.float32)
    expected = cosim_rs.batched_cosine_similarity(users, items)
    with native(forward=1):
        scores = batched_cosine_similarity(tf.constant(users[:, None]), tf.constant(items))
    assert_same_bits(scores.numpy(), expected)


def test_one_set() -> None:
    x, _ = CASES["matrix"].inputs(np.float32)
    with native(forward=2):
        assert_same_bits(cosine_similarity(tf.constant(x)).numpy(), cosim_rs.cosine_similarity(x))
        assert_same_bits(cosine_similarity(x).numpy(), cosim_rs.cosine_similarity(x))


@pytest.mark.parametrize("shape", [(0, 3, 5), (2, 0, 5), (2, 3, 0), (0, 0, 0)])
def test_nothing(shape: tuple[int, int, int]) -> None:
    users, items = np.ones((shape[0], shape[2]), np.float32), np.ones(shape, np.float32)
    expected = cosim_rs.batched_cosine_similarity(users, items)
    assert_same_bits(
        batched_cosine_similarity(tf.constant(users), tf.constant(items)).numpy(), expected
    )


@every_case
def test_whatever_becomes_a_tensor(case: Case) -> None:
    x, y = case.inputs(np.float32)
    expected = case.score_arrays(x, y)
    for kind in (tf.Variable, np.asarray, np.ndarray.tolist, np.asfortranarray):
        with native(forward=1):
            assert_same_bits(case.score(kind(x), kind(y)).numpy(), expected)


def test_slices_at_any_place() -> None:
    """A slice of the first axis shares the memory, which then starts anywhere."""
    rows = gaussian_rows(9, 33, dtype=np.float16)
    for start in range(5):
        expected = cosim_rs.cosine_similarity(rows[start:], rows)
        assert_same_bits(cosine_similarity(tf.constant(rows)[start:], rows).numpy(), expected)


@pytest.mark.parametrize("epsilon", [0.1, 1e-300, np.nextafter(1.0, 2.0), -0.0, 1, np.float32(0.1)])
def test_epsilon_is_exact(epsilon: Any) -> None:
    """One rounded to 32 bits would show."""
    rows = np.random.default_rng(0).standard_normal((3, 2)) * float(epsilon) / 3
    expected = cosim_rs.cosine_similarity(rows, epsilon=epsilon)
    with native(forward=2):
        eager = cosine_similarity(tf.constant(rows), epsilon=epsilon)
        graph = tf.function(lambda x: cosine_similarity(x, epsilon=epsilon), autograph=False)(rows)
    assert_same_bits(eager.numpy(), expected)
    assert_same_bits(graph.numpy(), expected)


@pytest.mark.skipif(not SUPPORTED, reason="setting the mode needs x86-64 and System V calls")
@every_case
@pytest.mark.parametrize("dtype", SCORE_DTYPES)
def test_a_caller_that_flushes_subnormals(case: Case, dtype: Any) -> None:
    tiny = np.finfo(dtype).smallest_subnormal
    x, y = (np.full(shape, 3 * tiny, dtype) for shape in case.shapes)
    y[..., 1:] += 2 * tiny
    expected = case.score_arrays(x, y)
    assert (expected > 0.9).all()
    x, y = tf.constant(x), tf.constant(y)
    with extra_mode(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO):
        before = get_mode()
        scores = case.score(x, y)
        after = get_mode()
    assert_same_bits(scores.numpy(), expected)
    assert after == before


def test_many_threads_of_a_caller() -> None:
    users, items = CASES["batched"].inputs(np.float32)
    expected = cosim_rs.batched_cosine_similarity(users, items)
    tensors = tf.constant(users), tf.constant(items)
    with ThreadPoolExecutor(4) as pool:
        for scores in pool.map(lambda _: batched_cosine_similarity(*tensors), range(100)):
            assert_same_bits(scores.numpy(), expected)


FIRST_USE = """
import threading
import numpy as np
import tensorflow as tf
import cosim_rs.tensorflow
from cosim_rs._cosim_rs import native_calls

rows = tf.ones((2, 3))
start = threading.Barrier(8)
def first(results):
    start.wait()
    results.append(cosim_rs.tensorflow.cosine_similarity(rows).numpy())
results = []
threads = [threading.Thread(target=first, args=(results,)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(results) == 8 and all((scores == 1).all() for scores in results)
print(native_calls())
"""


def test_first_use_by_many_threads() -> None:
    assert run_python(FIRST_USE) == "(8, 0)\n"
