"""What a job leaves behind: whole parts of one run, whatever happens, and nothing unasked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from files import cosim_rs_command, refusal
from jobs import GROUP, VECTORS, Run, contents, write_catalogue, write_users

from cosim_rs.cli import _job_rows
from cosim_rs.cli._errors import BadOption
from cosim_rs.cli._job_output import Output, part_name
from cosim_rs.cli._job_overlap import DEPTH, ahead, behind
from cosim_rs.cli._job_part import PartFile


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(_job_rows, "PART_ROWS", 2 * GROUP)
    return Run(tmp_path)


def modified(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_an_output_is_not_overwritten_unasked(run: Run) -> None:
    run.done()
    before = modified(run.out)
    message = refusal(2, *run.arguments())
    assert message.startswith(f"-o: {run.out} holds _SUCCESS; expected a new or an empty folder")
    assert modified(run.out) == before
    assert (
        "not allowed with argument"
        in cosim_rs_command(*run.arguments("--resume", "--overwrite")).err
    )


def test_overwrite_replaces_all_of_it(run: Run) -> None:
    run.done("-k", 3)
    expected = contents(run.out)
    run.done("-k", 5, "--overwrite")
    assert expected != contents(run.out)
    (run.out / "part-000017.parquet").write_bytes(b"of a run with more parts")
    run.done("-k", 3, "--overwrite")
    assert contents(run.out) == expected


@pytest.mark.parametrize("flag", ["--overwrite", "--resume"])
@pytest.mark.parametrize("name", ["notes.txt", "part-00000-5d2f.snappy.parquet"])
def test_files_of_others_are_left_alone(flag: str, name: str, run: Run) -> None:
    run.out.mkdir()
    (run.out / name).write_text("mine")
    message = refusal(2, *run.arguments(flag))
    assert message == f"-o: {run.out} holds {name}, which is no output of a run"
    assert contents(run.out) == {name: b"mine"}
    assert sorted(os.listdir(run.folder)) == ["items.safetensors", "out", "users.parquet"]


def test_a_file_is_no_folder(run: Run) -> None:
    run.out.write_text("mine")
    assert "is a file, expected a folder" in refusal(2, *run.arguments("--overwrite"))
    assert run.out.read_text() == "mine"


@pytest.mark.parametrize("text", ["", "mine", "[]", '{"run": "mine"}', '{"start_url": "/"}'])
def test_a_manifest_of_others_is_left_alone(text: str, run: Run) -> None:
    manifest = run.folder / "out.manifest.json"
    manifest.write_text(text)
    message = refusal(2, *run.arguments("--overwrite"))
    assert message == f"-o: {manifest} is there, and is no manifest of a run"
    assert manifest.read_text() == text
    assert not run.out.exists()


def test_nor_does_another_run_pass_for_this_one(run: Run) -> None:
    """Which has put other parts under the same names, after this one had looked."""
    run.done("-k", 3)
    parts = json.loads((run.folder / "out.manifest.json").read_text())["run"]
    output = Output(str(run.out), parts, resume=True, overwrite=False)
    assert len(output.done) == 4
    run.done("-k", 5, "--overwrite")
    expected = contents(run.out)
    with pytest.raises(BadOption, match="-o: another run has just written to"), output.begun():
        pass
    assert contents(run.out) == expected


def test_a_link_is_the_folder_that_it_leads_to(run: Run) -> None:
    run.out.mkdir()
    link = run.folder / "link"
    link.symlink_to(run.out)
    holding = Output(str(run.out), {}, resume=False, overwrite=False)
    other = Output(str(link), {}, resume=False, overwrite=False)
    with holding.begun(), pytest.raises(BadOption, match="another run is writing"), other.begun():
        pass
    assert sorted(os.listdir(run.folder)) == [
        "items.safetensors", "link", "out", "out.manifest.json", "users.parquet"
    ]  # fmt: skip


@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True)])
def test_what_another_run_has_just_written_is_left_alone(
    flags: tuple[bool, bool], tmp_path: Path
) -> None:
    """It was finished after this one had looked, and before this one had the folder alone."""
    out, (resume, overwrite) = tmp_path / "out", flags
    output = Output(str(out), {}, resume=resume, overwrite=overwrite)
    out.mkdir()
    (out / part_name(0)).write_bytes(b"another's")
    with pytest.raises(BadOption, match="-o: another run has just written to"), output.begun():
        pass
    assert contents(out) == {part_name(0): b"another's"}
    assert os.listdir(tmp_path) == ["out"]


def test_resume_makes_only_what_is_missing(run: Run) -> None:
    run.done()
    expected, before = contents(run.out), modified(run.out)
    (run.out / "part-000001.parquet").unlink()
    (run.out / "part-000003.parquet").write_bytes(expected["part-000003.parquet"][:-9])
    (run.out / "_SUCCESS").unlink()
    outcome = run.done("--resume")
    assert "rows: 340," in outcome.out  # of 700
    assert "4 parts, 2 of them there before" in outcome.out
    assert contents(run.out) == expected
    after = modified(run.out)
    unchanged = {name for name in after if after[name] == before[name]}
    assert unchanged == {"part-000000.parquet", "part-000002.parquet"}
    manifest = json.loads((run.folder / "out.manifest.json").read_text())
    assert (manifest["rows"], manifest["parts"]) == (700, 4)
    assert "rows: 0," in run.done("--resume").out
    assert contents(run.out) == expected


def test_what_was_skipped_before_counts_in_the_end(run: Run) -> None:
    vectors = VECTORS.copy()
    vectors[[0, 1, 699]] = np.nan
    run.users = write_users(run.folder, vector=vectors)
    run.done()
    (run.out / "part-000003.parquet").unlink()
    assert "skipped: 1 not finite" in run.done("--resume").out
    manifest = json.loads((run.folder / "out.manifest.json").read_text())
    assert manifest["skipped"] == {"not finite": 3}


def test_resume_of_nothing_is_a_run(run: Run) -> None:
    run.done("--resume")
    expected = contents(run.out)
    run.done("--overwrite")
    assert contents(run.out) == expected


def test_resume_refuses_parts_of_another_run(run: Run) -> None:
    run.done("-k", 3)
    expected = contents(run.out)
    changes: dict[str, Any] = {"k": run.arguments("-k", 4, "--resume")}
    changes["min_score"] = run.arguments("-k", 3, "--min-score", 0, "--resume")
    for name, arguments in changes.items():
        message = refusal(2, *arguments)
        assert message.startswith(f"--resume: {run.out / 'part-000000.parquet'} is of another run")
        assert f"which differs in {name};" in message
    later = run.users.stat().st_mtime + 10
    os.utime(run.users, (later, later))
    assert "which differs in files;" in refusal(2, *run.arguments("-k", 3, "--resume"))
    # A part of no run at all.
    for part in run.out.glob("*.parquet"):
        part.unlink()
    pq.write_table(pq.read_table(run.users), run.out / "part-000000.parquet")
    assert "is of another run" in refusal(2, *run.arguments("-k", 3, "--resume"))
    assert expected.keys() >= contents(run.out).keys()


def test_a_catalogue_saved_again_is_the_same(run: Run) -> None:
    run.done()
    (run.out / "part-000001.parquet").unlink()
    write_catalogue(run.folder)
    assert "3 of them there before" in run.done("--resume").out


def test_what_is_stale_is_swept_before_anything_is_written(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = run.folder / ".out.unfinished"
    unfinished.mkdir()
    (unfinished / "part-000000.parquet.1234abcd").write_text("cut short")
    there: list[list[str]] = []
    true = PartFile.write

    def write(part: PartFile, *arguments: Any) -> None:
        there.append(os.listdir(unfinished))
        true(part, *arguments)

    monkeypatch.setattr(PartFile, "write", write)
    run.done()
    assert [len(names) for names in there] == [2] * 4  # the part, and the lock
    assert "part-000000.parquet.1234abcd" not in there[0]
    assert not unfinished.exists()


def failing_after(rows: int) -> Any:
    true = PartFile.write

    def write(part: PartFile, *arguments: Any) -> None:
        if part.rows >= rows:
            raise OSError(28, "No space left on device")
        true(part, *arguments)

    return write


def test_a_part_that_cannot_be_written_is_not_there(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even if the last of its rows are given to the writer afterwards."""
    monkeypatch.setattr("cosim_rs.cli._job_verbs.BATCH_ROWS", 10)
    with monkeypatch.context() as broken:
        broken.setattr(PartFile, "write", failing_after(50))
        outcome = cosim_rs_command(*run.arguments())
    assert outcome.code == 1
    assert "No space left on device" in outcome.err
    assert contents(run.out) == {}
    assert not (run.folder / ".out.unfinished").exists()
    run.done("--resume")
    resumed = contents(run.out)
    run.done("--overwrite")
    assert contents(run.out) == resumed


def test_bad_data_leaves_the_parts_before_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    from cosim_rs.batch import BatchScorer, ColumnError

    true = BatchScorer.__call__

    def call(scorer: BatchScorer, batch: Any) -> Any:
        calls.append(len(batch))
        if sum(calls) > 400:
            raise ColumnError("vector", 2, "got something")
        return true(scorer, batch)

    with monkeypatch.context() as broken:
        broken.setattr(BatchScorer, "__call__", call)
        outcome = cosim_rs_command(*run.arguments())
    assert outcome.code == 3
    first = sum(calls) - calls[-1]
    assert f"{run.users}, column vector, row {first + 2}: got something" in outcome.err
    assert "finished 2 of 4 parts; with --resume the same command goes on" in outcome.err
    assert sorted(contents(run.out)) == ["part-000000.parquet", "part-000001.parquet"]


@pytest.mark.parametrize("short", [0, 1, 3])
def test_a_table_with_fewer_rows_than_it_said_is_no_part(
    short: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = _job_rows._batches

    def batches(part: _job_rows.Part, *arguments: Any) -> Any:
        whole = list(true(part, *arguments))
        return whole[:-1] if part.name == f"part-{short:06}.parquet" else whole

    monkeypatch.setattr(_job_rows, "_batches", batches)
    message = refusal(3, *run.arguments())
    assert message == f"{run.users}: got fewer rows than it said that there are"
    assert sorted(contents(run.out)) == [f"part-{part:06}.parquet" for part in range(short)]


def test_reading_ahead_is_bounded_and_raises_where_it_failed() -> None:
    taken: list[int] = []

    def items() -> Any:
        for number in range(10):
            taken.append(number)
            if number == 7:
                raise ValueError("seven")
            yield number

    used: list[int] = []

    def use() -> None:
        for number in ahead(items()):
            used.append(number)
            assert len(taken) <= number + 2 + DEPTH

    with pytest.raises(ValueError, match="seven"):
        use()
    assert used == list(range(7))
    assert list(ahead([])) == []


def test_writing_behind_is_bounded_in_order_and_complete() -> None:
    done: list[int] = []
    with behind(done.append) as give:
        for number in range(50):
            give(number)
            assert len(done) >= number - DEPTH
    assert done == list(range(50))

    def work(number: int) -> None:
        if number == 3:
            raise ValueError("three")

    given: list[int] = []

    def give_all(numbers: range) -> None:
        with behind(work) as give:
            for number in numbers:
                give(number)
                given.append(number)

    with pytest.raises(ValueError, match="three"):
        give_all(range(50))
    assert len(given) <= 4 + DEPTH
    with pytest.raises(ValueError, match="three"):  # on the way out
        give_all(range(3, 4))
