"""The picture of a run: how many times the library's time everyone takes, one panel a case."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

from .bars import Result

COLUMNS = 3
LIMITS = ("sum", "read", "peak", "matmul")
"""Families that are limits of the machine, in grey."""


def draw(results: list[Result], path: Path) -> None:
    """Write the picture, if matplotlib is installed and anything was timed."""
    panels = [result for result in results if any(one.seconds for one in result.entrants)]
    if not panels or importlib.util.find_spec("matplotlib") is None:
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = math.ceil(len(panels) / COLUMNS)
    figure, axes = pyplot.subplots(
        rows, COLUMNS, figsize=(5.2 * COLUMNS, 3.4 * rows), squeeze=False, layout="constrained"
    )
    for panel, result in zip(axes.flat, panels, strict=False):
        _panel(panel, result)
    for empty in axes.flat[len(panels) :]:
        empty.set_visible(False)
    figure.suptitle("Time, as a multiple of cosim_rs's (log scale; the line is 1, less is faster)")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _panel(panel: Any, result: Result) -> None:
    timed = sorted((one for one in result.entrants if one.seconds), key=lambda one: -one.median)
    ours = (result.best("cosim_rs") or timed[-1]).median
    ratios = [one.median / ours for one in timed]
    spreads = [
        [ratio - one.quartiles[0] / ours for ratio, one in zip(ratios, timed, strict=True)],
        [one.quartiles[1] / ours - ratio for ratio, one in zip(ratios, timed, strict=True)],
    ]
    colours = [
        "tab:red" if one.family == "cosim_rs" else "silver" if one.family in LIMITS else "tab:blue"
        for one in timed
    ]
    panel.barh([one.name for one in timed], ratios, xerr=spreads, color=colours, ecolor="dimgray")
    panel.set_xscale("log")
    panel.set_xlim(min(*ratios, 0.5) / 1.2, max(*ratios, 2.0) * 2)
    panel.xaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_minor_formatter("")
    panel.axvline(1, color="black", linewidth=0.8)
    panel.tick_params(labelsize=7)
    panel.set_title(f"{result.case.table} {result.case.name}", fontsize=9)
    for height, (ratio, above) in enumerate(zip(ratios, spreads[1], strict=True)):
        panel.annotate(f" {ratio:.2f}", (ratio + above, height), va="center", fontsize=7)
