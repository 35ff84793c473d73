"""Cosine scores side by side: this library, its peers and the machine's limits in one run.

``python -m benches.peers`` (``make bench``) from the repository's root. Only ratios between things
measured together mean something on a machine that others share, so everything takes turns:

* `cases` says which work is done, `lineup` who does it: `batched`, `matrix`, `search` with the
  `approximate` ones, and `excluding`. `fused` holds the numba kernels, `sums` the limits that they
  make; a peer that is not installed keeps its line in the table.
* `oracle` compares every result with the true one in float64 before anything is timed, scores by
  `checks` and searches by `found`.
* `timing` lets the contenders of a case take turns in random order, in many rounds.
* `coprocess` adds what cannot run in this process: the limits of the machine (`limits.rs`) and
  the other kernels of the library (`worker`); `memory` measures peak memory in a process apart.
* `bars` says what the library must reach; `report` and `plot` write down what it did.
"""
