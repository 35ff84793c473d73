"""The Keras layer and the functions of each backend, against Keras' own operations.

``python -m benches.layers``, from the repository's root: each backend that is installed is measured
in a process of its own, eager and compiled, forward and backward. The contenders take turns as in
`benches.peers`; every result is compared with a float64 oracle before it is timed.
"""
