"""What a case's results are judged by, each kind of it computed once."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import checks, found, reached
from .cases import Array, Case, Inputs
from .contenders import Contender, as_scores
from .excluding import EXCLUSIONS
from .found import Found
from .reached import Hits, Truth


class Judgement(NamedTuple):
    """Whether a result may be timed, and what is to be said of it."""

    is_right: bool
    note: str = ""


class Oracle:
    """The true results of a case, in float64."""

    def __init__(self, case: Case, inputs: Inputs) -> None:
        self._case = case
        self._inputs = inputs
        self._expected: dict[str, Array] = {}
        self._reached: Truth | None = None

    def judge(self, contender: Contender, result: Any) -> Judgement:
        """Compare what a contender gave with what it should have."""
        kind, inputs = contender.expects, self._inputs
        if kind == "catalogue":
            kind, result = "best", result.top_k(inputs.users, inputs.k)
        if kind == "recall":
            return Judgement(True, found.recall(Found(*result), self._of("best"), inputs))
        allowed = checks.bound(contender, self._case, inputs)
        if kind in ("rows", "pairs"):
            hits = Hits.of_rows(*result) if kind == "rows" else Hits(*result)
            self._reached = self._reached or reached.truth(inputs)
            wrong = reached.verdict(hits, self._reached, inputs, allowed)
            return Judgement(wrong is None, wrong or f"{len(hits.scores):,} found")
        expected = self._of(kind)
        if kind.startswith("best"):
            given = Found(*result)
            wrong = found.verdict(given, expected, inputs, allowed)
            return Judgement(wrong is None, wrong or given.setting)
        wrong = checks.verdict(as_scores(result, expected), expected, allowed)
        return Judgement(wrong is None, wrong or "")

    def _of(self, kind: str) -> Array:
        if kind not in self._expected:
            self._expected[kind] = self._compute(kind)
        return self._expected[kind]

    def _compute(self, kind: str) -> Array:
        if kind == "best":
            return found.best(self._inputs)
        if kind.startswith("best but "):
            excluded = EXCLUSIONS[kind.removeprefix("best but ")](self._inputs)
            return found.best(self._inputs, excluded)
        return checks.expected(kind, self._case, self._inputs)
