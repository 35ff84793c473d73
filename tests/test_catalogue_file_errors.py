"""A file that is no catalogue's, or not as it was written, is a ValueError that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from catalogue_files import (
    edited,
    header_of,
    named,
    saved,
    tensor,
    with_checksum,
    with_header,
    with_tensor,
)
from safetensors.numpy import save_file

import cosim_rs

Header = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "items.safetensors"


@pytest.fixture
def data(path: Path) -> bytes:
    """A file of seventeen items with texts for ids."""
    return saved(path, named(17, 5))


def refusal(path: Path, data: bytes, **options: bool) -> str:
    """What opening a file of these bytes says, after its path."""
    path.write_bytes(data)
    with pytest.raises(ValueError, match=re.escape(str(path))) as raised:
        cosim_rs.Catalogue.open(path, **options)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    return message[len(f"{path}: ") :]


class TestForeign:
    @pytest.mark.parametrize("content", [b"", b"1234567", b"\x89PNG\r\n\x1a\n" + bytes(100)])
    def test_files(self, path: Path, content: bytes) -> None:
        assert refusal(path, content) == "got a file of another kind, expected a catalogue's"

    @pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
    def test_safetensors(self, path: Path, metadata: dict[str, str] | None) -> None:
        save_file({"items": np.ones((3, 4))}, path, metadata)
        expected = "got a file of another kind, expected a catalogue's"
        assert refusal(path, path.read_bytes()) == expected

    @pytest.mark.parametrize("text", [b"[1]", b"7", b'{"__metadata__":[]}', b"{}"])
    def test_json(self, path: Path, data: bytes, text: bytes) -> None:
        expected = "got a file of another kind, expected a catalogue's"
        assert refusal(path, with_header(data, text)) == expected

    @pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b"9" * 5000 + b"x"])
    def test_headers(self, path: Path, data: bytes, text: bytes) -> None:
        message = refusal(path, with_header(data, text))
        assert message == "got a header that is no JSON, expected a catalogue's"


class TestVersions:
    def test_that_are_newer(self, path: Path, data: bytes) -> None:
        newer = edited(data, lambda header: header["__metadata__"].update(version="2", more="?"))
        expected = (
            "got version 2 of the format, expected at most 1, which is what this cosim_rs knows"
        )
        assert refusal(path, newer) == expected

    @pytest.mark.parametrize(
        "version", [None, 1, "", "-1", "1.0", "x" * 1000, "9" * 5000, "\ud800"]
    )
    def test_that_are_none(self, path: Path, data: bytes, version: Any) -> None:
        other = edited(data, lambda header: header["__metadata__"].update(version=version))
        assert "expected a number" in refusal(path, other)


@pytest.mark.parametrize("number", [2**63 + 1, -(2**70)])
def test_next_numbers_that_no_catalogue_comes_to(path: Path, number: int) -> None:
    data = saved(path, cosim_rs.Catalogue(np.ones((3, 2))))
    other = edited(data, lambda header: header["__metadata__"].update(next_id=str(number)))
    assert f"next_id {number} of ids rows" in refusal(path, other)


class TestSizes:
    def test_of_files_that_were_cut_off(self, path: Path, data: bytes) -> None:
        for size in (8, 9, 63, 500):
            assert f"got {size} bytes, expected a header of" in refusal(path, data[:size])
        first = 8 + int.from_bytes(data[:8], "little")
        for size in (first, first + 1, len(data) - 1):
            expected = f"got {size} bytes, expected {len(data)}: it was cut off"
            assert refusal(path, data[:size]) == expected

    def test_of_files_to_which_something_was_added(self, path: Path, data: bytes) -> None:
        expected = f"got {len(data) + 1} bytes, expected {len(data)}: something was added"
        assert refusal(path, data + b"x") == expected


def changed(name: str, **values: Any) -> Callable[[Header], object]:
    """Describe a tensor otherwise."""
    return lambda header: header[name].update(values)


def told(**values: Any) -> Callable[[Header], object]:
    """Have other metadata."""
    return lambda header: header["__metadata__"].update(values)


HEADERS: dict[str, tuple[Callable[[Header], object], str]] = {
    "a count that is none": (told(count="x"), "header that no catalogue has"),
    "a negative count": (told(count="-17"), "header that no catalogue has"),
    "a huge count": (told(count="9" * 30), "codes: got"),
    "a very long count": (told(count="9" * 5000), "header that no catalogue has"),
    "a count with a zero before it": (told(count="017"), "not written as a catalogue's is"),
    "a count that is a number": (told(count=17), "not written as a catalogue's is"),
    "another count": (told(count="18"), "scales: got|items: got|ids.offsets: got"),
    "another dim": (told(dim="6"), "items: got .*, expected .*17, 6"),
    "a dim without codes": (told(dim="9000"), "codes: got"),
    "another dtype": (told(dtype="float64"), "items: got .*F32.*, expected .*F64"),
    "an unknown dtype": (told(dtype="object"), "no catalogue has: ValueError.*dtype 'object'"),
    "a dtype that is a list": (told(dtype=[]), "header that no catalogue has"),
    "a negative epsilon": (told(epsilon="-1.0"), "epsilon: got -1.0"),
    "an epsilon that is none": (told(epsilon="nan"), "epsilon: got nan"),
    "a huge epsilon": (told(epsilon="1e300"), "epsilon: got 1e[+]300"),
    "a next number of strings": (told(next_id="5"), "no catalogue has: .*next_id 5 of ids U"),
    "a next number that is none": (told(next_id="x"), "header that no catalogue has"),
    "an epsilon written otherwise": (told(epsilon="0"), "not written as a catalogue's is"),
    "ids of an unknown kind": (told(ids="object"), "ids 'object'"),
    "ids of numbers": (told(ids="int64"), "ids: got .*U8.*, expected .*I64"),
    "no ids": (told(ids="rows"), "not written as a catalogue's is"),
    "very wide ids": (told(ids="U999999999"), "strings of 42 characters in the dtype U999999999"),
    "narrow ids": (told(ids="U41"), "strings of 42 characters in the dtype U41"),
    "a checksum that is missing": (lambda h: h["__metadata__"].pop("crc32.items"), "crc32.items"),
    "a checksum that is none": (told(**{"crc32.items": 7}), "not written as a catalogue's is"),
    "metadata that nobody knows": (told(more="x"), "not written as a catalogue's is"),
    "a tensor that is missing": (lambda header: header.pop("scales"), "scales: got null"),
    "a tensor that nobody knows": (
        lambda header: header.update(more={"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}),
        "not written as a catalogue's is",
    ),
    "a tensor that is a number": (lambda header: header.update(ids=7), "no catalogue has"),
    "no length of ids": (changed("ids", shape=[]), "no catalogue has"),
    "a length of ids below zero": (changed("ids", shape=[-1]), "no catalogue has"),
    "a length of ids that is none": (changed("ids", shape=[1.5]), "no catalogue has"),
    "an infinite length of ids": (changed("ids", shape=[float("inf")]), "no catalogue has"),
    "another length of ids": (changed("ids", shape=[3]), "ids: got"),
    "another shape": (changed("codes", shape=[64, 20]), "codes: got"),
    "a shape of floats": (changed("items", shape=[17.0, 5]), "not written as a catalogue's is"),
    "another type": (changed("residuals", dtype="I32"), "residuals: got"),
    "tensors that overlap": (changed("scales", data_offsets=[0, 128]), "scales: got"),
    "a hole": (changed("items.filler", data_offsets=[10**6, 10**6 + 44]), "items.filler: got"),
    "an offset that is huge": (changed("items", data_offsets=[2**63, 2**64]), "items: got"),
    "an offset below zero": (changed("items", data_offsets=[-340, 0]), "items: got"),
}


class TestHeaders:
    @pytest.mark.parametrize("name", HEADERS)
    def test_that_nothing_writes(self, path: Path, data: bytes, name: str) -> None:
        change, message = HEADERS[name]
        path.write_bytes(edited(data, change))
        with pytest.raises(ValueError, match=message) as raised:
            cosim_rs.Catalogue.open(path)
        assert str(raised.value).startswith(f"{path}: ")

    def test_that_say_something_twice(self, path: Path, data: bytes) -> None:
        text = json.dumps(header_of(data), separators=(",", ":"))
        twice = text.replace('"count":"17"', '"count":"18","count":"17"').encode()
        assert refusal(path, with_header(data, twice)).endswith("not written as a catalogue's is")

    def test_that_are_written_with_other_spaces(self, path: Path, data: bytes) -> None:
        text = json.dumps(header_of(data)).replace('"crc32": ', '"crc32":').encode()
        assert refusal(path, with_header(data, text)).endswith("not written as a catalogue's is")

    def test_that_are_too_long(self, path: Path, data: bytes) -> None:
        long = edited(data, told(more="x" * 70_000))
        assert refusal(path, long) == "got a file of another kind, expected a catalogue's"

    def test_whose_checksum_does_not_fit(self, path: Path, data: bytes) -> None:
        expected = "got a header that does not match its checksum: it was changed"
        other = data.replace(b'"epsilon":"0.0"', b'"epsilon":"1.0"')
        assert refusal(path, other) == expected
        length = int.from_bytes(data[:8], "little")
        own = re.search(rb'"crc32":("[0-9a-f]{8}")', data)
        assert own
        for value in (b"null", b"7", b'""', b'"\\ud800"', b'"0000000x"'):
            text = data[8 : 8 + length].replace(own.group(1), value).ljust(length)
            assert refusal(path, data[:8] + text + data[8 + length :]) == expected

    def test_of_the_right_kind_are_taken(self, path: Path, data: bytes) -> None:
        """What the others are refused for is what was changed in them."""
        assert edited(data, lambda header: None) == data
        head = data[: 8 + int.from_bytes(data[:8], "little")]
        assert with_checksum(head) == head
        path.write_bytes(data)
        assert len(cosim_rs.Catalogue.open(path)) == 17


def put(name: str, dtype: npt.DTypeLike, place: int, value: Any) -> Callable[[bytes], bytes]:
    """Put another number into a tensor."""

    def change(data: bytes) -> bytes:
        values = tensor(data, name, dtype)
        values[place] = value
        return with_tensor(data, name, values)

    return change


TENSORS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a scale that is none": (put("scales", "f4", 3, np.nan), "scales: got NaN at 3"),
    "an infinite scale": (put("scales", "f4", 3, np.inf), "scales: got inf at 3"),
    "a negative scale": (put("scales", "f4", 31, -1), "scales: got -1 at 31"),
    "a residual that is none": (put("residuals", "f4", 16, np.nan), "residuals: got NaN at 16"),
    "an item that there is not": (put("residuals", "f4", 17, 0), "residuals: got 0 at 0, expected"),
    "other bytes than zeros": (put("items.filler", "u1", 1, 1), "items.filler: got other bytes"),
    "no start of ids": (put("ids.offsets", "i8", 0, 1), "ids.offsets: expected to ascend from 0"),
    "no end of ids": (put("ids.offsets", "i8", 17, 1), "ids.offsets: expected to ascend from 0"),
    "a huge offset": (put("ids.offsets", "i8", 5, 2**63 - 1), "ids.offsets: expected to ascend"),
    "a negative offset": (put("ids.offsets", "i8", 5, -(2**63)), "ids.offsets: expected to asc"),
    "an offset within a character": (put("ids.offsets", "i8", 2, 3), "got one within a character"),
    "no text": (put("ids", "u1", 3, 0xFF), "ids: got bytes that are no UTF-8"),
    "a place beyond": (put("ids.order", "i8", 0, 17), "ids.order: expected places of 0 to 16"),
    "a place before": (put("ids.order", "i8", 0, -1), "ids.order: expected places of 0 to 16"),
    "a place twice": (
        lambda data: put("ids.order", "i8", 0, tensor(data, "ids.order", "i8")[1])(data),
        "ids.order: expected the ids to ascend",
    ),
}


class TestTensors:
    @pytest.mark.parametrize("name", TENSORS)
    def test_that_nothing_could_be_searched_by(self, path: Path, data: bytes, name: str) -> None:
        change, message = TENSORS[name]
        for mmap in (True, False):
            path.write_bytes(change(data))
            expected = message if mmap or "filler" in message else "their checksum: they were chan"
            with pytest.raises(ValueError, match=expected) as raised:
                cosim_rs.Catalogue.open(path, mmap=mmap)
            assert str(raised.value).startswith(f"{path}: ")

    def test_offsets_whose_steps_overflow(self, path: Path, data: bytes) -> None:
        offsets = tensor(data, "ids.offsets", "i8")
        offsets[1:5] = 2**63 - 1, -(2**63), -1, 0
        message = refusal(path, with_tensor(data, "ids.offsets", offsets))
        assert "ids.offsets: expected to ascend" in message

    @pytest.mark.parametrize(("place", "step"), [(0, 1), (-1, -1)])
    def test_offsets_that_leave_some_bytes_out(self, path: Path, place: int, step: int) -> None:
        data = saved(path, named(17, 5, "bytes"))
        offsets = tensor(data, "ids.offsets", "i8")
        offsets[place] += step
        message = refusal(path, with_tensor(data, "ids.offsets", offsets))
        assert "ids.offsets: expected to ascend from 0 to" in message

    def test_ids_that_are_alike(self, path: Path) -> None:
        data = saved(path, named(17, 5, "list"))
        ids = tensor(data, "ids", "i8")
        ids[4] = ids[5]
        message = refusal(path, with_tensor(data, "ids", ids))
        assert message == "ids.order: expected the ids to ascend by it, and no two to be alike"

    @pytest.mark.parametrize("name", ["codes", "scales", "residuals", "items", "ids", "ids.order"])
    def test_that_were_changed_are_seen_when_verified(
        self, path: Path, data: bytes, name: str
    ) -> None:
        values = tensor(data, name, "u1")
        values[len(values) // 2] ^= 1
        other = with_tensor(data, name, values)
        expected = f"{name}: got bytes that do not match their checksum: they were changed"
        assert refusal(path, other, verify=True) == expected
        assert refusal(path, other, mmap=False) == expected
