"""Where the time of a job goes: ``python -m benches.batch.profile JSON ARGUMENTS…``.

What is read, and what is written, is done in threads of their own beside the scan; their time of
the CPU is time that the scan does not get, and little of it is time that passes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

BEGIN = time.perf_counter()

from cosim_rs import _search, cli  # noqa: E402
from cosim_rs.batch import _scorer  # noqa: E402
from cosim_rs.cli import _job, _job_rows  # noqa: E402

IMPORTED = time.perf_counter() - BEGIN
PASSED: dict[str, float] = {}
CPU: dict[str, float] = {}


def timed(stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The same call, whose time is added to a stage's."""

    def timed_call(*arguments: Any, **options: Any) -> Any:
        begin, cpu = time.perf_counter(), time.thread_time()
        try:
            return call(*arguments, **options)
        finally:
            PASSED[stage] = PASSED.get(stage, 0) + time.perf_counter() - begin
            CPU[stage] = CPU.get(stage, 0) + time.thread_time() - cpu

    return timed_call


def timed_steps(stage: str, items: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    def steps(*arguments: Any) -> Iterator[Any]:
        iterator, end = iter(items(*arguments)), object()
        step = timed(stage, next)
        while (item := step(iterator, end)) is not end:
            yield item

    return steps


def main() -> None:
    for owner, name, stage in (
        (_search, "search", "scan"),
        (_scorer, "vectors_of", "vectors of columns"),
        (_scorer, "_listed", "ids of the excluded"),
        (_scorer, "Found", "ids of what is found"),
        (_job.Writer, "write", "encoding and writing"),
    ):
        setattr(owner, name, timed(stage, getattr(owner, name)))
    _job_rows._batches = timed_steps("reading and decoding", _job_rows._batches)
    code = cli.main(sys.argv[2:])
    whole = time.perf_counter() - BEGIN
    stages = {stage: [PASSED[stage], CPU[stage]] for stage in PASSED}
    stages["imports"] = [IMPORTED, IMPORTED]
    Path(sys.argv[1]).write_text(
        json.dumps({"passed": whole, "cpu": time.process_time(), "stages": stages})
    )
    sys.exit(code)


if __name__ == "__main__":
    main()
