"""Native kernels for torch, if this torch is one that they are known to work in."""

from __future__ import annotations

from pathlib import Path

import torch

from cosim_rs import _cosim_rs

# From the oldest version that has all functions that kernels need, to the newest that was tried.
OLDEST = (2, 8)
NEWEST = (2, 15)
LIBRARIES = ("libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.dll")


def implement() -> str | None:
    """Register the native kernels, once the operations are defined; or say why there are none."""
    release = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if not OLDEST <= release <= NEWEST:
        tried = " to ".join(f"{major}.{minor}" for major, minor in (OLDEST, NEWEST))
        return f"torch {torch.__version__} was not tried, only {tried}"
    folder = Path(torch.__file__).parent / "lib"
    found = next((folder / name for name in LIBRARIES if (folder / name).exists()), LIBRARIES[0])
    try:
        _cosim_rs.implement_for_torch(str(found))
    except RuntimeError as error:
        return f"torch {torch.__version__} cannot be used: {error}"
    return None


__all__ = ["NEWEST", "OLDEST", "implement"]
