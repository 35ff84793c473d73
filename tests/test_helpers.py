"""The helpers do what the tests rely on: oracles, bit equality, layouts, fresh processes."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from bit_model import fused_multiply_add, lanes_dot, modelled_score, rounded
from exact import exact_cosine
from helpers import (
    CANONICAL_NAN,
    assert_same_bits,
    error_bound,
    gaussian_rows,
    run_python,
)
from hypothesis import given
from hypothesis import strategies as st
from layouts import FOREIGN_LAYOUTS, LAYOUTS

finite_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


class TestSameBits:
    def test_equal_arrays_pass(self) -> None:
        values = np.array([[0.0, -0.0, np.nan], [1.0, np.inf, 1e-45]], np.float32)
        assert_same_bits(values, values.copy(order="F"))
        assert_same_bits(np.float64(1), np.array(1.0))

    @pytest.mark.parametrize(
        ("actual", "expected", "reason"),
        [
            (np.float32([0, 1, -0.0]), np.float32([0, 1, 0]), r"first at \(2,\).*0x80000000"),
            (np.float32([[1, 2], [3, 4]]), np.float32([[1, 2], [5, 6]]), r"2 of 4.*\(1, 0\)"),
            (np.float64([1]), np.float32([1]), "dtype float64 is not float32"),
            (np.float32([1]), np.float32([[1]]), r"shape \(1,\) is not \(1, 1\)"),
            (CANONICAL_NAN[np.float32], -CANONICAL_NAN[np.float32], "0xffc00000"),
            (np.float64(1), 1.0, "expected is no NumPy array but float"),
        ],
    )
    def test_differences_are_reported(self, actual: object, expected: object, reason: str) -> None:
        with pytest.raises(AssertionError, match=reason):
            assert_same_bits(actual, expected)


class TestExactCosine:
    @pytest.mark.parametrize(
        ("u", "v", "expected"),
        [
            ([3, 4], [3, 4], 1),
            ([3, 4], [-6e-300, -8e-300], -1),
            ([3, 4], [4, 3], Fraction(24, 25)),
            ([5e-324, 0], [3, 4], Fraction(3, 5)),
            ([1.7e308, 0], [-3, 4], Fraction(-3, 5)),
            ([0, 0], [3, 4], 0),
            ([], [], 0),
        ],
    )
    def test_rational_cosines(self, u: list[float], v: list[float], expected: Fraction) -> None:
        # -6e-300 and -8e-300 are not in the ratio of 3 to 4, but to one part in 2**52; squared,
        # that is far below the last place of float64.
        assert abs(exact_cosine(u, v) - expected) < Fraction(1, 2**100)

    def test_an_irrational_cosine(self) -> None:
        cosine = exact_cosine([1, 1], [1, 0])
        assert 0 <= Fraction(1, 2) - cosine**2 < Fraction(1, 2**198)

    def test_epsilon_raises_both_norms(self) -> None:
        assert exact_cosine([3, 4], [3, 4], epsilon=10) == Fraction(1, 4)
        assert exact_cosine([0, 0], [3, 4], epsilon=10) == 0


class TestRounding:
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_to_float32_agrees_with_numpy(self, value: float) -> None:
        with np.errstate(over="ignore"):
            expected = np.float32(value) + np.float32(0)
        assert_same_bits(rounded(Fraction(value), np.float32), expected)

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_float64_is_kept(self, value: float) -> None:
        assert rounded(Fraction(value), np.float64) == value

    @given(st.fractions())
    def test_to_float64_agrees_with_python(self, value: Fraction) -> None:
        assert rounded(value, np.float64) == value.numerator / value.denominator

    @given(finite_float32, finite_float32)
    def test_fused_with_zero_is_the_product(self, a: float, b: float) -> None:
        with np.errstate(over="ignore"):
            product = np.float32(a) * np.float32(b) + np.float32(0)
        assert_same_bits(fused_multiply_add(np.float32(a), np.float32(b), np.float32(0)), product)

    def test_fused_multiply_add_rounds_once(self) -> None:
        # a * a = 1 + 2**-11 + 2**-24: rounding it to float32 first would lose the last term.
        a = np.float32(1 + 2**-12)
        assert fused_multiply_add(a, a, np.float32(-1 - 2**-11)) == 2.0**-24
        # 1 + 2**-23 + 2**-24 - 2**-70 is below the tie; by way of float64, which drops the last
        # term, it would be rounded as a tie, up to even.
        a, b, c = (np.float32(number) for number in (2**-24 + 2**-47, 1 - 2**-23, 1 + 2**-23))
        assert fused_multiply_add(a, b, c) == c


class TestModel:
    def test_lanes_add_up_in_the_fixed_order(self) -> None:
        # In lanes 0 and 8, which meet first, the large terms cancel before 1 is added; added up
        # from left to right, the 1 would be lost in the large term.
        u = np.zeros(16, np.float32)
        u[[0, 1, 8]] = 2**30, 1, -(2**30)
        assert lanes_dot(u, np.ones(16, np.float32)) == 1

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("length", [1, 3, 16, 17, 40])
    @pytest.mark.parametrize("exponent", [-140, -60, 0, 60, 120])
    def test_keeps_the_error_bound(self, dtype: type, length: int, exponent: int) -> None:
        u = np.ldexp(gaussian_rows(length, seed=1), exponent).astype(dtype)
        v = gaussian_rows(length, dtype=dtype, seed=2)
        error = Fraction(float(modelled_score(u, v))) - exact_cosine(u, v)
        assert abs(error) <= error_bound(length, dtype)

    def test_special_vectors(self) -> None:
        zero, one, not_finite = (np.float32([element]) for element in (-0.0, 1, -np.inf))
        assert_same_bits(modelled_score(zero, -one), np.float32(0))
        assert_same_bits(modelled_score(zero, not_finite), CANONICAL_NAN[np.float32])
        assert modelled_score(one, one, epsilon=2) == 0.25
        assert modelled_score(one, one, epsilon=1e30) == np.float32(1e-30) ** 2 == 0


def test_error_bound() -> None:
    assert error_bound(0, np.float32) == 12 * 2**-24
    assert error_bound(16, np.float32) == 14 * 2**-24
    assert error_bound(17, np.float64) == 16 * 2**-53


@pytest.mark.parametrize("name", [*LAYOUTS, *FOREIGN_LAYOUTS])
@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 4), (0, 4), (3, 0)])
def test_layouts_keep_shape_and_values(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    array = gaussian_rows(*shape)
    view = (LAYOUTS | FOREIGN_LAYOUTS)[name](array, tmp_path)
    assert view.shape == shape
    assert view.dtype.newbyteorder("=") == array.dtype
    if name == "broadcast rows":
        array = np.repeat(array[:1], shape[0], axis=0)
    if name == "broadcast last axis":
        array = np.repeat(array[..., :1], shape[-1], axis=-1)
    np.testing.assert_array_equal(view, array)


def test_layouts_are_what_they_are_called(tmp_path: Path) -> None:
    array = gaussian_rows(3, 5, 4)
    made = {name: layout(array, tmp_path) for name, layout in (LAYOUTS | FOREIGN_LAYOUTS).items()}
    assert made["contiguous"].flags.c_contiguous
    assert made["fortran"].flags.f_contiguous
    assert made["strided last axis"].strides[-1] == 8
    assert made["reversed last axis"].strides[-1] == -4
    assert made["reversed rows"].strides[0] < 0
    assert made["broadcast rows"].strides[0] == 0
    assert made["broadcast last axis"].strides[-1] == 0
    assert not made["read-only"].flags.writeable
    assert isinstance(made["memory-mapped"], np.memmap)
    assert not made["misaligned"].flags.aligned
    assert not made["foreign byte order"].dtype.isnative


class TestRunPython:
    def test_returns_what_was_printed(self) -> None:
        assert run_python("import os; print(os.environ['NAME'])", NAME="value") == "value\n"
        assert run_python("import os; print('HOME' in os.environ)", HOME=None) == "False\n"

    def test_failures_and_warnings_raise(self) -> None:
        with pytest.raises(AssertionError, match="ZeroDivisionError"):
            run_python("1 / 0")
        with pytest.raises(AssertionError, match="UserWarning: careful"):
            run_python("import warnings; warnings.warn('careful')")

    def test_finds_the_helpers(self) -> None:
        code = "import helpers; print(helpers.error_bound(16, 'float32'))"
        assert math.isclose(float(run_python(code)), error_bound(16, np.float32))
