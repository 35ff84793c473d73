//! Unit vectors to 8-bit codes: a scale a vector, and the norm of what the codes leave out.
//!
//! A vector `v` stands for `w = v / max(|v|, epsilon)`, as it is scored. Its codes are
//! `q = round(M · w / max |w|)`, within ±M, and its scale is `s = max |w| / M`, so that `s · q` is near
//! `w`: M is 127, or what a scan has room for in a user's codes, 63 at the least. Items that are laid out
//! together may share the largest of their scales, for the scan's screen. How near is measured, not
//! supposed: the error `e` is at least the norm of `w - s·q`.
//!
//! All is computed in 32-bit floats, with u = 2⁻²⁴ and m = ⌈D/16⌉. The square of the norm is a sum of m
//! fused multiply-adds and 4 additions of what is not negative, so off by (m + 4)u at most; the root
//! halves that and adds u, and the reciprocal u. With it comes the factor F that makes codes of
//! elements, in two roundings, and the scale s in one: s·F is 1/|v| but for (m/2 + 7)u. What is
//! rounded to codes is `x = fl(F·v)`, so |w - s·x| ≤ (m/2 + 8)u. The residuals x - q are exact, as no
//! element is further from its code than from zero. The sum of their squares is off by (m + 4)u, its
//! root by half and u more, and its product with s, which is r, by another u. So, to first order, and
//! with more than enough for the higher ones while D ≤ 8192:
//!
//! ```text
//! |w - s·q| ≤ |w - s·x| + s·|x - q| ≤ (m/2 + 8)u + r · (1 + (m/2 + 4)u)
//!           ≤ r · (1 + (m + 9)u) + (m + 9)u
//! ```
//!
//! That is (m/2 + 1)u more than needed: as much as an epsilon of 64 bits is off in 32, where a search in
//! 64-bit floats uses codes that were made in 32. (Of 64-bit floats, reciprocals and elements are
//! rounded to 32, 2u, but what went before has no part in u.) The error is computed with m + 12 for
//! m + 9, which is more than its own two roundings take.

// Loops over lanes go by index: they become vectors, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Load};
use super::range::{Floor, out_of_range, prepare};
use super::real::Real;
use crate::view::Rows;
use units::Units;

/// The longest vectors that have codes: up to here no error is above 0.72, as the scan's bound supposes.
pub(crate) const MOST_CODES: usize = 8192;
/// The largest code that is used.
pub(crate) const MOST_CODE: i8 = i8::MAX;
/// The code 0 as it is stored.
pub(crate) const ZERO_CODE: u8 = 128;
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

/// Codes of the sixteen `rows` from `first` on, or as many as there are, with 128 added: each in a
/// sixteenth of `codes`, of which what is left keeps what it holds.
///
/// Twice over the rows: their norms and largest elements, then the codes and errors. What each row
/// needs but once, roots and divisions, is done for all at once in between. The next sixteen are asked
/// for meanwhile: so long nothing is read that the CPU would not fetch them by itself.
#[inline(always)]
pub(crate) fn quantise<E: Real, L>(
    lanes: L,
    rows: Rows<'_, E>,
    first: usize,
    floor: Floor<E>,
    whose: Scales,
    codes: &mut [u8],
    quantised: &mut [Quantised; LANES],
) where
    L: Load<E, E> + Load<f32, f32>,
{
    let count = LANES.min(rows.count() - first);
    assert!(count > 0 && rows.dim() <= MOST_CODES);
    let mut scratch = [const { Vec::new() }; LANES];
    let mut sixteen = slices(rows, first, &mut scratch[..count]);
    let next = rows.in_memory(first + LANES).unwrap_or(sixteen);
    let mut scaled = [const { Vec::new() }; LANES];
    let norms = Norms::new(lanes, &mut sixteen[..count], floor, &mut scaled);

    let units = Units::new(&norms, whose);
    let mut left_out = [[0.0; LANES]; LANES];
    let bytes_per_row = codes.len() / LANES;
    for (index, row) in sixteen[..count].iter().enumerate() {
        let codes = &mut codes[index * bytes_per_row..][..row.len()];
        if units.scale[index] == 0.0 {
            codes.fill(ZERO_CODE);
        } else {
            left_out[index] = units.code(index, row, codes, next[index]);
        }
    }
    *quantised = units.quantised(lanes, &norms, &left_out, rows.dim());
}

/// Rows from one on, where they lie or in `scratch`, which has room for as many; behind them nothing.
#[inline(always)]
fn slices<'s, E: Real>(
    rows: Rows<'s, E>,
    first: usize,
    scratch: &'s mut [Vec<E>],
) -> [&'s [E]; LANES] {
    rows.in_memory(first).unwrap_or_else(|| {
        let mut sixteen = [&[][..]; LANES];
        for (index, scratch) in scratch.iter_mut().enumerate() {
            sixteen[index] = rows.row(first + index, scratch);
        }
        sixteen
    })
}

/// What is to be known of sixteen rows before they are coded.
struct Norms<E> {
    /// Their squares, as they are scored.
    squares: [E; LANES],
    /// Their largest magnitudes.
    largest: [E; LANES],
    /// Whether they have no direction, as all of their elements are zero.
    is_zero: [bool; LANES],
}

impl<E: Real> Norms<E> {
    /// Of at most sixteen rows; those out of range are scaled, and stand for themselves from then on.
    #[inline(always)]
    fn new<'a, L: Load<E, E>>(
        lanes: L,
        rows: &mut [&'a [E]],
        floor: Floor<E>,
        scaled: &'a mut [Vec<E>; LANES],
    ) -> Self {
        let (mut squares, mut largest) = ([lanes.zero(); LANES], [lanes.zero(); LANES]);
        for (index, row) in rows.iter().enumerate() {
            (squares[index], largest[index]) = square_and_largest_lanes(lanes, row);
        }
        let squares = lanes.at_least(lanes.fold(squares), lanes.splat(floor.square));
        let largest = lanes.store(lanes.largest(largest));
        let is_zero = largest.map(|largest| largest == E::ZERO);
        let mut norms = Self { squares: lanes.store(squares), largest, is_zero };
        let outside = out_of_range(lanes, squares, rows.len());
        if outside != 0 {
            for (index, (row, scaled)) in rows.iter_mut().zip(scaled).enumerate() {
                if outside >> index & 1 != 0 {
                    let ready = prepare(lanes, row, floor, scaled);
                    (*row, norms.squares[index]) = (ready.elements, ready.square);
                    norms.largest[index] = largest_of(row);
                }
            }
        }
        norms
    }
}

/// The lanes of a row's squared norm, and of its largest magnitude.
#[inline(always)]
fn square_and_largest_lanes<E: Real, L: Load<E, E>>(lanes: L, row: &[E]) -> (L::Vector, L::Vector) {
    let (mut square, mut largest) = (lanes.zero(), lanes.zero());
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        let elements = lanes.load(group);
        square = lanes.multiply_add(elements, elements, square);
        largest = lanes.at_least(largest, lanes.magnitude(elements));
    }
    if !rest.is_empty() {
        let elements = lanes.load_first(rest);
        square = lanes.multiply_add(elements, elements, square);
        largest = lanes.at_least(largest, lanes.magnitude(elements));
    }
    (square, largest)
}

/// The largest magnitude of a row.
fn largest_of<E: Real>(row: &[E]) -> E {
    row.iter().fold(E::ZERO, |largest, &element| larger(largest, element.magnitude()))
}

#[inline(always)]
fn larger<E: Real>(a: E, b: E) -> E {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests;
mod units;
