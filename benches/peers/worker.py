"""The other end of `coprocess.Worker`: one kernel of the library, timed when asked.

Requests are lines of JSON: ``{"prepare": case}`` makes the case's inputs, does its work once and
answers with a digest of the result's bits; ``{"calls": n}`` answers with the seconds a call.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

from . import lineup
from .cases import Case
from .timing import Sampler, no_garbage_collection, sampler


class Prepared:
    """The case in hand."""

    sample: Sampler | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request, one answer."""
        if "prepare" in request:
            self.sample = None  # Drop the last case's arrays before the next one's are made.
            case = Case(**{**request["prepare"], "shape": tuple(request["prepare"]["shape"])})
            call = lineup.contenders(case)[0].prepare(case.inputs())
            result = call()
            # A search gives scores and items, and a word on itself.
            parts = result[:2] if isinstance(result, tuple) else (result,)
            digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
            self.sample = sampler(call)
            return {"digest": digest}
        assert self.sample is not None
        with no_garbage_collection():
            return {"seconds": self.sample(request["calls"])}


def main() -> None:
    """Answer until the input ends."""
    prepared = Prepared()
    for line in sys.stdin:
        try:
            answer = prepared.answer(json.loads(line))
        # Whatever goes wrong is an answer too: the other end puts it into the table.
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
