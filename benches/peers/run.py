"""One run: prepare and check everyone in each case, let them take turns, and report.

The inputs of one case are dropped before those of the next are made, so the largest case, a third
of a gigabyte or twice that in float64, and the temporaries of its peers set the memory needed. A
search needs more, as each contender keeps items of its own: up to 8 GB.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import cosim_rs

from . import lineup, machine, memory, plot, report
from .bars import Result
from .cases import MATRICES, TABLES, Case, Inputs, all_cases
from .contenders import Contender, threads
from .coprocess import Limits, Worker, build_limits
from .oracle import Oracle
from .timing import Entrant, race, sampler

Say = Callable[[str], None]


@dataclass(frozen=True)
class Helpers:
    """The co-processes of a run."""

    limits: Limits | None
    workers: dict[str, Worker]
    """By kernel."""


def run(options: argparse.Namespace, say: Say) -> None:
    """Measure what the options ask for."""
    tables = options.tables or list(TABLES)
    if unknown := set(tables) - set(TABLES):
        raise SystemExit(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    cosim_rs.set_num_threads(threads())
    busy = machine.busy_share()
    if busy > machine.BUSY_WARNING:
        say(f"warning: others keep {busy:.0%} of the CPUs busy; the figures will be doubtful")
    note = machine.note(threads(), busy)
    cases = [case for case in all_cases() if case.table in tables]
    if options.quick:
        cases = [case.tiny() for case in cases]
    results = []
    with helpers(options, tables) as available:
        for case in cases:
            say(f"{case.table} {case.name}")
            entrants = entered(case, available)
            race(entrants, options.rounds)
            results.append(Result(case, entrants))
            gc.collect()
    extra = extra_memory() if {"matrix-out", "matrix-fresh"} & set(tables) else {}
    note["CPUs busy with others after"] = f"{machine.busy_share():.0%}"
    for page, shown in report.pages(results).items():
        memory_of_page = extra if page == "results" else {}
        text = report.markdown(shown, memory_of_page, note)
        print(text)
        if options.output:
            path = options.output / f"{page}-{report.machine_words(note)}.md"
            report.write(path, text, shown, memory_of_page, note)
            plot.draw(shown, path.with_suffix(".png"))
            say(f"written: {path}, .json, .png")


@contextmanager
def helpers(options: argparse.Namespace, tables: list[str]) -> Iterator[Helpers]:
    """Start the co-processes that these tables need, and end them."""
    config = cosim_rs.show_config(mode="dicts")
    # The best comes first: the others have to agree with it.
    kernels = reversed(config["kernels"]) if {"kernels", "search"} & set(tables) else ()
    with ExitStack() as stack:
        limits = None
        if program := options.limits or build_limits():
            limits = stack.enter_context(closing(Limits(program, threads())))
        workers = {kernel: stack.enter_context(closing(Worker(kernel))) for kernel in kernels}
        yield Helpers(limits, workers)


def entered(case: Case, available: Helpers) -> list[Entrant]:
    """Everyone of a case, checked and ready."""
    if case.table == "kernels":
        return list(kernel_entrants(case, available.workers))
    inputs = case.inputs()
    oracle = Oracle(case, inputs)
    entrants = [checked(one, inputs, oracle) for one in lineup.contenders(case)]
    if case.table == "search":
        return [*entrants, *kernel_entrants(case, available.workers)]
    return [*entrants, *limit_entrants(case, available.limits)]


def checked(contender: Contender, inputs: Inputs, oracle: Oracle) -> Entrant:
    """Prepare one contender and compare what it gives with the oracle."""
    absent = Entrant(contender.name, contender.family, None)
    if missing := contender.missing():
        absent.note = f"not installed ({missing})"
        return absent
    try:
        call = contender.prepare(inputs)
        judgement = oracle.judge(contender, call())
    # A peer that fails is a line of the table, not the end of the run.
    except Exception as error:
        absent.note = f"failed: {type(error).__name__}: {str(error).splitlines()[0]}"
        return absent
    sample = sampler(call) if judgement.is_right else None
    return Entrant(contender.name, contender.family, sample, judgement.note)


def limit_entrants(case: Case, limits: Limits | None) -> list[Entrant]:
    """The machine's own limits for this case."""
    if case.k or case.rows or case.least:
        return []
    name, family = ("same arithmetic at the FMA peak", "peak")
    if case.is_batch:
        if not case.from_memory:
            return []
        name, family = ("same bytes at memory bandwidth", "read")
    if limits is None:
        return [Entrant(name, family, None, "not built (cargo)")]
    return [Entrant(name, family, (limits.at_bandwidth if case.is_batch else limits.at_peak)(case))]


def kernel_entrants(case: Case, workers: dict[str, Worker]) -> Iterator[Entrant]:
    """The library's own kernels, which have to agree on every bit."""
    digests: dict[str, str] = {}
    for kernel, worker in workers.items():
        if kernel == "portable" and (case.from_memory or case.k):
            continue  # It takes too long for what it tells.
        name = f"cosim_rs Catalogue, {kernel}" if case.k else kernel
        try:
            digests[kernel] = worker.prepare(case)
        except RuntimeError as error:
            yield Entrant(name, kernel, None, f"failed: {error}")
            continue
        if len(set(digests.values())) > 1:
            yield Entrant(name, kernel, None, "wrong: not the bits of the default kernel")
            continue
        yield Entrant(name, kernel, worker.sample)


def extra_memory() -> dict[str, int | None]:
    """Peak extra bytes a thread of each matrix, by a readable name."""
    figures: dict[str, int | None] = {}
    for shape in MATRICES:
        case = Case("matrix-fresh", shape)
        for fresh in (True, False):
            extra = memory.measured(case, fresh)
            name = f"{case.shape}, {'fresh output' if fresh else 'out given'}"
            figures[name] = None if extra is None else extra // threads()
    return figures
