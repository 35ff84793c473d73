"""Every backend in a process of its own, then the page."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benches.peers import environment

from . import faults

BARS = {
    ("layer, eager", (8, 50, 32)): {"jax": 4.0, "tensorflow": 4.0, "torch": 1.7},
    ("function, eager", (8, 50, 32)): 3.0,
    ("layer, eager", (256, 1000, 64)): 5.0,
    ("layer, compiled", (256, 1000, 64)): 1.3,
    ("layer, eager, forward and backward", (256, 1000, 64)): 2.0,
    ("layer, compiled, forward and backward", (256, 1000, 64)): 2.0,
    ("fit, one epoch of 2,048 queries", (64, 1000, 64)): 1.0,
    ("layer, eager, bfloat16 policy", (256, 1000, 64)): 1.0,
}
"""Times as fast as the faster of the others."""


def measured(backend: str, rounds: int) -> Any:
    """The figures of one backend."""
    names = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-m", "benches.layers.backend", str(rounds)]
    finished = subprocess.run(command, env=names, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(finished.stdout.splitlines()[-1])


def rows(backend: str, figures: Any) -> list[list[str]]:
    """A line a case."""
    lines = []
    for work, shape, times in figures:
        own, *others = times.values()
        fastest = min(others)
        ratio = fastest[0] / own[0]
        bar: Any = BARS[work, tuple(shape)]
        bar = bar[backend] if isinstance(bar, dict) else bar
        fields = [
            f"{median * 1e6:,.0f} ({low * 1e6:,.0f}-{high * 1e6:,.0f})"
            for median, low, high in times.values()
        ]
        fields += ["–"] * (3 - len(fields))
        verdict = "reached" if ratio >= bar else "missed"
        lines.append(
            [backend, work, str(tuple(shape)), *fields, f"{ratio:.2f}", f"{bar} {verdict}"]
        )
    return lines


def table(head: list[str], lines: list[list[str]]) -> str:
    """As Markdown has it."""
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *lines))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benches.layers", description=__doc__)
    parser.add_argument("backends", nargs="*", default=[], help="only these (default: installed)")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    os.environ.update(environment.wanted(environment.default_threads()))
    for name in environment.HARMFUL + environment.OURS[:1]:
        os.environ.pop(name, None)
    from benches.peers import machine, report

    note = machine.note(environment.default_threads(), machine.busy_share())
    installed = [b for b in ("jax", "tensorflow", "torch") if importlib.util.find_spec(b)]
    results = {}
    for backend in options.backends or installed:
        results[backend] = measured(backend, options.rounds)
        note[f"{backend} here"] = results[backend]["version"]
    note["CPUs busy with others after"] = f"{machine.busy_share():.0%}"
    text = page(results, note)
    print(text)
    (options.output / f"layers-{report.machine_words(note)}.md").write_text(text, encoding="utf-8")


def page(results: dict[str, Any], note: dict[str, Any]) -> str:
    """The whole page."""
    lines, costs = [], []
    for backend, result in results.items():
        lines += rows(backend, result["figures"])
        costs += faults.rows(backend, result["faults"])
    contenders = ["cosim_rs", "ops, einsum", "ops, matmul"]
    head = ["backend", "work", "shape", *contenders, "times as fast", "bar"]
    text = f"# Keras layers on {note['CPU']}, kernel {note['kernel']}\n\n{READING}\n"
    text += table(head, lines) + "\n## Page faults\n\n"
    text += FAULTS.format(granted=note["transparent huge pages"]) + "\n"
    text += table(["backend", "work", *contenders], costs) + "\n## Machine\n\n"
    return text + "\n".join(f"- {name}: {value}" for name, value in note.items()) + "\n"


READING = """\
Microseconds: medians with the first and third quartile of calls that took turns. *Times as fast* is
the faster of the two formulations by Keras' operations, over cosim_rs; under the bfloat16 policy it
is the same layer in float32.
"""

FAULTS = """\
Of (256, 1000, 64), a call: minor faults, the system's CPU time, and its share of all CPU time. The
gradient of the items is 65 MB: 16,000 pages of 4 KiB, or 31 huge ones. Here huge pages are granted
`{granted}` (always, by madvise to those who ask, or never).
"""

if __name__ == "__main__":
    main()
