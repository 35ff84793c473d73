"""`cosim-rs score`: pairs of vectors, or lists of candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from files import done, refusal, write_parquet
from jobs import ROWS, SEEN, USERS, VECTORS, ids, rows_in, write_catalogue, write_users

import cosim_rs


def test_pairs(tmp_path: Path) -> None:
    others = VECTORS[::-1].copy()
    others[3], others[4] = np.nan, 0
    columns = {"pair_id": USERS, "x": VECTORS, "y": others}
    pairs = write_parquet(tmp_path / "pairs.parquet", columns, 90)
    out = tmp_path / "out"
    outcome = done("score", pairs, "--x-column", "x", "--y-column", "y", "-o", out)
    assert "rows: 700, skipped: 1 not finite\n" in outcome.out
    scores: list[float | None] = cosim_rs.paired_cosine_similarity(VECTORS, others).tolist()
    assert scores[4] == 0
    scores[3] = None
    assert rows_in(out) == [
        {"pair_id": user, "score": score} for user, score in zip(USERS, scores, strict=True)
    ]


def test_lists_of_candidates(tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    offers = [*ids(SEEN)[:-1], [20, 99, 30]]
    users = write_users(tmp_path, offers=offers)
    arguments = ["score", users, "--catalogue", tmp_path / "items.safetensors"]
    arguments += ["--candidates-column", "offers", "-o", tmp_path / "out"]
    assert "skipped: 1 unknown candidates\n" in done(*arguments).out
    scores = items.scores(VECTORS, [*offers[:-1], [20, 30]]).tolist()
    wanted = [row[: len(offer)] for row, offer in zip(scores, offers, strict=True)]
    wanted[-1] = [scores[-1][0], None, scores[-1][1]]
    assert rows_in(tmp_path / "out") == [
        {"user_id": USERS[row], "offers": offers[row], "scores": wanted[row]} for row in range(ROWS)
    ]


def test_which_columns_are_asked_for(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    users = write_users(tmp_path, offers=ids(SEEN))
    begin = ["score", users, "-o", tmp_path / "out"]
    catalogue = ["--catalogue", tmp_path / "items.safetensors"]
    for options, message in (
        ([], "--x-column: expected one of user_id"),
        (["--x-column", "vector"], "--y-column: expected one of user_id"),
        (catalogue, "--candidates-column: expected one of user_id"),
        (["--candidates-column", "offers"], "--candidates-column: got 'offers', which needs"),
        ([*catalogue, "--x-column", "vector"], "--x-column: got 'vector', which does without"),
        ([*catalogue, "--candidates-column", "x"], "--candidates-column: got 'x', expected one of"),
        (["--x-column", "nope", "--y-column", "vector"], "--x-column: got 'nope', expected one of"),
        (["--x-column", "vector", "--y-column", "nope"], "--y-column: got 'nope', expected one of"),
        (
            ["--x-column", "user_id", "--y-column", "vector"],
            "--x-column: got 'user_id', which is string, expected vectors",
        ),
        (
            ["--x-column", "vector", "--y-column", "vector"],
            "--y-column: got 'vector', expected another column than --x-column",
        ),
    ):
        assert refusal(2, *begin, *options).startswith(message)
    assert not (tmp_path / "out").exists()


def test_columns_that_are_called_as_the_scores(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    users = write_users(tmp_path, score=np.arange(ROWS), scores=ids(SEEN), other=VECTORS)
    begin = ["score", users, "-o", tmp_path / "out"]
    catalogue = ["--catalogue", tmp_path / "items.safetensors", "--vector-column", "vector"]
    called = ", as a column of the result is called"
    message = refusal(2, *begin, *catalogue, "--candidates-column", "scores")
    assert message == f"--candidates-column: got 'scores'{called}"
    pair = ["--x-column", "vector", "--y-column", "other"]
    message = refusal(2, *begin, *pair, "--id-column", "score")
    assert message == f"--id-column: got 'score'{called}"
