"""Keras, or an error that says what to do about it."""

from __future__ import annotations

OLDEST = (3, 5)

_ADVICE = "install it by: pip install 'cosim-rs[keras]'"

try:
    import keras
except ModuleNotFoundError as error:
    if error.name != "keras":
        raise
    raise ImportError(f"cosim_rs.keras needs Keras 3, which is not installed; {_ADVICE}") from error


def check(version: str) -> None:
    """Raise ImportError if this version of Keras is too old."""
    found = tuple(int(part) for part in version.split(".")[:2])
    if found < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise ImportError(f"cosim_rs.keras needs Keras {wanted} or newer, not {version}; {_ADVICE}")


check(keras.__version__)

__all__ = ["OLDEST", "check"]
