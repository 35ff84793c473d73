"""The report: a Markdown page for readers, and JSON with every sample for whoever doubts it."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from . import bars, goals
from .bars import Result
from .timing import Entrant

Note = dict[str, Any]
Memory = dict[str, int | None]

HEADINGS = {
    "batched": "Batches: each user with candidates of their own",
    "kernels": "The library's kernels, each in a process of its own",
    "stored": "The same batch with its items stored in each type",
    "inputs": "The smallest batch, of arrays of each library",
    "matrix-out": "Full matrix, `out` given and already touched",
    "matrix-fresh": "Full matrix, fresh output",
    "symmetric": "Full matrix of one set with itself, `out` given",
    "candidates": "Candidates: lists of each user out of one table",
    "search": "Search: the best k items of each user, among items prepared before",
    "search-low-rank": "Search among vectors of low rank, which approximate indexes suit",
    "search-real": "Search among images of handwritten digits",
    "search-excluding": "Search with exclusions",
    "search-preparing": "Preparing a catalogue, for any users",
    "opening": "Opening a catalogue's file and a first search",
    "changing": "Changing a catalogue, and searching it meanwhile",
    "ranges": "Ranges: all items of at least a score",
    "pairs": "Pairs of one set of at least a score",
}

PAGES = {"catalogue": ("opening", "changing"), "pairs": ("ranges", "pairs")}
"""Tables that have a page of their own; all others are on `results`."""

READING = """\
Everything below was measured in one run: the contenders of a case took turns in random order, one
sample each round, after each result had been checked against a float64 oracle. Times are medians
with the first and third quartile; where calls are long there are fewer samples. *Times cosim_rs* is
a contender's median over the library's, so above 1 the library is faster. Small batches are plain
calls that return a fresh array; from memory everyone who can writes into an `out` already touched.
Searches that are not exact say which share of the best items they found. Figures of two runs, or of
two machines, do not compare; ratios of one run do.
"""


def pages(results: list[Result]) -> dict[str, list[Result]]:
    """The results of each page that has any, by its name."""
    found: dict[str, list[Result]] = {}
    for result in results:
        named = (name for name, tables in PAGES.items() if result.case.table in tables)
        found.setdefault(next(named, "results"), []).append(result)
    return found


def markdown(results: list[Result], memory: Memory, note: Note) -> str:
    """The whole page."""
    parts = [f"# Side by side on {note['CPU']}, kernel {note['kernel']}\n", READING]
    parts += ["## What must be reached\n", bar_table(results, memory)]
    table = None
    for result in results:
        if result.case.table != table:
            table = result.case.table
            parts.append(f"## {HEADINGS[table]}\n")
        parts += [f"### {result.case.name}\n", case_table(result)]
    if memory:
        parts += ["## Peak extra memory of a full matrix\n", memory_table(memory)]
    parts += ["## Machine\n", _table(["what", "value"], [[k, str(v)] for k, v in note.items()])]
    return "\n".join(parts)


def bar_table(results: list[Result], memory: Memory) -> str:
    """Every bar that belongs to what was measured, with its verdict."""
    tables = {result.case.table for result in results}
    rows = []
    for bar in goals.all_bars():
        if bar.table in tables:
            ratio = bar.measured(results)
            work = f"{bar.table} {bar.shape} {bar.dtype}"
            rows.append(
                [work, bar.statement, _as_stated(bar, ratio), bars.verdict(ratio, bar.at_most)]
            )
    for name, extra in memory.items():
        measured = math.nan if extra is None else float(extra)
        # Strictly below: the bar is "< 2 MiB".
        verdict = bars.verdict(measured, bars.MEMORY_BAR_BYTES - 1)
        rows.append(
            [f"matrix {name}", "peak extra memory < 2 MiB a thread", _mebibytes(extra), verdict]
        )
    return _table(["work", "bar", "measured", ""], rows)


def _as_stated(bar: bars.Bar, ratio: float) -> str:
    """The ratio as the bar states it: of a time, or of a speed."""
    if math.isnan(ratio):
        return "–"
    return f"{1 / ratio:.2f}" if bar.statement.find("≥") >= 0 else f"{ratio:.2f}"


def case_table(result: Result) -> str:
    """Everyone of one case."""
    ours = result.best("cosim_rs") or result.entrants[0]
    peak = result.best("peak")
    head = ["contender", "median", "quartiles", "samples", "times cosim_rs"]
    if result.case.table == "kernels":
        head[-1] = "times the first"
    if result.case.from_memory:
        head.append("items, GB/s")
    if peak:
        head.append("of the FMA peak")
    rows = []
    for entrant in result.entrants:
        if not entrant.seconds:
            rows.append([entrant.name, entrant.note] + [""] * (len(head) - 2))
            continue
        first, third = entrant.quartiles
        name = f"{entrant.name} ({entrant.note})" if entrant.note else entrant.name
        row = [name, duration(entrant.median), f"{duration(first)} – {duration(third)}"]
        row += [str(len(entrant.seconds)), f"{entrant.median / ours.median:.2f}"]
        if result.case.from_memory:
            row.append(f"{result.case.item_bytes / entrant.median / 1e9:.1f}")
        if peak:
            row.append(f"{peak.median / entrant.median:.2f}")
        rows.append(row)
    return _table(head, rows)


def memory_table(memory: Memory) -> str:
    """Peak extra memory, a thread."""
    return _table(["matrix", "a thread"], [[k, _mebibytes(v)] for k, v in memory.items()])


def _mebibytes(count: int | None) -> str:
    return "–" if count is None else f"{count / 2**20:.2f} MiB"


def duration(seconds: float) -> str:
    """Three significant digits in the unit that suits."""
    scale, unit = (1e6, "µs") if seconds < 1e-3 else (1e3, "ms")
    value = seconds * scale
    return f"{value:.{max(0, 2 - math.floor(math.log10(max(value, 1e-3))))}f} {unit}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def machine_words(note: Note) -> str:
    """CPU and kernel, as a part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", f"{note['CPU']} {note['kernel']}".lower()).strip("-")


def write(path: Path, text: str, results: list[Result], memory: Memory, note: Note) -> None:
    """Write a page and, beside it, its samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    raw = {
        "machine": note,
        "extra_bytes_a_thread": memory,
        "cases": [
            {
                "table": result.case.table,
                "shape": result.case.shape,
                "dtype": result.case.dtype,
                "k": result.case.k,
                "least": result.case.least,
                "contenders": [_raw(entrant) for entrant in result.entrants],
            }
            for result in results
        ],
    }
    path.with_suffix(".json").write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


def _raw(entrant: Entrant) -> dict[str, Any]:
    # Nine digits: a nanosecond in a second.
    seconds = [float(f"{value:.9g}") for value in entrant.seconds]
    return {
        "name": entrant.name,
        "family": entrant.family,
        "note": entrant.note,
        "calls_a_sample": entrant.calls,
        "seconds": seconds,
    }
