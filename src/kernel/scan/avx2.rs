//! The scan on AVX2: a line in two registers, sixteen sums in two.
//!
//! `maddubs` multiplies unsigned by signed bytes and adds them up in pairs, in 16 bits that two
//! products of 255 · 127 overflow. So users have codes of seven bits: two products of 255 · 63 fit.
//! The other way, to take the items' offset off and give each item's code the sign of the user's,
//! costs an instruction or two more for each product: searches took 1.4 to 1.55 times as long, though
//! with coarser codes a third to four fifths more items have to be scored.
#![allow(clippy::wildcard_imports)] // the intrinsics, whose names are their own prefix

use super::candidates::Candidates;
use super::codes::Line;
use super::epilogue::Hits;
use super::portable::append_each;
use super::{CodeLanes, GROUP};
use std::arch::x86_64::*;

/// 2 · 255 · 63 < 2¹⁵.
pub(crate) const MOST_USER_CODE: i8 = 63;

/// A value proves that this CPU has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// This CPU has AVX2 and FMA.
    #[inline(always)]
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }
}

// In every block below, the instructions are there because `self` proves it, and loads and stores
// stay within the references that they are given.

impl CodeLanes for Avx2 {
    type Items = [__m256i; 2]; // items 0 to 7, items 8 to 15
    type User = __m256i;
    type Sums = [__m256i; 2];
    type Bounds = [__m256; 2];

    #[inline(always)]
    fn items(self, line: &Line) -> [__m256i; 2] {
        // SAFETY: `self` proves AVX2; a line is 64 bytes.
        unsafe {
            let (low, high) = (line.as_ptr(), line.as_ptr().add(32));
            [_mm256_loadu_si256(low.cast()), _mm256_loadu_si256(high.cast())]
        }
    }
    #[inline(always)]
    fn user(self, codes: [i8; 4]) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_set1_epi32(i32::from_le_bytes(codes.map(i8::cast_unsigned))) }
    }
    #[inline(always)]
    fn start(self, sum: i32) -> [__m256i; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe { [_mm256_set1_epi32(sum); 2] }
    }
    #[inline(always)]
    fn multiply_add(self, items: [__m256i; 2], user: __m256i, sums: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe { [add_half(items[0], user, sums[0]), add_half(items[1], user, sums[1])] }
    }
    #[inline(always)]
    fn add(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe { [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])] }
    }
    #[inline(always)]
    fn and(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe { [_mm256_and_si256(a[0], b[0]), _mm256_and_si256(a[1], b[1])] }
    }
    #[inline(always)]
    fn passing(self, sums: [__m256i; 2]) -> u16 {
        // SAFETY: `self` proves AVX2.
        let [low, high] = sums.map(|sums| unsafe { _mm256_movemask_ps(_mm256_castsi256_ps(sums)) });
        !u16::from_le_bytes([low.to_le_bytes()[0], high.to_le_bytes()[0]])
    }
    #[inline(always)]
    fn bounds(
        self,
        sums: [__m256i; 2],
        scales: &[f32; GROUP],
        errors: &[f32; GROUP],
        weight: f32,
    ) -> [__m256; 2] {
        let ([scales_low, scales_high], [errors_low, errors_high]) =
            (halves(scales), halves(errors));
        // SAFETY: `self` proves AVX2 and FMA.
        unsafe {
            [
                bounds_half(sums[0], scales_low, errors_low, weight),
                bounds_half(sums[1], scales_high, errors_high, weight),
            ]
        }
    }
    #[inline(always)]
    fn take_hits<const USERS: usize, const GROUPS: usize>(
        self,
        hits: Hits<'_, '_, Self, USERS, GROUPS>,
    ) {
        // SAFETY: `self` proves AVX2 and FMA.
        unsafe { take_hits(self, hits) }
    }
    #[inline(always)]
    fn reaching(self, bounds: [__m256; 2], threshold: f32) -> u16 {
        // SAFETY: `self` proves AVX2.
        let [low, high] = unsafe {
            let threshold = _mm256_set1_ps(threshold);
            let low = _mm256_cmp_ps::<_CMP_GE_OQ>(bounds[0], threshold);
            let high = _mm256_cmp_ps::<_CMP_GE_OQ>(bounds[1], threshold);
            [_mm256_movemask_ps(low), _mm256_movemask_ps(high)]
        };
        u16::from_le_bytes([low.to_le_bytes()[0], high.to_le_bytes()[0]])
    }
    #[inline(always)]
    fn append(self, bounds: [__m256; 2], mask: u16, first: u32, candidates: &mut Candidates) {
        let mut all = [0.0; GROUP];
        // SAFETY: `self` proves AVX2; the array holds two times eight floats.
        unsafe {
            _mm256_storeu_ps(all.as_mut_ptr(), bounds[0]);
            _mm256_storeu_ps(all.as_mut_ptr().add(8), bounds[1]);
        }
        append_each(&all, mask, first, candidates);
    }
}

#[inline(always)]
fn halves(floats: &[f32; GROUP]) -> [&[f32; 8]; 2] {
    let (halves, _) = floats.as_chunks();
    [&halves[0], &halves[1]]
}

/// # Safety
/// This CPU has AVX2.
#[inline(always)]
unsafe fn add_half(items: __m256i, user: __m256i, sums: __m256i) -> __m256i {
    // SAFETY: the caller vouches for AVX2.
    unsafe {
        let pairs = _mm256_maddubs_epi16(items, user);
        _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
    }
}

/// # Safety
/// This CPU has AVX2 and FMA.
#[inline(always)]
unsafe fn bounds_half(sums: __m256i, scales: &[f32; 8], errors: &[f32; 8], weight: f32) -> __m256 {
    // SAFETY: the caller vouches for AVX2 and FMA; the arrays hold the eight floats.
    unsafe {
        let errors = _mm256_mul_ps(_mm256_loadu_ps(errors.as_ptr()), _mm256_set1_ps(weight));
        let scales = _mm256_loadu_ps(scales.as_ptr());
        _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), scales, errors)
    }
}

/// # Safety
/// This CPU has AVX2 and FMA.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn take_hits<const USERS: usize, const GROUPS: usize>(
    lanes: Avx2,
    hits: Hits<'_, '_, Avx2, USERS, GROUPS>,
) {
    hits.append(lanes);
}
