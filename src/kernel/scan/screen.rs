//! The screen: whether a tile has any candidate, told by the signs of its sums.
//!
//! To ask of each pair whether its bound reaches the user's threshold takes a conversion, two
//! multiplications and a comparison. For a group of sixteen items, one of them after the other, there
//! is a whole number that the dot product of a candidate reaches: with the group's largest scale b
//! and error e, and t and w the user's threshold and weight, a bound of at least t > 0 means
//!
//! ```text
//! t ≤ dot · b + w · e, so dot ≥ t / b - w · e / b
//! ```
//!
//! So sums start that far below zero, and one that ends there is no candidate's: all signs of a tile
//! are looked at by an AND of its registers. It is the items of a group having one scale, as far as
//! that suits them (see [`crate::kernel::quantise`]), that lets few others through.
//!
//! # Rounding
//! The scan's bound is y, computed of Q·b' + w·e' with b' ≤ b, e' ≤ e, in at most four roundings, so
//! for Q ≥ 0 it is at most Q·b + w·e + 4u·(Q·b + w·e)(1 + 4u), and for Q < 0 at most w·e·(1 + 2u), with
//! u = 2⁻²⁴. What is computed here is R, of t/b · (1 - 16u) - w·e/b · (1 + 16u), where either term has
//! four roundings at most and the difference one. If R ≥ 1, no term that matters is subnormal, and
//! R ≤ t/b · (1 - 10u) - w·e/b · (1 + 10u), which is less than t/b. Let Q < R. If Q < 0, then from R > 0
//! w·e·(1 + 2u) < t. Otherwise Q·b + w·e ≤ t·(1 - 10u) - 10u·w·e, and 4u·(Q·b + w·e)(1 + 4u) is less than
//! 5u·t. So y < t either way: no candidate's Q is below R, nor, being whole, below R without its
//! fraction. If R < 1 everything passes. ∎

// Loops over lanes go by index: they become vectors, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::GROUP;
use super::candidates::Candidates;

/// 16u.
const MARGIN: f32 = 8.0 * f32::EPSILON;
/// A dot product is less than this, and more than its negative.
const BEYOND: i32 = 1 << 30;
/// A scale that is small enough for 0, and not too small to divide by.
const LEAST_SCALE: f32 = 1e-30;

/// What all users look for; see the module's prose.
pub(super) struct Screen {
    thresholds: Vec<f32>,
    weights: Vec<f32>,
}

impl Screen {
    pub(super) fn new(candidates: &[Candidates]) -> Self {
        Self {
            thresholds: candidates.iter().map(|candidates| candidates.threshold).collect(),
            weights: candidates.iter().map(|candidates| candidates.weight).collect(),
        }
    }

    /// Follows a user's threshold.
    pub(super) fn follow(&mut self, user: usize, candidates: &Candidates) {
        self.thresholds[user] = candidates.threshold;
    }

    /// What the sums of some users, from the first one on, start at for a group of items: their
    /// `corrections`, less what a candidate's dot product reaches.
    #[inline(always)]
    pub(super) fn start(
        &self,
        group: Outline,
        first_user: usize,
        corrections: &[i32],
        starts: &mut [i32],
    ) {
        let count = corrections.len();
        let thresholds = &self.thresholds[first_user..][..count];
        let weights = &self.weights[first_user..][..count];
        let starts = &mut starts[..count];
        for user in 0..count {
            let reach = thresholds[user] * group.per_scale - weights[user] * group.steps;
            starts[user] = corrections[user] - whole(reach);
        }
    }
}

/// R without its fraction; NaN is of what is too large to be told.
#[inline(always)]
#[allow(clippy::cast_precision_loss)] // a power of two
fn whole(reach: f32) -> i32 {
    let least = if reach >= 1.0 { reach } else { 1.0 };
    let bounded = if least < BEYOND as f32 { least } else { BEYOND as f32 };
    // SAFETY: from 1 to 2³⁰. (A cast that saturates is not made for sixteen at once.)
    let whole = unsafe { bounded.to_int_unchecked() };
    if reach >= 1.0 { whole } else { -BEYOND }
}

/// What the screen knows of a group: 1/b and e/b with the margins for rounding.
#[derive(Clone, Copy, Default)]
pub(super) struct Outline {
    per_scale: f32,
    steps: f32,
}

impl Outline {
    #[inline(always)]
    pub(super) fn new(scales: &[f32; GROUP], errors: &[f32; GROUP]) -> Self {
        let per_scale = 1.0 / largest(scales, LEAST_SCALE);
        let steps = largest(errors, 0.0) * per_scale * (1.0 + MARGIN);
        Self { per_scale: per_scale * (1.0 - MARGIN), steps }
    }
}

/// The largest of sixteen floats, or `least`.
#[inline(always)]
fn largest(floats: &[f32; GROUP], least: f32) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let (mut eight, mut four) = ([0.0; 8], [0.0; 4]);
    for place in 0..8 {
        eight[place] = larger(floats[place], floats[place + 8]);
    }
    for place in 0..4 {
        four[place] = larger(eight[place], eight[place + 4]);
    }
    larger(larger(larger(four[0], four[2]), larger(four[1], four[3])), least)
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // as in the kernels
mod tests {
    use super::*;

    /// What the dot product of a user of this threshold and weight must reach.
    fn least(threshold: f32, weight: f32, group: Outline) -> i32 {
        let mut candidates = Candidates::new(1);
        candidates.begin(threshold, weight);
        let mut starts = [0];
        Screen::new(&[candidates]).start(group, 0, &[5], &mut starts);
        5 - starts[0]
    }

    /// Bounds as a kernel may round them.
    fn bounds(dot: i32, scale: f32, error: f32, weight: f32) -> [f32; 2] {
        let (dot, error) = (dot as f32, weight * error);
        [dot * scale + error, dot.mul_add(scale, error)]
    }

    /// Groups of like and unlike scales, down to none.
    fn groups() -> impl Iterator<Item = ([f32; GROUP], [f32; GROUP])> {
        let mut state = 3_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        (0..400).map(move |index| {
            let scale = [0.02, 1e-3, 1e-7, 3e-39, 0.0][index % 5] * (0.5 + next());
            let alike = index % 2 == 0;
            let scales = [(); GROUP].map(|()| if alike { scale } else { scale * next() });
            let error = [0.0, 0.006, 0.3][index % 3];
            (
                scales,
                [(); GROUP].map(|()| if next() < 0.1 { f32::NEG_INFINITY } else { error * next() }),
            )
        })
    }

    #[test]
    fn no_candidate_stays_below_the_screen() {
        let mut told = 0;
        for (scales, errors) in groups() {
            let group = Outline::new(&scales, &errors);
            for (threshold, weight) in
                [(20.0, 64.0), (3e4, 1e5), (0.5, 70.0), (1e-6, 63.0), (-3.0, 80.0), (1e12, 1e13)]
            {
                let least = least(threshold, weight, group);
                told += usize::from(least > 0);
                for (&scale, &error) in scales.iter().zip(&errors) {
                    // Around the screen, and around what this item needs by itself.
                    let needed = ((threshold - weight * error) / scale) as i32;
                    for dot in [least, needed].map(|dot| dot.clamp(-(1 << 27), 1 << 27)) {
                        for dot in dot - 3..=dot + 3 {
                            let reaches = |bound: f32| bound >= threshold;
                            let is_candidate = bounds(dot, scale, error, weight).map(reaches);
                            let what = format!("{dot} {least} {scale} {error} {threshold}");
                            assert!(dot >= least || is_candidate == [false; 2], "{what}");
                        }
                    }
                }
            }
        }
        assert!(told > 500, "the screen tells something of {told}");
    }

    #[test]
    fn of_one_scale_and_error_hardly_more_pass_than_candidates() {
        for (threshold, weight, scale, error) in
            [(50.0, 64.0, 1e-3, 0.006), (900.0, 1300.0, 2e-4, 0.01), (1e4, 64.0, 7e-3, 0.3)]
        {
            let exact =
                (f64::from(threshold) - f64::from(weight) * f64::from(error)) / f64::from(scale);
            let least =
                f64::from(least(threshold, weight, Outline::new(&[scale; GROUP], &[error; GROUP])));
            assert!(least <= exact && least > exact * (1.0 - 1e-5) - 1.0, "{least} {exact}");
        }
    }

    #[test]
    fn users_who_get_nothing_or_anything() {
        let (group, none) = (
            Outline::new(&[0.01; GROUP], &[0.01; GROUP]),
            Outline::new(&[0.0; GROUP], &[f32::NEG_INFINITY; GROUP]),
        );
        for group in [group, none] {
            assert_eq!(least(f32::INFINITY, 0.0, group), BEYOND);
            assert_eq!(least(f32::NEG_INFINITY, 64.0, group), -BEYOND);
            assert_eq!(least(-1.0, 64.0, group), -BEYOND);
        }
    }
}
