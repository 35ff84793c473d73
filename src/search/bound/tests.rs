//! No pair is missed, and none is let through for more than the proof says.

use super::*;
use crate::kernel::level::selected;
use crate::kernel::quantise::{MOST_CODE, Scales};
use crate::kernel::range::Floor;
use crate::kernel::scan::GROUP;
use crate::score::{Options, cosine_similarity};
use crate::search::coded::Quantiser;
use crate::view::Rows;
use ndarray::Array2;

/// A pair's dot product of codes, the item's scale and error, the user's bound, and the score.
struct Pair {
    dot: i32,
    scale: f32,
    error: f32,
    user: UserBound,
    score: f64,
}

impl Pair {
    /// y, by each order of rounding that a kernel may use.
    #[allow(clippy::cast_precision_loss)] // the rounding is in the bound
    fn bounds(&self) -> [f32; 2] {
        let (dot, error) = (self.dot as f32, self.user.weight() * self.error);
        [dot * self.scale + error, dot.mul_add(self.scale, error)]
    }

    /// a·(y - 2w·e) - m.
    fn lower(&self) -> f64 {
        let error = f64::from(self.user.weight()) * f64::from(self.error);
        self.user.scale * (f64::from(self.bounds()[0]) - 2.0 * error) - self.user.margin
    }
}

/// All pairs of some rows, as users with codes up to `most_code` and as items.
fn pairs<E: Real>(rows: &Array2<E>, epsilon: f64, most_code: i8) -> Vec<Pair> {
    let (count, dim) = rows.dim();
    let mut scores = Array2::from_elem((count, count), E::ZERO);
    let options = Options { epsilon, ..Options::default() };
    cosine_similarity(rows.view(), rows.view(), scores.view_mut(), &options).unwrap();
    let quantiser =
        Quantiser { kernels: E::kernels().unwrap(), floor: Floor::new(E::from_f64(epsilon)) };
    let coded = |scales| {
        let mut vectors = Vec::new();
        quantiser.each_sixteen(Rows::native(rows.view()), scales, |_, codes, quantised| {
            for (row, quantised) in codes.chunks(codes.len() / GROUP).zip(quantised) {
                let codes = row.as_flattened()[..dim].iter().map(|&code| i32::from(code) - 128);
                vectors.push((codes.collect::<Vec<_>>(), *quantised));
            }
        });
        vectors
    };
    let (users, items) = (coded(Scales::Own(most_code)), coded(Scales::Shared));
    let mut pairs = Vec::new();
    for (index, (user, quantised)) in users.iter().enumerate() {
        let Some(bound) = UserBound::new::<E>(*quantised, dim) else { continue };
        for (other, (item, Quantised { scale, error })) in items.iter().enumerate() {
            let dot = user.iter().zip(item).map(|(a, b)| a * b).sum();
            let score = scores[(index, other)].to_f64();
            pairs.push(Pair { dot, scale: *scale, error: *error, user: bound, score });
        }
    }
    pairs
}

/// Rows whose codes are good, poor and exact.
fn rows(dim: usize) -> Array2<f32> {
    let mut state = 7_u32;
    let mut rows = Array2::from_shape_simple_fn((60, dim), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(i16::from_le_bytes([state.to_le_bytes()[2], state.to_le_bytes()[3]]))
    });
    for (index, mut row) in rows.rows_mut().into_iter().enumerate() {
        match index % 6 {
            0 => row.mapv_inplace(|element| (element % 128.0).trunc()),
            1 => row[index % dim] = 1e7,
            2 => row.mapv_inplace(f32::abs),
            3 => row.mapv_inplace(|element| element * 1e-38),
            4 => row.mapv_inplace(|element| if element > 0.0 { 127.0 } else { 1.0 }),
            _ => {}
        }
    }
    rows
}

fn assert_bounded<E: Real>(rows: &Array2<E>) {
    for epsilon in [0.0, 1e-7, 1e-3, 1e4] {
        for pair in pairs(rows, epsilon, 63).into_iter().chain(pairs(rows, epsilon, MOST_CODE)) {
            let threshold = pair.user.threshold(pair.score);
            let what = format!("{:?} at {} on {:?}", pair.user, pair.score, selected());
            for bound in pair.bounds() {
                assert!(bound >= threshold, "missed: {bound} {threshold}, {what}");
            }
            assert!(pair.lower() <= pair.score, "{} is no lower bound, {what}", pair.lower());
        }
    }
}

#[test]
fn no_pair_that_reaches_a_score_is_missed_and_no_lower_bound_is_too_high() {
    for dim in [1, 2, 3, 16, 17, 100, 384, 8192] {
        assert_bounded(&rows(dim));
        assert_bounded(&rows(dim).mapv(f64::from));
    }
}

/// By (1), the score's rounding and (2) a·y is at most s + (1 + f)·e + f + d + a·w·e + g, and w is hardly
/// more than (1 + f)/a: so the bound is no wider than twice what the codes leave out, and 2m.
#[test]
fn the_bound_is_no_wider_than_the_proof_makes_it() {
    let rounded = 1.0 + f64::from(f32::EPSILON);
    for pair in pairs(&rows(100), 0.0, MOST_CODE) {
        let UserBound { scale, error, margin } = pair.user;
        let width = scale * f64::from(pair.bounds()[0]) + margin - pair.score;
        let most = 2.0 * (1.0 + error) * f64::from(pair.error) * rounded + 2.0 * margin;
        assert!(width <= most, "{width} {most}");
    }
}

/// m = f + d + g, the proof's terms one by one; most pairs leave too much room to need them all.
#[test]
fn the_margin_has_every_term_of_the_proof() {
    let unit = 2.0_f64.powi(-24);
    for (dim, groups) in [(1, 1.0), (16, 1.0), (17, 2.0), (8192, 512.0)] {
        let user = Quantised { scale: 0.25, error: 0.125 };
        let singles = UserBound::new::<f32>(user, dim).unwrap();
        let doubles = UserBound::new::<f64>(user, dim).unwrap();
        let terms = |score_unit| 0.125 + (2.0 * groups + 12.0) * score_unit + 16.0 * unit;
        for (bound, margin) in [(singles, terms(unit)), (doubles, terms(2.0_f64.powi(-53)))] {
            assert!((bound.margin - margin).abs() <= 1e-15);
            let (threshold, weight) = (bound.threshold(0.5), bound.weight());
            let (exact_threshold, exact_weight) = ((0.5 - margin) / 0.25, 1.125 / 0.25);
            assert!(f64::from(threshold) <= exact_threshold);
            assert!(f64::from(threshold.next_up()) > exact_threshold - 1e-15);
            assert!((bound.gap() - 2.0 * margin / 0.25).abs() <= 1e-14);
            assert!(f64::from(weight) >= exact_weight);
            assert!(f64::from(weight.next_down()) < exact_weight);
        }
    }
}

#[test]
fn users_without_a_direction_have_no_bound() {
    let bound = |scale, error| UserBound::new::<f32>(Quantised { scale, error }, 10);
    assert!(bound(0.0, f32::NAN).is_none());
    assert!(bound(0.0, 0.0).is_none());
    assert!(bound(0.0, 1e-10).is_some());
}
