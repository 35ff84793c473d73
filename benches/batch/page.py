"""The page: what was measured, beside what it had to reach."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from .run import Cost

NAMES = {
    "cosim_rs": "`cosim-rs top-k`",
    "groups": "NumPy, groups of items first",
    "workers": "NumPy, argpartition, a thread a CPU",
    "blas": "NumPy, argpartition, threads in the product",
}
BARS = {"avx512vnni": 3.0, "amx": 5.0}
"""Times the rows a second of the faster peer with argpartition."""
MOST_MB, MOST_GROWTH, MOST_OUTSIDE = 500, 0.05, 0.35


def table(head: list[str], lines: list[list[str]]) -> str:
    """As Markdown has it."""
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *lines))


def page(results: dict[str, Any], folder: Path) -> str:
    """Write the page; return its text."""
    from benches.peers import machine, report
    from benches.peers.environment import default_threads

    note = machine.note(default_threads(), machine.busy_share())
    text = f"# Jobs on files on {note['CPU']}, kernel {note['kernel']}\n\n{READING}\n"
    text += jobs(results, BARS.get(note["kernel"]))
    text += "\n## Where the time goes\n\n" + stages(results)
    text += "\n## Killed and resumed\n\n" + resumed(results["kills"])
    text += "\n## Machine\n\n"
    text += "\n".join(f"- {name}: {value}" for name, value in note.items()) + "\n"
    path = folder / f"batch-{report.machine_words(note)}.md"
    path.write_text(text, encoding="utf-8")
    return text


def median(costs: list[Any]) -> Cost:
    """Of each figure."""
    return Cost(*(statistics.median(figures) for figures in zip(*costs, strict=True)))


def jobs(results: dict[str, Any], bar: float | None) -> str:
    """The job by everyone, and by us ten times as large."""
    users = dict.fromkeys(NAMES, 200000) | {"many": 2_000_000}
    own = median(results["cosim_rs"])
    lines = []
    for name, title in {**NAMES, "many": "`cosim-rs top-k`"}.items():
        costs = results[name]
        one = median(costs)
        spread = f" ({min(c[0] for c in costs):.1f}-{max(c[0] for c in costs):.1f})"
        ratio = one.seconds / users[name] / (own.seconds / users["cosim_rs"])
        lines.append(
            [
                title,
                f"{users[name]:,}",
                f"{one.seconds:.1f}" + spread * (len(costs) > 1),
                f"{one.cpu:.1f}",
                f"{users[name] / one.seconds:,.0f}",
                f"{one.peak / 1e6:.0f}",
                f"{ratio:.2f}",
            ]
        )
    head = ["job", "users", "s", "CPU s", "rows/s", "peak MB", "our rows/s over its"]
    many = median(results["many"])
    usual = min(median(results[name]).seconds for name in ("workers", "blas"))
    speed, growth = usual / own.seconds, many.peak / own.peak - 1
    outside = 1 - results["profile"]["stages"]["scan"][0] / results["profiled"][0][0]
    bars = [
        [
            "rows/s over those of the faster argpartition",
            f"{speed:.1f}",
            f"≥ {bar}" if bar else "none",
            verdict(speed >= (bar or 0)),
        ],
        ["peak", f"{own.peak / 1e6:.0f} MB", f"≤ {MOST_MB} MB", verdict(own.peak <= 5e8)],
        [
            "peak with ten times the users",
            f"{growth:+.1%}",
            f"≤ {MOST_GROWTH:.0%}",
            verdict(growth <= MOST_GROWTH),
        ],
        [
            "time outside the scan",
            f"{outside:.0%}",
            f"≤ {MOST_OUTSIDE:.0%}",
            verdict(outside <= MOST_OUTSIDE),
        ],
    ]
    return table(head, lines) + "\n" + table(["bar", "here", "wanted", ""], bars)


def verdict(is_reached: bool) -> str:
    """In one word."""
    return "reached" if is_reached else "missed"


def stages(results: dict[str, Any]) -> str:
    """What passed in each stage, and what it took of the CPUs."""
    profile, (whole,) = results["profile"], results["profiled"]
    of_scan = profile["cpu"] - sum(
        cpu for stage, (_, cpu) in profile["stages"].items() if stage != "scan"
    )
    lines = [
        [stage, f"{passed:.2f}", f"{of_scan if stage == 'scan' else cpu:.2f}"]
        for stage, (passed, cpu) in sorted(profile["stages"].items(), key=lambda item: -item[1][0])
    ]
    lines.append(["whole process", f"{whole[0]:.2f}", f"{whole[1]:.2f}"])
    return STAGES + "\n" + table(["stage", "s", "CPU s"], lines)


def resumed(kills: list[Any]) -> str:
    """Each kill."""
    lines = [
        [f"{moment:.2f}", str(parts), "alike" if is_alike else "OTHERS"]
        for moment, parts, is_alike in kills
    ]
    return KILLED + "\n" + table(["killed after s", "parts then", "bytes in the end"], lines)


READING = """\
Users of 64 float32 and 20 seen items each, in Parquet with row groups of 65,536; 50,000 items; the
ten best that a user has not seen, to Parquet. Whole processes from start to end, files in the
system's cache: medians, with the least and the greatest where there were several rounds, in which
`cosim-rs` and the fastest peer took turns. All outputs were compared. The peers read and write
with pyarrow, in batches of 8,192 users, multiply 128 users at a time, and look up what was seen by
`index_in`. The bar is against argpartition of all scores, as one would write it. That finding the
greatest of groups of items first is so much faster shows how much of that ratio is argpartition's.
The steps follow each other, and may have been run in several sittings.
"""
STAGES = """\
One run. Reading and writing go on beside the scan, in threads of their own; so the times that pass
add up to more than the whole, and what they take of the CPUs is what the scan does not get. The
scan's time of the CPUs is that of the process less that of the others.
"""
KILLED = """\
Of 200,000 users: `kill -9` after a random time, then `--resume`; all parts, byte for byte, against
those of a run that nothing happened to.
"""
