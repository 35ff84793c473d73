"""Arrow's C structs are read where they lie, let go once, and refused where they are wrong.

What pyarrow and polars export is in test_columns.py; here structs are made by hand.
"""

from __future__ import annotations

import ctypes
import gc
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from arrow_structs import (
    Array,
    Offered,
    Streamed,
    address,
    array,
    capsule,
    pointers,
    schema,
    stream,
    times_released,
)
from helpers import assert_same_bits, gaussian_rows

import cosim_rs
from cosim_rs._interchange import as_array

VALUES = gaussian_rows(8, 3)
LISTS = schema(b"+w:3", schema(b"f"))


def lists(values: Any = VALUES, **options: Any) -> Array:
    """Lists of three."""
    flat = array(values.size, [None, values.reshape(-1)])
    return array(len(values), [None], flat, **options)


def offered() -> Offered:
    return Offered(schema(b"+w:3", schema(b"f")), lists())


def assert_let_go(*structs: Any) -> None:
    gc.collect()
    assert [times_released(one) for one in structs] == [1] * len(structs)


class TestLifetime:
    def test_an_array_is_let_go_with_the_last_view_of_it(self) -> None:
        given = offered()
        taken = as_array("x", given)
        assert_same_bits(taken, VALUES)
        assert taken.ctypes.data == VALUES.ctypes.data
        assert not taken.flags.writeable
        assert_let_go(given.of)
        view = taken[2:]
        del taken
        gc.collect()
        assert times_released(given.values) == 0
        del view
        assert_let_go(given.of, given.values)

    def test_a_catalogue_holds_on_to_it(self) -> None:
        given = offered()
        catalogue = cosim_rs.Catalogue(given)
        gc.collect()
        assert times_released(given.values) == 0
        expected = cosim_rs.top_k(VALUES, VALUES, 2)
        assert_same_bits(catalogue.top_k(VALUES, 2).scores, expected.scores)
        del catalogue
        assert_let_go(given.of, given.values)

    def test_a_stream_and_its_chunks(self) -> None:
        for parts in ([VALUES], [VALUES[:2], VALUES[:0], VALUES[2:]], []):
            of, chunks = schema(b"+w:3", schema(b"f")), [lists(part) for part in parts]
            given = Streamed(stream(of, chunks))
            taken = as_array("x", given)
            assert_same_bits(taken, VALUES if parts else VALUES[:0])
            assert_let_go(given.made)
            del taken
            assert_let_go(given.made)
            # The chunks were moved, so each is let go where it went; the mark is theirs still.
            assert_let_go(*chunks)

    def test_what_is_refused_is_let_go(self) -> None:
        nulls = np.array([0b1111_1101], np.uint8)
        for values in (array(8, [nulls], lists(), null_count=1), array(-1, [None], lists())):
            given = Offered(schema(b"+w:3", schema(b"f")), values)
            with pytest.raises(ValueError, match=r"^x: got "):
                as_array("x", given)
            assert_let_go(given.of, given.values)

    def test_a_capsule_is_taken_once(self) -> None:
        given = offered()
        capsules = given.__arrow_c_array__()

        class Again:
            def __arrow_c_array__(self) -> Any:
                return capsules

        taken = as_array("x", Again())
        with pytest.raises(ValueError, match=r"^x: got Arrow data .*, or was taken before$"):
            as_array("x", Again())
        del taken
        assert_let_go(given.of, given.values)


def tensor_metadata(**description: Any) -> bytes:
    words = {
        b"PARQUET:field_id": b"1",
        b"ARROW:extension:name": b"arrow.fixed_shape_tensor",
        b"ARROW:extension:metadata": json.dumps(description).encode(),
    }
    packed = [struct.pack("=i", len(words))]
    for pair in words.items():
        packed += [struct.pack("=i", len(word)) + word for word in pair]
    return b"".join(packed)


class TestReading:
    @pytest.mark.parametrize("offsets", [(0, 0, 0), (2, 0, 0), (0, 2, 0), (0, 0, 6), (1, 2, 6)])
    def test_each_level_has_an_offset_of_its_own(self, offsets: tuple[int, int, int]) -> None:
        top, middle, bottom = offsets
        values = np.arange(60, dtype=np.float32)
        flat = array(len(values) - bottom, [None, values], offset=bottom)
        pairs = array((len(values) - bottom) // 2 - middle, [None], flat, offset=middle)
        outer = array(3, [None], pairs, offset=top)
        start = bottom + 2 * (middle + 3 * top)
        of = schema(b"+w:3", schema(b"+w:2", schema(b"f")))
        taken = as_array("x", Offered(of, outer))
        assert_same_bits(taken, values[start : start + 18].reshape(3, 3, 2))

    @pytest.mark.parametrize(("format", "dtype"), [(b"+l", np.int32), (b"+L", np.int64)])
    def test_lists_of_any_length_have_offsets_into_their_child(
        self, format: bytes, dtype: Any
    ) -> None:
        values = np.arange(40, dtype=np.float32)
        starts = np.array([99, 2, 5, 8, 11], dtype)
        flat = array(30, [None, values], offset=4)
        given = Offered(schema(format, schema(b"f")), array(3, [None, starts], flat, offset=1))
        assert_same_bits(as_array("x", given), values[6:15].reshape(3, 3))

    @pytest.mark.parametrize(
        ("format", "dtype"),
        [
            *((b"c", np.int8), (b"s", np.int16), (b"i", np.int32), (b"l", np.int64)),
            *((b"C", np.uint8), (b"S", np.uint16), (b"I", np.uint32), (b"L", np.uint64)),
            *((b"e", np.float16), (b"f", np.float32), (b"g", np.float64)),
        ],
    )
    def test_numbers_of_every_type(self, format: bytes, dtype: Any) -> None:
        values = np.arange(12).astype(dtype)
        given = Offered(schema(b"+w:3", schema(format)), lists(values.reshape(4, 3)))
        taken = as_array("x", given)
        assert_same_bits(taken, values.reshape(4, 3))
        assert taken.ctypes.data == values.ctypes.data

    def test_flags_begin_at_any_bit(self) -> None:
        bits = np.packbits(np.arange(40) % 3 == 0, bitorder="little")
        for first in (0, 3, 8, 13):
            given = Offered(schema(b"b"), array(20, [None, bits], offset=first))
            assert_same_bits(as_array("x", given), np.arange(first, first + 20) % 3 == 0)
            nested = array(4, [None], array(20, [None, bits], offset=first))
            nested = Offered(schema(b"+w:5", schema(b"b")), nested)
            assert_same_bits(
                as_array("x", nested), (np.arange(first, first + 20) % 3 == 0).reshape(4, 5)
            )

    @pytest.mark.parametrize("first", [0, 5, 8, 11])
    @pytest.mark.parametrize("null", range(20))
    @pytest.mark.parametrize("count", [-1, 2])
    def test_the_first_null_is_found_at_any_bit(self, first: int, null: int, count: int) -> None:
        valid = np.ones(40, bool)
        valid[[first + null, first + 20]] = False  # the second is beyond
        marks = np.packbits(valid, bitorder="little")
        flat = array(20, [marks, np.zeros(40, np.float32)], offset=first, null_count=count)
        given = Offered(schema(b"+w:5", schema(b"f")), array(4, [None], flat))
        with pytest.raises(ValueError, match=rf"^x: got a null in row {null // 5}, expected none$"):
            as_array("x", given)
        valid[first + null] = True
        flat.buffers = pointers([address(np.packbits(valid, bitorder="little")), None])
        with pytest.raises(ValueError, match="numbers without a buffer"):  # no null was found
            as_array("x", Offered(schema(b"+w:5", schema(b"f")), array(4, [None], flat)))

    def test_a_column_of_nothing_but_nulls(self) -> None:
        given = Offered(schema(b"+w:2", schema(b"n")), array(3, [None], array(6, [], null_count=6)))
        with pytest.raises(ValueError, match=r"^x: got a null in row 0, expected none$"):
            as_array("x", given)
        none = array(2, [None, np.zeros(3, np.int32)], array(0, []))
        taken = as_array("x", Offered(schema(b"+l", schema(b"n")), none))
        assert_same_bits(taken, np.empty((2, 0)))

    @pytest.mark.parametrize("permutation", [None, [1, 0], [0, 1]])
    def test_tensors_within_lists(self, permutation: list[int] | None) -> None:
        values = np.arange(48, dtype=np.float32).reshape(2, 2, 3, 4)
        options = {} if permutation is None else {"permutation": permutation}
        metadata = tensor_metadata(shape=[3, 4], **options)
        of = schema(b"+w:2", schema(b"+w:12", schema(b"f"), metadata))
        tensors = array(4, [None], array(48, [None, values.reshape(-1)]))
        taken = as_array("x", Offered(of, array(2, [None], tensors)))
        expected = values.swapaxes(2, 3) if permutation == [1, 0] else values
        assert_same_bits(taken, expected)
        assert np.shares_memory(taken, values)


def changed(change: Callable[[Any, Any], None]) -> Offered:
    """Lists of three that somebody has spoilt."""
    flat_type, flat = schema(b"f"), array(24, [None, VALUES.reshape(-1)])
    given = Offered(schema(b"+w:3", flat_type), array(8, [None], flat))
    given.flat_type, given.flat = flat_type, flat
    change(given, given.values)
    return given


def setting(where: str, **fields: Any) -> Callable[[Any, Any], None]:
    def change(given: Any, _: Any) -> None:
        for name, value in fields.items():
            setattr(getattr(given, where), name, value)

    return change


LONG = 2**63 - 1
BROKEN = {
    "a negative length": setting("values", length=-1),
    "a negative offset": setting("values", offset=-1),
    "an offset beyond the child": setting("values", offset=1),
    "a length beyond the child": setting("values", length=9),
    "a length beyond memory": setting("values", length=LONG),
    "a length and an offset beyond memory": setting("values", length=LONG, offset=LONG),
    "no children": setting("values", n_children=0),
    "two children": setting("values", n_children=2),
    "less than no children": setting("values", n_children=-1),
    "children that are nowhere": setting("values", children=None),
    "a child that is nowhere": setting("values", children=pointers([None])),
    "nulls without marks": setting("values", null_count=1),
    "nulls without buffers": setting("values", null_count=-1, n_buffers=0),
    "a negative length below": setting("flat", length=-24),
    "a negative offset below": setting("flat", offset=-1),
    "a shorter length below": setting("flat", length=23),
    "numbers that end beyond memory": setting("flat", offset=LONG // 4),
    "one buffer below": setting("flat", n_buffers=1),
    "less than no buffers below": setting("flat", n_buffers=-1),
    "buffers that are nowhere below": setting("flat", buffers=None),
    "numbers that are nowhere": setting("flat", buffers=pointers([None, None])),
    "a type without a format": setting("of", format=None),
    "a type without children": setting("of", n_children=0),
    "a type whose children are nowhere": setting("of", children=None),
    "a type whose child is nowhere": setting("of", children=pointers([None])),
    "a type without a format below": setting("flat_type", format=None),
    "tensors of another size": lambda given, _: extend(given, shape=[2, 2]),
    "tensors of a size beyond memory": lambda given, _: extend(given, shape=[3, 2**62, 4]),
    "tensors of a negative size": lambda given, _: extend(given, shape=[-3]),
    "axes that there are not": lambda given, _: extend(given, shape=[3, 1], permutation=[0, 2]),
    "an axis twice": lambda given, _: extend(given, shape=[3, 1], permutation=[0, 0]),
    "an axis too few": lambda given, _: extend(given, shape=[3, 1], permutation=[0]),
    "tensors without a shape": lambda given, _: extend(given),
}


def extend(given: Any, **description: Any) -> None:
    given.of = schema(b"+w:3", given.flat_type, tensor_metadata(**description))


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_structs_that_are_wrong_are_refused(change: Callable[[Any, Any], None]) -> None:
    assert_same_bits(as_array("x", changed(lambda given, _: None)), VALUES)
    given = changed(change)
    with pytest.raises(ValueError, match=r"^x: got Arrow data that is not as Arrow asks: "):
        cosim_rs.cosine_similarity(given)
    assert_let_go(given.of, given.values)


@pytest.mark.parametrize(
    "starts", [[0, 3, 2, 5], [-3, 0, 3, 6], [0, 3, 6, 2**31 - 1], [24, 27, 30, 33], [3, 0, -3, -6]]
)
def test_offsets_that_are_wrong_are_refused(starts: list[int]) -> None:
    flat = array(24, [None, VALUES.reshape(-1)])
    given = array(3, [None, np.array(starts, np.int32)], flat)
    with pytest.raises(ValueError, match=r"^x: got "):
        as_array("x", Offered(schema(b"+l", schema(b"f")), given))
    nowhere = array(3, [None, None], flat)
    with pytest.raises(ValueError, match=r"^x: got Arrow data .* elements without a buffer$"):
        as_array("x", Offered(schema(b"+l", schema(b"f")), nowhere))


def test_a_type_that_is_its_own_child_has_an_end() -> None:
    of, values = schema(b"+w:1"), array(1, [None])
    of.n_children, of.children = 1, pointers([ctypes.addressof(of)])
    values.n_children, values.children = 1, pointers([ctypes.addressof(values)])
    with pytest.raises(
        ValueError, match=r"^x: got Arrow data .* more lists than an array has axes"
    ):
        cosim_rs.cosine_similarity(Offered(of, values))


class TestCapsules:
    def test_of_the_wrong_kind(self) -> None:
        given = offered()
        of, values = given.__arrow_c_array__()
        for pair in ((values, of), (of, capsule(LISTS, b"arrow")), (of, None), (1, 2)):
            given = offered()
            given.__arrow_c_array__ = lambda pair=pair: pair
            with pytest.raises(ValueError, match=r"^x: got Arrow data .* of another kind"):
                as_array("x", given)

        class Stream:
            def __arrow_c_stream__(self) -> Any:
                return values

        with pytest.raises(ValueError, match=r"^x: got Arrow data .* of another kind"):
            as_array("x", Stream())

    def test_a_stream_that_fails(self) -> None:
        for error, wanted in ((b"no such file", "no such file"), (None, "error 5")):
            chunk = lists()
            given = Streamed(stream(schema(b"+w:3", schema(b"f")), [chunk], b""))
            text = None if error is None else address(ctypes.create_string_buffer(error))
            say = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _, text=text: text)
            given.made.get_last_error = address(say)
            with pytest.raises(ValueError, match=rf"^x: got a stream .* that failed: {wanted}$"):
                as_array("x", given)
            assert_let_go(given.made, chunk)

    @pytest.mark.parametrize("function", ["get_schema", "get_next"])
    def test_a_stream_without_functions(self, function: str) -> None:
        given = Streamed(stream(schema(b"+w:3", schema(b"f")), [lists()]))
        setattr(given.made, function, None)
        with pytest.raises(ValueError, match=rf"^x: got a stream .* failed: no {function}$"):
            as_array("x", given)
        assert_let_go(given.made)

    def test_a_stream_without_a_type(self) -> None:
        of = schema(b"f")
        of.release = None
        with pytest.raises(ValueError, match=r"^x: got a stream .* failed: no schema$"):
            as_array("x", Streamed(stream(of, [])))
