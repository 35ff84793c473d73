"""`cosim-rs info`: what is in a file, without reading its vectors."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from catalogue_files import tensor, with_tensor
from files import WRITERS, done, items, refusal, write
from helpers import gaussian_rows, run_python
from safetensors.numpy import save_file

import cosim_rs

COLUMNS = ["column: id, int64", "column: vector, fixed_size_list<item: float>[20]"]
ARRAYS = ["array: id, 100 int64", "array: vector, 100 x 20 float32"]
EXPECTED = {
    "Parquet": [
        "Parquet",
        "rows: 100, in 4 row groups",
        "column: id, int64",
        "column: vector, fixed_size_list<element: float>[20]",
    ],
    "Arrow IPC": ["Arrow IPC", "rows: 100, in 4 record batches", *COLUMNS],
    "Arrow IPC, compressed": ["Arrow IPC", "rows: 100, in 4 record batches", *COLUMNS],
    "Arrow IPC stream": ["Arrow IPC stream", "rows: 100", *COLUMNS],
    "npz": [".npz", *ARRAYS],
    "npz, compressed": [".npz", *ARRAYS],
    "safetensors": ["safetensors", *ARRAYS],
    "catalogue": ["catalogue", "items: 100", "vectors: 20 float32", "ids: int64"],
    "npy": [".npy", "array: 100 x 20 float32"],
    "fvecs": [".fvecs", "array: 100 x 20 float32"],
}


@pytest.mark.parametrize("format", WRITERS)
def test_every_format(tmp_path: Path, format: str) -> None:
    path, _ = write(tmp_path, format, *items())
    lines = [" ".join(line.split()) for line in done("info", path).out.splitlines()]
    name, *facts = EXPECTED[format]
    size = f"size: {path.stat().st_size:,} bytes"
    assert lines[:3] == [f"file: {path}", f"format: {name}", size]
    assert sorted(lines[3:]) == sorted(facts)  # columns and arrays as they stand in the file


def test_a_catalogue_of_any_kind(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    rows = gaussian_rows(3, 4).astype(ml_dtypes.bfloat16)
    cosim_rs.Catalogue(rows, ["a", "bcd", "é"], epsilon=0.5).save(path)
    out = done("info", path).out
    assert "vectors:    4 bfloat16\n" in out
    assert "ids:        strings of at most 3 characters\n" in out
    assert "epsilon:    0.5\n" in out
    save_file({"vector": rows}, path)
    assert "array:      vector, 3 x 4 bfloat16\n" in done("info", path).out


def test_checksums_are_verified_when_asked_for(tmp_path: Path) -> None:
    path, _ = write(tmp_path, "catalogue", *items())
    assert "checksums:" not in done("info", path).out
    assert "checksums:  all match\n" in done("info", path, "--verify").out
    data = path.read_bytes()
    values = tensor(data, "items", "f4")
    values[7] += 1
    path.write_bytes(with_tensor(data, "items", values))
    done("info", path)
    expected = f"{path}: items: got bytes that do not match their checksum: they were changed"
    assert refusal(3, "info", path, "--verify") == expected


def test_only_a_catalogue_has_checksums(tmp_path: Path) -> None:
    path, _ = write(tmp_path, "npy", *items())
    expected = f"--verify: got {path}, .npy, expected a catalogue, with checksums"
    assert refusal(2, "info", path, "--verify") == expected


def test_a_file_that_there_is_not(tmp_path: Path) -> None:
    path = tmp_path / "none"
    assert refusal(1, "info", path) == f"{path}: No such file or directory"
    assert refusal(1, "info", tmp_path) == f"{tmp_path}: Is a directory"


@pytest.mark.parametrize("format", ["catalogue", "npy", "npz", "safetensors", "fvecs"])
def test_arrays_need_numpy_alone(tmp_path: Path, format: str) -> None:
    path, _ = write(tmp_path, format, *items())
    code = (
        f"import sys; from cosim_rs.cli import main; code = main(['info', {str(path)!r}])\n"
        "print(code, sorted({'pyarrow', 'tqdm', 'filelock', 'scipy', 'numba'} & set(sys.modules)))"
    )
    assert run_python(code).splitlines()[-1] == "0 []"


def test_vectors_are_not_read(tmp_path: Path) -> None:
    """A hole in a file has no bytes; to read these would take minutes."""
    path = tmp_path / "x.npy"
    np.lib.format.open_memmap(path, "w+", "f4", (2**32, 64))
    assert "array:      4,294,967,296 x 64 float32\n" in done("info", path).out
