"""A job killed or interrupted at any moment, resumed: byte for byte what one run leaves behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from files import done, refusal
from helpers import TESTS
from jobs import GROUP, contents, write_catalogue, write_users

from cosim_rs.cli import _job_rows

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")

KILLS = 5
# Small parts, and some time to be killed in: a batch takes ten milliseconds at least.
SLOWLY = f"""
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from cosim_rs.batch import BatchScorer
from cosim_rs.cli import _job_rows, _job_verbs, main
_job_rows.PART_ROWS, _job_verbs.BATCH_ROWS = {GROUP}, 30
true = BatchScorer.__call__
def call(scorer, batch):
    time.sleep(0.01)
    return true(scorer, batch)
BatchScorer.__call__ = call
print("ready", flush=True)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A run of eight parts, done once into `whole`."""
    monkeypatch.setattr(_job_rows, "PART_ROWS", GROUP)
    monkeypatch.setattr("cosim_rs.cli._job_verbs.BATCH_ROWS", 30)
    write_catalogue(tmp_path)
    users, catalogue = write_users(tmp_path), tmp_path / "items.safetensors"
    arguments = ["top-k", str(users), "--catalogue", str(catalogue), "-k", "5"]
    done(*arguments, "-o", tmp_path / "whole")
    return arguments


def started(*arguments: str) -> subprocess.Popen[str]:
    """The command, in a process of its own that is about to begin."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TESTS,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_at_any_moment(arguments: list[str], tmp_path: Path) -> None:
    expected, rng = contents(tmp_path / "whole"), random.Random(0)
    out = tmp_path / "out"
    arguments = [*arguments, "-o", str(out), "--resume"]
    killed = 0
    while killed < KILLS or not (out / "_SUCCESS").exists():
        process = started(*arguments)
        if killed < KILLS:
            time.sleep(rng.uniform(0.0, 0.15))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        process.communicate()
        # At no time is there a part that is not whole, or of others' rows.
        found = contents(out) if out.exists() else {}
        assert found.items() <= expected.items()
    assert contents(out) == expected
    assert sorted(os.listdir(tmp_path)) == [
        "items.safetensors",
        "out",
        "out.manifest.json",
        "users.parquet",
        "whole",
        "whole.manifest.json",
    ]


def test_one_run_at_a_time(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = started(*arguments, "-o", str(out))
    while not (out.exists() and contents(out)):
        time.sleep(0.002)
    for flag in ("--resume", "--overwrite"):
        message = refusal(2, *arguments, "-o", str(out), flag)
        assert message == f"-o: another run is writing to {out}"
    _, told = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in told) == (0, False)
    assert contents(out) == contents(tmp_path / "whole")
    assert not (tmp_path / ".out.unfinished").exists()
    done(*arguments, "-o", str(out), "--resume")


def test_ctrl_c(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [*arguments, "-o", str(out)]
    process = started(*arguments)
    while not (out.exists() and contents(out)):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.endswith("with --resume the same command goes on\ncosim-rs top-k: interrupted\n")
    assert "Traceback" not in told
    left = contents(out)
    assert 0 < len(left) < 8
    assert not (tmp_path / ".out.unfinished").exists()
    outcome = done(*arguments, "--resume")
    assert f"8 parts, {len(left)} of them there before" in outcome.out
    assert contents(out) == contents(tmp_path / "whole")
