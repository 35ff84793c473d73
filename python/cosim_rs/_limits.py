"""A limit on threads that holds for a while: in this context, and nowhere else.

The limit is a `ContextVar`. So it goes along where contexts go, to tasks and through
`asyncio.to_thread`; threads that run beside do not see it, and two that limit themselves at once
cannot restore each other's limits. The border asks for it in each call, once there was a limit.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from types import TracebackType

from cosim_rs import _cosim_rs
from cosim_rs._arrays import as_count

LIMIT: ContextVar[int | None] = ContextVar("cosim_rs.threadpool_limits", default=None)


class threadpool_limits:  # noqa: N801 - a verb of the user's, as threadpoolctl's
    """Limit the threads of all calls in a ``with`` block, or until the limit is restored.

    For a process in which other threads compute as well, those of torch or OpenBLAS: a call in the
    block uses at most `n` threads, whatever `set_num_threads` and the call's own ``threads`` say.
    `get_num_threads` tells what applies. Scores do not depend on it.

    The limit holds from the moment that it is made, as threadpoolctl's does, in this context alone:
    this thread, or this task of asyncio, with the tasks that it starts and the functions that it
    sends through `asyncio.to_thread`. Other threads keep their own. A thread that is started in
    the block is such another one, except where Python lets threads inherit the context
    (``sys.flags.thread_inherit_context``: by default in free-threaded builds since 3.14). The
    workers of an executor are limited by ``initializer=cosim_rs.threadpool_limits,
    initargs=(n,)``.

    Parameters
    ----------
    n : int or None
        The most threads of a call, at least 1; the calling thread counts. None sets no limit.
        Where limits are nested, the least of them holds.

    Raises
    ------
    TypeError, ValueError
        If `n` is not a whole number, or less than 1.

    See Also
    --------
    set_num_threads : The default of the whole process.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> rows = np.eye(3)
    >>> with cosim_rs.threadpool_limits(1):
    ...     scores = cosim_rs.cosine_similarity(rows, threads=8)  # on this thread alone
    ...     cosim_rs.get_num_threads()
    1

    Without a block:

    >>> limits = cosim_rs.threadpool_limits(1)
    >>> limits.restore_original_limits()
    """

    def __init__(self, n: int | None) -> None:
        """Check the limit and set it."""
        limits = (LIMIT.get(), None if n is None else as_count("n", n))
        least = min((limit for limit in limits if limit is not None), default=None)
        _cosim_rs.keep_to(LIMIT.get)
        self._token: Token[int | None] | None = LIMIT.set(least)

    def __enter__(self) -> threadpool_limits:
        """Leave the limit as it was made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Restore, whether or not there was an error."""
        self.restore_original_limits()

    def restore_original_limits(self) -> None:
        """Put back the limit that was there before; once, however often it is called.

        Raises
        ------
        ValueError
            In another context than the limit was made in: there it never held.

        Examples
        --------
        >>> import cosim_rs
        >>> threads = cosim_rs.get_num_threads()
        >>> limits = cosim_rs.threadpool_limits(1)
        >>> limits.restore_original_limits()
        >>> cosim_rs.get_num_threads() == threads
        True
        """
        if self._token is not None:
            LIMIT.reset(self._token)
            self._token = None


__all__ = ["threadpool_limits"]
