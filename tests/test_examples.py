"""The examples run on real data and give what they claim."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from example_programs import load_example, run_example
from matplotlib.image import imread

import cosim_rs

# A tenth of all digits share a label, so chance gives a precision of 0.1 with a standard deviation
# of √(0.1 · 0.9 / 320) = 0.017: half is 24 of those away.
ABOVE_CHANCE = 0.5


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    return load_example("digits")


def test_each_query_has_its_own_candidates_and_is_not_among_them(digits: ModuleType) -> None:
    task = digits.load_task()
    assert task.users.shape == (32, 1, 64)
    assert task.items.shape == (32, 1000, 64)
    assert task.users.dtype == task.items.dtype == np.float32
    for query, candidates in zip(task.queries, task.candidates, strict=True):
        assert query not in candidates
        assert len(np.unique(candidates)) == len(candidates)
    assert len({candidates.tobytes() for candidates in task.candidates}) == len(task.queries)


def test_the_same_seed_draws_the_same_task(digits: ModuleType) -> None:
    first, again, other = digits.load_task(3), digits.load_task(3), digits.load_task(4)
    np.testing.assert_array_equal(first.candidates, again.candidates)
    assert not np.array_equal(first.candidates, other.candidates)


def test_ranking_is_that_of_the_exact_scores(digits: ModuleType) -> None:
    """The float64 cosines of the matches descend, but for what float32 scores cannot tell apart."""
    task = digits.load_task()
    scores = cosim_rs.batched_cosine_similarity(task.users, task.items)
    best = digits.best_matches(scores)
    users, items = task.users.astype(np.float64), task.items.astype(np.float64)
    norms = np.linalg.norm(users, axis=-1) * np.linalg.norm(items, axis=-1)
    exact = (users @ items.transpose(0, 2, 1))[:, 0] / norms
    ranked = np.take_along_axis(exact, np.argsort(-exact, axis=1, kind="stable"), axis=1)
    # The contract's bound for D = 64, once for each of the two scores that are compared.
    bound = 2 * (2 * 4 + 12) * 2.0**-24
    assert np.abs(np.take_along_axis(exact, best, axis=1) - ranked[:, :10]).max() <= bound


def test_equal_scores_keep_their_order(digits: ModuleType) -> None:
    scores = np.array([[0.5, 1.0, 0.5, 1.0, 0.75]], np.float32)
    np.testing.assert_array_equal(digits.best_matches(scores, 5), [[1, 3, 4, 0, 2]])


def test_best_matches_show_the_same_digit(digits: ModuleType) -> None:
    task = digits.load_task()
    scores = cosim_rs.batched_cosine_similarity(task.users, task.items)
    right = digits.hits(task, digits.best_matches(scores))
    assert right.shape == (32, 10)
    assert right.mean() > ABOVE_CHANCE
    worst_first = digits.hits(task, digits.best_matches(-scores))
    assert worst_first.mean() < right.mean()


def test_hits_compare_labels(digits: ModuleType) -> None:
    task = digits.Task(
        images=np.ones((4, 64), np.float32),
        labels=np.array([7, 7, 1, 7]),
        queries=np.array([0]),
        candidates=np.array([[1, 2, 3]]),
    )
    np.testing.assert_array_equal(digits.hits(task, np.array([[2, 1, 0]])), [[True, False, True]])


def test_a_numpy_that_disagrees_is_noticed(digits: ModuleType) -> None:
    task = digits.load_task()
    scores = cosim_rs.batched_cosine_similarity(task.users, task.items)
    scores[5, 7] += 1e-4
    with pytest.raises(AssertionError, match="more than rounding explains"):
        digits.compare_with_numpy(task.users, task.items, scores)


def test_frames_tell_right_from_wrong(digits: ModuleType) -> None:
    image = np.full(64, 16, np.float32)
    framed = digits.tile(image, digits.GREEN)
    np.testing.assert_allclose(framed[0, 0], digits.GREEN, rtol=2.0**-23)
    np.testing.assert_array_equal(framed[2:10, 2:10], np.zeros((8, 8, 3)))
    np.testing.assert_array_equal(framed[-1], np.ones((13, 3)))


def test_the_program_prints_its_findings_and_saves_the_picture(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    output = run_example("digits", "--picture", str(picture), folder=tmp_path)
    shapes = "queries (32, 1, 64) x candidates (32, 1000, 64) -> scores (32, 1000)"
    assert output.startswith(shapes)
    overall = re.search(r"^precision@10: ([\d.]+)$", output, re.MULTILINE)
    assert overall is not None
    assert float(overall[1]) > ABOVE_CHANCE
    by_digit = re.findall(r"^  digit \d: ([\d.]+) \((\d+) quer", output, re.MULTILINE)
    assert sum(int(queries) for _, queries in by_digit) == 32
    # Each line is rounded to three places.
    average = sum(float(precision) * int(queries) for precision, queries in by_digit) / 32
    assert abs(average - float(overall[1])) <= 1e-3
    assert re.search(r"^cosim_rs [\d.]+ ms, NumPy [\d.]+ ms: [\d.]+ times", output, re.MULTILINE)
    assert f"kernel {cosim_rs.show_config(mode='dicts')['kernel']}" in output
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]
    assert imread(picture).shape[:2] == (750, 1100)
