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

// Loops over lanes go by index: they become vectors, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Load};
use super::range::{Floor, prepare};
use super::real::Real;
use super::scan::candidates::round_up;
use crate::view::Rows;
use std::hint::black_box;

/// The longest vectors that have codes: up to here no error is above ½, as the scan's bound supposes.
pub(crate) const MOST_CODES: usize = 8192;
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

/// Codes each of at most sixteen `rows`, with 128 added, into as many of `codes`; what is left of a
/// row there keeps what it holds.
///
/// Three times over the rows: their norms and largest elements, the codes, the errors. What each row
/// needs but once, roots and divisions, is done for all at once in between.
#[inline(always)]
pub(crate) fn quantise<E: Real, L>(
    lanes: L,
    rows: Rows<'_, E>,
    floor: Floor<E>,
    codes: &mut [u8],
    quantised: &mut [Quantised; LANES],
) where
    L: Load<E, E>,
{
    assert!(rows.count() <= LANES && rows.dim() <= MOST_CODES);
    let (mut scratch, mut scaled) = (Vec::new(), Vec::new());
    let (mut squares, mut largest) = ([E::ONE; LANES], [E::ZERO; LANES]);
    let mut is_scaled = [false; LANES];
    for index in 0..rows.count() {
        let row = rows.row(index, &mut scratch);
        let ready = prepare(lanes, row, floor, &mut scaled);
        is_scaled[index] = ready.elements.as_ptr() != row.as_ptr();
        (squares[index], largest[index]) = (ready.square, largest_of(ready.elements));
    }

    let units = Units::new(&squares, &largest);
    let (mut sums, mut is_zero) = ([0.0; LANES], [false; LANES]);
    let bytes_per_row = codes.len() / rows.count().max(1);
    for index in 0..rows.count() {
        let codes = &mut codes[index * bytes_per_row..][..rows.dim()];
        let mut row = rows.row(index, &mut scratch);
        if units.scale[index] == 0.0 {
            codes.fill(ZERO_CODE);
            is_zero[index] = row.iter().all(|&element| element == E::ZERO);
            continue;
        }
        if is_scaled[index] {
            row = prepare(lanes, row, floor, &mut scaled).elements;
        }
        sums[index] = units.code(index, row, codes);
    }

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
    fn new(squares: &[E; LANES], largest: &[E; LANES]) -> Self {
        let mut units =
            Self { inverse: [E::ONE; LANES], factor: [0.0; LANES], scale: [0.0; LANES] };
        for index in 0..LANES {
            let inverse = E::ONE / squares[index].square_root();
            let most = (largest[index] * inverse).to_f32();
            let coded = most >= LEAST_ELEMENT;
            units.inverse[index] = inverse;
            units.factor[index] = 127.0 / most;
            units.scale[index] = if coded { most / 127.0 } else { 0.0 };
        }
        units
    }

    /// Codes a row, and gives the sum of the squares of what the codes leave out.
    #[inline(always)]
    fn code(&self, index: usize, row: &[E], codes: &mut [u8]) -> f32 {
        let unit = (self.inverse[index], self.factor[index], self.scale[index]);
        let mut squares = [0.0; LANES];
        let (groups, rest) = row.as_chunks::<LANES>();
        let (code_groups, code_rest) = codes.as_chunks_mut::<LANES>();
        for (group, codes) in groups.iter().zip(code_groups) {
            *codes = code_group(group, unit, &mut squares);
        }
        if !rest.is_empty() {
            let group = code_group(&filled_up(rest), unit, &mut squares);
            code_rest.copy_from_slice(&group[..rest.len()]);
        }
        folded(squares, |a, b| a + b)
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
    folded(lanes, |a, b| if b > a { b } else { a })
}

#[inline(always)]
fn take_larger<E: Real>(lanes: &mut [E; LANES], group: &[E; LANES]) {
    for lane in 0..LANES {
        let magnitude = group[lane].magnitude();
        lanes[lane] = if magnitude > lanes[lane] { magnitude } else { lanes[lane] };
    }
}

/// The last elements of a row, and zeros.
#[inline(always)]
fn filled_up<E: Real>(rest: &[E]) -> [E; LANES] {
    let mut group = [E::ZERO; LANES];
    group[..rest.len()].copy_from_slice(rest);
    group
}

/// All lanes made one by a tree, which takes a quarter of the time of a chain.
///
/// The lanes pass through a box that the compiler cannot see into, or it would shape the loop that
/// fills them after the tree: that took twice the time.
#[inline(always)]
fn folded<T: Copy>(lanes: [T; LANES], both: impl Fn(T, T) -> T) -> T {
    let mut lanes = black_box(lanes);
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] = both(lanes[lane], lanes[lane + half]);
        }
    }
    lanes[0]
}

/// (m + 8)u; see the module's prose.
fn margin(dim: usize) -> f64 {
    let groups = f64::from(u32::try_from(dim.div_ceil(LANES)).expect("a few thousand elements"));
    (groups + 8.0) * f64::from(f32::EPSILON) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::available;
    use ndarray::{Array2, ArrayView2};

    /// Rows of many kinds: of all sizes, with one large element, exact in codes, without direction.
    fn rows(dim: usize) -> Array2<f32> {
        let mut state = 1_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(i16::from_le_bytes([state.to_le_bytes()[2], state.to_le_bytes()[3]]))
        };
        let mut rows = Array2::from_shape_simple_fn((14, dim), &mut next);
        rows.row_mut(1).mapv_inplace(|element| element * 1e-30);
        rows.row_mut(2).mapv_inplace(|element| element * 1e30);
        rows.row_mut(3).mapv_inplace(|element| (element % 128.0).trunc());
        rows.row_mut(4).fill(0.1);
        rows.row_mut(5).fill(0.0);
        rows.row_mut(6).mapv_inplace(|element| element * 1e-43);
        rows[(7, dim / 2)] = 1e7;
        rows[(8, dim - 1)] = f32::NAN;
        rows[(9, 0)] = f32::NEG_INFINITY;
        rows
    }

    fn quantised(rows: ArrayView2<'_, f32>, epsilon: f32) -> (Vec<u8>, [Quantised; LANES]) {
        let floor = Floor::new(epsilon);
        let mut results = available().into_iter().map(|level| {
            let mut codes = vec![0; rows.len()];
            let mut all = [Quantised { scale: 0.0, error: 0.0 }; LANES];
            level.kernels_f32().quantise(Rows::new(rows), floor, &mut codes, &mut all);
            (codes, all)
        });
        let first = results.next().unwrap();
        for (codes, all) in results {
            assert_eq!(codes, first.0, "every kernel gives the same codes");
            assert_eq!(format!("{all:?}"), format!("{:?}", first.1));
        }
        first
    }

    /// The norm of what the codes leave out, in 64-bit floats.
    fn left_out(row: &[f32], codes: &[u8], scale: f32, epsilon: f64) -> f64 {
        let norm = row.iter().map(|&element| f64::from(element).powi(2)).sum::<f64>().sqrt();
        let norm = norm.max(epsilon).max(f64::MIN_POSITIVE);
        let residual = |(&element, &code): (&f32, &u8)| {
            f64::from(element) / norm - f64::from(scale) * (f64::from(code) - 128.0)
        };
        row.iter().zip(codes).map(|pair| residual(pair).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn errors_are_at_least_what_the_codes_leave_out_and_not_much_more() {
        for dim in [1, 2, 15, 16, 17, 100, 128, 8192] {
            for epsilon in [0.0, 1e-7, 1.0, 1e15] {
                let rows = rows(dim);
                let (codes, all) = quantised(rows.view(), epsilon);
                for (index, row) in rows.rows().into_iter().enumerate() {
                    let (row, Quantised { scale, error }) = (row.to_slice().unwrap(), all[index]);
                    if !row.iter().all(|element| element.is_finite()) {
                        assert!(error.is_nan());
                        continue;
                    }
                    let codes = &codes[index * dim..][..dim];
                    assert!(!codes.contains(&0), "a code of -128");
                    let exact = left_out(row, codes, scale, f64::from(epsilon));
                    let what = format!("row {index} of {dim}, epsilon {epsilon}: {exact} {error}");
                    assert!(exact <= f64::from(error), "{what}");
                    let slack = 3.0 * margin(dim) + f64::from(256.0 * LEAST_ELEMENT);
                    assert!(f64::from(error) <= exact * (1.0 + 1e-3) + slack, "{what}");
                    let half_codes =
                        f64::from(scale) / 2.0 * f64::from(u32::try_from(dim).unwrap()).sqrt();
                    assert!(exact <= half_codes * 1.001 + slack, "{what}");
                }
            }
        }
    }

    #[test]
    fn a_zero_row_has_no_error_and_doubles_are_coded_as_floats() {
        let rows = rows(33);
        let (codes, all) = quantised(rows.view(), 0.0);
        assert_eq!(all[5], Quantised { scale: 0.0, error: 0.0 });
        assert!(codes[5 * 33..6 * 33].iter().all(|&code| code == ZERO_CODE));
        let wide = rows.mapv(f64::from);
        for level in available() {
            let mut wide_codes = vec![0; wide.len()];
            let mut wide_all = [Quantised { scale: 0.0, error: 0.0 }; LANES];
            let (rows, floor) = (Rows::new(wide.view()), Floor::new(0.0));
            level.kernels_f64().quantise(rows, floor, &mut wide_codes, &mut wide_all);
            let apart = wide_codes.iter().zip(&codes).filter(|(a, b)| a.abs_diff(**b) > 1).count();
            assert_eq!(apart, 0, "{level:?}");
        }
    }
}
