//! A table of kernels for each instruction set and element type: the generic algorithms, compiled
//! for those instructions.
#![allow(unsafe_code)] // functions that only some CPUs can run

use super::lanes::LANES;
use super::panel::{self, Panel};
use super::quantise::{self, Quantised, Scales};
use super::range::Floor;
use super::scan::codes::Line;
use super::scan::fill;
use super::{Kernels, RowKernels, gradient, pairs, rows, tile};
use crate::view::{Gradient, Rows, ScoreRow, Strided};
use half::{bf16, f16};
use std::ops::Range;

/// The kernels of rows stored in one type, which are read in place or widened before.
macro_rules! row_kernels {
    ($real:ty, $stored:ty, $lanes:expr, $how:ident $(, $feature:meta)?) => {{
        $(#[$feature])?
        unsafe fn score_rows(
            user: &[$real],
            items: Rows<'_, $real>,
            typed: Strided<'_, $stored>,
            floor: Floor<$real>,
            scores: ScoreRow<'_, $real>,
        ) {
            let source = row_kernels!($how, items, typed);
            rows::score_rows($lanes, user, (items, source), floor, scores);
        }
        $(#[$feature])?
        unsafe fn score_pairs(
            x: Rows<'_, $real>,
            y: Rows<'_, $real>,
            typed: Strided<'_, $stored>,
            floor: Floor<$real>,
            scores: ScoreRow<'_, $real>,
        ) {
            let source = row_kernels!($how, y, typed);
            pairs::score_pairs($lanes, x, (y, source), floor, scores);
        }
        $(#[$feature])?
        unsafe fn score_listed(
            user: &[$real],
            items: Rows<'_, $real>,
            typed: Strided<'_, $stored>,
            listed: &[u32],
            floor: Floor<$real>,
            scores: &mut [$real],
        ) {
            let source = row_kernels!($how, items, typed);
            rows::score_listed($lanes, user, (items, source), listed, floor, scores);
        }
        $(#[$feature])?
        unsafe fn gradients(
            user: &[$real],
            items: Rows<'_, $real>,
            typed: Strided<'_, $stored>,
            weights: &[$real],
            floor: Floor<$real>,
            sum: Option<&mut [$real]>,
            room: Option<Gradient<'_, $real>>,
        ) {
            let source = row_kernels!($how, items, typed);
            gradient::gradients($lanes, user, (items, source), weights, floor, sum, room);
        }
        RowKernels { rows: score_rows, pairs: score_pairs, listed: score_listed, gradients }
    }};
    (in_place, $rows:ident, $typed:ident) => {
        $typed
    };
    (widened, $rows:ident, $typed:ident) => {{
        let _ = $typed;
        $rows
    }};
}

/// The kernels of one element type; `tile` is users × items that the registers hold, and `narrow`
/// says how rows of narrower types are read.
macro_rules! table {
    (
        $name:ident, $real:ty, $lanes:expr,
        tile: $users:literal x $items:literal, narrow: $narrow:ident $(, $feature:meta)?
    ) => {
        pub(crate) static $name: Kernels<$real> = {
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
            unsafe fn quantise(
                rows: Rows<'_, $real>,
                first: usize,
                floor: Floor<$real>,
                scales: Scales,
                codes: &mut [u8],
                quantised: &mut [Quantised; LANES],
            ) {
                quantise::quantise($lanes, rows, first, floor, scales, codes, quantised);
            }
            $(#[$feature])?
            unsafe fn interleave(rows: &[Line], lines: &mut [Line]) {
                fill::interleave($lanes, rows, lines);
            }
            Kernels {
                native: row_kernels!($real, $real, $lanes, in_place $(, $feature)?),
                single: row_kernels!($real, f32, $lanes, $narrow $(, $feature)?),
                half: row_kernels!($real, f16, $lanes, $narrow $(, $feature)?),
                brain: row_kernels!($real, bf16, $lanes, $narrow $(, $feature)?),
                byte: row_kernels!($real, i8, $lanes, $narrow $(, $feature)?),
                fill_users,
                fill_items,
                score_tiles,
                quantise,
                interleave,
            }
        };
    };
}

pub(crate) mod portable {
    use super::super::lanes::portable::Portable;
    use super::{
        Floor, Gradient, Kernels, LANES, Line, Panel, Quantised, Range, RowKernels, Rows, Scales,
        ScoreRow, Strided, bf16, f16, fill, gradient, pairs, panel, quantise, rows, tile,
    };
    table!(F32, f32, Portable, tile: 1 x 4, narrow: widened);
    table!(F64, f64, Portable, tile: 1 x 4, narrow: widened);
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2 {
    use super::super::lanes::avx2::Avx2;
    use super::{
        Floor, Gradient, Kernels, LANES, Line, Panel, Quantised, Range, RowKernels, Rows, Scales,
        ScoreRow, Strided, bf16, f16, fill, gradient, pairs, panel, quantise, rows, tile,
    };
    table!(F32, f32, {
        // SAFETY: this table's functions run only where the CPU has AVX2, FMA and F16C; see `Kernels`.
        unsafe { Avx2::new() }
    }, tile: 2 x 2, narrow: in_place, target_feature(enable = "avx2,fma,f16c"));
    table!(F64, f64, {
        // SAFETY: this table's functions run only where the CPU has AVX2, FMA and F16C; see `Kernels`.
        unsafe { Avx2::new() }
    }, tile: 1 x 2, narrow: in_place, target_feature(enable = "avx2,fma,f16c"));
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512 {
    use super::super::lanes::avx512::Avx512;
    use super::{
        Floor, Gradient, Kernels, LANES, Line, Panel, Quantised, Range, RowKernels, Rows, Scales,
        ScoreRow, Strided, bf16, f16, fill, gradient, pairs, panel, quantise, rows, tile,
    };
    table!(F32, f32, {
        // SAFETY: this table's functions run only where the CPU has AVX-512F and BW; see `Kernels`.
        unsafe { Avx512::new() }
    }, tile: 4 x 4, narrow: in_place, target_feature(enable = "avx512f,avx512bw"));
    table!(F64, f64, {
        // SAFETY: this table's functions run only where the CPU has AVX-512F and BW; see `Kernels`.
        unsafe { Avx512::new() }
    }, tile: 2 x 4, narrow: in_place, target_feature(enable = "avx512f,avx512bw"));
}
