"""Find each handwritten digit's nearest others, and the pairs that are nearly the same.

All of scikit-learn's 1,797 bundled 8 x 8 images are compared with all: each asks for the images
most like it, itself excluded. The labels take no part in the search, so they can judge it: near
images should show the same digit. With a floor under the scores, the same search finds near
duplicates: of a pair high above the floor one may be dropped, and a pair above it whose labels
differ deserves a second look.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

import cosim_rs

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Scores = npt.NDArray[np.floating[Any]]

DEPTHS = (1, 3, 5, 10)
FLOORS = (0.9, 0.92, 0.94, 0.96, 0.98, 0.99)
SHADES = np.array(list(" .:-=+*#@"))


def load_images() -> tuple[Floats, Integers]:
    """Every image as a row of 64 pixels from 0 to 16, and the digit that each shows."""
    digits = load_digits()
    return digits.data.astype(np.float32), digits.target.astype(np.int64)


def neighbours(images: Floats, count: int) -> Integers:
    """Rows of the images most like each one, itself left out, best first."""
    return cosim_rs.top_k(images, images, count, exclude_self=True).indices


def pairs_above(images: Floats, floor: float) -> tuple[Scores, Integers]:
    """Pairs that score at least the floor, best first: scores (P,) and rows of images (P, 2)."""
    # With room for all others no pair is lost. What stays empty holds the index -1.
    room = len(images) - 1
    found = cosim_rs.top_k(images, images, room, min_score=floor, exclude_self=True)
    first, place = np.nonzero(found.indices >= 0)
    second = found.indices[first, place]
    # Each pair is found from both of its images, with the same score to the bit.
    once = first < second
    scores = found.scores[first, place][once]
    order = np.argsort(-scores, kind="stable")
    return scores[order], np.column_stack([first, second])[once][order]


def report_neighbours(labels: Integers, nearest: Integers) -> Iterator[str]:
    """Say how often near images show the same digit, and which digits look like which."""
    same = labels[nearest] == labels[:, None]
    sizes = np.bincount(labels)
    chance = np.mean((sizes[labels] - 1) / (len(labels) - 1))
    yield f"{len(labels)} images, each with its nearest others; precision by chance: {chance:.3f}"
    for depth in DEPTHS:
        yield f"  precision@{depth}: {same[:, :depth].mean():.3f}"
    wrong = ~same[:, 0]
    mistakes = Counter(zip(labels[wrong].tolist(), labels[nearest[wrong, 0]].tolist(), strict=True))
    for (shown, found), times in mistakes.most_common(3):
        yield f"  {times} of {sizes[shown]} images of {shown} have an image of {found} nearest"


def report_pairs(labels: Integers, scores: Scores, pairs: Integers, floor: float) -> Iterator[str]:
    """Count the pairs above each floor, and say what share of them shows one digit."""
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    yield "near duplicates, and the share of them that show the same digit"
    # What lies below the floor of the search was not counted.
    for least in sorted({floor, *(one for one in FLOORS if one > floor)}):
        above = scores >= least
        share = f"{same[above].mean():8.2%}" if above.any() else ""
        yield f"  score at least {least:.3f}: {above.sum():6} pairs{share}"


def draw_pairs(images: Floats, labels: Integers, scores: Scores, pairs: Integers) -> Iterator[str]:
    """Show the pair most alike, and the one most alike of those whose labels differ."""
    differ = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    for title, chosen in (("most alike", ~differ), ("most alike of two digits", differ)):
        for best in np.flatnonzero(chosen)[:1]:
            first, second = pairs[best]
            yield f"{title}: {labels[first]} and {labels[second]}, score {scores[best]:.4f}"
            yield from drawn(images[first], images[second])


def drawn(left: Floats, right: Floats) -> list[str]:
    """Two images side by side, in lines of characters."""
    pixels = np.hstack([left.reshape(8, 8), np.zeros((8, 2)), right.reshape(8, 8)])
    levels = np.rint(pixels * (len(SHADES) - 1) / 16).astype(np.intp)
    # Two characters a pixel, since a character is about twice as high as wide.
    return ["  " + "".join(np.repeat(SHADES[line], 2)).rstrip() for line in levels]


def main(argv: Sequence[str] | None = None) -> None:
    """Search, report and draw."""
    parser = argparse.ArgumentParser(description="Find nearest and near-duplicate digits.")
    parser.add_argument("--floor", type=float, default=FLOORS[0], help="least score of a pair")
    options = parser.parse_args(argv)
    images, labels = load_images()
    nearest = neighbours(images, max(DEPTHS))
    print(*report_neighbours(labels, nearest), sep="\n")
    scores, pairs = pairs_above(images, options.floor)
    print(*report_pairs(labels, scores, pairs, options.floor), sep="\n")
    print(*draw_pairs(images, labels, scores, pairs), sep="\n")


if __name__ == "__main__":
    main()
