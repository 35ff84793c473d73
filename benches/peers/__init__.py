"""Cosine scores side by side: this library, its peers and the machine's limits in one run.

``python -m benches.peers`` (``make bench``) from the repository's root. Only ratios between things
measured together mean something on a machine that others share, so everything takes turns:

* `cases` says which work is done, `batched` and `matrix` who does it how, `fused` holds the numba
  kernels; a peer that is not installed keeps its line in the table.
* `checks` compares every result with a float64 oracle before anything is timed.
* `timing` lets the contenders of a case take turns in random order, in many rounds.
* `coprocess` adds what cannot run in this process: the limits of the machine (`limits.rs`) and
  the other kernels of the library (`worker`); `memory` measures peak memory in a process apart.
* `bars` says what the library must reach; `report` and `plot` write down what it did.
"""
