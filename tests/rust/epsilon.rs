//! `epsilon`: norms are raised to it before the division, as in Keras' `normalize`.
//!
//! The vectors are multiples of (3, 4), whose norm is 5, by whole numbers or powers of two: dot
//! products, squares and roots are exact, so each expected score is one rounded division.

use crate::entry_points::{all, matrix as full};
use crate::number::{Number, assert_same_bits, matrix};
use cosim_rs::Real;
use cosim_rs::score::Options;
use ndarray::{Array2, arr2};

fn with_epsilon(epsilon: f64) -> Options<'static> {
    Options { epsilon, ..Options::default() }
}

/// The score of `u · (3, 4)` with `v · (3, 4)`, of both types.
#[track_caller]
fn assert_score(u: f32, v: f32, epsilon: f64, expected: f64) {
    fn assert_score<E: Number>(u: f32, v: f32, epsilon: f64, expected: E) {
        let row = |size: f32| {
            let [first, second] = [3.0, 4.0].map(|element| E::from_f64((element * size).into()));
            arr2(&[[first, second]])
        };
        for (name, scores) in all(row(u).view(), row(v).view(), &with_epsilon(epsilon)) {
            assert_eq!(scores[(0, 0)].bits(), expected.bits(), "{name}: {scores:?}");
        }
    }
    assert_score::<f32>(u, v, epsilon, f32::from_f64(expected));
    assert_score::<f64>(u, v, epsilon, expected);
}

#[test]
fn both_norms_one_or_none_are_raised() {
    assert_score(1.0, 1.0, 10.0, 0.25); // 25 / (10 · 10)
    assert_score(1.0, 10.0, 10.0, 0.5); // 250 / (10 · 50)
    assert_score(10.0, -1.0, 10.0, -0.5);
    assert_score(10.0, 10.0, 10.0, 1.0);
    assert_score(1.0, 1.0, 5.0, 1.0);
    assert_score(0.0, 10.0, 10.0, 0.0);
}

/// Where the squares of the norms, or of epsilon, leave the range of `f32`.
#[test]
fn norms_of_any_size_are_raised() {
    let power = |exponent| 2.0_f32.powi(exponent);
    for exponent in [-120, -100, -40, 40, 100] {
        let size = power(exponent);
        let epsilon = f64::from(power(exponent + 10));
        let raised = 25.0 / f64::from(power(20));
        assert_score(size, size, epsilon, raised);
        // The other norm, 5 · 2^15 · size, is above epsilon: 25 · 2^15 / (2^10 · 5 · 2^15).
        assert_score(size, size * power(15), epsilon, 5.0 / 1024.0);
        assert_score(size, -size, 0.0, -1.0);
    }
}

#[test]
fn an_epsilon_below_all_norms_changes_no_bit() {
    // Norms of 33 elements in [-1, 1); none of these is as small as a tenth.
    let (x, y) = (matrix::<f32>(5, 33, 1), matrix::<f32>(35, 33, 2));
    let expected = full(x.view(), y.view(), &Options::default());
    for epsilon in [-0.0, 1.0e-300, 1.0e-45, 1.0e-12, 0.1] {
        for (name, scores) in all(x.view(), y.view(), &with_epsilon(epsilon)) {
            assert_same_bits(&scores, &expected, &format!("{name}, {epsilon}"));
        }
    }
}

/// Groups of the kernel where only some rows are below epsilon, or out of range, or both.
#[test]
fn entry_points_agree_about_epsilon() {
    let sizes = [1.0_f32, 1.0e-3, 1.0e-25, 1.0e25, 0.0];
    let rows = |count, seed| {
        let mut rows: Array2<f32> = matrix(count, 33, seed);
        for (row, mut elements) in rows.rows_mut().into_iter().enumerate() {
            elements *= sizes[row % sizes.len()];
        }
        rows
    };
    let (x, y) = (rows(6, 3), rows(35, 4));
    for epsilon in [1.0e-30, 1.0e-12, 0.5, 3.0, 1.0e20, 1.0e38] {
        let expected = full(x.view(), y.view(), &with_epsilon(epsilon));
        for (name, scores) in all(x.view(), y.view(), &with_epsilon(epsilon)) {
            assert_same_bits(&scores, &expected, &format!("{name}, {epsilon}"));
        }
    }
}
