//! Unit vectors to 8-bit codes: a scale a vector, and the norm of what the codes leave out.
//!
//! A vector `v` stands for `w = v / max(|v|, epsilon)`, as it is scored. Its codes are
//! `q = round(M · w / max |w|)`, within ±M, and its scale is `s = max |w| / M`, so that `s · q` is near
//! `w`: M is 127, or what a scan has room for in a user's codes, 63 at the least. Items that are laid out
//! together may share the largest of their scales, for the scan's screen. How near is measured, not
//! supposed: the error `e` is at least the norm of `w - s·q`.
//!
//! All is computed in 32-bit floats, with u = 2⁻²⁴ and m = ⌈D/16⌉. What is computed is not `w` but
//! `x = v · fl(1/fl(|v|))`. The square of the norm is a sum of m fused multiply-adds and 4 additions
//! of what is not negative, so off by (m + 4)u at most; the root halves that and adds u, the
//! reciprocal u, the product u: |w - x| ≤ (m/2 + 5)u. A residual `x - s·q` has two roundings, of a
//! product of at most |x| + s/2 and of the difference itself; as √D·s/2 is at most √8192/126 < 0.72,
//! over the whole vector those are at most 1.8u and u·|x - s·q|. The sum of their squares is off by
//! (m + 5)u, its root by half and u more. So, to first order, and with more than enough for the higher
//! ones while D ≤ 8192:
//!
//! ```text
//! |w - s·q| ≤ r · (1 + (m + 8)u) + (m + 8)u        r = the root of the sum as computed
//! ```
//!
//! That is 1.2u more than needed, or m/2 more still: as much as an epsilon of 64 bits is off in 32,
//! where a search in 64-bit floats uses codes that were made in 32.

// Loops over lanes go by index: they become vectors, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Load};
use super::range::{Floor, out_of_range, prepare, square_lanes};
use super::real::Real;
use super::scan::candidates::round_up;
use crate::view::Rows;
use std::hint::black_box;

/// The longest vectors that have codes: up to here no error is above 0.72, as the scan's bound supposes.
pub(crate) const MOST_CODES: usize = 8192;
/// The largest code that is used.
pub(crate) const MOST_CODE: i8 = i8::MAX;
/// The code 0 as it is stored.
pub(crate) const ZERO_CODE: u8 = 128;
/// Unit vectors with no element this large, as a large epsilon makes them, have no codes but zeros:
/// their squares would not be normal numbers.
const LEAST_ELEMENT: f32 = 9.094_947e-13; // 2⁻⁴⁰
/// Adding it to a number within ±2²² leaves that number, rounded to whole, in the last bits.
const ROUNDER: f32 = 12_582_912.0; // 1.5 · 2²³

/// What there is to a vector's codes besides them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quantised {
    /// What a code of 1 stands for. 0 if all codes are zero.
    pub(crate) scale: f32,
    /// At least the norm of what the codes leave out; NaN for a vector without scores.
    pub(crate) error: f32,
}

/// Whose largest element sets the scale of a row's codes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scales {
    /// The row's own; the codes are within so much either way.
    Own(i8),
    /// That of all the rows, of codes within [`MOST_CODE`]; or its own, if its largest element is less
    /// than half of theirs, as it would lose more than a bit.
    Shared,
}

/// Codes of each of one to sixteen `rows`, with 128 added, into as many of `codes`; what is left of a
/// row there keeps what it holds.
///
/// Three times over the rows: their norms and largest elements, the codes, the errors. What each row
/// needs but once, roots and divisions, is done for all at once in between.
#[inline(always)]
pub(crate) fn quantise<E: Real, L>(
    lanes: L,
    rows: Rows<'_, E>,
    floor: Floor<E>,
    whose: Scales,
    codes: &mut [u8],
    quantised: &mut [Quantised; LANES],
) where
    L: Load<E, E> + Load<f32, f32>,
{
    assert!((1..=LANES).contains(&rows.count()) && rows.dim() <= MOST_CODES);
    let (mut scratch, mut scaled) = (Vec::new(), Vec::new());
    let (mut squares, outside) = squares_of(lanes, rows, floor, &mut scratch);
    let mut largest = [E::ZERO; LANES];
    for index in 0..rows.count() {
        let mut row = rows.row(index, &mut scratch);
        if outside >> index & 1 != 0 {
            let ready = prepare(lanes, row, floor, &mut scaled);
            (row, squares[index]) = (ready.elements, ready.square);
        }
        largest[index] = largest_of(row);
    }

    let units = Units::new(&squares, &largest, whose);
    let (mut left_out, mut is_zero) = ([[0.0; LANES]; LANES], [false; LANES]);
    let bytes_per_row = codes.len() / rows.count();
    for index in 0..rows.count() {
        let codes = &mut codes[index * bytes_per_row..][..rows.dim()];
        let mut row = rows.row(index, &mut scratch);
        if units.scale[index] == 0.0 {
            codes.fill(ZERO_CODE);
            is_zero[index] = row.iter().all(|&element| element == E::ZERO);
            continue;
        }
        if outside >> index & 1 != 0 {
            row = prepare(lanes, row, floor, &mut scaled).elements;
        }
        units.code(index, row, codes, &mut left_out[index]);
    }
    let sums = sums_of(lanes, &left_out);

    let margin = margin(rows.dim());
    for index in 0..LANES {
        let scale = units.scale[index];
        let error = if squares[index].is_nan() {
            f32::NAN
        } else if is_zero[index] {
            0.0
        } else if scale == 0.0 {
            256.0 * LEAST_ELEMENT // more than the root of MOST_CODES times the least element
        } else {
            round_up(f64::from(sums[index].sqrt()) * (1.0 + margin) + margin)
        };
        quantised[index] = Quantised { scale, error };
    }
}

/// The squares of at most sixteen rows, as they are scored, and a bit for each that is out of range.
#[inline(always)]
fn squares_of<E: Real, L: Load<E, E>>(
    lanes: L,
    rows: Rows<'_, E>,
    floor: Floor<E>,
    scratch: &mut Vec<E>,
) -> ([E; LANES], u16) {
    let mut quarters = [lanes.zero(); 4];
    for quarter in 0..rows.count().div_ceil(4) {
        let mut squares = [lanes.zero(); 4];
        for place in 0..(rows.count() - 4 * quarter).min(4) {
            squares[place] = square_lanes(lanes, rows.row(4 * quarter + place, scratch));
        }
        quarters[quarter] = lanes.fold_rows(squares);
    }
    let squares = lanes.at_least(lanes.fold_quarters(quarters), lanes.splat(floor.square));
    (lanes.store(squares), out_of_range(lanes, squares, rows.count()))
}

/// Each of sixteen rows of lanes added up.
#[inline(always)]
fn sums_of<L: Load<f32, f32>>(lanes: L, rows: &[[f32; LANES]; LANES]) -> [f32; LANES] {
    let mut quarters = [lanes.zero(); 4];
    for quarter in 0..4 {
        let mut four = [lanes.zero(); 4];
        for place in 0..4 {
            four[place] = lanes.load(&rows[4 * quarter + place]);
        }
        quarters[quarter] = lanes.fold_rows(four);
    }
    lanes.store(lanes.fold_quarters(quarters))
}

/// What turns elements into codes, for each of sixteen rows.
struct Units<E> {
    /// The reciprocals of the norms.
    inverse: [E; LANES],
    /// Codes for elements of unit vectors.
    factor: [f32; LANES],
    /// What a code stands for; 0 for a row without codes.
    scale: [f32; LANES],
}

impl<E: Real> Units<E> {
    #[inline(always)]
    fn new(squares: &[E; LANES], largest: &[E; LANES], whose: Scales) -> Self {
        let mut units =
            Self { inverse: [E::ONE; LANES], factor: [0.0; LANES], scale: [0.0; LANES] };
        let mut most = [0.0; LANES];
        for index in 0..LANES {
            units.inverse[index] = E::ONE / squares[index].square_root();
            most[index] = (largest[index] * units.inverse[index]).to_f32();
        }
        let (most_code, shared) = match whose {
            Scales::Own(most_code) => (f32::from(most_code), 0.0),
            Scales::Shared => {
                let or_zero = |most| if most >= 0.0 { most } else { 0.0 }; // NaN would stay
                (f32::from(MOST_CODE), largest_lane(most.map(or_zero)))
            }
        };
        for index in 0..LANES {
            let own = most[index];
            let most = if 2.0 * own >= shared { larger(own, shared) } else { own };
            let coded = most >= LEAST_ELEMENT;
            units.factor[index] = most_code / most;
            units.scale[index] = if coded { most / most_code } else { 0.0 };
        }
        units
    }

    /// Codes a row, and adds the squares of what the codes leave out to as many lanes.
    #[inline(always)]
    fn code(&self, index: usize, row: &[E], codes: &mut [u8], squares: &mut [f32; LANES]) {
        let unit = (self.inverse[index], self.factor[index], self.scale[index]);
        let mut sums = [0.0; LANES]; // in registers
        let (groups, rest) = row.as_chunks::<LANES>();
        let (code_groups, code_rest) = codes.as_chunks_mut::<LANES>();
        for (group, codes) in groups.iter().zip(code_groups) {
            *codes = code_group(group, unit, &mut sums);
        }
        if !rest.is_empty() {
            let group = code_group(&filled_up(rest), unit, &mut sums);
            code_rest.copy_from_slice(&group[..rest.len()]);
        }
        *squares = sums;
    }
}

/// Codes sixteen elements, and adds the squares of what the codes leave out.
#[inline(always)]
fn code_group<E: Real>(
    group: &[E; LANES],
    (inverse, factor, scale): (E, f32, f32),
    squares: &mut [f32; LANES],
) -> [u8; LANES] {
    let mut codes = [0; LANES];
    for lane in 0..LANES {
        let unit = (group[lane] * inverse).to_f32();
        let rounded = unit * factor + ROUNDER;
        let residual = unit - scale * (rounded - ROUNDER);
        squares[lane] += residual * residual;
        codes[lane] = rounded.to_bits().to_le_bytes()[0] ^ ZERO_CODE;
    }
    codes
}

/// The largest magnitude of a row without NaN.
#[inline(always)]
fn largest_of<E: Real>(row: &[E]) -> E {
    let mut lanes = [E::ZERO; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        take_larger(&mut lanes, group);
    }
    if !rest.is_empty() {
        take_larger(&mut lanes, &filled_up(rest));
    }
    largest_lane(lanes)
}

#[inline(always)]
fn take_larger<E: Real>(lanes: &mut [E; LANES], group: &[E; LANES]) {
    for lane in 0..LANES {
        lanes[lane] = larger(lanes[lane], group[lane].magnitude());
    }
}

/// The last elements of a row, and zeros.
#[inline(always)]
fn filled_up<E: Real>(rest: &[E]) -> [E; LANES] {
    let mut group = [E::ZERO; LANES];
    group[..rest.len()].copy_from_slice(rest);
    group
}

/// The largest lane, by a tree, which takes a quarter of the time of a chain.
///
/// The lanes pass through a box that the compiler cannot see into, or it would shape the loop that
/// fills them after the tree: that took twice the time. Each level has a loop of its own, as one
/// loop over all of them is not unrolled.
#[inline(always)]
fn largest_lane<E: Real>(lanes: [E; LANES]) -> E {
    let lanes = black_box(lanes);
    let (mut eight, mut four) = ([E::ZERO; 8], [E::ZERO; 4]);
    for lane in 0..8 {
        eight[lane] = larger(lanes[lane], lanes[lane + 8]);
    }
    for lane in 0..4 {
        four[lane] = larger(eight[lane], eight[lane + 4]);
    }
    larger(larger(four[0], four[2]), larger(four[1], four[3]))
}

#[inline(always)]
fn larger<E: Real>(a: E, b: E) -> E {
    if b > a { b } else { a }
}

/// (m + 8)u; see the module's prose.
fn margin(dim: usize) -> f64 {
    let groups = f64::from(u32::try_from(dim.div_ceil(LANES)).expect("a few thousand elements"));
    (groups + 8.0) * f64::from(f32::EPSILON) / 2.0
}

#[cfg(test)]
mod tests;
