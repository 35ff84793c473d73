"""The wheel in an environment with NumPy alone: does the main job, and nothing else is there."""

import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import numpy as np

import cosim_rs

installed = {distribution.metadata["Name"] for distribution in distributions()}
assert installed <= {"cosim_rs", "numpy", "pip", "setuptools"}, installed

users = np.random.default_rng(0).standard_normal((32, 1, 64), dtype=np.float32)
items = np.repeat(users, 100, axis=1)
scores = cosim_rs.batched_cosine_similarity(users, items)
assert scores.shape == (32, 100)
assert scores.dtype == np.float32
assert (scores == 1).all()
assert (cosim_rs.paired_cosine_similarity(users[:, 0], -users[:, 0]) == -1).all()
assert (np.diag(cosim_rs.cosine_similarity(users[:, 0])) == 1).all()
assert (cosim_rs.top_k(users[:, 0], items[3], 2).indices == [0, 1]).all()
cosim_rs.show_config()

command = Path(sys.executable).with_name("cosim-rs")
subprocess.run([command, "selftest"], check=True)
wanting = subprocess.run([command, "index", "x", "-o", "y"], capture_output=True, text=True)
assert wanting.returncode == 1
assert wanting.stderr.endswith("needs pyarrow: pip install 'cosim-rs[batch]'\n"), wanting.stderr
print("1 passed, 0 failed")
