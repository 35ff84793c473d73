"""Rank handwritten digits: the founding job on real data.

Each of 32 query digits has 1,000 candidates of its own, drawn from scikit-learn's 1,797 bundled
8 x 8 images, and is never among them. One call scores all of them, (32, 1, 64) with
(32, 1000, 64), as a recommender scores the candidates of a batch of users. That the best matches
show the same digit says that the scores mean something; that NumPy agrees, and how long it takes,
says what the fused pass is for.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import cosim_rs

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.intp]

QUERIES = 32
CANDIDATES = 1000
BEST = 10

BORDER = 2
GREEN, RED, WHITE = (0.1, 0.65, 0.2), (0.85, 0.1, 0.1), (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Task:
    """Queries, and for each the candidates to rank."""

    images: Floats
    """(1797, 64): every digit, a row of pixels from 0 to 16."""
    labels: Integers
    """(1797,): which digit each image shows."""
    queries: Integers
    """(32,): the images that ask."""
    candidates: Integers
    """(32, 1000): the images that each query ranks."""

    @property
    def users(self) -> Floats:
        """Query vectors (32, 1, 64)."""
        return self.images[self.queries][:, None]

    @property
    def items(self) -> Floats:
        """Candidate vectors (32, 1000, 64)."""
        return self.images[self.candidates]


def load_task(seed: int = 0) -> Task:
    """Draw queries and, for each, candidates among all the others."""
    digits = load_digits()
    count = len(digits.target)
    generator = np.random.default_rng(seed)
    queries = generator.choice(count, QUERIES, replace=False)
    candidates = [
        generator.choice(np.delete(np.arange(count), query), CANDIDATES, replace=False)
        for query in queries
    ]
    return Task(digits.data.astype(np.float32), digits.target, queries, np.stack(candidates))


def numpy_scores(users: Floats, items: Floats) -> Floats:
    """Score with NumPy alone, by its fastest simple formulation."""
    dots = np.einsum("bod,bnd->bn", users, items)
    user_squares = np.einsum("bod,bod->bo", users, users)
    item_squares = np.einsum("bnd,bnd->bn", items, items)
    scores: Floats = dots / np.sqrt(user_squares * item_squares)
    return scores


def best_matches(scores: npt.NDArray[Any], count: int = BEST) -> Integers:
    """Columns of the best scores of each row, best first, equal ones in their order."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :count]


def hits(task: Task, best: Integers) -> npt.NDArray[np.bool_]:
    """Whether each best match, (32, 10), shows the digit of its query."""
    matched = np.take_along_axis(task.candidates, best, axis=1)
    return np.equal(task.labels[matched], task.labels[task.queries][:, None])


def median_seconds(call: Callable[[], object], repeats: int = 15) -> float:
    """Time of one call, after one that warms caches and starts threads."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def draw(task: Task, best: Integers, path: Path) -> None:
    """Save each query beside its best matches, framed green if right and red if wrong."""
    right = hits(task, best)
    matched = np.take_along_axis(task.candidates, best, axis=1)
    rows = []
    for query, matches, correct in zip(task.queries, matched, right, strict=True):
        frames = [GREEN if one else RED for one in correct]
        tiles = [tile(task.images[query], WHITE), tile(np.zeros(64, np.float32), WHITE)]
        tiles += [tile(task.images[m], f) for m, f in zip(matches, frames, strict=True)]
        rows.append(np.hstack(tiles))
    half = len(rows) // 2
    gap = np.ones((half * rows[0].shape[0], 12, 3), np.float32)
    mosaic = np.hstack([np.vstack(rows[:half]), gap, np.vstack(rows[half:])])
    # A figure of its own, without pyplot's windows and global state.
    figure = Figure(figsize=(11, 7.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.imshow(mosaic, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(f"{len(rows)} queries and their {best.shape[1]} best matches, best first")
    figure.savefig(path, format="png")


def tile(image: Floats, frame: tuple[float, float, float]) -> Floats:
    """Turn one image into dark ink on white, in a frame and a thin margin; (13, 13, 3)."""
    pixels = np.repeat(1 - image.reshape(8, 8, 1) / 16, 3, axis=2)
    side = 8 + 2 * BORDER
    framed = np.empty((side, side, 3), np.float32)
    framed[:] = frame
    framed[BORDER:-BORDER, BORDER:-BORDER] = pixels
    return np.pad(framed, ((0, 1), (0, 1), (0, 0)), constant_values=1)


def report(task: Task, scores: Floats, right: npt.NDArray[np.bool_]) -> str:
    """Say what was ranked and how well, overall and digit by digit."""
    lines = [
        f"queries {task.users.shape} x candidates {task.items.shape} -> scores {scores.shape}",
        f"precision@{right.shape[1]}: {right.mean():.3f}",
    ]
    asked = task.labels[task.queries]
    for digit in np.unique(asked):
        mine = right[asked == digit]
        queries = "query" if len(mine) == 1 else "queries"
        lines.append(f"  digit {digit}: {mine.mean():.3f} ({len(mine)} {queries})")
    return "\n".join(lines)


def compare_with_numpy(users: Floats, items: Floats, scores: Floats) -> str:
    """Check that NumPy gives the same scores, and time both."""
    difference = float(np.abs(scores - numpy_scores(users, items)).max())
    # float32 sums of D products in any order lose at most about D units of 2**-24, twice for the
    # two squared norms under the root; a few more go to the last operations.
    allowed = (2 * users.shape[-1] + 8) * 2.0**-24
    if difference > allowed:
        raise AssertionError(f"NumPy differs by {difference:.1e}, more than rounding explains")
    ours = median_seconds(lambda: cosim_rs.batched_cosine_similarity(users, items))
    theirs = median_seconds(lambda: numpy_scores(users, items))
    config = cosim_rs.show_config(mode="dicts")
    return (
        f"cosim_rs {ours * 1e3:.3f} ms, NumPy {theirs * 1e3:.3f} ms: {theirs / ours:.1f} times as "
        f"fast, largest difference {difference:g}\n"
        f"kernel {config['kernel']}, threads {config['threads']}"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Rank, report, compare and draw."""
    parser = argparse.ArgumentParser(description="Rank handwritten digits by cosine similarity.")
    parser.add_argument("--picture", type=Path, default=Path("digits.png"), help="where to save it")
    parser.add_argument("--seed", type=int, default=0, help="of the queries and candidates")
    options = parser.parse_args(argv)
    task = load_task(options.seed)
    users, items = task.users, task.items
    scores = cosim_rs.batched_cosine_similarity(users, items)
    best = best_matches(scores)
    print(report(task, scores, hits(task, best)))
    print(compare_with_numpy(users, items, scores))
    draw(task, best, options.picture)
    print(f"picture: {options.picture}")


if __name__ == "__main__":
    main()
