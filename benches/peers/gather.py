"""The fused cosine of listed rows in numba: the strongest peer for candidates out of one table.

As the kernels of `fused`, but each row is read where a list says. Numbers of rows are made
unsigned, which spares the check for negative ones that Python's indexing asks for.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from .cases import Array
from .fused import PARALLEL, SERIAL

Ids = NDArray[np.int64]


@njit(**SERIAL)
def score_listed(user: Array, items: Array, ids: Ids, scores: Array) -> None:
    """Scores of one user with its listed rows."""
    zero = items.dtype.type(0)
    user_square = zero
    for index in range(user.size):
        user_square += user[index] * user[index]
    for place in range(ids.size):
        row = items[np.uint64(ids[place])]
        dot = zero
        square = zero
        for index in range(user.size):
            dot += user[index] * row[index]
            square += row[index] * row[index]
        scores[place] = dot / np.sqrt(user_square * square)


@njit(**PARALLEL)
def over_users(users: Array, items: Array, ids: Ids, scores: Array) -> None:
    """One range over the users."""
    for user in prange(len(users)):
        score_listed(users[user], items, ids[user], scores[user])


@njit(**PARALLEL)
def over_parts(users: Array, items: Array, ids: Ids, scores: Array) -> None:
    """One contiguous part of all lists for each thread."""
    batch, count = ids.shape
    parts = get_num_threads()
    for part in prange(parts):
        place = batch * count * part // parts
        end = batch * count * (part + 1) // parts
        while place < end:
            user = place // count
            start = place - user * count
            stop = min(count, start + end - place)
            score_listed(users[user], items, ids[user, start:stop], scores[user, start:stop])
            place += stop - start


@njit(**PARALLEL)
def over_all(users: Array, items: Array, ids: Ids, scores: Array) -> None:
    """One range over all listed rows (B · N), with nothing between two of them."""
    batch, count = ids.shape
    depth = users.shape[1]
    zero = items.dtype.type(0)
    user_squares = np.zeros(batch, items.dtype)
    for user in range(batch):
        for index in range(depth):
            user_squares[user] += users[user, index] * users[user, index]
    for place in prange(batch * count):
        user = np.uint64(place // count)
        column = np.uint64(place - user * count)
        row = np.uint64(ids[user, column])
        dot = zero
        square = zero
        for index in range(depth):
            dot += users[user, index] * items[row, index]
            square += items[row, index] * items[row, index]
        scores[user, column] = dot / np.sqrt(user_squares[user] * square)
