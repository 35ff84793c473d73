"""Threads and kernels: what is set, what is in use."""

from __future__ import annotations

from typing import Literal, TypedDict, overload

from cosim_rs import _cosim_rs
from cosim_rs._arrays import as_count


class Config(TypedDict):
    """What `show_config` tells."""

    version: str
    kernel: str
    kernels: list[str]
    threads: int


def set_num_threads(n: int) -> None:
    """Set the most threads that calls use which do not say so themselves, in the whole process.

    Parameters
    ----------
    n : int
        At least 1. With 1, everything stays on the calling thread.

    Raises
    ------
    TypeError, ValueError
        If `n` is not a whole number, or less than 1.

    Examples
    --------
    >>> import cosim_rs
    >>> threads = cosim_rs.get_num_threads()
    >>> cosim_rs.set_num_threads(1)
    >>> cosim_rs.get_num_threads()
    1
    >>> cosim_rs.set_num_threads(threads)
    """
    _cosim_rs.set_num_threads(as_count("n", n))


def get_num_threads() -> int:
    """Tell the most threads that calls use which do not say so themselves.

    Returns
    -------
    int
        What `set_num_threads` set, else ``COSIM_RS_NUM_THREADS``, else ``RAYON_NUM_THREADS``, else
        the number of CPUs that this process may use; the limit of `threadpool_limits`, if less.

    Raises
    ------
    ValueError
        If one of the variables holds something else.

    Examples
    --------
    >>> import cosim_rs
    >>> cosim_rs.get_num_threads() >= 1
    True
    """
    return _cosim_rs.get_num_threads()


@overload
def show_config(mode: Literal["stdout"] = ...) -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> Config: ...
def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> Config | None:
    """Print the version, the kernel in use, the kernels available and the threads.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Whether to print, or to return a dictionary, as in `numpy.show_config`.

    Returns
    -------
    dict or None
        With ``mode="dicts"``: ``version``, ``kernel``, ``kernels`` (slowest first), ``threads``.

    Raises
    ------
    ValueError
        If `mode` is another one, or ``COSIM_RS_KERNEL`` names a kernel that is not available.

    Examples
    --------
    >>> import cosim_rs
    >>> config = cosim_rs.show_config(mode="dicts")
    >>> config["kernel"] in config["kernels"]
    True
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode: got {mode!r}, expected 'stdout' or 'dicts'")
    config = Config(
        version=_cosim_rs.__version__,
        kernel=_cosim_rs.kernel(),
        kernels=_cosim_rs.available_kernels(),
        threads=get_num_threads(),
    )
    if mode == "dicts":
        return config
    print(f"cosim_rs {config['version']}")
    print(f"kernel:  {config['kernel']} (available: {', '.join(config['kernels'])})")
    print(f"threads: {config['threads']}")
    return None
