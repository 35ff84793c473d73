"""The header of a catalogue's file: what the file holds, and where.

The file is a safetensors file: eight bytes with the length of the header, the header in JSON, and
the tensors, one after the other with nothing between them. Here each begins at a multiple of 64
bytes, where a cache line begins if the file is mapped: spaces fill up the header, and zeros, as a
tensor of their own, fill up each tensor that is of another length.

All of a header follows from a few numbers, a `Summary`, and the tensors' checksums. So it is read
by writing it once more: a header that differs in a single byte from the one that this module writes
for what it says is refused, and no offset or shape of a file is ever trusted.
"""

from __future__ import annotations

import json
import re
import zlib
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cosim_rs import _file_ids
from cosim_rs._arrays import as_epsilon
from cosim_rs._tensors import BFLOAT16

FORMAT = "cosim_rs.Catalogue"
VERSION = 1
ALIGNMENT = 64
MOST_BYTES = 1 << 16  # of a header; of a catalogue's, a tenth is enough for the largest numbers

# Longer vectors, and more of them, have no codes.
MOST_CODED = 8192
MOST_NUMBERED = 2**32
MOST_ID = 2**63
NUMBERED = (_file_ids.ROWS, "int64")  # what ids are that a catalogue gives by itself
LINE = 64
LINES_BEHIND = 16

DTYPES = {
    **{name: np.dtype(name) for name in ("float32", "float64", "float16", "int8")},
    "bfloat16": BFLOAT16,
}
NAMES = {"f": "F", "i": "I", "u": "U"}  # safetensors' of the kinds of numbers


class Summary(NamedTuple):
    """What the rest of a header follows from, checksums aside."""

    shape: tuple[int, int]
    dtype: str
    epsilon: float
    ids: _file_ids.Kind
    next_id: int | None  # where the catalogue numbers its items itself


class Tensor(NamedTuple):
    """One tensor: where it begins among the tensors' bytes, and what it is."""

    start: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + prod(self.shape) * self.dtype.itemsize

    def described(self) -> dict[str, Any]:
        """What safetensors says of it."""
        bits = 8 * self.dtype.itemsize
        name = "BF16" if self.dtype == BFLOAT16 else f"{NAMES[self.dtype.kind]}{bits}"
        return {"dtype": name, "shape": list(self.shape), "data_offsets": [self.start, self.end]}


class Header(NamedTuple):
    """A header that was read."""

    summary: Summary
    tensors: dict[str, Tensor]
    checksums: dict[str, str]
    raw: bytes


def layout(summary: Summary) -> dict[str, Tensor]:
    """Where each tensor goes, in the order of the file."""
    count, dim = summary.shape
    coded = count if dim <= MOST_CODED and count < MOST_NUMBERED else 0
    blocks = -(-coded // 16)
    lines = blocks * max(1, -(-dim // 4)) + LINES_BEHIND
    wanted: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        "codes": (np.dtype(np.uint8), (lines, LINE)),
        "scales": (np.dtype(np.float32), (16 * blocks,)),
        "residuals": (np.dtype(np.float32), (16 * blocks,)),
        "items": (DTYPES[summary.dtype], summary.shape),
        **_file_ids.layout(summary.ids, count),
    }
    tensors, end = {}, 0
    for name, (dtype, shape) in wanted.items():
        tensors[name] = Tensor(end, dtype, shape)
        end = tensors[name].end
        if end % ALIGNMENT:
            filler = (-end % ALIGNMENT,)
            tensors[f"{name}.filler"] = Tensor(end, np.dtype(np.uint8), filler)
            end = tensors[f"{name}.filler"].end
    return tensors


def is_filler(name: str) -> bool:
    """Whether a tensor is there to fill up another one."""
    return name.endswith(".filler")


def rendered(summary: Summary, checksums: dict[str, str]) -> bytes:
    """The bytes before the tensors; as many whatever the checksums, of eight digits each."""
    tensors = layout(summary)
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "count": str(summary.shape[0]),
        "dim": str(summary.shape[1]),
        "dtype": summary.dtype,
        "epsilon": repr(summary.epsilon),
        "ids": summary.ids.name,
        "next_id": "none" if summary.next_id is None else str(summary.next_id),
        **{f"crc32.{name}": checksums[name] for name in tensors if not is_filler(name)},
        "crc32": NO_CHECKSUM,
    }
    described = {name: tensor.described() for name, tensor in tensors.items()}
    text = json.dumps({"__metadata__": metadata, **described}, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    blank = len(text).to_bytes(8, "little") + text
    return blank.replace(_own(NO_CHECKSUM), _own(checksum(blank)), 1)


def parsed(raw: bytes) -> Header:
    """Read what `rendered` gave, or raise ValueError that says what else this is."""
    try:
        entries = json.loads(raw[8:])
    except (ValueError, RecursionError):
        raise ValueError("got a header that is no JSON, expected a catalogue's") from None
    metadata = entries.get("__metadata__") if isinstance(entries, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError("got a file of another kind, expected a catalogue's")
    _check_version(metadata.get("version"))
    if not _fits(metadata.get("crc32"), raw):
        raise ValueError("got a header that does not match its checksum: it was changed")
    try:
        summary = _summary(metadata, entries)
        tensors = layout(summary)
        checksums = {
            name: str(metadata[f"crc32.{name}"]) for name in tensors if not is_filler(name)
        }
        expected = rendered(summary, checksums)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"got a header that no catalogue has: {error!r}") from None
    for name, tensor in tensors.items():
        if entries.get(name) != tensor.described():
            got = json.dumps(entries.get(name))[:200]
            raise ValueError(f"{name}: got {got}, expected {json.dumps(tensor.described())}")
    if raw != expected:
        raise ValueError("got a header that is not written as a catalogue's is")
    return Header(summary, tensors, checksums, raw)


def checksum(data: Any, before: str = "00000000") -> str:
    """The CRC-32 of some bytes, behind others of which it is known, as eight digits."""
    return f"{zlib.crc32(data, int(before, 16)):08x}"


NO_CHECKSUM = checksum(b"")
CHECKSUM = re.compile("[0-9a-f]{8}")


def _own(digits: str) -> bytes:
    """How a header's own checksum stands in it."""
    return f'"crc32":"{digits}"'.encode()


def _fits(own: object, raw: bytes) -> bool:
    """Whether this is the checksum of a header in which it stands."""
    if not isinstance(own, str) or not CHECKSUM.fullmatch(own):
        return False
    return checksum(raw.replace(_own(own), _own(NO_CHECKSUM), 1)) == own


def _check_version(version: object) -> None:
    if version == str(VERSION):
        return
    if isinstance(version, str) and version.isdecimal() and len(version) < 10:
        known = f"expected at most {VERSION}, which is what this cosim_rs knows"
        raise ValueError(f"got version {int(version)} of the format, {known}")
    raise ValueError(f"got the version {str(version)[:50]!r}, expected a number")


def _summary(metadata: dict[str, Any], entries: dict[str, Any]) -> Summary:
    """What the metadata say; of the tensors only how many bytes the ids take."""
    dtype = metadata["dtype"]
    if dtype not in DTYPES:
        raise ValueError(f"dtype {str(dtype)[:50]!r}")
    epsilon = as_epsilon(float(metadata["epsilon"]))
    ids = _file_ids.Kind.named(metadata["ids"], entries)
    shape = int(metadata["count"]), int(metadata["dim"])
    if type(ids.nbytes) is not int or min(*shape, ids.nbytes) < 0:
        raise ValueError(f"shapes of {shape} and {str(ids.nbytes)[:50]}")
    next_id = None if metadata["next_id"] == "none" else int(metadata["next_id"])
    is_numbered = next_id is None or (ids.name in NUMBERED and abs(next_id) <= MOST_ID)
    if not is_numbered:
        raise ValueError(f"next_id {str(next_id)[:50]} of ids {ids.name}")
    return Summary(shape, dtype, epsilon, ids, next_id)


__all__ = [
    "MOST_BYTES",
    "MOST_CODED",
    "Header",
    "Summary",
    "Tensor",
    "checksum",
    "is_filler",
    "layout",
    "parsed",
    "rendered",
]
