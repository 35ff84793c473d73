//! The bound of the certified scan: why a scan of 8-bit codes misses nothing.
//!
//! # What is claimed
//! Let T be a score that a user's best k items surely reach: k of the items this user may get have
//! scores of at least T, or T is the least score that counts. An item that the scan turns away has
//! a score below T, and so is not among the best k; what it lets through is scored exactly, by the
//! kernels that score everything else. So the result is the exact one, whatever the codes are like:
//! poor codes let more through, and cost time.
//!
//! # Exact cosine and codes
//! Let û and v̂ be a user and an item over their norms (raised to epsilon), so that |û| ≤ 1, |v̂| ≤ 1,
//! and their cosine is c = û·v̂. Let a, b be their scales and p, q their codes, Q = p·q a whole
//! number, and f ≥ |û - a·p| and e ≥ |v̂ - b·q| the errors that [`quantise`] keeps. Then
//!
//! ```text
//! c - ab·Q = û·v̂ - ap·bq = ap·(v̂ - bq) + (û - ap)·v̂
//! ```
//!
//! and as |ap| ≤ |û| + |û - ap| ≤ 1 + f, by Cauchy and Schwarz
//!
//! ```text
//! |c - ab·Q| ≤ (1 + f)·e + f                                                                   (1)
//! ```
//!
//! # The score's own rounding
//! A score s is not the cosine but near it: |s - c| ≤ d = (2⌈D/16⌉ + 12)·2⁻²⁴ for 32-bit floats,
//! with 2⁻⁵³ for 64-bit ones, as [`crate::score`] says. Clamping c to [-1, 1] changes nothing of it.
//!
//! # The scan's rounding
//! The scan compares in units of a: with the weight w ≥ (1 + f)/a, rounded up to a float, it computes
//! in 32-bit floats, with u = 2⁻²⁴,
//!
//! ```text
//! y = Q·b + w·e
//! ```
//!
//! Q, an integer, is rounded to a float (at most 8192 · 127² < 2²⁸, so more than 24 bits), w·e is
//! rounded, and so are Q·b, on an instruction set without fused multiply-add, and the sum. Each
//! rounding is off by u times a term of at most |Q|·b + w·e, and there are four of them. In units of
//! 1, a·|Q|·b ≤ (1 + f)(1 + e) and a·w·e ≤ (1 + f)·e·(1 + 2u). Neither error is large: an element's
//! residual is at most half a code, and half a code is 1/254 of the largest element of the items that
//! share a scale, and 1/126 of a user's, whose codes go to 63 at least. That element is at most 1, so
//! e ≤ √8192/254 < 0.36 and f ≤ √8192/126 < 0.72, rounding included. Therefore
//!
//! ```text
//! |a·y - (ab·Q + a·w·e)| ≤ 4u·(1.72·1.36 + 1.72·0.36)·(1 + 8u) < 12u ≤ g = 16u                   (2)
//! ```
//!
//! # The threshold
//! If s ≥ T, then by the score's rounding, (1), w ≥ (1 + f)/a and (2)
//!
//! ```text
//! T ≤ s ≤ c + d ≤ ab·Q + (1 + f)·e + f + d ≤ a·y + f + d + g
//! ```
//!
//! so with m = f + d + g: y ≥ (T - m)/a. The threshold is that, rounded down to a float: no item with
//! s ≥ T is below it, ties at T included. ∎
//!
//! # The other side
//! From y follows a lower bound as well: s ≥ c - d ≥ ab·Q - (1 + f)·e - f - d, and a·y exceeds ab·Q by at
//! most a·w·e + g, so s ≥ a·(y - 2w·e) - m. If k items have y - 2w·e ≥ L, then T = a·L - m, and the
//! threshold becomes (T - m)/a = L - 2m/a: the second term is the [`gap`](UserBound::gap). What is
//! computed of this in 64-bit floats is off by 2⁻⁵⁰ or so, for which there is room in g.
//!
//! [`quantise`]: crate::kernel::quantise

use crate::kernel::quantise::Quantised;
use crate::kernel::real::Real;
use crate::kernel::scan::candidates::{round_down, round_up};

/// g: what the scan's own rounding may hide.
const SCAN_ROUNDING: f64 = 16.0 * UNIT;
/// u.
const UNIT: f64 = f32::EPSILON as f64 / 2.0;

/// A user's side of the bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct UserBound {
    /// a.
    scale: f64,
    /// f.
    error: f64,
    /// m.
    margin: f64,
}

impl UserBound {
    /// The bound for vectors of `dim` elements; None for a user without a direction, whose scores
    /// are all alike.
    pub(super) fn new<E: Real>(user: Quantised, dim: usize) -> Option<Self> {
        if user.error.is_nan() || (user.scale == 0.0 && user.error == 0.0) {
            return None;
        }
        // Codes that are all zero are right at any scale.
        let scale = if user.scale == 0.0 { 1.0 } else { f64::from(user.scale) };
        let error = f64::from(user.error);
        Some(Self { scale, error, margin: error + score_rounding::<E>(dim) + SCAN_ROUNDING })
    }

    /// w.
    pub(super) fn weight(&self) -> f32 {
        round_up((1.0 + self.error) / self.scale)
    }

    /// What the bounds of items must reach that may score `least`.
    pub(super) fn threshold(&self, least: f64) -> f32 {
        round_down((least - self.margin) / self.scale)
    }

    /// How far below the k-th lower bound the threshold is, as y - 2w·e has it.
    pub(super) fn gap(&self) -> f64 {
        2.0 * self.margin / self.scale
    }
}

/// d: how far a score may be from the cosine.
fn score_rounding<E: Real>(dim: usize) -> f64 {
    let groups = f64::from(u32::try_from(dim.div_ceil(16)).expect("a few thousand elements"));
    (2.0 * groups + 12.0) * E::UNIT
}

#[cfg(test)]
mod tests;
