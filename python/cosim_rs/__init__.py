"""Exact, reproducible cosine scores for ranking on CPUs, at the speed of memory.

Every function gives the same two vectors the same bits, whatever the function, the batch, the
number of threads, the layout of the arrays and the machine's instruction set.

Scores: `batched_cosine_similarity` (each user with its own items), `paired_cosine_similarity` (row
by row) and `cosine_similarity` (all pairs). The best items of each user: `top_k`, or a `Catalogue`
of items that are searched often. Threads: `set_num_threads`, `threadpool_limits`, and ``threads=``
of each call. `show_config` tells what runs here.

Examples
--------
>>> import numpy as np
>>> import cosim_rs
>>> users = np.array([[1.0, 0.0], [0.0, 1.0]])
>>> items = np.array([[0.0, 2.0], [3.0, 0.0], [4.0, 3.0]])
>>> cosim_rs.cosine_similarity(users, items)
array([[0. , 1. , 0.8],
       [1. , 0. , 0.6]])
>>> cosim_rs.top_k(users, items, 1).indices
array([[1],
       [0]])
"""

from cosim_rs._candidates import candidate_cosine_similarity
from cosim_rs._catalogue import Catalogue
from cosim_rs._config import get_num_threads, set_num_threads, show_config
from cosim_rs._cosim_rs import __version__
from cosim_rs._limits import threadpool_limits
from cosim_rs._mining import Pairs, group_pairs, mine_pairs
from cosim_rs._range import RangeResult, range_search
from cosim_rs._scores import (
    batched_cosine_similarity,
    cosine_similarity,
    paired_cosine_similarity,
)
from cosim_rs._search import TopK, top_k

# Pickles name a class where it is public, so that they outlive a move within the package.
for _public in (Catalogue, Pairs, RangeResult, TopK, threadpool_limits):
    _public.__module__ = "cosim_rs"

__all__ = [
    "Catalogue",
    "Pairs",
    "RangeResult",
    "TopK",
    "__version__",
    "batched_cosine_similarity",
    "candidate_cosine_similarity",
    "cosine_similarity",
    "get_num_threads",
    "group_pairs",
    "mine_pairs",
    "paired_cosine_similarity",
    "range_search",
    "set_num_threads",
    "show_config",
    "threadpool_limits",
    "top_k",
]
