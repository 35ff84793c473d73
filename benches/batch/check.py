"""Two outputs compared: ``python -m benches.batch.check OURS PEERS``.

NumPy rounds otherwise, so scores may differ by that, and items of nearly equal scores be swapped.
"""

from __future__ import annotations

import sys

import numpy as np
import pyarrow.parquet as pq

BOUND = 64 * 2.0**-24
"""Sums of 64 products of unit vectors, and the norms."""


def main() -> None:
    ours, peers = (pq.read_table(path) for path in sys.argv[1:3])
    assert ours["user_id"].equals(peers["user_id"])
    flat = [table["recommendations"].combine_chunks().flatten() for table in (ours, peers)]
    scores = [np.asarray(pairs.field("score")) for pairs in flat]
    items = [np.asarray(pairs.field("item_id")) for pairs in flat]
    assert abs(scores[0] - scores[1]).max() <= BOUND
    alike = float((items[0] == items[1]).mean())
    assert alike > 0.999, alike


if __name__ == "__main__":
    main()
