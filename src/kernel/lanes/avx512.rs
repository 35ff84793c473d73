//! AVX-512: sixteen `f32` lanes in one register, sixteen `f64` lanes in two.
#![allow(clippy::wildcard_imports)] // the intrinsics, whose names are their own prefix

use super::{LANES, Lanes, Load};
use std::arch::{asm, x86_64::*};

/// Lanes in 512-bit registers; a value proves that this CPU has AVX-512F and BW.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// # Safety
    /// This CPU has AVX-512F and BW.
    #[inline(always)]
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }
}

/// A bit for each of the first `count` lanes.
#[inline(always)]
fn first(count: usize) -> u16 {
    debug_assert!(count < LANES);
    (1 << count) - 1
}

// In every block below, AVX-512F is there because `self` proves it, and loads and stores stay
// within the references and slices that they are given.

impl Lanes<f32> for Avx512 {
    type Vector = __m512;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    fn store(self, vector: __m512) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: `self` proves AVX-512F; `lanes` holds the sixteen floats.
        unsafe { _mm512_storeu_ps(lanes.as_mut_ptr(), vector) };
        lanes
    }
    #[inline(always)]
    fn multiply_add(self, a: __m512, b: __m512, sum: __m512) -> __m512 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_fmadd_ps(a, b, sum) }
    }
    #[inline(always)]
    fn added(self, [a, b]: [__m512; 2]) -> __m512 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn halves_8(self, a: __m512, b: __m512) -> [__m512; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            [
                _mm512_shuffle_f32x4::<0b01_00_01_00>(a, b),
                _mm512_shuffle_f32x4::<0b11_10_11_10>(a, b),
            ]
        }
    }
    #[inline(always)]
    fn halves_4(self, a: __m512, b: __m512) -> [__m512; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            [
                _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b),
            ]
        }
    }
    /// Leaves each 128 bits with two lanes of a row of `a`, then two of a row of `b`.
    #[inline(always)]
    fn halves_2(self, a: __m512, b: __m512) -> [__m512; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            [_mm512_shuffle_ps::<0b01_00_01_00>(a, b), _mm512_shuffle_ps::<0b11_10_11_10>(a, b)]
        }
    }
    #[inline(always)]
    fn halves_1(self, a: __m512, b: __m512) -> [__m512; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            [_mm512_shuffle_ps::<0b10_00_10_00>(a, b), _mm512_shuffle_ps::<0b11_01_11_01>(a, b)]
        }
    }
    /// The last two folds worked within 128 bits and so left a 4 × 4 transpose.
    #[inline(always)]
    fn in_order(self, sums: __m512) -> __m512 {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            let places = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            _mm512_permutexvar_ps(places, sums)
        }
    }
    #[inline(always)]
    fn settle(self, vector: __m512) -> __m512 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { settle_singles(vector) }
    }
    #[inline(always)]
    fn magnitude(self, vector: __m512) -> __m512 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_abs_ps(vector) }
    }
    #[inline(always)]
    fn at_least(self, vector: __m512, floor: __m512) -> __m512 {
        // SAFETY: `self` proves AVX-512F. (With a NaN, max gives its second operand.)
        unsafe { _mm512_max_ps(floor, vector) }
    }
    #[inline(always)]
    fn outside(self, vector: __m512, low: f32, high: f32) -> u16 {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            let reaches = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(vector, _mm512_set1_ps(low));
            !_mm512_mask_cmp_ps_mask::<_CMP_LE_OQ>(reaches, vector, _mm512_set1_ps(high))
        }
    }
    #[inline(always)]
    fn cosine(self, dots: __m512, squares: __m512, other_squares: __m512) -> __m512 {
        // SAFETY: `self` proves AVX-512F. (With a NaN, min and max give their second operand.)
        unsafe {
            let norms = _mm512_sqrt_ps(_mm512_mul_ps(squares, other_squares));
            let score = _mm512_min_ps(_mm512_set1_ps(1.0), _mm512_div_ps(dots, norms));
            let score = _mm512_max_ps(_mm512_set1_ps(-1.0), score);
            let score = _mm512_add_ps(score, _mm512_setzero_ps()); // -0 becomes +0
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(score, score);
            _mm512_mask_mov_ps(score, nan, _mm512_set1_ps(f32::from_bits(0x7fc0_0000)))
        }
    }
}

impl Load<f32, f32> for Avx512 {
    #[inline(always)]
    fn load(self, elements: &[f32; LANES]) -> __m512 {
        // SAFETY: `self` proves AVX-512F; the array holds the sixteen floats.
        unsafe { _mm512_loadu_ps(elements.as_ptr()) }
    }
    #[inline(always)]
    fn load_first(self, elements: &[f32]) -> __m512 {
        // SAFETY: `self` proves AVX-512F; the mask covers just the slice's elements.
        unsafe { _mm512_maskz_loadu_ps(first(elements.len()), elements.as_ptr()) }
    }
}

impl Lanes<f64> for Avx512 {
    type Vector = [__m512d; 2]; // lanes 0 to 7, lanes 8 to 15

    #[inline(always)]
    fn splat(self, value: f64) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe { [_mm512_set1_pd(value); 2] }
    }
    #[inline(always)]
    fn store(self, vector: [__m512d; 2]) -> [f64; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: `self` proves AVX-512F; `lanes` holds twice eight doubles.
        unsafe {
            _mm512_storeu_pd(lanes.as_mut_ptr(), vector[0]);
            _mm512_storeu_pd(lanes.as_mut_ptr().add(8), vector[1]);
        }
        lanes
    }
    #[inline(always)]
    fn multiply_add(self, a: [__m512d; 2], b: [__m512d; 2], sum: [__m512d; 2]) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe { [_mm512_fmadd_pd(a[0], b[0], sum[0]), _mm512_fmadd_pd(a[1], b[1], sum[1])] }
    }
    #[inline(always)]
    fn added(self, [a, b]: [[__m512d; 2]; 2]) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe { [_mm512_add_pd(a[0], b[0]), _mm512_add_pd(a[1], b[1])] }
    }
    #[inline(always)]
    fn halves_8(self, a: [__m512d; 2], b: [__m512d; 2]) -> [[__m512d; 2]; 2] {
        [[a[0], b[0]], [a[1], b[1]]]
    }
    #[inline(always)]
    fn halves_4(self, a: [__m512d; 2], b: [__m512d; 2]) -> [[__m512d; 2]; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            [
                [
                    _mm512_shuffle_f64x2::<0b01_00_01_00>(a[0], a[1]),
                    _mm512_shuffle_f64x2::<0b01_00_01_00>(b[0], b[1]),
                ],
                [
                    _mm512_shuffle_f64x2::<0b11_10_11_10>(a[0], a[1]),
                    _mm512_shuffle_f64x2::<0b11_10_11_10>(b[0], b[1]),
                ],
            ]
        }
    }
    #[inline(always)]
    fn halves_2(self, a: [__m512d; 2], b: [__m512d; 2]) -> [[__m512d; 2]; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            [
                [
                    _mm512_shuffle_f64x2::<0b10_00_10_00>(a[0], a[1]),
                    _mm512_shuffle_f64x2::<0b10_00_10_00>(b[0], b[1]),
                ],
                [
                    _mm512_shuffle_f64x2::<0b11_01_11_01>(a[0], a[1]),
                    _mm512_shuffle_f64x2::<0b11_01_11_01>(b[0], b[1]),
                ],
            ]
        }
    }
    /// Leaves each 128 bits with a lane of the first four rows, then one of the next four.
    #[inline(always)]
    fn halves_1(self, a: [__m512d; 2], b: [__m512d; 2]) -> [[__m512d; 2]; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            [
                [_mm512_unpacklo_pd(a[0], a[1]), _mm512_unpacklo_pd(b[0], b[1])],
                [_mm512_unpackhi_pd(a[0], a[1]), _mm512_unpackhi_pd(b[0], b[1])],
            ]
        }
    }
    #[inline(always)]
    fn in_order(self, sums: [__m512d; 2]) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            let places = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
            [_mm512_permutexvar_pd(places, sums[0]), _mm512_permutexvar_pd(places, sums[1])]
        }
    }
    #[inline(always)]
    fn settle(self, vector: [__m512d; 2]) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe { [settle_doubles(vector[0]), settle_doubles(vector[1])] }
    }
    #[inline(always)]
    fn magnitude(self, vector: [__m512d; 2]) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe { [_mm512_abs_pd(vector[0]), _mm512_abs_pd(vector[1])] }
    }
    #[inline(always)]
    fn at_least(self, vector: [__m512d; 2], floor: [__m512d; 2]) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F. (With a NaN, max gives its second operand.)
        unsafe { [_mm512_max_pd(floor[0], vector[0]), _mm512_max_pd(floor[1], vector[1])] }
    }
    #[inline(always)]
    fn outside(self, vector: [__m512d; 2], low: f64, high: f64) -> u16 {
        // SAFETY: `self` proves AVX-512F.
        let [lower, upper] =
            unsafe { [outside_half(vector[0], low, high), outside_half(vector[1], low, high)] };
        u16::from_le_bytes([lower, upper])
    }
    #[inline(always)]
    fn cosine(
        self,
        dots: [__m512d; 2],
        squares: [__m512d; 2],
        other_squares: [__m512d; 2],
    ) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            [
                cosine_half(dots[0], squares[0], other_squares[0]),
                cosine_half(dots[1], squares[1], other_squares[1]),
            ]
        }
    }
}

impl Load<f64, f64> for Avx512 {
    #[inline(always)]
    fn load(self, elements: &[f64; LANES]) -> [__m512d; 2] {
        // SAFETY: `self` proves AVX-512F; the array holds twice eight doubles.
        unsafe { [_mm512_loadu_pd(elements.as_ptr()), _mm512_loadu_pd(elements.as_ptr().add(8))] }
    }
    #[inline(always)]
    fn load_first(self, elements: &[f64]) -> [__m512d; 2] {
        let [lower, upper] = first(elements.len()).to_le_bytes();
        // SAFETY: `self` proves AVX-512F; the masks cover just the slice's elements, and the
        // second pointer is only read from where its mask has bits.
        unsafe {
            [
                _mm512_maskz_loadu_pd(lower, elements.as_ptr()),
                _mm512_maskz_loadu_pd(upper, elements.as_ptr().wrapping_add(8)),
            ]
        }
    }
}

// The halves of what doubles need twice. They are functions, not closures: a closure is compiled
// without the instructions of its caller and might not be inlined.

/// # Safety
/// This CPU has AVX-512F.
#[inline(always)]
unsafe fn outside_half(half: __m512d, low: f64, high: f64) -> u8 {
    // SAFETY: the caller vouches for AVX-512F.
    unsafe {
        let reaches = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(half, _mm512_set1_pd(low));
        !_mm512_mask_cmp_pd_mask::<_CMP_LE_OQ>(reaches, half, _mm512_set1_pd(high))
    }
}

/// # Safety
/// This CPU has AVX-512F.
#[inline(always)]
unsafe fn cosine_half(dots: __m512d, squares: __m512d, other_squares: __m512d) -> __m512d {
    // SAFETY: the caller vouches for AVX-512F. (With a NaN, min and max give their second operand.)
    unsafe {
        let norms = _mm512_sqrt_pd(_mm512_mul_pd(squares, other_squares));
        let score = _mm512_min_pd(_mm512_set1_pd(1.0), _mm512_div_pd(dots, norms));
        let score = _mm512_max_pd(_mm512_set1_pd(-1.0), score);
        let score = _mm512_add_pd(score, _mm512_setzero_pd()); // -0 becomes +0
        let nan = _mm512_cmp_pd_mask::<_CMP_UNORD_Q>(score, score);
        _mm512_mask_mov_pd(score, nan, _mm512_set1_pd(f64::from_bits(0x7ff8_0000_0000_0000)))
    }
}

// A class of registers can be named only where it is known to be there, hence no `inline(always)`.

#[inline]
#[target_feature(enable = "avx512f")]
fn settle_singles(mut register: __m512) -> __m512 {
    // SAFETY: a comment to the assembler, no instruction.
    unsafe { asm!("/* {} */", inout(zmm_reg) register, options(nostack, preserves_flags)) };
    register
}

#[inline]
#[target_feature(enable = "avx512f")]
fn settle_doubles(mut register: __m512d) -> __m512d {
    // SAFETY: a comment to the assembler, no instruction.
    unsafe { asm!("/* {} */", inout(zmm_reg) register, options(nostack, preserves_flags)) };
    register
}
