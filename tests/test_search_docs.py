"""The example that searches Python's documentation finds texts by what they mean."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from example_programs import load_example, run_example

import cosim_rs

FEW_MODULES = "bisect heapq math random shutil statistics"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    return load_example("search_docs")


@pytest.fixture(scope="module")
def encoder(example: ModuleType) -> Any:
    return example.Encoder()


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("Copy it.", "Copy it."),
        ("Copy it. Then stop.", "Copy it."),
        ("Copy the\n    whole file\n\n    More of it.", "Copy the whole file"),
        ("max(a, b) -> value\n\n    The larger one.", "The larger one."),
        ("range(stop)\nrange(start, stop)", ""),
        ("Use e.g.this one.", "Use e.g.this one."),
        ("", ""),
    ],
)
def test_first_sentence(example: ModuleType, docstring: str, sentence: str) -> None:
    assert example.first_sentence(docstring) == sentence


def test_texts_are_of_functions_classes_and_methods(example: ModuleType) -> None:
    texts = example.documented(["random", "shutil"])
    assert {"shutil.rmtree", "random.Random", "random.Random.shuffle"} <= set(texts)
    assert texts["shutil.rmtree"] == "Recursively delete a directory tree."
    assert list(texts) == sorted(texts)
    assert not [name for name in texts if "._" in name]
    assert all(text and "\n" not in text for text in texts.values())


def test_what_has_several_names_goes_by_the_first(example: ModuleType) -> None:
    texts = example.documented(["os.path", os.path.__name__])
    assert texts == example.documented(["os.path"])
    assert (
        len(example.documented(["bisect"]).keys() & {"bisect.bisect", "bisect.bisect_right"}) == 1
    )


def test_vectors_are_those_of_the_model(encoder: Any) -> None:
    """The example of sentence-transformers' documentation, with the scores it gives.

    It has full weights where we have 8 bits, which makes up to 0.004 of difference here. Pooling
    the wrong tokens, or those that pad, makes 0.5 or more.
    """
    left = ["The new movie is awesome", "The cat sits outside", "A man is playing guitar"]
    right = ["The dog plays in the garden", "The new movie is so great", "A woman watches TV"]
    expected = [[0.0543, 0.8939, -0.0502], [0.2838, -0.0029, 0.1310], [0.2277, -0.0136, -0.0327]]
    vectors = encoder.encode([*left, *right, "A long text, which pads the others. " * 10])
    scores = cosim_rs.cosine_similarity(vectors[:3], vectors[3:6])
    np.testing.assert_allclose(scores, expected, rtol=0, atol=0.02)


def test_equal_texts_have_equal_vectors(example: ModuleType, encoder: Any) -> None:
    fill = [f"A text of {'many ' * count}words" for count in range(example.BATCH + 8)]
    vectors = encoder.encode(["Copy a file.", *fill, "Copy a file."])
    assert vectors.shape == (len(fill) + 2, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[0], vectors[-1])
    # In the order of the texts, though encoded in that of their lengths.
    np.testing.assert_allclose(vectors[5], encoder.encode([fill[4]])[0], atol=1e-3)


class Letters:
    """A stand-in for the encoder: how often each letter of the alphabet occurs."""

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        counts = [[text.count(letter) for letter in "abcdefgh"] for text in texts]
        return np.array(counts, np.float32)


TEXTS = {
    "one.a": "aaab",
    "one.b": "aab",
    "one.c": "hgf",
    "two.a": "hgf",
    **{f"two.{letter}": f"{letter}{letter}c" for letter in "defgh"},
    "two.i": "de",
    "two.j": "fe",
}


@pytest.fixture
def catalogue() -> Any:
    return cosim_rs.Catalogue(Letters().encode(list(TEXTS.values())), ids=list(TEXTS))


def test_right_answers_are_starred_and_counted(example: ModuleType, catalogue: Any) -> None:
    # Of the third, two texts have a letter; the others come in their order.
    questions = {"aaab": "one.b none.x", "hhc": "two.h", "b": "two.i", "ggc": "two.g"}
    lines = list(example.report_answers(catalogue, Letters(), TEXTS, questions))
    assert lines[:3] == ['"aaab"', "    1.000 one.a: aaab", "  * 0.990 one.b: aab"]
    assert lines[4:6] == ['"hhc"', "  * 1.000 two.h: hhc"]
    assert lines[-3:] == [
        "right answer (*) among the best 1: 2 of 4",
        "right answer (*) among the best 3: 3 of 4",
        "right answer (*) among the best 10: 4 of 4",
    ]


def test_questions_without_known_answers_are_not_judged(
    example: ModuleType, catalogue: Any
) -> None:
    lines = list(example.report_answers(catalogue, Letters(), TEXTS, {"aaab": "", "hhc": ""}))
    assert len(lines) == 2 * (1 + example.SHOWN)
    assert "*" not in "".join(lines)


def test_likeness_counts_modules_repeats_and_pairs(example: ModuleType) -> None:
    texts = {"one.a": "dde", "one.b": "de", "two.a": "aaab", "two.b": "aab"}
    texts |= {"three.a": "hgf", "four.a": "hgf"}
    catalogue = cosim_rs.Catalogue(Letters().encode(list(texts.values())), ids=list(texts))
    assert list(example.report_likeness(catalogue, texts)) == [
        "nearest other text is of the same module: 0.667 (by chance 0.133)",
        "texts that another repeats word for word: 2; of score exactly 1: 2",
        "most alike of the others",
        "    0.9899 two.b: aab",
        "           two.a: aaab",
        "    0.9487 one.b: de",
        "           one.a: dde",
    ]


def test_the_program_answers_its_questions(tmp_path: Path) -> None:
    output = run_example("search_docs", "--modules", FEW_MODULES, folder=tmp_path)
    assert re.match(r"\d+ texts of 6 modules, vectors \(\d+, 384\)\n", output)
    # By meaning: neither text has a word of its question that says anything.
    assert re.search(r'^"put a list into random order"\n  \* .*shuffle', output, re.MULTILINE)
    assert re.search(r'^"the largest number that divides all of them"\n  \* .*gcd', output, re.M)
    rows = re.findall(r"^right answer \(\*\) among the best (\d+): (\d+) of 16$", output, re.M)
    assert [int(depth) for depth, _ in rows] == [1, 3, 10]
    counts = [int(count) for _, count in rows]
    assert 0 < counts[0] <= counts[1] <= counts[2]
    repeats = re.search(r"word for word: (\d+); of score exactly 1: (\d+)$", output, re.MULTILINE)
    assert repeats is not None
    assert int(repeats[1]) == int(repeats[2]) > 0
    assert not list(tmp_path.iterdir())


def test_the_program_answers_the_readers_question(tmp_path: Path) -> None:
    question = "how much room is left on the disk?"
    output = run_example("search_docs", "--modules", "shutil random", question, folder=tmp_path)
    assert f'"{question}"\n' in output
    assert re.search(r"^    0\.\d+ shutil\.disk_usage: ", output, re.MULTILINE)
    assert "right answer" not in output
