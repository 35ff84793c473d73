//! The scan on AVX-512 VNNI: a line in one register, sixteen sums in another.
#![allow(clippy::wildcard_imports)] // the intrinsics, whose names are their own prefix

use super::amx::StoredSums;
use super::candidates::Candidates;
use super::codes::Line;
use super::epilogue::Hits;
use super::{CodeLanes, GROUP};
use std::arch::x86_64::*;

/// A value proves that this CPU has AVX-512F and AVX-512 VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Vnni(());

impl Vnni {
    /// # Safety
    /// This CPU has AVX-512F and AVX-512 VNNI.
    #[inline(always)]
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }
}

// In every block below, the instructions are there because `self` proves it, and loads and stores
// stay within the references that they are given.

impl CodeLanes for Vnni {
    type Items = __m512i;
    type User = __m512i;
    type Sums = __m512i;
    type Bounds = __m512;

    #[inline(always)]
    fn items(self, line: &Line) -> __m512i {
        // SAFETY: `self` proves AVX-512F; a line is 64 bytes.
        unsafe { _mm512_loadu_si512(line.as_ptr().cast()) }
    }
    #[inline(always)]
    fn user(self, codes: [i8; 4]) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_set1_epi32(i32::from_le_bytes(codes.map(i8::cast_unsigned))) }
    }
    #[inline(always)]
    fn start(self, sum: i32) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_set1_epi32(sum) }
    }
    #[inline(always)]
    fn multiply_add(self, items: __m512i, user: __m512i, sums: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512 VNNI.
        unsafe { _mm512_dpbusd_epi32(sums, items, user) }
    }
    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    fn passing(self, sums: __m512i) -> u16 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_cmpge_epi32_mask(sums, _mm512_setzero_si512()) }
    }
    #[inline(always)]
    fn bounds(
        self,
        sums: __m512i,
        scales: &[f32; GROUP],
        errors: &[f32; GROUP],
        weight: f32,
    ) -> __m512 {
        // SAFETY: `self` proves AVX-512F; the arrays hold the sixteen floats.
        unsafe {
            let errors = _mm512_loadu_ps(errors.as_ptr());
            let errors = _mm512_mul_ps(errors, _mm512_set1_ps(weight));
            let scales = _mm512_loadu_ps(scales.as_ptr());
            _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), scales, errors)
        }
    }
    #[inline(always)]
    fn take_hits<const USERS: usize, const GROUPS: usize>(
        self,
        hits: Hits<'_, '_, Self, USERS, GROUPS>,
    ) {
        // SAFETY: `self` proves AVX-512F.
        unsafe { take_hits(self, hits) }
    }
    #[inline(always)]
    fn reaching(self, bounds: __m512, threshold: f32) -> u16 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GE_OQ>(bounds, _mm512_set1_ps(threshold)) }
    }
    /// Compressed in a register and stored whole: compressing straight to memory is microcode on
    /// some CPUs, and there is room for all sixteen.
    #[inline(always)]
    fn append(self, bounds: __m512, mask: u16, first: u32, candidates: &mut Candidates) {
        let (to, items) = candidates.next();
        // SAFETY: `self` proves AVX-512F; the arrays have room for sixteen.
        unsafe {
            let places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let all = _mm512_add_epi32(places, _mm512_set1_epi32(first.cast_signed()));
            _mm512_storeu_ps(to.as_mut_ptr(), _mm512_maskz_compress_ps(mask, bounds));
            let these = _mm512_maskz_compress_epi32(mask, all);
            _mm512_storeu_si512(items.as_mut_ptr().cast(), these);
        }
        candidates.advance(mask.count_ones() as usize);
    }
}

impl StoredSums for Vnni {
    #[inline(always)]
    fn stored(self, sums: &[i32; GROUP], start: i32) -> __m512i {
        // SAFETY: `self` proves AVX-512F; the array holds the sixteen integers.
        unsafe {
            let sums = _mm512_loadu_si512(sums.as_ptr().cast());
            _mm512_add_epi32(sums, _mm512_set1_epi32(start))
        }
    }
}

/// # Safety
/// This CPU has AVX-512F.
#[inline(never)]
#[target_feature(enable = "avx512f")]
unsafe fn take_hits<const USERS: usize, const GROUPS: usize>(
    lanes: Vnni,
    hits: Hits<'_, '_, Vnni, USERS, GROUPS>,
) {
    hits.append(lanes);
}
