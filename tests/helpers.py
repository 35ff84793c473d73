"""What every test leans on: lengths, rows, bounds, equality of bits, and fresh processes.

The helpers are tested themselves, in test_helpers.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

TESTS = Path(__file__).parent
REPOSITORY = TESTS.parent

# Straddle the 16 lanes, the width of every kernel's registers, and pairs and quads of those.
LENGTHS = (0, 1, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 768)

SCORE_DTYPES = (np.float32, np.float64)

# The one NaN that scores may hold.
CANONICAL_NAN = {
    np.float32: np.array(0x7FC00000, np.uint32).view(np.float32)[()],
    np.float64: np.array(0x7FF8000000000000, np.uint64).view(np.float64)[()],
}


def gaussian_rows(
    *shape: int, dtype: npt.DTypeLike = np.float32, seed: int = 0
) -> npt.NDArray[Any]:
    """Normally distributed numbers, the same for the same shape and seed."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def error_bound(length: int, dtype: npt.DTypeLike) -> float:
    """How far a score may be from the exact cosine: the contract's bound.

    Each of the 16 lanes adds ceil(D / 16) rounded terms, once for the dot product and once (half
    from each vector) for the norms; the tree, product, root and quotient add the constant.
    """
    unit_roundoff = float(np.finfo(dtype).eps) / 2
    return (2 * -(-length // 16) + 12) * unit_roundoff


def assert_same_bits(actual: object, expected: object) -> None:
    """Raise unless both are arrays (or NumPy scalars) alike in dtype, shape and every bit.

    Unlike ``==`` this tells +0 from -0, and one NaN from another.
    """
    for name, value in (("actual", actual), ("expected", expected)):
        if not isinstance(value, (np.ndarray, np.generic)):
            raise AssertionError(f"{name} is no NumPy array but {type(value).__name__}")
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.dtype != expected.dtype:
        raise AssertionError(f"dtype {actual.dtype} is not {expected.dtype}")
    if actual.shape != expected.shape:
        raise AssertionError(f"shape {actual.shape} is not {expected.shape}")
    different = np.argwhere(_bits(actual) != _bits(expected))
    if len(different):
        place = tuple(int(index) for index in different[0])
        raise AssertionError(
            f"{len(different)} of {actual.size} differ, first at {place}: "
            f"{_described(actual[place])} is not {_described(expected[place])}"
        )


def _bits(array: npt.NDArray[Any]) -> npt.NDArray[np.unsignedinteger[Any]]:
    return array.copy(order="C").view(f"u{array.itemsize}")


def _described(number: np.generic) -> str:
    return f"{number} (0x{int(_bits(np.asarray(number))[()]):0{2 * number.itemsize}x})"


def run_python(code: str, *, timeout: float = 120, **environment: str | None) -> str:
    """Run code in a fresh Python, and return what it printed.

    Warnings are errors, save what this process was told by `-W`.

    The helpers are importable there. The environment is this process's without the package's
    own variables; a keyword sets one more, or drops it if None. A failure raises AssertionError
    with all the output.
    """
    own = ("COSIM_RS_NUM_THREADS", "RAYON_NUM_THREADS")
    variables = {name: value for name, value in os.environ.items() if name not in own}
    for name, value in environment.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    finished = subprocess.run(
        [sys.executable, "-W", "error", *(f"-W{option}" for option in sys.warnoptions), "-c", code],
        env=variables,
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if finished.returncode != 0:
        raise AssertionError(
            f"exit code {finished.returncode}\n{finished.stdout}\n{finished.stderr}"
        )
    return finished.stdout


def available_kernels() -> list[str]:
    """Names of the kernels this machine can run, slowest first."""
    import cosim_rs

    return list(cosim_rs.show_config(mode="dicts")["kernels"])
