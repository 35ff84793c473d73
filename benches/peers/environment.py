"""The same number of threads and the same settings for everyone, fixed before anyone is imported.

Most libraries read such variables once, at import. So the benchmark replaces its own process by one
that has the right environment and only then imports them.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

HARMFUL = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""They would make OpenBLAS, and so NumPy and scikit-learn, slower than it is."""
OURS = ("COSIM_RS_KERNEL", "COSIM_RS_NUM_THREADS")
"""What is measured as the default has to be the default; the threads are given as an argument."""


def default_threads() -> int:
    """The number of threads that the library takes by itself, asked of a process apart."""
    command = [sys.executable, "-c", "import cosim_rs; print(cosim_rs.get_num_threads())"]
    return int(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def wanted(threads: int) -> dict[str, str]:
    """The environment of this process, with the settings of the benchmark."""
    environment = {name: value for name, value in os.environ.items() if name not in HARMFUL + OURS}
    counts = ("OMP", "OPENBLAS", "MKL", "NUMBA", "COSIM_RS")
    environment.update({f"{name}_NUM_THREADS": str(threads) for name in counts})
    environment["NPROC"] = str(threads)  # How XLA's CPU client is told.
    environment["JAX_PLATFORMS"] = "cpu"
    backend = "jax" if importlib.util.find_spec("jax") else "torch"
    environment.setdefault("KERAS_BACKEND", backend)
    return environment


def settle(threads: int, arguments: list[str]) -> None:
    """Start over in the wanted environment, unless this is it."""
    environment = wanted(threads)
    if dict(os.environ) != environment:
        os.execve(
            sys.executable,
            [sys.executable, "-m", "benches.peers", *arguments, f"--threads={threads}"],
            environment,
        )
