//! Bytes on x86: widened to floats, or multiplied as whole numbers, two to a lane.
//!
//! They are widened to sixteen bits for that: as bytes these instruction sets multiply signed numbers by
//! unsigned ones alone, and without VNNI they add two products in no more than sixteen bits.
#![allow(clippy::wildcard_imports)] // the intrinsics, whose names are their own prefix

use super::avx2::Avx2;
use super::avx512::Avx512;
use super::{LANES, Load, PAIRS};
use std::arch::x86_64::*;

/// A step for each piece of an item that is multiplied at once, zeros behind the last. (A macro, as a
/// closure might not be inlined.)
macro_rules! for_each_piece {
    ($user:ident, $item:ident, |$words:ident, $bytes:ident| $step:expr) => {
        let (pieces, rest) = $item.as_chunks::<PAIRS>();
        for ($words, $bytes) in $user.iter().zip(pieces) {
            $step
        }
        if let (false, Some($words)) = (rest.is_empty(), $user.last()) {
            let $bytes = &filled::<PAIRS>(rest);
            $step
        }
    };
}

impl Load<f32, i8> for Avx512 {
    const MULTIPLIES_BYTES: bool = true;

    #[inline(always)]
    fn load(self, elements: &[i8; LANES]) -> __m512 {
        // SAFETY: `self` proves AVX-512F; the array has 16 bytes.
        unsafe {
            let bytes = _mm_loadu_si128(elements.as_ptr().cast());
            _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))
        }
    }
    #[inline(always)]
    fn load_first(self, elements: &[i8]) -> __m512 {
        Load::<f32, i8>::load(self, &filled(elements))
    }
    #[inline(always)]
    fn whole_dot_and_square(self, user: &[[i16; PAIRS]], item: &[i8]) -> (__m512, __m512) {
        // SAFETY: `self` proves AVX-512F and BW; the arrays have 64 bytes and 32.
        unsafe {
            let (mut dots, mut squares) = (_mm512_setzero_si512(), _mm512_setzero_si512());
            for_each_piece!(user, item, |words, bytes| {
                let words = _mm512_loadu_epi16(words.as_ptr());
                let item = _mm512_cvtepi8_epi16(_mm256_loadu_si256(bytes.as_ptr().cast()));
                dots = _mm512_add_epi32(dots, _mm512_madd_epi16(words, item));
                squares = _mm512_add_epi32(squares, _mm512_madd_epi16(item, item));
            });
            (_mm512_cvtepi32_ps(dots), _mm512_cvtepi32_ps(squares))
        }
    }
}

impl Load<f32, i8> for Avx2 {
    const MULTIPLIES_BYTES: bool = true;

    #[inline(always)]
    fn load(self, elements: &[i8; LANES]) -> [__m256; 2] {
        // SAFETY: `self` proves AVX2; the array has 16 bytes.
        unsafe {
            let lower = _mm_loadl_epi64(elements.as_ptr().cast());
            let upper = _mm_loadl_epi64(elements.as_ptr().add(8).cast());
            [
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(lower)),
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(upper)),
            ]
        }
    }
    #[inline(always)]
    fn load_first(self, elements: &[i8]) -> [__m256; 2] {
        Load::<f32, i8>::load(self, &filled(elements))
    }
    #[inline(always)]
    fn whole_dot_and_square(
        self,
        user: &[[i16; PAIRS]],
        item: &[i8],
    ) -> ([__m256; 2], [__m256; 2]) {
        // SAFETY: `self` proves AVX2; of arrays of 64 bytes and of 32 each half is loaded.
        unsafe {
            let (mut dots, mut squares) =
                ([_mm256_setzero_si256(); 2], [_mm256_setzero_si256(); 2]);
            for_each_piece!(user, item, |words, bytes| {
                for half in 0..2 {
                    let words = _mm256_loadu_si256(words.as_ptr().add(LANES * half).cast());
                    let item = _mm_loadu_si128(bytes.as_ptr().add(LANES * half).cast());
                    let item = _mm256_cvtepi8_epi16(item);
                    dots[half] = _mm256_add_epi32(dots[half], _mm256_madd_epi16(words, item));
                    squares[half] = _mm256_add_epi32(squares[half], _mm256_madd_epi16(item, item));
                }
            });
            (
                [_mm256_cvtepi32_ps(dots[0]), _mm256_cvtepi32_ps(dots[1])],
                [_mm256_cvtepi32_ps(squares[0]), _mm256_cvtepi32_ps(squares[1])],
            )
        }
    }
}

/// As many bytes, zeros behind those that there are.
#[inline(always)]
fn filled<const COUNT: usize>(bytes: &[i8]) -> [i8; COUNT] {
    let mut filled = [0; COUNT];
    filled[..bytes.len()].copy_from_slice(bytes);
    filled
}
