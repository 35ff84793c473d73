"""Native kernels for torch, if this torch is one that they are known to work in."""

from __future__ import annotations

from pathlib import Path

import torch

from cosim_rs import _cosim_rs

# The oldest version that has all functions that kernels need, and the newest that there was. These
# two were tried, and none between; torch promises to keep the functions.
OLDEST = (2, 8)
NEWEST = (2, 15)
RELEASE = tuple(int(part) for part in torch.__version__.split(".")[:2])
# In 2.8 a compiled torch.func.grad ignores how a function says that it is differentiated, so that
# gradients of scores would be 0. Of the versions between, none was tried.
COMPILES_TRANSFORMS = RELEASE >= (2, 15)
LIBRARIES = ("libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.dll")


def implement() -> str | None:
    """Register the native kernels, once the operations are defined; or say why there are none."""
    if not OLDEST <= RELEASE <= NEWEST:
        known = " to ".join(f"{major}.{minor}" for major, minor in (OLDEST, NEWEST))
        return f"torch {torch.__version__} is not among the supported versions, {known}"
    folder = Path(torch.__file__).parent / "lib"
    found = next((folder / name for name in LIBRARIES if (folder / name).exists()), LIBRARIES[0])
    try:
        _cosim_rs.implement_for_torch(str(found))
    except RuntimeError as error:
        return f"torch {torch.__version__} cannot be used: {error}"
    return None


__all__ = ["COMPILES_TRANSFORMS", "NEWEST", "OLDEST", "implement"]
