//! AVX2 with FMA: sixteen `f32` lanes in two registers, sixteen `f64` lanes in four.
#![allow(clippy::wildcard_imports)] // the intrinsics, whose names are their own prefix

use super::{LANES, Lanes, Load};
use std::arch::{asm, x86_64::*};

/// Lanes in 256-bit registers; a value proves that this CPU has AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// This CPU has AVX2, FMA and F16C.
    #[inline(always)]
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }
}

/// An array with an expression's value for each of these registers or pairs of registers. (Not
/// `array::map`: a closure is compiled without the instructions of its caller and might not be
/// inlined.)
macro_rules! each {
    ([$($from:expr),+], |$name:pat_param| $body:expr) => {
        [$({ let $name = $from; $body }),+]
    };
}

// In every block below, AVX2, FMA and F16C are there because `self` proves it, and loads and stores
// stay within the references and slices that they are given.

impl Lanes<f32> for Avx2 {
    type Vector = [__m256; 2]; // lanes 0 to 7, lanes 8 to 15

    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe { [_mm256_set1_ps(value); 2] }
    }
    #[inline(always)]
    fn store(self, vector: [__m256; 2]) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: `self` proves AVX2; `lanes` holds twice eight floats.
        unsafe {
            _mm256_storeu_ps(lanes.as_mut_ptr(), vector[0]);
            _mm256_storeu_ps(lanes.as_mut_ptr().add(8), vector[1]);
        }
        lanes
    }
    #[inline(always)]
    fn multiply_add(self, a: [__m256; 2], b: [__m256; 2], sum: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves FMA.
        unsafe { [_mm256_fmadd_ps(a[0], b[0], sum[0]), _mm256_fmadd_ps(a[1], b[1], sum[1])] }
    }
    #[inline(always)]
    fn added(self, [a, b]: [[__m256; 2]; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }
    #[inline(always)]
    fn halves_8(self, a: [__m256; 2], b: [__m256; 2]) -> [[__m256; 2]; 2] {
        [[a[0], b[0]], [a[1], b[1]]]
    }
    #[inline(always)]
    fn halves_4(self, a: [__m256; 2], b: [__m256; 2]) -> [[__m256; 2]; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe {
            [
                each!([a, b], |[one, other]| _mm256_permute2f128_ps::<0x20>(one, other)),
                each!([a, b], |[one, other]| _mm256_permute2f128_ps::<0x31>(one, other)),
            ]
        }
    }
    /// Leaves each 128 bits with two lanes of one row, then two of another.
    #[inline(always)]
    fn halves_2(self, a: [__m256; 2], b: [__m256; 2]) -> [[__m256; 2]; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe {
            [
                each!([a, b], |[one, other]| _mm256_shuffle_ps::<0b01_00_01_00>(one, other)),
                each!([a, b], |[one, other]| _mm256_shuffle_ps::<0b11_10_11_10>(one, other)),
            ]
        }
    }
    #[inline(always)]
    fn halves_1(self, a: [__m256; 2], b: [__m256; 2]) -> [[__m256; 2]; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe {
            [
                each!([a, b], |[one, other]| _mm256_shuffle_ps::<0b10_00_10_00>(one, other)),
                each!([a, b], |[one, other]| _mm256_shuffle_ps::<0b11_01_11_01>(one, other)),
            ]
        }
    }
    /// The last two folds left the even rows of eight in one half, the odd ones in the other.
    #[inline(always)]
    fn in_order(self, sums: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let places = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            [_mm256_permutevar8x32_ps(sums[0], places), _mm256_permutevar8x32_ps(sums[1], places)]
        }
    }
    #[inline(always)]
    fn settle(self, vector: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves AVX2, FMA and F16C.
        unsafe { [settle_singles(vector[0]), settle_singles(vector[1])] }
    }
    #[inline(always)]
    fn magnitude(self, vector: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves AVX2.
        each!([0, 1], |half| unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), vector[half]) })
    }
    #[inline(always)]
    fn at_least(self, vector: [__m256; 2], floor: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves AVX2. (With a NaN, max gives its second operand.)
        unsafe { [_mm256_max_ps(floor[0], vector[0]), _mm256_max_ps(floor[1], vector[1])] }
    }
    #[inline(always)]
    fn outside(self, vector: [__m256; 2], low: f32, high: f32) -> u16 {
        let [lower, upper] = each!([vector[0], vector[1]], |half| {
            // SAFETY: `self` proves AVX2.
            let inside = unsafe {
                let reaches = _mm256_cmp_ps::<_CMP_GE_OQ>(half, _mm256_set1_ps(low));
                let within = _mm256_cmp_ps::<_CMP_LE_OQ>(half, _mm256_set1_ps(high));
                _mm256_movemask_ps(_mm256_and_ps(reaches, within))
            };
            !inside.to_le_bytes()[0]
        });
        u16::from_le_bytes([lower, upper])
    }
    #[inline(always)]
    fn cosine(
        self,
        dots: [__m256; 2],
        squares: [__m256; 2],
        other_squares: [__m256; 2],
    ) -> [__m256; 2] {
        each!([0, 1], |half| {
            // SAFETY: `self` proves AVX2. (With a NaN, min and max give their second operand.)
            unsafe {
                let norms = _mm256_sqrt_ps(_mm256_mul_ps(squares[half], other_squares[half]));
                let score = _mm256_min_ps(_mm256_set1_ps(1.0), _mm256_div_ps(dots[half], norms));
                let score = _mm256_max_ps(_mm256_set1_ps(-1.0), score);
                let score = _mm256_add_ps(score, _mm256_setzero_ps()); // -0 becomes +0
                let nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(score, score);
                _mm256_blendv_ps(score, _mm256_set1_ps(f32::from_bits(0x7fc0_0000)), nan)
            }
        })
    }
}

impl Load<f32, f32> for Avx2 {
    #[inline(always)]
    fn load(self, elements: &[f32; LANES]) -> [__m256; 2] {
        // SAFETY: `self` proves AVX2; the array holds twice eight floats.
        unsafe { [_mm256_loadu_ps(elements.as_ptr()), _mm256_loadu_ps(elements.as_ptr().add(8))] }
    }
    #[inline(always)]
    fn load_first(self, elements: &[f32]) -> [__m256; 2] {
        debug_assert!(elements.len() < LANES);
        let count = i32::try_from(elements.len()).unwrap_or(0);
        each!([0_u8, 8_u8], |first| {
            // SAFETY: `self` proves AVX2; the mask covers just those of the slice's elements
            // that lie in this half, and nothing is read through a pointer without a mask bit.
            unsafe {
                let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
                let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count - i32::from(first)), lanes);
                let half = elements.as_ptr().wrapping_add(usize::from(first));
                _mm256_maskload_ps(half, mask)
            }
        })
    }
}

impl Lanes<f64> for Avx2 {
    type Vector = [__m256d; 4]; // four lanes each

    #[inline(always)]
    fn splat(self, value: f64) -> [__m256d; 4] {
        // SAFETY: `self` proves AVX2.
        unsafe { [_mm256_set1_pd(value); 4] }
    }
    #[inline(always)]
    fn store(self, vector: [__m256d; 4]) -> [f64; LANES] {
        let mut lanes = [0.0; LANES];
        for (quarter, part) in vector.into_iter().enumerate() {
            // SAFETY: `self` proves AVX2; `lanes` holds four times four doubles.
            unsafe { _mm256_storeu_pd(lanes.as_mut_ptr().add(4 * quarter), part) };
        }
        lanes
    }
    #[inline(always)]
    fn multiply_add(self, a: [__m256d; 4], b: [__m256d; 4], sum: [__m256d; 4]) -> [__m256d; 4] {
        // SAFETY: `self` proves FMA.
        each!([0, 1, 2, 3], |part| unsafe { _mm256_fmadd_pd(a[part], b[part], sum[part]) })
    }
    #[inline(always)]
    fn added(self, [a, b]: [[__m256d; 4]; 2]) -> [__m256d; 4] {
        // SAFETY: `self` proves AVX2.
        each!([0, 1, 2, 3], |part| unsafe { _mm256_add_pd(a[part], b[part]) })
    }
    #[inline(always)]
    fn halves_8(self, a: [__m256d; 4], b: [__m256d; 4]) -> [[__m256d; 4]; 2] {
        [[a[0], a[1], b[0], b[1]], [a[2], a[3], b[2], b[3]]]
    }
    #[inline(always)]
    fn halves_4(self, a: [__m256d; 4], b: [__m256d; 4]) -> [[__m256d; 4]; 2] {
        [[a[0], a[2], b[0], b[2]], [a[1], a[3], b[1], b[3]]]
    }
    #[inline(always)]
    fn halves_2(self, a: [__m256d; 4], b: [__m256d; 4]) -> [[__m256d; 4]; 2] {
        let (one, other) = ([a[0], a[2], b[0], b[2]], [a[1], a[3], b[1], b[3]]);
        // SAFETY: `self` proves AVX2.
        unsafe {
            [
                each!([0, 1, 2, 3], |at| _mm256_permute2f128_pd::<0x20>(one[at], other[at])),
                each!([0, 1, 2, 3], |at| _mm256_permute2f128_pd::<0x31>(one[at], other[at])),
            ]
        }
    }
    /// Leaves the first rows of two pairs in one half, the second ones in the other.
    #[inline(always)]
    fn halves_1(self, a: [__m256d; 4], b: [__m256d; 4]) -> [[__m256d; 4]; 2] {
        let (one, other) = ([a[0], a[2], b[0], b[2]], [a[1], a[3], b[1], b[3]]);
        // SAFETY: `self` proves AVX2.
        unsafe {
            [
                each!([0, 1, 2, 3], |at| _mm256_unpacklo_pd(one[at], other[at])),
                each!([0, 1, 2, 3], |at| _mm256_unpackhi_pd(one[at], other[at])),
            ]
        }
    }
    #[inline(always)]
    fn in_order(self, sums: [__m256d; 4]) -> [__m256d; 4] {
        // SAFETY: `self` proves AVX2.
        each!([sums[0], sums[1], sums[2], sums[3]], |part| unsafe {
            _mm256_permute4x64_pd::<0b11_01_10_00>(part)
        })
    }
    #[inline(always)]
    fn settle(self, vector: [__m256d; 4]) -> [__m256d; 4] {
        // SAFETY: `self` proves AVX2, FMA and F16C.
        each!([0, 1, 2, 3], |part| unsafe { settle_doubles(vector[part]) })
    }
    #[inline(always)]
    fn magnitude(self, vector: [__m256d; 4]) -> [__m256d; 4] {
        each!([0, 1, 2, 3], |part| {
            // SAFETY: `self` proves AVX2.
            unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), vector[part]) }
        })
    }
    #[inline(always)]
    fn at_least(self, vector: [__m256d; 4], floor: [__m256d; 4]) -> [__m256d; 4] {
        // SAFETY: `self` proves AVX2. (With a NaN, max gives its second operand.)
        each!([0, 1, 2, 3], |part| unsafe { _mm256_max_pd(floor[part], vector[part]) })
    }
    #[inline(always)]
    fn outside(self, vector: [__m256d; 4], low: f64, high: f64) -> u16 {
        let mut outside = 0;
        for (quarter, part) in vector.into_iter().enumerate() {
            // SAFETY: `self` proves AVX2.
            let inside = unsafe {
                let reaches = _mm256_cmp_pd::<_CMP_GE_OQ>(part, _mm256_set1_pd(low));
                let within = _mm256_cmp_pd::<_CMP_LE_OQ>(part, _mm256_set1_pd(high));
                _mm256_movemask_pd(_mm256_and_pd(reaches, within))
            };
            outside |= u16::from(!inside.to_le_bytes()[0] & 0b1111) << (4 * quarter);
        }
        outside
    }
    #[inline(always)]
    fn cosine(
        self,
        dots: [__m256d; 4],
        squares: [__m256d; 4],
        other_squares: [__m256d; 4],
    ) -> [__m256d; 4] {
        each!([0, 1, 2, 3], |part| {
            // SAFETY: `self` proves AVX2. (With a NaN, min and max give their second operand.)
            unsafe {
                let norms = _mm256_sqrt_pd(_mm256_mul_pd(squares[part], other_squares[part]));
                let score = _mm256_min_pd(_mm256_set1_pd(1.0), _mm256_div_pd(dots[part], norms));
                let score = _mm256_max_pd(_mm256_set1_pd(-1.0), score);
                let score = _mm256_add_pd(score, _mm256_setzero_pd()); // -0 becomes +0
                let nan = _mm256_cmp_pd::<_CMP_UNORD_Q>(score, score);
                let canonical = _mm256_set1_pd(f64::from_bits(0x7ff8_0000_0000_0000));
                _mm256_blendv_pd(score, canonical, nan)
            }
        })
    }
}

impl Load<f64, f64> for Avx2 {
    #[inline(always)]
    fn load(self, elements: &[f64; LANES]) -> [__m256d; 4] {
        // SAFETY: `self` proves AVX2; the array holds four times four doubles.
        each!([0, 4, 8, 12], |first| unsafe { _mm256_loadu_pd(elements.as_ptr().add(first)) })
    }
    #[inline(always)]
    fn load_first(self, elements: &[f64]) -> [__m256d; 4] {
        debug_assert!(elements.len() < LANES);
        let count = i64::try_from(elements.len()).unwrap_or(0);
        each!([0_u8, 4_u8, 8_u8, 12_u8], |first| {
            // SAFETY: `self` proves AVX2; the mask covers just those of the slice's elements
            // that lie in this quarter, and nothing is read through a pointer without a mask bit.
            unsafe {
                let lanes = _mm256_setr_epi64x(0, 1, 2, 3);
                let mask = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count - i64::from(first)), lanes);
                let quarter = elements.as_ptr().wrapping_add(usize::from(first));
                _mm256_maskload_pd(quarter, mask)
            }
        })
    }
}

// A class of registers can be named only where it is known to be there, hence no `inline(always)`.

#[inline]
#[target_feature(enable = "avx2,fma")]
fn settle_singles(mut register: __m256) -> __m256 {
    // SAFETY: a comment to the assembler, no instruction.
    unsafe { asm!("/* {} */", inout(ymm_reg) register, options(nostack, preserves_flags)) };
    register
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn settle_doubles(mut register: __m256d) -> __m256d {
    // SAFETY: a comment to the assembler, no instruction.
    unsafe { asm!("/* {} */", inout(ymm_reg) register, options(nostack, preserves_flags)) };
    register
}
