"""The machine note: what a reader needs to know before comparing figures with their own."""

from __future__ import annotations

import os
import platform
import re
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = [
    "numpy",
    "numba",
    "scikit-learn",
    "jax",
    "jaxlib",
    "simsimd",
    "numkong",
    "torch",
    "keras",
    "scipy",
    "faiss-cpu",
    "usearch",
    "implicit",
    "sentence-transformers",
]
BUSY_WARNING = 0.05
"""Share of the CPUs that others may use before figures are doubtful."""


def busy_share(seconds: float = 0.5) -> float:
    """Share of the CPUs' time that others used just now; 0 where the system does not tell."""
    before = _cpu_times()
    time.sleep(seconds)
    after = _cpu_times()
    if before is None or after is None:
        return 0.0
    idle, total = after[0] - before[0], after[1] - before[1]
    return max(0.0, 1 - idle / total) if total else 0.0


def _cpu_times() -> tuple[int, int] | None:
    """Idle and total time of all CPUs, in clock ticks."""
    statistics = Path("/proc/stat")
    if not statistics.exists():
        return None
    ticks = [int(word) for word in statistics.read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def cpu_model() -> str:
    """The CPU's name, with family and model where the name hides them."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor() or platform.machine()
    text = information.read_text()
    fields = {
        name: found[1].strip()
        for name in ("model name", "cpu family", "model")
        if (found := re.search(rf"^{name}\s*: (.*)$", text, re.MULTILINE))
    }
    if "model name" not in fields:
        return platform.machine()
    return f"{fields['model name']} (family {fields['cpu family']}, model {fields['model']})"


def caches() -> str:
    """The caches of the first CPU, as the system shows them."""
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (index / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found) or "unknown"


def huge_pages() -> str:
    """When the system grants transparent huge pages."""
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not setting.exists():
        return "unknown"
    found = re.search(r"\[(\w+)\]", setting.read_text())
    return found[1] if found else "unknown"


def versions() -> dict[str, str]:
    """The versions of everyone who is installed."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def blas() -> str:
    """The matrix product behind NumPy, with the kernel it has chosen where that can be asked."""
    import numpy as np

    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{library['name']} {library['version']}"
    pools = {
        f"{pool['internal_api']} {pool['version']}, {pool.get('architecture', '')}"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    return "; ".join(sorted(pools))


def note(threads: int, busy: float) -> dict[str, Any]:
    """Everything above, for the report."""
    import cosim_rs

    config = cosim_rs.show_config(mode="dicts")
    return {
        "CPU": cpu_model(),
        "CPUs": os.cpu_count(),
        "caches": caches(),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "transparent huge pages": huge_pages(),
        "kernel": config["kernel"],
        "kernels available": ", ".join(config["kernels"]),
        "threads": threads,
        "load average before": ", ".join(f"{load:.2f}" for load in os.getloadavg()),
        "CPUs busy with others before": f"{busy:.0%}",
        "BLAS": blas(),
        "Keras backend": os.environ.get("KERAS_BACKEND", "unknown"),
        "cosim_rs": config["version"],
        **versions(),
    }
