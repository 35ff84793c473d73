"""Reading ahead and writing behind, a bounded number of steps, each in a thread of its own.

The thread that calls goes on with its work meanwhile: it scores, and since it is the main thread of
a command, Ctrl-C ends even a long search at once. Reading, decoding, encoding and writing let go of
the interpreter for nearly all of their time.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

DEPTH = 2

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items, taken while those before them are in use."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[Any]] = deque()
        for _ in range(DEPTH):
            waiting.append(pool.submit(next, iterator, end))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, iterator, end))
            yield item


@contextlib.contextmanager
def behind(work: Callable[[T], object]) -> Iterator[Callable[[T], None]]:
    """What does the work on an item while the next is made; a later call raises what it raised.

    After an error work goes on with what was given already. On the way out all of it is done.
    """
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[object]] = deque()

        def give(item: T) -> None:
            waiting.append(pool.submit(work, item))
            if len(waiting) > DEPTH:
                waiting.popleft().result()

        yield give
        for future in waiting:
            future.result()


__all__ = ["ahead", "behind"]
