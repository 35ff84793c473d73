"""Cosine scores side by side: this library, its peers and the machine's limits in one run.

``python -m benches.peers`` (``make bench``) from the repository's root. Only ratios between things
measured together mean something on a machine that others share, so everything takes turns:

* `cases` says which work is done, on which `vectors`, and `lineup` who does it: `batched`,
  `matrix`, `search` with the `approximate` ones, `excluding`, and for catalogues `opening`,
  `changing`, `ranges` and `pairs`. `fused` holds the numba kernels, `sums` the limits that they
  make; a peer that is not installed keeps its line in the table.
* `oracle` compares every result with the true one in float64 before anything is timed, scores by
  `checks`, the best items by `found`, and all that score enough by what must be `reached`.
* `timing` lets the contenders of a case take turns in random order, in many rounds.
* `coprocess` adds what cannot run in this process: the limits of the machine (`limits.rs`) and
  the other kernels of the library (`worker`); `memory` measures peak memory in a process apart.
* `goals` are the `bars` that the library must reach; `report` and `plot` write down what it did.
"""
