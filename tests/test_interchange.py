"""Arrays of other libraries are taken where they lie: JAX, DLPack, buffers, Arrow's capsules.

Columns are in test_columns.py; torch and TensorFlow, which are large, in backends/.
"""

from __future__ import annotations

import array
import gc
import weakref
from typing import Any

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from helpers import assert_same_bits, run_python
from interchange import (
    Array,
    OnCuda,
    assert_places_taken,
    assert_shared,
    assert_taken,
    copied_bytes,
    numbers,
)

import cosim_rs
from cosim_rs._interchange import as_array
from cosim_rs._tensors import BFLOAT16

EVERY_DTYPE = (np.float32, np.float16, ml_dtypes.bfloat16, np.int8)


class DLPack:
    """An object that offers its memory by DLPack and nothing else."""

    def __init__(self, values: Array, device: int = 1) -> None:
        self._values, self._device = values, device

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device, 0

    def __dlpack__(self, **options: Any) -> Any:
        return self._values.__dlpack__()


class Capsule:
    """An object that offers Arrow's array capsule and nothing else."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self._column.__arrow_c_array__(requested_schema)


class Stream:
    """An object that offers Arrow's stream capsule and nothing else."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._column.__arrow_c_stream__(requested_schema)


class TestJax:
    @pytest.mark.parametrize("dtype", EVERY_DTYPE)
    def test_every_function_takes_it(self, dtype: npt.DTypeLike) -> None:
        assert_taken(jnp.asarray, dtype)

    def test_it_is_read_where_it_lies_read_only(self) -> None:
        for dtype in EVERY_DTYPE:
            offered = jnp.asarray(numbers(4, 17, dtype=dtype))
            assert_shared(offered, np.asarray(offered))
            assert not as_array("x", offered).flags.writeable

    def test_places(self) -> None:
        assert_places_taken(jnp.asarray)

    def test_one_that_is_elsewhere_is_refused(self) -> None:
        """There is no GPU here, so the class has to be enough."""
        kind = type("ArrayImpl", (), {"__module__": "jaxlib._jax", "platform": lambda _: "gpu"})
        wanted = r"^items: got an array on gpu, expected memory of the CPU: .* \.cpu\(\)$"
        with pytest.raises(TypeError, match=wanted):
            cosim_rs.top_k(numbers(2, 4), kind(), 1)

    def test_one_that_devices_share_is_put_together(self) -> None:
        code = """
import numpy as np, jax, cosim_rs
from jax.sharding import Mesh, NamedSharding, PartitionSpec
x = np.random.default_rng(0).standard_normal((4, 17), np.float32)
mesh = Mesh(np.array(jax.devices()), ("rows",))
shared = jax.device_put(x, NamedSharding(mesh, PartitionSpec("rows")))
same = cosim_rs.cosine_similarity(shared) == cosim_rs.cosine_similarity(x)
print(len(shared.devices()), same.all())
"""
        flags = "--xla_force_host_platform_device_count=2"
        assert run_python(code, XLA_FLAGS=flags) == "2 True\n"


class TestDLPack:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8])
    def test_every_function_takes_it(self, dtype: npt.DTypeLike) -> None:
        assert_taken(DLPack, dtype)

    @pytest.mark.parametrize("device", [1, 3, 11])
    def test_it_is_read_where_it_lies(self, device: int) -> None:
        values = numbers(6, 17)
        for view in (values, values[::2], values.T, values[:, 3:]):
            assert_shared(DLPack(view, device), view)

    def test_places(self) -> None:
        assert_places_taken(DLPack)

    def test_an_array_is_asked_for_where_dlpack_fails(self) -> None:
        class Both(DLPack):
            def __dlpack__(self, **options: Any) -> Any:
                raise BufferError("not today")

            def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
                return self._values

        values = numbers(3, 17)
        assert_shared(Both(values), values)

    def test_what_numpy_cannot_take_is_named(self) -> None:
        with pytest.raises(TypeError, match=r"^y: NumPy cannot take DLPack: "):
            cosim_rs.cosine_similarity(numbers(2, 3), DLPack(np.array(["a", "b"])))

    @pytest.mark.parametrize("device", [2, 4, 8, 10, 13])
    def test_another_device_is_refused_without_being_read(self, device: int) -> None:
        rows, gpu = numbers(3, 4), OnCuda(device)
        wanted = rf"got OnCuda on DLPack's device {device}:0, expected memory of the CPU: move it"
        calls = {
            "users": lambda: cosim_rs.batched_cosine_similarity(gpu, rows[:, None]),
            "items": lambda: cosim_rs.Catalogue(gpu),
            "x": lambda: cosim_rs.cosine_similarity(gpu),
            "y": lambda: cosim_rs.paired_cosine_similarity(rows, gpu),
            "allow": lambda: cosim_rs.top_k(rows, rows, 1, allow=gpu),
            "exclude": lambda: cosim_rs.top_k(rows, rows, 1, exclude=gpu),
            "ids": lambda: cosim_rs.Catalogue(rows, gpu),
        }
        for name, call in calls.items():
            with pytest.raises(TypeError, match=rf"^{name}: {wanted}"):
                call()

    def test_what_only_cuda_could_read_is_refused(self) -> None:
        class CudaArray:
            __cuda_array_interface__ = property(lambda _: {})

        with pytest.raises(TypeError, match=r"^x: got CudaArray on CUDA, expected memory of"):
            cosim_rs.cosine_similarity(CudaArray())


class TestBuffers:
    def test_every_function_takes_it(self) -> None:
        assert_taken(memoryview, np.float32)
        assert_taken(memoryview, np.float64)

    def test_it_is_read_where_it_lies(self) -> None:
        values = numbers(4, 17)
        assert_shared(memoryview(values), values)
        flat = array.array("f", [3, 4])
        assert_shared(flat, np.frombuffer(flat, np.float32))


class TestCapsules:
    @pytest.mark.parametrize("wrapped", [Capsule, Stream])
    def test_it_is_read_where_it_lies(self, wrapped: Any) -> None:
        values = numbers(6, 17)
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), 17)
        column = pa.chunked_array([column]) if wrapped is Stream else column
        assert_shared(wrapped(column), values)
        assert_shared(wrapped(column[2:]), values[2:])

    def test_nulls_are_found(self) -> None:
        column = pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))
        with pytest.raises(ValueError, match=r"^x: got a null in row 1, expected none$"):
            cosim_rs.cosine_similarity(Capsule(column))

    def test_an_array_of_its_own_is_asked_for_where_it_is_a_table(self) -> None:
        class Table(Stream):
            def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
                return np.column_stack([column.to_numpy() for column in self._column.columns])

        values = numbers(3, 2)
        table = pa.table({"a": values[:, 0], "b": values[:, 1]})
        for offered in (Table(table), table, table.to_batches()[0]):
            assert_same_bits(
                cosim_rs.cosine_similarity(offered), cosim_rs.cosine_similarity(values)
            )
        with pytest.raises(TypeError, match=r"^x: got .*struct<a: float, b: float>"):
            cosim_rs.cosine_similarity(Stream(table))

    def test_strings_are_left_to_who_can_read_them(self) -> None:
        names = pa.array(["tea", "cup", "mug"])
        for ids in (Capsule(names), Stream(pa.chunked_array([names[:1], names[1:]]))):
            assert cosim_rs.Catalogue(np.eye(3), ids).similar("cup", 1).ids.dtype.kind == "U"

    def test_pyarrow_is_not_needed_for_numbers(self) -> None:
        code = """
import sys
import polars as pl
import cosim_rs
class Stream:
    def __init__(self, series):
        self.series = series
    def __arrow_c_stream__(self, requested_schema=None):
        return self.series.__arrow_c_stream__(requested_schema)
print(cosim_rs.cosine_similarity(Stream(pl.Series([[3.0, 4.0], [0.0, 2.0]]))).tolist())
try:
    cosim_rs.Catalogue([[1.0]], ids=Stream(pl.Series(["tea"])))
except TypeError as error:
    print(error)
print("pyarrow" in sys.modules)
"""
        wanted = "ids: got Stream, which offers Arrow data that are no numbers"
        assert run_python(code).splitlines() == [
            "[[1.0, 0.8], [0.8, 1.0]]",
            f"{wanted}; expected pyarrow to be imported, which reads it",
            "False",
        ]


class TestBfloat16Bits:
    """The bits of a tensor, under the dtype that stands for it where NumPy has none."""

    def test_every_pattern_is_widened(self) -> None:
        patterns = np.random.default_rng(0).permutation(2**16).astype(np.uint16).reshape(-1, 32)
        named = patterns.view(ml_dtypes.bfloat16)
        for bits, expected in ((patterns, named), (patterns[::3, ::-2], named[::3, ::-2])):
            x, y = bits.view(BFLOAT16)[:20], bits.view(BFLOAT16)[20:]
            scores = cosim_rs.cosine_similarity(x, y)
            assert_same_bits(scores, cosim_rs.cosine_similarity(expected[:20], expected[20:]))

    def test_it_goes_with_the_other_dtypes(self) -> None:
        bits, x = numbers(3, 17, dtype=ml_dtypes.bfloat16), numbers(3, 17)
        tagged = bits.view(np.uint16).view(BFLOAT16)
        for other in (x, x.astype(np.float64), x.astype(np.int8)):
            expected = cosim_rs.cosine_similarity(bits, other)
            assert_same_bits(cosim_rs.cosine_similarity(tagged, other), expected)


class TestCatalogue:
    def test_a_borrowed_array_is_not_counted_and_copied_when_asked(self) -> None:
        values = numbers(40, 17)
        for offered in (values, DLPack(values), memoryview(values)):
            borrowed = cosim_rs.Catalogue(offered)
            own = cosim_rs.Catalogue(offered, copy=True)
            assert own.nbytes == borrowed.nbytes + values.nbytes
        before = own.top_k(values[:3], 5)
        values[::2] *= -1
        assert_same_bits(own.top_k(-values[:1], 5).scores, before.scores[:1])

    def test_what_was_converted_is_counted(self) -> None:
        values = numbers(40, 17)
        borrowed = cosim_rs.Catalogue(values).nbytes
        two = [
            pa.FixedSizeListArray.from_arrays(pa.array(half.reshape(-1)), 17)
            for half in (values[:20], values[20:])
        ]
        halves = pa.chunked_array(two)
        lists = values.astype(np.float64).tolist()
        assert cosim_rs.Catalogue(lists).nbytes == cosim_rs.Catalogue(lists, copy=True).nbytes
        for copy in (False, True):
            for offered in (halves, values.astype(">f4")):
                catalogue = cosim_rs.Catalogue(offered, copy=copy)
                assert catalogue.nbytes == borrowed + values.nbytes


def test_large_inputs_are_not_copied() -> None:
    values = numbers(1000, 1000)
    users, out = numbers(1, 1000), np.empty((1, 1000), np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), 1000)
    for offered in (jnp.asarray(values), DLPack(values), column, column[1:], column[:-1]):
        scores = out[:, : len(offered)] if hasattr(offered, "__len__") else out
        used = copied_bytes(
            lambda x=offered, out=scores: cosim_rs.cosine_similarity(users, x, out=out, threads=1)
        )
        assert used < values.nbytes / 10
    used = copied_bytes(lambda: cosim_rs.cosine_similarity(users, values.tolist()))
    assert used > values.nbytes  # a copy would be seen


@pytest.mark.parametrize("base", [object, np.ndarray])
def test_a_class_that_is_made_anew_is_let_go(base: type) -> None:
    members = {"__array__": lambda self, dtype=None, copy=None: np.ones((2, 2))}
    kind = type("Passing", (base,), {} if base is np.ndarray else members)
    offered = np.ones((2, 2), np.float16).view(kind) if base is np.ndarray else kind()
    assert type(as_array("x", offered)) is np.ndarray
    del offered
    passing = weakref.ref(kind)
    del kind
    gc.collect()
    assert passing() is None


@pytest.mark.parametrize("out", [jnp.zeros((3, 3)), DLPack(np.zeros((3, 3), np.float32))])
def test_out_is_a_numpy_array(out: Any) -> None:
    with pytest.raises(TypeError, match=r"^out: got \w+, expected a numpy.ndarray or None$"):
        cosim_rs.cosine_similarity(numbers(3, 4), out=out)


def test_nothing_is_imported() -> None:
    """Neither by an import nor by a call with what no library made."""
    code = """
import sys
import numpy
def roots():
    return {name.partition(".")[0] for name in sys.modules}
before = roots()
import cosim_rs
cosim_rs.cosine_similarity([[1.0, 2.0]], memoryview(numpy.ones((3, 2))))
cosim_rs.top_k([[1.0, 2.0]], numpy.ones((3, 2), numpy.float16), 1, exclude=[[1]], allow=[0, 1])
try:
    cosim_rs.cosine_similarity(object())
except TypeError:
    print(sorted(roots() - before - sys.stdlib_module_names))
"""
    assert run_python(code) == "['cosim_rs']\n"
