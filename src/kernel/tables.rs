//! A table of kernels for each instruction set and element type: the generic algorithms, compiled
//! for those instructions.
#![allow(unsafe_code)] // functions that only some CPUs can run

use super::lanes::LANES;
use super::panel::{self, Panel};
use super::quantise::{self, Quantised};
use super::range::Floor;
use super::{Kernels, pairs, rows, tile};
use crate::view::{Rows, ScoreRow};
use std::ops::Range;

/// The kernels of one element type; `tile` is users × items that the registers hold.
macro_rules! table {
    ($name:ident, $real:ty, $lanes:expr, tile: $users:literal x $items:literal $(, $feature:meta)?) => {
        pub(crate) static $name: Kernels<$real> = {
            $(#[$feature])?
            unsafe fn score_rows(
                user: &[$real],
                items: Rows<'_, $real>,
                floor: Floor<$real>,
                scores: ScoreRow<'_, $real>,
            ) {
                rows::score_rows($lanes, user, items, floor, scores);
            }
            $(#[$feature])?
            unsafe fn score_pairs(
                x: Rows<'_, $real>,
                y: Rows<'_, $real>,
                floor: Floor<$real>,
                scores: ScoreRow<'_, $real>,
            ) {
                pairs::score_pairs($lanes, x, y, floor, scores);
            }
            $(#[$feature])?
            unsafe fn fill_users(
                panel: &mut Panel<$real>,
                rows: Rows<'_, $real>,
                range: Range<usize>,
                floor: Floor<$real>,
            ) {
                panel::fill::<_, _, $users>($lanes, panel, rows, range, floor);
            }
            $(#[$feature])?
            unsafe fn fill_items(
                panel: &mut Panel<$real>,
                rows: Rows<'_, $real>,
                range: Range<usize>,
                floor: Floor<$real>,
            ) {
                panel::fill::<_, _, $items>($lanes, panel, rows, range, floor);
            }
            $(#[$feature])?
            unsafe fn score_tiles(
                users: &Panel<$real>,
                items: &Panel<$real>,
                scores: &mut [ScoreRow<'_, $real>],
                first_item: usize,
            ) {
                tile::score_tiles::<_, _, $users, $items>($lanes, users, items, scores, first_item);
            }
            $(#[$feature])?
            unsafe fn score_listed(
                user: &[$real],
                items: Rows<'_, $real>,
                listed: &[u32],
                floor: Floor<$real>,
                scores: &mut [$real],
            ) {
                rows::score_listed($lanes, user, items, listed, floor, scores);
            }
            $(#[$feature])?
            unsafe fn quantise(
                rows: Rows<'_, $real>,
                floor: Floor<$real>,
                most_code: i8,
                codes: &mut [u8],
                quantised: &mut [Quantised; LANES],
            ) {
                quantise::quantise($lanes, rows, floor, most_code, codes, quantised);
            }
            Kernels {
                score_rows,
                score_pairs,
                fill_users,
                fill_items,
                score_tiles,
                score_listed,
                quantise,
            }
        };
    };
}

pub(crate) mod portable {
    use super::super::lanes::portable::Portable;
    use super::{
        Floor, Kernels, LANES, Panel, Quantised, Range, Rows, ScoreRow, pairs, panel, quantise,
        rows, tile,
    };
    table!(F32, f32, Portable, tile: 1 x 4);
    table!(F64, f64, Portable, tile: 1 x 4);
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2 {
    use super::super::lanes::avx2::Avx2;
    use super::{
        Floor, Kernels, LANES, Panel, Quantised, Range, Rows, ScoreRow, pairs, panel, quantise,
        rows, tile,
    };
    table!(F32, f32, {
        // SAFETY: this table's functions run only where the CPU has AVX2, FMA and F16C; see `Kernels`.
        unsafe { Avx2::new() }
    }, tile: 2 x 2, target_feature(enable = "avx2,fma,f16c"));
    table!(F64, f64, {
        // SAFETY: this table's functions run only where the CPU has AVX2, FMA and F16C; see `Kernels`.
        unsafe { Avx2::new() }
    }, tile: 1 x 2, target_feature(enable = "avx2,fma,f16c"));
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512 {
    use super::super::lanes::avx512::Avx512;
    use super::{
        Floor, Kernels, LANES, Panel, Quantised, Range, Rows, ScoreRow, pairs, panel, quantise,
        rows, tile,
    };
    table!(F32, f32, {
        // SAFETY: this table's functions run only where the CPU has AVX-512F; see `Kernels`.
        unsafe { Avx512::new() }
    }, tile: 4 x 4, target_feature(enable = "avx512f"));
    table!(F64, f64, {
        // SAFETY: this table's functions run only where the CPU has AVX-512F; see `Kernels`.
        unsafe { Avx512::new() }
    }, tile: 2 x 4, target_feature(enable = "avx512f"));
}
