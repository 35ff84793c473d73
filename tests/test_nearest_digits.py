"""The example of nearest and near-duplicate digits finds what the full matrix of scores holds."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from example_programs import load_example, run_example

import cosim_rs

Array = npt.NDArray[Any]

# A tenth of all digits share a label. Of 300 images' nearest ones, chance would let a tenth show
# the same digit, with a standard deviation of √(0.1 · 0.9 / 300) = 0.017: half is 23 of those away.
ABOVE_CHANCE = 0.5


@pytest.fixture(scope="module")
def example() -> ModuleType:
    return load_example("nearest_digits")


@pytest.fixture(scope="module")
def few(example: ModuleType) -> tuple[Array, Array]:
    images, labels = example.load_images()
    return images[:300], labels[:300]


def test_the_nearest_are_those_of_the_full_matrix(
    example: ModuleType, few: tuple[Array, Array]
) -> None:
    images, _ = few
    scores = cosim_rs.cosine_similarity(images)
    np.fill_diagonal(scores, -np.inf)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(example.neighbours(images, 10), expected)


def test_the_nearest_show_the_same_digit(example: ModuleType, few: tuple[Array, Array]) -> None:
    images, labels = few
    same = labels[example.neighbours(images, 1)[:, 0]] == labels
    assert same.mean() > ABOVE_CHANCE


@pytest.mark.parametrize("floor", [0, 0.9])
def test_pairs_are_all_those_above_the_floor_once(
    example: ModuleType, few: tuple[Array, Array], floor: float
) -> None:
    images, _ = few
    matrix = cosim_rs.cosine_similarity(images)
    expected = np.argwhere(np.triu(matrix >= floor, k=1))
    scores, pairs = example.pairs_above(images, floor)
    assert len(expected) > 1000
    np.testing.assert_array_equal(sorted(map(tuple, pairs)), expected)
    np.testing.assert_array_equal(scores, matrix[pairs[:, 0], pairs[:, 1]])
    assert (np.diff(scores) <= 0).all()


def test_a_copy_is_the_first_pair_and_scores_exactly_one(
    example: ModuleType, few: tuple[Array, Array]
) -> None:
    images, _ = few
    scores, pairs = example.pairs_above(np.vstack([images, 2 * images[7]]), 0.99)
    assert scores[0] == 1
    assert pairs[0].tolist() == [7, 300]


def test_the_report_of_neighbours_counts_labels(example: ModuleType) -> None:
    labels = np.array([0, 0, 1, 1])
    nearest = np.array([[1], [2], [3], [0]]).repeat(10, axis=1)
    assert list(example.report_neighbours(labels, nearest)) == [
        "4 images, each with its nearest others; precision by chance: 0.333",
        "  precision@1: 0.500",
        "  precision@3: 0.500",
        "  precision@5: 0.500",
        "  precision@10: 0.500",
        "  1 of 2 images of 0 have an image of 1 nearest",
        "  1 of 2 images of 1 have an image of 0 nearest",
    ]


def test_the_report_of_pairs_counts_from_the_floor_up(example: ModuleType) -> None:
    scores = np.array([0.985, 0.97, 0.965, 0.95], np.float32)
    pairs = np.array([[0, 1], [0, 2], [0, 1], [0, 1]])
    lines = list(example.report_pairs(np.array([5, 5, 6]), scores, pairs, floor=0.95))
    assert lines[1:] == [
        "  score at least 0.950:      4 pairs  75.00%",
        "  score at least 0.960:      3 pairs  66.67%",
        "  score at least 0.980:      1 pairs 100.00%",
        "  score at least 0.990:      0 pairs",
    ]


def test_the_best_pair_of_two_digits_is_drawn_too(example: ModuleType) -> None:
    images = np.zeros((3, 64), np.float32)
    images[0, 0] = images[1, 1] = images[2, 63] = 16
    scores, pairs = np.array([0.9, 0.8, 0.7]), np.array([[0, 1], [1, 2], [0, 2]])
    lines = list(example.draw_pairs(images, np.array([4, 4, 9]), scores, pairs))
    assert [line for line in lines if line.strip()] == [
        "most alike: 4 and 4, score 0.9000",
        "  @@" + " " * 20 + "@@",
        "most alike of two digits: 4 and 9, score 0.8000",
        "    @@",
        "  " + " " * 34 + "@@",
    ]


def test_the_program_prints_its_findings(tmp_path: Path) -> None:
    output = run_example("nearest_digits", folder=tmp_path)
    assert output.startswith("1797 images")
    precisions = re.findall(r"^  precision@\d+: ([\d.]+)$", output, re.MULTILINE)
    assert len(precisions) == 4
    assert min(map(float, precisions)) > ABOVE_CHANCE
    rows = re.findall(r"^  score at least 0.(\d+): +(\d+) pairs +([\d.]+)%", output, re.MULTILINE)
    counts = [int(count) for _, count, _ in rows]
    assert counts == sorted(counts, reverse=True)
    # Pairs that are more alike are of one digit more often.
    assert float(rows[-1][2]) > float(rows[0][2]) > 100 * ABOVE_CHANCE
    assert re.search(r"^most alike of two digits: \d and \d, score 0\.\d{4}$", output, re.MULTILINE)
    assert not list(tmp_path.iterdir())


def test_the_program_takes_a_floor(tmp_path: Path) -> None:
    output = run_example("nearest_digits", "--floor", "0.985", folder=tmp_path)
    floors = re.findall(r"score at least ([\d.]+):", output)
    assert floors == ["0.985", "0.990"]
