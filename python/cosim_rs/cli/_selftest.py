"""`cosim-rs selftest`: whether this installation gives the bits that it should, on this machine.

A process keeps to the kernel that it has begun with, so each kernel is tried in one of its own.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import numpy as np

import cosim_rs
from cosim_rs.cli._errors import Failed
from cosim_rs.cli._golden import EXPECTED
from cosim_rs.cli._options import Options, Verbs, add_verb

MORE = """
Tells the version, the instruction sets of this machine, and which kernels there are for them. Then
scores small cases with each kernel, in a process of its own, and compares every bit with what must
come out. It takes some seconds, and exits with 1 if anything differs.
"""

EXAMPLES = """
  cosim-rs selftest
"""

# What the kernels ask for, by Linux' names.
INSTRUCTION_SETS = ("f16c", "fma", "avx2", "avx512f", "avx512_vnni", "amx_tile", "amx_int8")
SECONDS = 120  # for a kernel, which takes one


def add_to(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    add_verb(
        verbs, "selftest", run, "Check that this machine gives the right bits.", MORE, EXAMPLES
    )


def run(options: Options) -> None:
    """Try each kernel; Failed if one gives other bits."""
    config = cosim_rs.show_config(mode="dicts")
    python = f"Python {platform.python_version()}, NumPy {np.__version__}"
    print(f"cosim_rs {config['version']}, {python}, {platform.system()} {platform.machine()}")
    print(f"instruction sets: {' '.join(instruction_sets()) or 'not told by this system'}")
    print(f"kernel in use: {config['kernel']}, with {config['threads']} threads")
    wrong = []
    for kernel in config["kernels"]:
        problems = list(problems_of(kernel))
        right = len(EXPECTED) - len(problems)
        print(f"kernel {kernel}: {right} of {len(EXPECTED)} cases give the right bits", flush=True)
        for problem in problems:
            print(f"  {problem}")
        wrong += [kernel] * bool(problems)
    if wrong:
        raise Failed(f"wrong bits from {', '.join(wrong)}")
    print("passed")


def problems_of(kernel: str) -> list[str]:
    """What is wrong with a kernel, case by case."""
    try:
        used, found = outcomes_of(kernel)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return [f"{name}: {error}" for name in EXPECTED]
    if used != kernel:
        return [f"{name}: {used} was used instead" for name in EXPECTED]
    return [
        f"{name}: got {found.get(name)}, expected {bits}"
        for name, bits in EXPECTED.items()
        if found.get(name) != bits
    ]


def outcomes_of(kernel: str) -> tuple[str, dict[str, str]]:
    """The kernel that a process with this cap uses, and what comes out there."""
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from cosim_rs.cli import _golden; _golden.tell()"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"COSIM_RS_KERNEL": kernel},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if finished.returncode:
        last = (finished.stderr.splitlines() or ["nothing was said"])[-1]
        raise ValueError(f"the process ended with {finished.returncode}: {last}")
    used, found = json.loads(finished.stdout)
    return used, found


def instruction_sets() -> list[str]:
    """Those of this machine that kernels are made for, as far as the system tells."""
    try:
        with open("/proc/cpuinfo") as lines:
            flags = next((line for line in lines if line.startswith("flags")), "").split()
    except OSError:
        return []
    return [name for name in INSTRUCTION_SETS if name in flags]


__all__ = ["add_to", "run"]
