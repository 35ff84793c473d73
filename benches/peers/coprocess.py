"""Contenders in processes of their own, which answer a line of JSON to each line they are sent.

Two things cannot be measured in this process: the limits of the machine, which a Rust program
finds, and the other kernels of the library, which chooses one a process. As they answer sample by
sample, they take turns with everyone else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .cases import Case
from .timing import Sampler

ROOT = Path(__file__).parents[2]
BUILD = "cargo bench --no-run --no-default-features --bench limits --message-format=json"


class CoProcess:
    """A program that answers every line on its standard input with one line of JSON."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        """Start it, with these variables beside this process's own."""
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: str) -> dict[str, Any]:
        """Send one line and wait for the answer; an error in it is raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        """End its input, which ends it."""
        self._process.communicate()


class Limits(CoProcess):
    """The most that this machine can do, measured anew each time."""

    def __init__(self, program: Path, threads: int) -> None:
        """Start the program that `build_limits` has built."""
        super().__init__([str(program), str(threads)])

    def at_peak(self, case: Case) -> Sampler:
        """Seconds that the case's arithmetic takes at the peak of fused multiply-adds."""
        name = f"{case.dtype}_gflops"
        return lambda _: case.operations / (self.ask(case.dtype)[name] * 1e9)

    def at_bandwidth(self, case: Case) -> Sampler:
        """Seconds that reading the case's items takes at the bandwidth of memory."""
        return lambda _: case.item_bytes / (self.ask("read")["read_gbytes"] * 1e9)


def build_limits() -> Path | None:
    """Build the program that finds the limits; None without a Rust toolchain."""
    if shutil.which("cargo") is None:
        return None
    build = subprocess.run(BUILD.split(), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for line in build.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "limits":
            return Path(message["executable"])
    raise RuntimeError(f"`{BUILD}` named no program")


class Worker(CoProcess):
    """The library in another process, with a kernel of its own."""

    def __init__(self, kernel: str | None) -> None:
        """Start it with this kernel as the best allowed, or with none named."""
        environment = {"COSIM_RS_KERNEL": kernel} if kernel else {}
        super().__init__([sys.executable, "-m", "benches.peers.worker"], environment)

    def prepare(self, case: Case) -> str:
        """Hold the case's inputs, do its work once, and return a digest of the result."""
        return str(self.ask(json.dumps({"prepare": asdict(case)}))["digest"])

    def sample(self, calls: int) -> float:
        """Seconds a call of the case that was prepared last."""
        return float(self.ask(json.dumps({"calls": calls}))["seconds"])
