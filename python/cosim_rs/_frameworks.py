"""What the modules of the machine-learning frameworks share.

Where an operation cannot be native, the framework's own operations compute the same formula, and a
warning says once why.
"""

from __future__ import annotations

import warnings

_warned: set[tuple[str, str]] = set()


def warn_once(framework: str, reason: str) -> None:
    """Warn that a framework's own operations compute, and why: once a reason."""
    if (framework, reason) not in _warned:
        _warned.add((framework, reason))
        warnings.warn(
            f"cosim_rs.{framework} computes by {framework}'s own operations: {reason}",
            RuntimeWarning,
            stacklevel=3,
        )
