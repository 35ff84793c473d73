"""What a job reads: the same files from its beginning to its end, and none that it would remove."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from files import done, refusal, write_npy, write_parquet
from helpers import gaussian_rows
from jobs import (
    DIM,
    GROUP,
    ITEMS,
    ROWS,
    USERS,
    VECTORS,
    Run,
    contents,
    nested,
    rows_in,
    write_catalogue,
    write_users,
)

import cosim_rs
from cosim_rs.batch import BatchScorer
from cosim_rs.cli import _array_table, _job_rows, _job_verbs

OTHERS = "got another file than the run began with, expected it to stay as it was"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(_job_rows, "PART_ROWS", 2 * GROUP)
    monkeypatch.setattr(_array_table, "UNIT", 2 * GROUP)
    return Run(tmp_path)


def meanwhile(monkeypatch: pytest.MonkeyPatch, run: Run, change: Callable[[], object]) -> None:
    """Have something done when the first part is there, and the second is about to be scored."""
    true, calls = BatchScorer.__call__, 0

    def call(scorer: BatchScorer, batch: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:  # the first call is of no rows
            while not (run.out / "part-000000.parquet").exists():
                time.sleep(0.002)
            change()
        return true(scorer, batch)

    monkeypatch.setattr(BatchScorer, "__call__", call)


CATALOGUES: dict[str, cosim_rs.Catalogue] = {
    "others": cosim_rs.Catalogue(gaussian_rows(ITEMS, DIM, seed=7), 10 * np.arange(ITEMS)),
    "fewer": cosim_rs.Catalogue(gaussian_rows(50, DIM, seed=7), np.arange(50)),
    "longer": cosim_rs.Catalogue(gaussian_rows(ITEMS, DIM + 1, seed=7), 10 * np.arange(ITEMS)),
    "names": cosim_rs.Catalogue(gaussian_rows(ITEMS, DIM, seed=7), [*map(str, range(ITEMS))]),
}


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_that_is_replaced_meanwhile(
    name: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow = write_parquet(run.folder / "allow.parquet", {"item": 10 * np.arange(0, ITEMS, 2)})
    run.done("--allow", allow)
    expected = contents(run.out)
    catalogue = run.folder / "items.safetensors"
    with monkeypatch.context() as patched:
        meanwhile(patched, run, lambda: CATALOGUES[name].save(catalogue))
        message = refusal(3, *run.arguments("--allow", allow, "--overwrite"))
    assert message == f"{catalogue}: {OTHERS}"
    assert contents(run.out) == {"part-000000.parquet": expected["part-000000.parquet"]}
    resume = run.arguments("--allow", allow, "--resume")
    assert "which differs in catalogue;" in refusal(2, *resume)
    write_catalogue(run.folder)
    done(*resume)
    assert contents(run.out) == expected


def test_a_catalogue_that_is_saved_again_meanwhile(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.done()
    expected = contents(run.out)
    meanwhile(monkeypatch, run, lambda: write_catalogue(run.folder))
    run.done("--overwrite")
    assert contents(run.out) == expected


@pytest.mark.parametrize("which", ["users", "ids"])
def test_users_that_are_replaced_meanwhile(
    which: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "users": write_npy(run.folder / "users.npy", VECTORS),
        "ids": write_npy(run.folder / "ids.npy", USERS),
    }
    run.users = files["users"]
    run.done("--ids", files["ids"])
    expected = contents(run.out)
    array = VECTORS[::-1] if which == "users" else USERS[::-1]
    other = write_npy(run.folder / "other.npy", array)
    os.utime(other, (1, 1))
    meanwhile(monkeypatch, run, lambda: os.replace(other, files[which]))
    message = refusal(3, *run.arguments("--ids", files["ids"], "--overwrite"))
    assert message == f"{files[which]}: {OTHERS}"
    assert contents(run.out) == {"part-000000.parquet": expected["part-000000.parquet"]}


def test_what_is_held_in_memory_may_be_replaced_meanwhile(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = write_parquet(run.folder / "seen.parquet", {"user_id": USERS, "item": [10] * ROWS})
    meanwhile(monkeypatch, run, lambda: write_parquet(seen, {"user_id": USERS[:1], "item": [20]}))
    run.done("--exclude", seen, "-k", 3)
    items = cosim_rs.Catalogue.open(run.folder / "items.safetensors")
    assert rows_in(run.out) == nested(
        USERS.tolist(), items.top_k(VECTORS, 3, exclude=[[10]] * ROWS)
    )


def test_but_not_before_the_run_has_begun(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"user_id": USERS[:1], "item": [10]}
    seen = write_parquet(run.folder / "seen.parquet", columns)
    true = _job_verbs.open_table

    def open_table(path: Any) -> Any:
        write_parquet(seen, {"user_id": USERS[:2], "item": [10, 20]})
        return true(path)

    monkeypatch.setattr(_job_verbs, "open_table", open_table)
    assert refusal(3, *run.arguments("--exclude", seen)) == f"{seen}: {OTHERS}"
    assert not run.out.exists()


def test_files_in_other_roles_are_another_run(run: Run) -> None:
    run.users = write_users(run.folder, user_id=10 * np.arange(len(USERS)))
    columns = {"user_id": 10 * np.arange(ITEMS), "seen": [[10]] * ITEMS}
    both = write_parquet(run.folder / "both.parquet", columns)
    run.done("--exclude", both)
    message = refusal(2, *run.arguments("--allow", both, "--resume"))
    assert "is of another run, which differs in exclude, allow;" in message
    run.done("--exclude", both, "--resume")


@pytest.mark.parametrize("flag", ["--overwrite", "--resume"])
def test_an_output_that_holds_its_input_is_refused(flag: str, run: Run) -> None:
    """Whose files have the names of parts, as an output's have."""
    run.out.mkdir()
    users = write_users(run.out, "part-000000.parquet")
    seen = write_parquet(run.out / "part-000001.parquet", {"user_id": USERS[:1], "item": [10]})
    folder, files = run.folder / "folder", run.folder / "files"
    folder.symlink_to(run.out)
    files.mkdir()
    (files / "link.parquet").symlink_to(users)
    before = contents(run.out)
    for read, given, options in (
        (users, users, []),
        (run.out, run.out, []),
        (folder, folder, []),
        (files / "link.parquet", files, []),
        (seen, run.users, ["--exclude", seen]),
    ):
        run.users = given
        message = refusal(2, *run.arguments(flag, *options))
        assert message.startswith(f"-o: {run.out} holds {read}, which is read; expected")
    assert contents(run.out) == before
    assert refusal(2, *run.arguments(flag, "-o", "/")).startswith("-o: / holds")


def test_an_output_in_a_folder_of_inputs_is_refused(run: Run) -> None:
    users = run.folder / "users"
    users.mkdir()
    os.replace(run.users, users / "a.parquet")
    run.users, run.out = users, users / "out"
    message = refusal(2, *run.arguments())
    assert message == f"-o: {run.out} lies in {users}, which is read; expected a folder apart"
    assert os.listdir(users) == ["a.parquet"]
    begin = ["score", users, "--x-column", "vector", "--y-column", "vector2"]
    write_users(run.folder, "users/a.parquet", vector2=VECTORS)
    assert refusal(2, *begin, "-o", run.out) == message
    done(*begin, "-o", run.folder / "out")
    done(*begin, "-o", run.folder / "out", "--resume")
