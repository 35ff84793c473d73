"""Files that are not what they claim: one line that says so, exit code 3, and nothing is run."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from files import (
    WRITERS,
    cosim_rs_command,
    items,
    refusal,
    write,
    write_arrow,
    write_fvecs,
    write_npy,
    write_parquet,
)
from helpers import gaussian_rows
from numpy.lib import format as npy

MUTATIONS = 12


class Planted:
    """Leaves a trace when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self._path), "w")


def npy_bytes(shape: object, descr: object = "<f4", data: bytes = b"", more: str = "") -> bytes:
    """A .npy file whose header says this."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}{more}}}".encode()
    text += b" " * (-(11 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def npz_bytes(*members: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"vector{number or ''}.npy", member)
    return file.getvalue()


def claiming(archive: bytes, size: int) -> bytes:
    """An archive whose directory claims another size for its first file."""
    at = archive.index(b"PK\x01\x02")
    return archive[: at + 24] + struct.pack("<I", size) + archive[at + 28 :]


def safetensors_bytes(header: object, data: bytes = b"") -> bytes:
    """A safetensors file with this header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype: str = "F32", shape: object = (2, 4), offsets: object = (0, 32)) -> bytes:
    """A safetensors file of one tensor that is said to be this."""
    entry = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
    return safetensors_bytes({"vector": entry}, bytes(32))


ROWS = gaussian_rows(10, 4)
FLAT = ROWS.tobytes()
BOMB = zlib.compress(bytes(1 << 20))
NESTED = b'{"a":' * 100_000

HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "got an empty file"),
    "text": (b"id,vector\n1,2\n", "got a file that begins with b'id,vecto', expected Parquet, Ar"),
    "the beginning of Parquet": (b"PAR1", "it cannot be read: "),
    "two beginnings of Parquet": (b"PAR1PAR1", "it cannot be read: "),
    "a huge footer of Parquet": (b"PAR1" + b"\xff\xff\xff\x7fPAR1", "it cannot be read: "),
    "the beginning of Arrow": (b"ARROW1\0\0", "it cannot be read: "),
    "an Arrow stream of nothing": (b"\xff\xff\xff\xff\0\0\0\0", "it cannot be read: "),
    "a huge message of Arrow": (b"\xff\xff\xff\xff\xff\xff\xff\x7f", "it cannot be read: "),
    "the beginning of .npy": (b"\x93NUMPY", "EOF: reading magic string"),
    "an unknown version of .npy": (b"\x93NUMPY\x09\x00", "got version (9, 0) of .npy, expected"),
    "a header of .npy that was cut off": (npy_bytes((10, 4))[:40], "EOF: reading array header"),
    "a header that is code": (npy_bytes("__import__('os').getpid()"), "shape is not valid"),
    "a huge shape": (npy_bytes((2**62, 2**62)), f"expected {2**126 + 128} for shape"),
    "a shape that wraps around": (npy_bytes((2**62, 4), data=FLAT), "for shape (46116860184273"),
    "a negative shape": (npy_bytes((-10, -4), data=FLAT), "got an array of shape (-10, -4)"),
    "a shape of text": (npy_bytes(("a", 4)), "shape is not valid"),
    "an unknown dtype": (npy_bytes((10, 4), "<q9"), "descr is not a valid dtype descriptor"),
    "a dtype of objects": (npy_bytes((10,), "|O"), "got an array of dtype object, expected numb"),
    "a dtype with objects": (npy_bytes((10,), [("a", "|O")]), "expected numbers or strings"),
    "a key that nobody knows": (
        npy_bytes((10, 4), more=", 'x': 1"),
        "not contain the correct keys",
    ),
    "an array that was cut off": (npy_bytes((11, 4), data=FLAT), "for shape (11, 4): it was cut o"),
    "one number": (npy_bytes((), data=FLAT), "got id float32 (), expected vectors (N, D)"),
    "too many axes": (
        npy_bytes((2, 5, 4), data=FLAT),
        "got id float32 (2, 5, 4), expected vectors",
    ),
    "records": (npy_bytes((10,), [("a", "<f4"), ("b", "<f4")], FLAT), "expected vectors (N, D)"),
    "complex numbers": (npy_bytes((5, 4), "<c8", FLAT), "got vector complex64 (5, 4), expected ve"),
    "an archive of nothing": (npz_bytes(), "got a file that begins with b'PK\\x05\\x06"),
    "an archive that was cut off": (npz_bytes(npy_bytes((10, 4)))[:90], "File is not a zip file"),
    "an archive with a huge shape": (npz_bytes(npy_bytes((2**40, 4))), "which cannot be shape"),
    "an archive with objects": (npz_bytes(npy_bytes((10,), "|O")), "got an array of dtype object"),
    "an archive with text": (npz_bytes(b"text"), "EOF: reading magic string"),
    "an archive that claims too much": (
        claiming(npz_bytes(npy_bytes((2**28, 1), data=b""), method=8), 2**30 + 128),
        "which cannot be shape (268435456, 1) of float32",
    ),
    "an archive with vectors of two lengths": (
        npz_bytes(npy_bytes((10, 4), data=FLAT), npy_bytes((5, 8), data=FLAT)),
        "got vector float32 (10, 4), vector1 float32 (5, 8), expected vectors (N, D) of floats or "
        "whole numbers, of 64 bits at most",
    ),
    "a safetensors header that is none": (safetensors_bytes(b"{nothing"), "Expecting property na"),
    "a safetensors header of depth": (safetensors_bytes(NESTED), "recursion"),
    "a safetensors header of numbers": (safetensors_bytes({"a": 1}), "a: got 1, which is no ten"),
    "a safetensors header of null": (safetensors_bytes({"a": None}), "a: got null, which is no t"),
    "a huge header": (b"\xfe" * 7 + b"\x7f{", "got a header of 9223089458054627070 bytes"),
    "a tensor of text": (tensor("STRING"), "which is no tensor of ours"),
    "a tensor of no shape": (tensor(shape=None), "which is no tensor of ours"),
    "a tensor of halves": (tensor(shape=(2.0, 4)), "which is no tensor of ours"),
    "a tensor of truths": (tensor(shape=(True, 8)), "which is no tensor of ours"),
    "a tensor of a negative shape": (tensor(shape=(-2, -4)), "which is no tensor of ours"),
    "a tensor of another length": (tensor(offsets=(0, 28)), "which is no tensor of ours"),
    "a tensor before the file": (tensor(offsets=(-32, 0)), "which is no tensor of ours"),
    "a tensor behind the file": (tensor(offsets=(2**60, 2**60 + 32)), "it was cut off"),
    "a tensor of a huge shape": (
        tensor(shape=(2**60, 4), offsets=(0, 2**64)),
        "for shape (1152921504606846976, 4): it was cut off",
    ),
    "no tensors": (safetensors_bytes({}), "got no arrays, expected vectors (N, D)"),
    "no vectors": (tensor(shape=(2, 2, 2)), "got vector float32 (2, 2, 2), expected ve"),
    "vectors of no numbers": (
        tensor(shape=(2, 0), offsets=(0, 0)),
        "got vector float32 (2, 0), expec",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_as_it_says(tmp_path: Path, name: str) -> None:
    data, expected = HOSTILE[name]
    path = tmp_path / "items.bin"
    path.write_bytes(data)
    message = refusal(3, "index", path, "-o", tmp_path / "catalogue")
    assert message.startswith(f"{path}: ")
    assert expected in message
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    pickled = npy_bytes((1,), "|O", pickle.dumps(np.array([Planted(trace)], object)))
    vectors = write_npy(tmp_path / "x.npy", ROWS[:1])
    path = tmp_path / "items.bin"
    for data in (npz_bytes(pickled), npz_bytes(pickled, method=zipfile.ZIP_DEFLATED), pickled):
        path.write_bytes(data)
        assert "got an array of dtype object" in refusal(3, "info", path)
        refusal(3, "index", path, "-o", tmp_path / "out")
    refusal(3, "index", vectors, "--ids", path, "-o", tmp_path / "out")
    assert not trace.exists()


def test_the_planted_object_does_leave_a_trace(tmp_path: Path) -> None:
    with pickle.loads(pickle.dumps(Planted(tmp_path / "trace"))):
        assert (tmp_path / "trace").exists()


class TestFvecs:
    def test_whose_lengths_change(self, tmp_path: Path) -> None:
        path = write_fvecs(tmp_path / "x.fvecs", ROWS)
        path.write_bytes(path.read_bytes() + struct.pack("<i3f", 3, 1, 2, 3))
        message = refusal(3, "index", path, "-o", tmp_path / "out")
        assert message == f"{path}: got 216 bytes, expected a multiple of 20: it was cut off"
        data = bytearray(path.read_bytes())
        data[60:64] = struct.pack("<i", 3)
        path.write_bytes(data)
        message = refusal(3, "index", path, "-o", tmp_path / "out")
        assert message == f"{path}, row 3: got a vector of length 3, expected 4 as before it"

    @pytest.mark.parametrize("length", [0, -1, 2**31 - 1, 50])
    def test_of_a_length_that_cannot_be(self, tmp_path: Path, length: int) -> None:
        path = tmp_path / "x.fvecs"
        path.write_bytes(struct.pack("<i", length) + FLAT)
        message = refusal(3, "index", path, "-o", tmp_path / "out")
        assert message == f"{path}: got a vector of length {length} in 164 bytes"


def test_ids_that_are_no_text(tmp_path: Path) -> None:
    vectors = write_npy(tmp_path / "x.npy", ROWS[:2])
    ids = write_npy(tmp_path / "ids.npy", np.array([b"a", b"\xff"]))
    message = refusal(3, "index", vectors, "--ids", ids, "-o", tmp_path / "out")
    assert message.startswith(f"{vectors}, column id: Invalid UTF8")
    text = pa.StringArray.from_buffers(
        2, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")
    )
    table = pa.table({"id": text, "vector": [[1.0], [2.0]]})
    path = write_arrow(tmp_path / "x.arrow", table)
    message = refusal(3, "index", path, "-o", tmp_path / "out")
    assert message.startswith(f"{path}: it cannot be read: ")
    assert "Invalid UTF8" in message


def test_offsets_that_lead_out_of_an_arrow_file(tmp_path: Path) -> None:
    """As whoever wants to do harm writes them; Arrow itself would read wherever they lead."""
    lists = pa.array([[1.0] * 4] * 3, pa.list_(pa.float32()))
    path = write_arrow(tmp_path / "x.arrow", pa.table({"vector": lists}))
    data = path.read_bytes()
    right, wrong = (np.array([0, 4, end, 12], np.int32).tobytes() for end in (8, 2**30))
    assert data.count(right) == 1
    path.write_bytes(data.replace(right, wrong))
    message = refusal(3, "index", path, "-o", tmp_path / "out")
    assert message.startswith(f"{path}: it cannot be read: ")


def test_a_column_name_that_is_no_text(tmp_path: Path) -> None:
    table = pa.table({"identity": [1, 2], "vector": [[1.0], [2.0]]})
    for stream in (False, True):
        path = write_arrow(tmp_path / "x.arrow", table, stream=stream)
        path.write_bytes(path.read_bytes().replace(b"identity", b"iden\xff\xfety"))
        for verb in (["info", path], ["index", path, "-o", tmp_path / "out"]):
            assert refusal(3, *verb).startswith(f"{path}: it cannot be read: ")


def test_a_parquet_file_whose_pages_were_changed(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "x.parquet", {"id": np.arange(1000), "v": gaussian_rows(1000, 4)}
    )
    data = bytearray(path.read_bytes())
    data[4:600] = bytes(596)
    path.write_bytes(data)
    message = refusal(3, "index", path, "-o", tmp_path / "out")
    assert message.startswith(f"{path}: it cannot be read: ")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, anywhere or where headers are, or the end cut off."""
    changed = bytearray(data)
    how = rng.randrange(4)
    if how == 0:
        return data[: rng.randrange(len(data))]
    places = {
        1: range(len(data)),
        2: range(min(300, len(data))),
        3: range(max(0, len(data) - 400), len(data)),
    }[how]
    for _ in range(rng.choice([1, 1, 3])):
        changed[rng.choice(places)] = rng.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("format", WRITERS)
def test_mutations_end_well_or_in_one_line(tmp_path: Path, format: str) -> None:
    """What is still a file of its format may be indexed; whatever else comes is bad data.

    But for an array's name that was changed: then there may be no column of vectors left.
    """
    rng = random.Random(5)
    path, own = write(tmp_path, format, *items(40, 6))
    data = path.read_bytes()
    ends = {0: 0, 2: 0, 3: 0}
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(data, rng))
        ids = ["--ids", own] if own else []
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcome = cosim_rs_command("index", path, *ids, "-o", tmp_path / "out", "--overwrite")
        ends[outcome.code] += 1
        assert outcome.code != 2 or "--vector-column: found no column" in outcome.err
        assert outcome.code != 3 or len(outcome.err) < 1000
        assert cosim_rs_command("info", path).code in (0, 3)
    assert ends[3] > 0


def test_the_helper_writes_what_numpy_does() -> None:
    file = io.BytesIO()
    npy.write_array(file, ROWS)
    assert np.load(io.BytesIO(npy_bytes((10, 4), data=FLAT))).tolist() == ROWS.tolist()
    assert file.getvalue()[:8] == npy_bytes((10, 4))[:8]
