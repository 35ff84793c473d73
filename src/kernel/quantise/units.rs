//! The inner loop of quantising: elements times a factor, rounded, and what that leaves out.

// Loops over lanes go by index: they become vectors, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::{MOST_CODE, Norms, Quantised, Scales, ZERO_CODE, larger};
use crate::kernel::lanes::{LANES, Load};
use crate::kernel::prefetch::prefetch_early;
use crate::kernel::real::Real;

/// Unit vectors with no element this large, as a large epsilon makes them, have no codes but zeros: what
/// turns still smaller elements into codes would be no finite number in the end.
pub(super) const LEAST_ELEMENT: f32 = 9.094_947e-13; // 2⁻⁴⁰
/// Adding it to a number within ±2²² leaves that number, rounded to whole, in the last bits.
const ROUNDER: f32 = 12_582_912.0; // 1.5 · 2²³

/// What turns elements into codes, for each of sixteen rows.
pub(super) struct Units {
    /// How many codes an element of 1 is.
    factor: [f32; LANES],
    /// What a code stands for in a unit vector; 0 for a row without codes.
    pub(super) scale: [f32; LANES],
}

impl Units {
    #[inline(always)]
    pub(super) fn new<E: Real>(norms: &Norms<E>, whose: Scales) -> Self {
        let (mut inverse, mut most) = ([0.0; LANES], [0.0; LANES]);
        for index in 0..LANES {
            let exact = E::ONE / norms.squares[index].square_root();
            most[index] = (norms.largest[index] * exact).to_f32();
            inverse[index] = exact.to_f32();
        }
        let (most_code, shared) = match whose {
            Scales::Own(most_code) => (f32::from(most_code), 0.0),
            Scales::Shared => {
                (f32::from(MOST_CODE), most.into_iter().fold(0.0, larger)) // NaN is never larger
            }
        };
        let mut units = Self { factor: [0.0; LANES], scale: [0.0; LANES] };
        for index in 0..LANES {
            let own = most[index];
            let most = if 2.0 * own >= shared { larger(own, shared) } else { own };
            let coded = most >= LEAST_ELEMENT;
            units.factor[index] = inverse[index] * (most_code / most);
            units.scale[index] = if coded { most / most_code } else { 0.0 };
        }
        units
    }

    /// Codes a row, and gives the squares of what the codes leave out, in codes, added up in lanes.
    /// Meanwhile it asks for the `next` row, which is as long.
    #[inline(always)]
    pub(super) fn code<E: Real>(
        &self,
        index: usize,
        row: &[E],
        codes: &mut [u8],
        next: &[E],
    ) -> [f32; LANES] {
        let (factor, mut sums) = (self.factor[index], [0.0; LANES]);
        let (groups, rest) = row.as_chunks::<LANES>();
        let (code_groups, code_rest) = codes.as_chunks_mut::<LANES>();
        for ((group, codes), next) in groups.iter().zip(code_groups).zip(next.as_chunks().0) {
            prefetch_early::<E>(next as &[E; LANES]);
            *codes = code_group(group, factor, &mut sums);
        }
        if !rest.is_empty() {
            let group = code_group(&filled_up(rest), factor, &mut sums);
            code_rest.copy_from_slice(&group[..rest.len()]);
        }
        sums
    }

    /// Scales and errors of rows that left out these squares.
    #[inline(always)]
    pub(super) fn quantised<E: Real, L: Load<f32, f32>>(
        &self,
        lanes: L,
        norms: &Norms<E>,
        squares: &[[f32; LANES]; LANES],
        dim: usize,
    ) -> [Quantised; LANES] {
        let mut rows = [lanes.zero(); LANES];
        for (row, squares) in rows.iter_mut().zip(squares) {
            *row = lanes.load(squares);
        }
        let mut errors = lanes.store(lanes.fold(rows));
        let margin = margin(dim);
        for index in 0..LANES {
            errors[index] = self.scale[index] * errors[index].sqrt() * (1.0 + margin) + margin;
        }
        std::array::from_fn(|index| {
            let scale = self.scale[index];
            let error = if norms.squares[index].is_nan() {
                f32::NAN
            } else if scale != 0.0 {
                errors[index]
            } else if norms.is_zero[index] {
                0.0
            } else {
                256.0 * LEAST_ELEMENT // more than the root of MOST_CODES times the least element
            };
            Quantised { scale, error }
        })
    }
}

/// Codes sixteen elements, and adds the squares of what the codes leave out, in codes.
#[inline(always)]
fn code_group<E: Real>(group: &[E; LANES], factor: f32, squares: &mut [f32; LANES]) -> [u8; LANES] {
    let mut codes = [0; LANES];
    for lane in 0..LANES {
        let unrounded = group[lane].to_f32() * factor;
        let rounded = unrounded + ROUNDER;
        let residual = unrounded - (rounded - ROUNDER);
        squares[lane] += residual * residual;
        codes[lane] = rounded.to_bits().to_le_bytes()[0] ^ ZERO_CODE;
    }
    codes
}

/// The last elements of a row, and zeros.
#[inline(always)]
fn filled_up<E: Real>(rest: &[E]) -> [E; LANES] {
    let mut group = [E::ZERO; LANES];
    group[..rest.len()].copy_from_slice(rest);
    group
}

/// (m + 12)u or more, to which 1 can be added exactly; see the prose of [`super`].
pub(super) fn margin(dim: usize) -> f32 {
    let units = dim.div_ceil(2 * LANES) + 6;
    f32::from(u16::try_from(units).expect("a few thousand elements")) * f32::EPSILON
}
