"""What a file is, by its first bytes and not its name; but .fvecs begins with any number."""

from __future__ import annotations

from pathlib import Path

from cosim_rs._file_header import FORMAT
from cosim_rs.cli._errors import BadData

CATALOGUE = "catalogue"
PARQUET, ARROW, ARROW_STREAM = "Parquet", "Arrow IPC", "Arrow IPC stream"
NPY, NPZ, SAFETENSORS, FVECS = ".npy", ".npz", "safetensors", ".fvecs"

BEGINNINGS = {
    b"PAR1": PARQUET,
    b"ARROW1": ARROW,
    b"\xff\xff\xff\xff": ARROW_STREAM,
    b"\x93NUMPY": NPY,
    b"PK\x03\x04": NPZ,
}
# A catalogue's header is written in one way only, with this first.
CATALOGUE_BEGINS = f'{{"__metadata__":{{"format":"{FORMAT}"'.encode()


def format_of(path: Path) -> str:
    """The format of a file, or BadData."""
    with open(path, "rb") as file:
        head = file.read(8 + len(CATALOGUE_BEGINS))
    if not head:
        raise BadData("got an empty file", path)
    if path.suffix == FVECS:
        return FVECS
    for beginning, format in BEGINNINGS.items():
        if head.startswith(beginning):
            return format
    if head[8:] == CATALOGUE_BEGINS:
        return CATALOGUE
    if head[8:9] == b"{":
        return SAFETENSORS
    known = f"{PARQUET}, {ARROW}, {NPY}, {NPZ}, {SAFETENSORS} or {FVECS}"
    raise BadData(f"got a file that begins with {head[:8]!r}, expected {known}", path)


__all__ = [
    "ARROW",
    "ARROW_STREAM",
    "CATALOGUE",
    "FVECS",
    "NPY",
    "NPZ",
    "PARQUET",
    "SAFETENSORS",
    "format_of",
]
