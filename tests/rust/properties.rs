//! The contract's clauses, by random vectors.

use crate::entry_points::{all, matrix as full};
use crate::number::{assert_same_bits, matrix};
use crate::oracle::assert_within_bound;
use cosim_rs::score::Options;
use ndarray::{Array2, Axis};
use proptest::collection::vec;
use proptest::prelude::*;

/// A finite number of any size, zeros of both signs and subnormals among them.
fn any_finite() -> impl Strategy<Value = f32> + Clone {
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

/// A number that is far from where products underflow, and has no zero among its kind.
fn middling() -> impl Strategy<Value = f32> + Clone {
    (any::<bool>(), 1.0_f32..2.0, -20..20).prop_map(|(is_negative, fraction, exponent)| {
        let magnitude = fraction * 2.0_f32.powi(exponent);
        if is_negative { -magnitude } else { magnitude }
    })
}

/// Up to five users and twenty items of one length.
fn rows(element: impl Strategy<Value = f32> + Clone) -> impl Strategy<Value = [Array2<f32>; 2]> {
    (1..=5_usize, 1..=20_usize, 1..=70_usize).prop_flat_map(move |(users, items, dim)| {
        let rows = |count| {
            vec(element.clone(), count * dim)
                .prop_map(move |flat| Array2::from_shape_vec((count, dim), flat).unwrap())
        };
        (rows(users), rows(items)).prop_map(Into::into)
    })
}

/// Fails unless every entry point gives every row of `x` this score with its row of `y`.
fn assert_diagonal(x: &Array2<f32>, y: &Array2<f32>, expected: f32) {
    for (name, scores) in all(x.view(), y.view(), &Options::default()) {
        for score in scores.diag() {
            assert_eq!(score.to_bits(), expected.to_bits(), "{name}: {score}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_vector_scores_1_with_itself_and_its_multiples_by_powers_of_two(
        [_, rows] in rows(middling()),
        exponent in -80..=80,
    ) {
        let multiple = &rows * 2.0_f32.powi(exponent);
        assert_diagonal(&rows, &rows, 1.0);
        assert_diagonal(&rows, &multiple, 1.0);
        assert_diagonal(&rows, &-&rows, -1.0);
        assert_diagonal(&rows, &-multiple, -1.0);
    }

    #[test]
    fn powers_of_two_change_no_bit([x, y] in rows(middling()), powers in [-80..=80, -80..=80]) {
        let [x_multiple, y_multiple] =
            [(&x, powers[0]), (&y, powers[1])].map(|(rows, power)| rows * 2.0_f32.powi(power));
        let expected = full(x.view(), y.view(), &Options::default());
        for (name, scores) in all(x_multiple.view(), y_multiple.view(), &Options::default()) {
            assert_same_bits(&scores, &expected, name);
        }
    }

    /// The entry points include both orders of the sides.
    #[test]
    fn any_finite_vectors_score_alike_everywhere_within_range_and_bound(
        [x, y] in rows(any_finite()),
    ) {
        let entry_points = all(x.view(), y.view(), &Options::default());
        let expected = &entry_points[0].1;
        for (name, scores) in &entry_points {
            assert_same_bits(scores, expected, name);
        }
        for ((row, item), &score) in expected.indexed_iter() {
            assert!((-1.0..=1.0).contains(&score) && score.to_bits() != (-0.0_f32).to_bits());
            assert_within_bound(x.row(row), y.row(item), score);
        }
    }

    #[test]
    fn rows_in_another_order_keep_their_scores(
        [x, y] in rows(any_finite()),
        order in Just((0..20_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let order: Vec<_> = order.into_iter().filter(|&item| item < y.nrows()).collect();
        let expected = full(x.view(), y.view(), &Options::default()).select(Axis(1), &order);
        let y = y.select(Axis(0), &order);
        for (name, scores) in all(x.view(), y.view(), &Options::default()) {
            assert_same_bits(&scores, &expected, name);
        }
    }
}

/// The bound grows with the length, up to 32,768, from where it is no longer promised. Elements
/// near 1 make the sums grow steadily, which is where rounding adds up.
#[test]
fn long_vectors_keep_the_bound() {
    for dim in [768, 8193, 32_768] {
        for offset in [0.0, 3.0] {
            let (x, y) = (matrix::<f32>(3, dim, 1) + offset, matrix::<f32>(17, dim, 2) + offset);
            let scores = full(x.view(), y.view(), &Options::default());
            for ((row, item), &score) in scores.indexed_iter() {
                assert_within_bound(x.row(row), y.row(item), score);
            }
        }
    }
}
