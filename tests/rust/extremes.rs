//! Zeros, infinities, NaN and the ends of the range, each with each, from every entry point.

use crate::entry_points::all;
use crate::number::{LENGTHS, Number};
use crate::oracle::assert_within_bound;
use cosim_rs::score::Options;
use ndarray::{Array2, ArrayView1};

/// The canonical NaN.
const NAN: u32 = 0x7fc0_0000;

/// Rows of one value but for their last element, which is another. Sixteen kinds of rows, so that
/// a group of the kernel holds some of each, and two that begin the next group.
fn rows(dim: usize) -> Array2<f32> {
    let (least, most, tiny) = (f32::from_bits(1), f32::MAX, f32::MIN_POSITIVE);
    let other_nan = f32::from_bits(0xffc1_2345);
    let kinds = [
        (1.0, 1.0),
        (0.0, 0.0),
        (-0.0, -0.0),
        (0.0, f32::NAN),
        (1.0, other_nan),
        (0.0, f32::INFINITY),
        (most, f32::NEG_INFINITY),
        (f32::INFINITY, f32::NAN),
        (least, least),
        (0.0, -least),
        (tiny, -least),
        (most, most),
        (-most, most),
        (least, most),
        (1.0e-30, 1.0e30),
        (-1.0, 0.5),
        (0.0, -0.0),
        (0.0, most),
    ];
    Array2::from_shape_fn((kinds.len(), dim), |(row, column)| {
        if column + 1 == dim { kinds[row].1 } else { kinds[row].0 }
    })
}

fn is_finite(row: ArrayView1<'_, f32>) -> bool {
    row.iter().all(|element| element.is_finite())
}

fn is_zero(row: ArrayView1<'_, f32>) -> bool {
    row.iter().all(|&element| element == 0.0)
}

#[test]
fn extremes_score_as_the_contract_says() {
    for dim in LENGTHS.into_iter().filter(|&dim| dim > 0).chain([8193]) {
        let rows = rows(dim);
        for (name, scores) in all(rows.view(), rows.view(), &Options::default()) {
            for ((row, item), &score) in scores.indexed_iter() {
                let (u, v) = (rows.row(row), rows.row(item));
                let what = format!("{name}, length {dim}, row {row} with {item}: {score}");
                if !is_finite(u) || !is_finite(v) {
                    assert_eq!(score.to_bits(), NAN, "{what}");
                } else if is_zero(u) || is_zero(v) {
                    assert_eq!(score.to_bits(), 0, "{what}");
                } else {
                    assert!(row != item || score.to_bits() == 1.0_f32.to_bits(), "{what}");
                    assert_within_bound(u, v, score);
                }
            }
        }
    }
}

/// With an epsilon, a zero vector still scores +0, and what is not finite NaN.
#[test]
fn epsilon_leaves_zeros_and_nan_as_they_are() {
    let rows = rows(17);
    let options = Options { epsilon: 1.0e-12, ..Options::default() };
    for (name, scores) in all(rows.view(), rows.view(), &options) {
        for ((row, item), &score) in scores.indexed_iter() {
            let (u, v) = (rows.row(row), rows.row(item));
            if !is_finite(u) || !is_finite(v) {
                assert_eq!(score.to_bits(), NAN, "{name}: {score}");
            } else if is_zero(u) || is_zero(v) {
                assert_eq!(score.to_bits(), 0, "{name}: {score}");
            }
        }
    }
}

/// Vectors of one repeated power of two are multiples of each other: they score 1 exactly.
#[test]
fn extremes_of_f64_score_as_the_contract_says() {
    let powers =
        [1.0, f64::from_bits(1), f64::MIN_POSITIVE, 2.0_f64.powi(1023), 2.0_f64.powi(-500)];
    let others = [f64::MAX, 0.0, -0.0, f64::NAN, f64::NEG_INFINITY];
    for dim in [1, 16, 17, 100] {
        let values: Vec<_> = powers.into_iter().chain(others).collect();
        let rows = Array2::from_shape_fn((values.len(), dim), |(row, _)| values[row]);
        for (name, scores) in all(rows.view(), rows.view(), &Options::default()) {
            for ((row, item), &score) in scores.indexed_iter() {
                let (a, b) = (values[row], values[item]);
                let what = format!("{name}, length {dim}, {a} with {b}: {score}");
                if !a.is_finite() || !b.is_finite() {
                    assert_eq!(score.bits(), 0x7ff8_0000_0000_0000, "{what}");
                } else if a == 0.0 || b == 0.0 {
                    assert_eq!(score.bits(), 0, "{what}");
                } else if row == item || row.max(item) < powers.len() {
                    assert_eq!(score.bits(), 1.0_f64.bits(), "{what}");
                }
            }
        }
    }
}
