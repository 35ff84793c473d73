"""A process that is timed whole, with the most memory that it ever had."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

COMMAND = [sys.executable, "-m", "cosim_rs", "top-k"]


class Cost(NamedTuple):
    seconds: float
    """From start to end."""
    cpu: float
    peak: int
    """Bytes."""


def cost(command: list[str]) -> Cost:
    """Run it to its end.

    The peak of a child is at least that of its parent, so the parent must have imported little.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def top_k(folder: Path, output: Path, *options: str) -> list[str]:
    """The job: the best ten that a user has not seen."""
    files = [str(folder / "users.parquet"), "--catalogue", str(folder / "items.safetensors")]
    return [*COMMAND, *files, "-k", "10", "--exclude-column", "seen", "-o", str(output), *options]


def peer(way: str, folder: Path, output: Path) -> list[str]:
    """The same job without us."""
    return [sys.executable, "-m", "benches.batch.peer", way, str(folder), str(output)]
