//! The widening loads: 16-bit floats and 8-bit integers to 32-bit floats, and these to 64-bit ones.
//! (Of bytes on x86, see [`super::bytes`].)
//!
//! All of them are exact, so it is no matter which instruction does it, and a score has the bits that
//! it would have if the vectors had been widened before.
#![allow(clippy::wildcard_imports)] // the intrinsics, whose names are their own prefix

use super::portable::Portable;
use super::{LANES, Load};
use crate::view::Narrow;
use half::{bf16, f16};

/// Loads of numbers that `$load` widens, and of fewer than sixteen by way of a copy.
macro_rules! widening {
    ($lanes:ty, $real:ty, $vector:ty, $($stored:ty),+; |$self:ident, $elements:ident| $load:expr) => {
        $(impl Load<$real, $stored> for $lanes {
            #[inline(always)]
            fn load($self, $elements: &[$stored; LANES]) -> $vector {
                $load
            }
            #[inline(always)]
            fn load_first(self, elements: &[$stored]) -> $vector {
                let mut group = [<$stored>::default(); LANES];
                group[..elements.len()].copy_from_slice(elements);
                Load::<$real, $stored>::load(self, &group)
            }
        })+
    };
}

widening!(Portable, f32, [f32; LANES], f16, bf16, i8; |self, elements| {
    let mut lanes = [0.0; LANES];
    for (lane, number) in lanes.iter_mut().zip(elements) {
        *lane = number.widened();
    }
    lanes
});
widening!(Portable, f64, [f64; LANES], f32, f16, bf16, i8; |self, elements| {
    let mut lanes = [0.0; LANES];
    for (lane, number) in lanes.iter_mut().zip(elements) {
        *lane = number.widened().into();
    }
    lanes
});

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::avx2::Avx2;
    use super::super::avx512::Avx512;
    use super::{LANES, Load, bf16, f16};
    use std::arch::x86_64::*;

    // In every block below, the instructions are there because the lanes' `self` proves it, and
    // loads stay within the arrays of sixteen that they are given.

    widening!(Avx512, f32, __m512, f16; |self, elements| {
        // SAFETY: `self` proves AVX-512F; the array has 32 bytes.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(elements.as_ptr().cast())) }
    });
    widening!(Avx512, f32, __m512, bf16; |self, elements| {
        // SAFETY: `self` proves AVX-512F; the array has 32 bytes.
        unsafe {
            let bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256(elements.as_ptr().cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits))
        }
    });
    widening!(Avx512, f64, [__m512d; 2], f32, f16, bf16, i8; |self, elements| {
        let singles = Load::<f32, _>::load(self, elements);
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            let upper = _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(singles));
            [
                _mm512_cvtps_pd(_mm512_castps512_ps256(singles)),
                _mm512_cvtps_pd(_mm256_castpd_ps(upper)),
            ]
        }
    });

    widening!(Avx2, f32, [__m256; 2], f16; |self, elements| {
        let (halves, _) = elements.as_chunks::<8>();
        // SAFETY: `self` proves AVX2 and F16C; each half has 16 bytes.
        unsafe {
            [
                _mm256_cvtph_ps(_mm_loadu_si128(halves[0].as_ptr().cast())),
                _mm256_cvtph_ps(_mm_loadu_si128(halves[1].as_ptr().cast())),
            ]
        }
    });
    widening!(Avx2, f32, [__m256; 2], bf16; |self, elements| {
        let (halves, _) = elements.as_chunks::<8>();
        // SAFETY: `self` proves AVX2.
        unsafe { [brains(&halves[0]), brains(&halves[1])] }
    });
    widening!(Avx2, f64, [__m256d; 4], f32, f16, bf16, i8; |self, elements| {
        let [lower, upper] = Load::<f32, _>::load(self, elements);
        // SAFETY: `self` proves AVX2.
        unsafe {
            [
                _mm256_cvtps_pd(_mm256_castps256_ps128(lower)),
                _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(lower)),
                _mm256_cvtps_pd(_mm256_castps256_ps128(upper)),
                _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(upper)),
            ]
        }
    });

    /// # Safety
    /// This CPU has AVX2.
    #[inline(always)]
    unsafe fn brains(elements: &[bf16; 8]) -> __m256 {
        // SAFETY: the caller vouches for AVX2; the array has 16 bytes.
        unsafe {
            let bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(elements.as_ptr().cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(bits))
        }
    }
}
