//! The kernels: one set of algorithms over sixteen lanes, compiled once for each instruction set.
//!
//! [`lanes`] is the interface to an instruction set; [`rows`], [`pairs`], [`tile`] (which works on a
//! [`panel`]), [`gradient`] and [`quantise`] are the algorithms. [`source`] is where they find rows, [`order`] which
//! ones, and [`user`] how they hold one, [`range`] brings extreme vectors into range, [`tables`] compiles the
//! algorithms, [`level`] picks a table, and [`float_mode`] guards the floating-point mode they run in. The
//! [`scan`] of 8-bit codes has lanes and tables of its own.
#![allow(unsafe_code)] // calls into functions that only some CPUs can run

pub(crate) mod float_mode;
mod gradient;
mod lanes;
pub(crate) mod level;
mod order;
mod pairs;
pub(crate) mod panel;
pub(crate) mod prefetch;
pub(crate) mod quantise;
pub(crate) mod range;
pub(crate) mod real;
mod rows;
pub(crate) mod scan;
mod source;
mod tables;
mod tile;
mod user;

use crate::view::{Gradient, Rows, ScoreRow, Strided, Typed};
use half::{bf16, f16};
use lanes::LANES;
use panel::Panel;
use quantise::{Quantised, Scales};
use range::Floor;
use real::Real;
use scan::codes::Line;
use std::ops::Range;

/// Rows are listed by numbers of 32 bits, so no others than the first so many can be.
pub(crate) const MOST_LISTED: usize = 1 << 32;

type ScoreRowsFn<E, S> = unsafe fn(&[E], Rows<'_, E>, Strided<'_, S>, Floor<E>, ScoreRow<'_, E>);
type ScorePairsFn<E, S> =
    unsafe fn(Rows<'_, E>, Rows<'_, E>, Strided<'_, S>, Floor<E>, ScoreRow<'_, E>);
type ScoreListedFn<E, S> = unsafe fn(&[E], Rows<'_, E>, Strided<'_, S>, &[u32], Floor<E>, &mut [E]);
type GradientsFn<E, S> = unsafe fn(
    &[E],
    Rows<'_, E>,
    Strided<'_, S>,
    &[E],
    Floor<E>,
    Option<&mut [E]>,
    Option<Gradient<'_, E>>,
);
type QuantiseFn<E> =
    unsafe fn(Rows<'_, E>, usize, Floor<E>, Scales, &mut [u8], &mut [Quantised; LANES]);
type InterleaveFn = unsafe fn(&[Line], &mut [Line]);
type FillFn<E> = unsafe fn(&mut Panel<E>, Rows<'_, E>, Range<usize>, Floor<E>);
type ScoreTilesFn<E> = unsafe fn(&Panel<E>, &Panel<E>, &mut [ScoreRow<'_, E>], usize);

/// The kernels of one instruction set for one element type. A reference to a table is only handed
/// out by [`level`], after it has found that this CPU has the instructions: so its methods are
/// safe. Being behind pointers, the kernels are never inlined into code that changes the
/// floating-point mode.
pub struct Kernels<E: Clone + 'static> {
    native: RowKernels<E, E>,
    single: RowKernels<E, f32>,
    half: RowKernels<E, f16>,
    brain: RowKernels<E, bf16>,
    byte: RowKernels<E, i8>,
    fill_users: FillFn<E>,
    fill_items: FillFn<E>,
    score_tiles: ScoreTilesFn<E>,
    quantise: QuantiseFn<E>,
    interleave: InterleaveFn,
}

/// The kernels that read each row where it lies, for one type that rows are stored in. They take the
/// rows as of any type as well.
struct RowKernels<E: Clone + 'static, S: 'static> {
    rows: ScoreRowsFn<E, S>,
    pairs: ScorePairsFn<E, S>,
    listed: ScoreListedFn<E, S>,
    gradients: GradientsFn<E, S>,
}

/// A call of the row kernels for the type of some rows.
macro_rules! for_type_of {
    ($all:expr, $rows:expr, |$kernels:ident, $typed:ident| $call:expr) => {
        match $rows.0 {
            Typed::Native($typed) => {
                let $kernels = &$all.native;
                $call
            }
            Typed::Single($typed) => {
                let $kernels = &$all.single;
                $call
            }
            Typed::Half($typed) => {
                let $kernels = &$all.half;
                $call
            }
            Typed::Brain($typed) => {
                let $kernels = &$all.brain;
                $call
            }
            Typed::Byte($typed) => {
                let $kernels = &$all.byte;
                $call
            }
        }
    };
}

impl<E: Real> Kernels<E> {
    /// One user against every row of `items`, which are as long.
    pub(crate) fn score_rows(
        &self,
        user: &[E],
        items: Rows<'_, E>,
        floor: Floor<E>,
        scores: ScoreRow<'_, E>,
    ) {
        // SAFETY: this CPU has the table's instructions.
        for_type_of!(self, items, |kernels, typed| unsafe {
            (kernels.rows)(user, items, typed, floor, scores);
        });
    }

    /// Each row of `x` against the same row of `y`.
    pub(crate) fn score_pairs(
        &self,
        x: Rows<'_, E>,
        y: Rows<'_, E>,
        floor: Floor<E>,
        scores: ScoreRow<'_, E>,
    ) {
        // SAFETY: this CPU has the table's instructions.
        for_type_of!(self, y, |kernels, typed| unsafe {
            (kernels.pairs)(x, y, typed, floor, scores);
        });
    }

    /// Fills a panel with the tile kernel's users.
    pub(crate) fn fill_users(
        &self,
        panel: &mut Panel<E>,
        rows: Rows<'_, E>,
        range: Range<usize>,
        floor: Floor<E>,
    ) {
        // SAFETY: this CPU has the table's instructions.
        unsafe { (self.fill_users)(panel, rows, range, floor) }
    }

    /// Fills a panel with the tile kernel's items.
    pub(crate) fn fill_items(
        &self,
        panel: &mut Panel<E>,
        rows: Rows<'_, E>,
        range: Range<usize>,
        floor: Floor<E>,
    ) {
        // SAFETY: this CPU has the table's instructions.
        unsafe { (self.fill_items)(panel, rows, range, floor) }
    }

    /// Every user of a panel against every item of another; see [`tile::score_tiles`].
    pub(crate) fn score_tiles(
        &self,
        users: &Panel<E>,
        items: &Panel<E>,
        scores: &mut [ScoreRow<'_, E>],
        first_item: usize,
    ) {
        // SAFETY: this CPU has the table's instructions.
        unsafe { (self.score_tiles)(users, items, scores, first_item) }
    }
    /// One user against the rows of `items` that are listed, a score each.
    pub(crate) fn score_listed(
        &self,
        user: &[E],
        items: Rows<'_, E>,
        listed: &[u32],
        floor: Floor<E>,
        scores: &mut [E],
    ) {
        // SAFETY: this CPU has the table's instructions.
        for_type_of!(self, items, |kernels, typed| unsafe {
            (kernels.listed)(user, items, typed, listed, floor, scores);
        });
    }

    /// Codes of sixteen rows from one on; see [`quantise::quantise`].
    pub(crate) fn quantise(
        &self,
        rows: Rows<'_, E>,
        first: usize,
        floor: Floor<E>,
        scales: Scales,
        codes: &mut [u8],
        quantised: &mut [Quantised; LANES],
    ) {
        // SAFETY: this CPU has the table's instructions.
        unsafe { (self.quantise)(rows, first, floor, scales, codes, quantised) }
    }

    /// Lays out sixteen rows of codes as a block; see [`scan::fill::interleave`].
    pub(crate) fn interleave(&self, rows: &[Line], lines: &mut [Line]) {
        // SAFETY: this CPU has the table's instructions.
        unsafe { (self.interleave)(rows, lines) }
    }

    /// The gradients of one user's scores with `items`, given those of the scores, `weights`: the
    /// user's into `sum`, the items' into `room`, of what they are stored in.
    pub(crate) fn gradients(
        &self,
        user: &[E],
        items: Rows<'_, E>,
        weights: &[E],
        floor: Floor<E>,
        sum: Option<&mut [E]>,
        room: Option<Gradient<'_, E>>,
    ) {
        // SAFETY: this CPU has the table's instructions.
        for_type_of!(self, items, |kernels, typed| unsafe {
            (kernels.gradients)(user, items, typed, weights, floor, sum, room);
        });
    }
}
