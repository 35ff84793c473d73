"""Ids as tensors of a catalogue's file, and back.

Whole numbers are a tensor of their own dtype. Strings are the UTF-8 bytes of all of them and the
offsets of where each begins and the last one ends; strings of bytes are kept as they are. With
either comes the order in which the ids ascend: by it, looking them up is prepared and that no two
are alike is seen in one pass, without sorting a million of them while a file is opened.
"""

from __future__ import annotations

import itertools
import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosim_rs._naming import Ids, Positions

Arrays = dict[str, NDArray[Any]]

ROWS = "rows"
STRINGS = "StringDType"
KNOWN = re.compile(r"rows|u?int(?:8|16|32|64)|[US][1-9]\d{0,8}|StringDType")
# No file makes more of its ids than so many characters each, if none is as long.
MOST_WIDTH = 255


class Kind(NamedTuple):
    """What ids are, and the bytes of all strings."""

    name: str
    nbytes: int = 0

    @property
    def is_strings(self) -> bool:
        """Whether they are strings."""
        return self.name[0] in "US"

    @classmethod
    def named(cls, name: object, entries: dict[str, Any]) -> Kind:
        """The kind of this name, in a file whose tensors are described so."""
        if not isinstance(name, str) or not KNOWN.fullmatch(name):
            raise ValueError(f"ids {str(name)[:50]!r}")
        kind = cls(name)
        return kind._replace(nbytes=entries["ids"]["shape"][0]) if kind.is_strings else kind


def layout(kind: Kind, count: int) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    """The dtypes and shapes of the tensors."""
    if kind.name == ROWS:
        return {}
    order = {"ids.order": (np.dtype(np.int64), (count,))}
    if not kind.is_strings:
        return {"ids": (np.dtype(kind.name), (count,)), **order}
    offsets = {"ids.offsets": (np.dtype(np.int64), (count + 1,))}
    return {"ids": (np.dtype(np.uint8), (kind.nbytes,)), **offsets, **order}


def as_tensors(naming: Positions) -> tuple[Kind, Arrays]:
    """The kind and the tensors of what names items."""
    if not isinstance(naming, Ids):
        return Kind(ROWS), {}
    names = naming.names
    order: Arrays = {"ids.order": naming.order}
    if names.dtype.kind in "iu":
        return Kind(names.dtype.name), {"ids": names} | order
    strings: list[bytes]
    if names.dtype.kind == "S":
        strings = names.tolist()
    else:
        strings = [_encoded(name) for name in names.tolist()]
    offsets = np.zeros(len(strings) + 1, np.int64)
    np.cumsum([len(string) for string in strings], out=offsets[1:])
    joined = np.frombuffer(b"".join(strings), np.uint8)
    tensors: Arrays = {"ids": joined, "ids.offsets": offsets}
    return Kind(_strings_name(names), joined.size), tensors | order


def _encoded(name: object) -> bytes:
    """The UTF-8 of a string; there is none of a missing one or of half a surrogate pair."""
    try:
        return name.encode()  # type: ignore[attr-defined, no-any-return] # or else is told
    except (AttributeError, UnicodeEncodeError):
        raise ValueError(f"ids: got {name!r}, expected text that UTF-8 holds") from None


def _strings_name(names: NDArray[Any]) -> str:
    if names.dtype.kind == "T":
        return STRINGS
    width = names.dtype.itemsize // (4 if names.dtype.kind == "U" else 1)
    if width > MOST_WIDTH:
        width = max(MOST_WIDTH, int(np.char.str_len(names).max(initial=0)))
    return f"{names.dtype.kind}{width}"


def as_naming(kind: Kind, count: int, tensors: Arrays) -> Positions:
    """What names items, of tensors that may hold anything: ValueError says what they should not."""
    if kind.name == ROWS:
        return Positions(count)
    if kind.is_strings:
        offsets = tensors["ids.offsets"]
        if offsets[0] != 0 or offsets[-1] != kind.nbytes or (offsets[:-1] > offsets[1:]).any():
            raise ValueError(f"ids.offsets: expected to ascend from 0 to {kind.nbytes}")
        names = _strings(kind.name, tensors["ids"], offsets)
    else:
        names = tensors["ids"]
    return Ids.in_order(names, tensors["ids.order"])


def _strings(name: str, joined: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[Any]:
    if name[0] == "S" and name != STRINGS:
        return _fixed(name, joined, offsets)
    try:
        text = joined.tobytes().decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"ids: got bytes that are no UTF-8: {error}") from None
    if len(text) < len(joined):  # not every character is a byte
        begins = (joined & 0xC0) != 0x80
        if not begins[offsets[:-1][offsets[:-1] < len(joined)]].all():
            raise ValueError("ids.offsets: got one within a character")
        offsets = np.concatenate([[0], np.cumsum(begins)])[offsets]
    if name == STRINGS:
        return _of_any_width(text, offsets)
    is_ascii = len(text) == len(joined)
    characters = joined if is_ascii else np.frombuffer(text.encode("utf-32-le"), np.uint32)
    return _fixed(name, characters, offsets)


def _of_any_width(text: str, offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Strings, of a text that begins and ends with them."""
    if not hasattr(getattr(np, "dtypes", None), STRINGS):
        raise ValueError(f"got ids of the dtype {STRINGS}, expected NumPy 2, which has it")
    bounds = itertools.pairwise(offsets.tolist())
    return np.array([text[begin:end] for begin, end in bounds], np.dtypes.StringDType())


def _fixed(name: str, characters: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Strings of fixed width of their characters, one after the other."""
    width, lengths = int(name[1:]), np.diff(offsets)
    longest = int(lengths.max(initial=0))
    if not longest <= width <= max(longest, MOST_WIDTH):
        raise ValueError(f"ids: got strings of {longest} characters in the dtype {name}")
    unit = np.uint32 if name[0] == "U" else np.uint8
    if lengths.min(initial=width) == width:
        return characters.astype(unit).view(name)  # a quarter of the time
    names = np.zeros(len(lengths), name)
    places = names.view(unit).reshape(-1, width)
    small = np.min_scalar_type(width)  # again a quarter
    places[np.arange(width, dtype=small) < lengths.astype(small)[:, None]] = characters
    return names


__all__ = ["Arrays", "Kind", "as_naming", "as_tensors", "layout"]
