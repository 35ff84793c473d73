//! Unit vectors to 8-bit codes: a scale a vector, and the norm of what the codes leave out.
//!
//! A vector `v` stands for `w = v / max(|v|, epsilon)`, as it is scored. Its codes are
//! `q = round(127 · w / max |w|)`, within ±127, and its scale is `s = max |w| / 127`, so that `s · q`
//! is near `w`. How near is measured, not supposed: the error `e` is at least the norm of `w - s·q`.
//!
//! All is computed in 32-bit floats, with u = 2⁻²⁴ and m = ⌈D/16⌉. What is computed is not `w` but
//! `x = v · fl(1/fl(|v|))`. The square of the norm is a sum of m fused multiply-adds and 4 additions
//! of what is not negative, so off by (m + 4)u at most; the root halves that and adds u, the
//! reciprocal u, the product u: |w - x| ≤ (m/2 + 5)u. A residual `x - s·q` has two roundings, of a
//! product of at most |x| + s/2 and of the difference itself; over the whole vector those are at
//! most 1.5u and u·|x - s·q|. The sum of their squares is off by (m + 5)u, its root by half and u
//! more. So, to first order, and with more than enough for the higher ones while D ≤ 8192:
//!
//! ```text
//! |w - s·q| ≤ r · (1 + (m + 8)u) + (m + 8)u        r = the root of the sum as computed
//! ```

use super::lanes::{LANES, Load};
use super::range::{Floor, prepare};
use super::real::Real;
use super::scan::candidates::round_up;
use crate::view::Rows;

/// The longest vectors that have codes: of longer ones, sums of products would leave 32 bits.
pub(crate) const MOST_CODES: usize = 8192;
/// The code 0 as it is stored.
pub(crate) const ZERO_CODE: u8 = 128;
/// Unit vectors with no element this large, as a large epsilon makes them, have no codes but zeros:
/// their squares would not be normal numbers.
const LEAST_ELEMENT: f32 = 1.0 / (1_u64 << 40) as f32;
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

/// Codes each of `rows`, with 128 added, into as many of `codes`; what is left of a row there keeps
/// what it holds.
#[inline(always)]
pub(crate) fn quantise<E: Real, L>(
    lanes: L,
    rows: Rows<'_, E>,
    floor: Floor<E>,
    codes: &mut [u8],
    quantised: &mut [Quantised],
) where
    L: Load<E, E>,
{
    assert_eq!(rows.count(), quantised.len());
    assert!(rows.dim() <= MOST_CODES);
    let (mut scratch, mut scaled) = (Vec::new(), Vec::new());
    let bytes_per_row = codes.len() / rows.count().max(1);
    for (index, quantised) in quantised.iter_mut().enumerate() {
        let row = prepare(lanes, rows.row(index, &mut scratch), floor, &mut scaled);
        let codes = &mut codes[index * bytes_per_row..][..row.elements.len()];
        *quantised = quantise_row(row.elements, row.square, codes);
    }
}

/// Codes one row, whose square is that of its norm, raised to epsilon.
#[inline(always)]
fn quantise_row<E: Real>(row: &[E], square: E, codes: &mut [u8]) -> Quantised {
    let inverse = E::ONE / square.square_root();
    let largest = (largest(row) * inverse).to_f32();
    if square.is_nan() || !(largest >= LEAST_ELEMENT) {
        codes.fill(ZERO_CODE);
        let error = if square.is_nan() {
            f32::NAN
        } else if largest == 0.0 {
            0.0
        } else {
            256.0 * LEAST_ELEMENT // more than the root of MOST_CODES
        };
        return Quantised { scale: 0.0, error };
    }
    let scale = largest / 127.0;
    let factor = 127.0 / largest;
    let mut squares = [0.0; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    let (code_groups, code_rest) = codes.as_chunks_mut::<LANES>();
    for (group, codes) in groups.iter().zip(code_groups) {
        *codes = quantise_group(group, inverse, factor, scale, &mut squares);
    }
    if !rest.is_empty() {
        let mut group = [E::ZERO; LANES];
        group[..rest.len()].copy_from_slice(rest);
        let group = quantise_group(&group, inverse, factor, scale, &mut squares);
        code_rest.copy_from_slice(&group[..rest.len()]);
    }
    let sum: f32 = squares.iter().sum();
    Quantised { scale, error: error_bound(sum, row.len()) }
}

/// Codes sixteen elements, and adds the squares of what the codes leave out.
#[inline(always)]
fn quantise_group<E: Real>(
    group: &[E; LANES],
    inverse: E,
    factor: f32,
    scale: f32,
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

/// The largest magnitude of a row.
#[inline(always)]
fn largest<E: Real>(row: &[E]) -> E {
    let mut lanes = [E::ZERO; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        for lane in 0..LANES {
            let magnitude = group[lane].magnitude();
            lanes[lane] = if magnitude > lanes[lane] { magnitude } else { lanes[lane] };
        }
    }
    let mut most = E::ZERO;
    for element in lanes.iter().chain(rest) {
        let magnitude = element.magnitude();
        most = if magnitude > most { magnitude } else { most };
    }
    most
}

/// See the module's prose.
fn error_bound(sum: f32, dim: usize) -> f32 {
    let groups = f64::from(u32::try_from(dim.div_ceil(LANES)).expect("a few thousand elements"));
    let margin = (groups + 8.0) * f64::from(f32::EPSILON) / 2.0;
    round_up(f64::from(sum.sqrt()) * (1.0 + margin) + margin)
}
