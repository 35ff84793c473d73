"""Peak memory of a full matrix, beside its inputs and its output, in a process of its own.

``python -m benches.peers.memory`` prints JSON. The peak is Linux's VmHWM and not ``ru_maxrss``,
which a child inherits: it begins at the size of the parent that started it and would hide
everything below that. Inputs are drawn in place, so nothing larger was ever resident before.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from .cases import Case

STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """The most this process has ever had resident."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def extra_bytes(case: Case, fresh: bool) -> int:
    """Peak bytes that one first call adds, a fresh output not counted."""
    import cosim_rs

    inputs = case.inputs()
    scores = None if fresh else inputs.scores()
    before = peak_bytes()
    result = cosim_rs.cosine_similarity(inputs.users, inputs.items, out=scores)
    return peak_bytes() - before - (result.nbytes if fresh else 0)


def measured(case: Case, fresh: bool) -> int | None:
    """`extra_bytes` in a new process; None where the system does not tell."""
    if not STATUS.exists():
        return None
    command = [sys.executable, "-m", "benches.peers.memory", *map(str, case.shape)]
    command += ["fresh"] if fresh else []
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(json.loads(child.stdout)["extra_bytes"])


def main() -> None:
    """Measure the shape that the arguments give."""
    users, items, depth = map(int, sys.argv[1:4])
    case = Case("matrix-fresh", (users, items, depth))
    print(json.dumps({"extra_bytes": extra_bytes(case, fresh="fresh" in sys.argv)}))


if __name__ == "__main__":
    main()
