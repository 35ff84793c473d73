"""Files of catalogues for tests: sorts of catalogues, and files changed with some care.

A header has a checksum of its own. A file that is changed without it shows that a change is seen;
one whose checksum is made to fit, as whoever wants to do harm would, shows what is checked besides.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from helpers import assert_same_bits, gaussian_rows

import cosim_rs

Array = npt.NDArray[Any]
HAS_STRINGS = hasattr(getattr(np, "dtypes", None), "StringDType")
TEXTS = ["", "a", "é", "日本", "🍵", "tea\0cup", "x" * 40]


def strings(count: int, dtype: Any) -> Array:
    """Texts of one to four bytes a character, and of many lengths; for bytes, any bytes."""
    if dtype == "S":
        return np.array([b"\xff\x80" * (row % 3) + b"%d" % row for row in range(count)], "S12")
    texts = [f"{TEXTS[row % 7]}{row or ''}" for row in range(count)]
    if dtype not in ("U", "U200"):  # in which NumPy looks at most for texts of 15 bytes, to a zero
        texts = [text.replace("\0", " ").replace("x" * 40, "x") for text in texts]
    return np.array(texts, dtype if texts else "U1")


IDS: dict[str, Callable[[int], Any]] = {
    "rows": lambda count: None,
    "list": lambda count: list(range(count, 0, -1)) or np.arange(0),
    "int8": lambda count: np.arange(count, dtype=np.int8) if count < 100 else None,
    "uint64": lambda count: np.random.default_rng(0).permutation(count).astype("u8") + 2**63,
    "big-endian": lambda count: np.arange(count)[::-1].astype(">i4"),
    "text": lambda count: strings(count, "U"),
    "wide text": lambda count: strings(count, "U200"),
    "text of one width": lambda count: np.array([f"{row:04}" for row in range(count, 0, -1)], "U4"),
    "accented, of one width": lambda count: np.array([f"é{row:04}" for row in range(count)], "U5"),
    "bytes": lambda count: strings(count, "S"),
    "bytes of one width": lambda count: np.array([b"%04d" % row for row in range(count)], "S4"),
}
if HAS_STRINGS:
    IDS["texts of any length"] = lambda count: strings(count, np.dtypes.StringDType())


def named(count: int, dim: int, ids: str = "text", dtype: Any = np.float32) -> cosim_rs.Catalogue:
    """A catalogue of Gaussian items, the first of them zero and the second NaN."""
    items = gaussian_rows(count, dim)
    if dtype != np.int8:
        items[:1], items[1:2] = 0, np.nan
    else:
        items = (20 * items).clip(-128, 127)
    return cosim_rs.Catalogue(items.astype(dtype), IDS[ids](count))


def items(catalogue: cosim_rs.Catalogue) -> Array:
    """The items of a catalogue that was not changed, where they lie."""
    return catalogue._state.pieces[0].items


def codes(catalogue: cosim_rs.Catalogue) -> Any:
    """And their codes."""
    return catalogue._state.pieces[0].codes


def assert_alike(catalogue: cosim_rs.Catalogue, expected: cosim_rs.Catalogue) -> None:
    """Raise unless two catalogues are alike in all that can be seen of them."""
    assert (len(catalogue), catalogue.dim) == (len(expected), expected.dim)
    assert (catalogue.dtype, catalogue.ids.dtype) == (expected.dtype, expected.ids.dtype)
    assert catalogue.ids.tolist() == expected.ids.tolist()
    users = gaussian_rows(35, expected.dim, seed=1)
    users[5:6] = 0
    for some in (users, users[0], users[:3].astype(np.float64)):
        for k in (1, 12):
            found, wanted = catalogue.top_k(some, k), expected.top_k(some, k)
            assert_same_bits(found.scores, wanted.scores)
            assert found.ids.tolist() == wanted.ids.tolist()
    if len(expected):
        some = expected.ids[[0, -1]]
        assert_same_bits(catalogue.similar(some).scores, expected.similar(some).scores)


def header_of(data: bytes) -> dict[str, Any]:
    """The header of a file."""
    header: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header


def with_header(data: bytes, header: dict[str, Any] | bytes) -> bytes:
    """A file with another header, whose checksum fits if it has one."""
    text = (
        header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    )
    text += b" " * (-(8 + len(text)) % 64)
    head = len(text).to_bytes(8, "little") + text
    return with_checksum(head) + data[8 + int.from_bytes(data[:8], "little") :]


def with_checksum(head: bytes) -> bytes:
    """A header whose checksum is made to fit."""
    start = head.find(b'"crc32":"') + 9
    if start < 9:
        return head
    blank = head[:start] + b"00000000" + head[start + 8 :]
    return head[:start] + b"%08x" % zlib.crc32(blank) + head[start + 8 :]


def edited(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A file whose header a function has changed."""
    header = header_of(data)
    change(header)
    return with_header(data, header)


def with_tensor(data: bytes, name: str, values: Array) -> bytes:
    """A file with other numbers in a tensor; its checksum is that of the old ones."""
    start, end = header_of(data)[name]["data_offsets"]
    first = 8 + int.from_bytes(data[:8], "little")
    assert values.nbytes == end - start
    return data[: first + start] + values.tobytes() + data[first + end :]


def tensor(data: bytes, name: str, dtype: npt.DTypeLike) -> Array:
    """A copy of a tensor's numbers."""
    start, end = header_of(data)[name]["data_offsets"]
    first = 8 + int.from_bytes(data[:8], "little")
    return np.frombuffer(data[first + start : first + end], dtype).copy()


def saved(path: Path, catalogue: cosim_rs.Catalogue) -> bytes:
    """The bytes of a catalogue's file."""
    catalogue.save(path)
    return path.read_bytes()
