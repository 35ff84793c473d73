"""Whole jobs on files, a process each: what `cosim-rs top-k` takes, and the same job without it."""
