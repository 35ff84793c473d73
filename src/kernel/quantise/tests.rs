use super::units::{LEAST_ELEMENT, margin};
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

fn quantised(
    rows: ArrayView2<'_, f32>,
    epsilon: f32,
    scales: Scales,
) -> (Vec<u8>, [Quantised; LANES]) {
    let floor = Floor::new(epsilon);
    let mut results = available().into_iter().map(|level| {
        let mut codes = vec![0; LANES * rows.ncols()];
        let mut all = [Quantised { scale: 0.0, error: 0.0 }; LANES];
        level.kernels_f32().quantise(Rows::native(rows), 0, floor, scales, &mut codes, &mut all);
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
        for (epsilon, most_code) in [(0.0, 127), (0.0, 63), (1e-7, 127), (1.0, 63), (1e15, 127)] {
            let rows = rows(dim);
            let (codes, all) = quantised(rows.view(), epsilon, Scales::Own(most_code));
            for (index, row) in rows.rows().into_iter().enumerate() {
                let (row, Quantised { scale, error }) = (row.to_slice().unwrap(), all[index]);
                if !row.iter().all(|element| element.is_finite()) {
                    assert!(error.is_nan());
                    continue;
                }
                let codes = &codes[index * dim..][..dim];
                let magnitude = |code: &u8| code.abs_diff(ZERO_CODE);
                assert!(codes.iter().all(|code| magnitude(code) <= most_code.cast_unsigned()));
                let exact = left_out(row, codes, scale, f64::from(epsilon));
                let what = format!("row {index} of {dim}, epsilon {epsilon}: {exact} {error}");
                assert!(exact <= f64::from(error), "{what}");
                let slack = f64::from(3.0 * margin(dim) + 256.0 * LEAST_ELEMENT);
                assert!(f64::from(error) <= exact * (1.0 + 1e-3) + slack, "{what}");
                let half_codes =
                    f64::from(scale) / 2.0 * f64::from(u32::try_from(dim).unwrap()).sqrt();
                assert!(exact <= half_codes * 1.001 + slack, "{what}");
            }
        }
    }
}

/// The largest element of each row as a unit vector.
fn largest_of_units(rows: ArrayView2<'_, f32>) -> Vec<f64> {
    let largest = |row: ndarray::ArrayView1<'_, f32>| {
        let norm = row.iter().map(|&element| f64::from(element).powi(2)).sum::<f64>().sqrt();
        row.iter().map(|&element| f64::from(element.abs())).fold(0.0, f64::max) / norm
    };
    rows.rows().into_iter().map(largest).collect()
}

#[test]
fn items_share_the_largest_scale_unless_they_lose_more_than_a_bit() {
    for dim in [2, 17, 64, 128, 1000] {
        let mut rows = rows(dim);
        assert_shared(&rows);
        rows[(7, dim / 2)] = 1.0; // no element is much larger than the others now
        assert!(assert_shared(&rows) >= 8);
    }
}

/// How many rows have the largest scale, and that they are the right ones.
fn assert_shared(rows: &Array2<f32>) -> usize {
    let dim = rows.ncols();
    let (codes, all) = quantised(rows.view(), 0.0, Scales::Shared);
    let (_, own) = quantised(rows.view(), 0.0, Scales::Own(MOST_CODE));
    let largest = largest_of_units(rows.view());
    let top = largest.iter().copied().filter(|largest| largest.is_finite()).fold(0.0, f64::max);
    let mut shared = 0;
    for (index, row) in rows.rows().into_iter().enumerate() {
        let (largest, Quantised { scale, error }) = (largest[index], all[index]);
        let what = format!("row {index} of {dim}: {scale} {largest} {top}");
        if !largest.is_finite() {
            assert!(error.is_nan() || scale == 0.0, "{what}");
            continue;
        }
        if 2.0 * largest > top * 1.0001 {
            assert!((f64::from(scale) * 127.0 / top - 1.0).abs() < 1e-5, "{what}");
            shared += 1;
        } else if 2.0 * largest < top * 0.9999 {
            assert_eq!(all[index], own[index], "{what}");
        }
        let exact = left_out(row.to_slice().unwrap(), &codes[index * dim..][..dim], scale, 0.0);
        assert!(exact <= f64::from(error), "{what}");
    }
    shared
}

#[test]
fn a_zero_row_has_no_error_and_doubles_are_coded_as_floats() {
    let rows = rows(33);
    let (codes, all) = quantised(rows.view(), 0.0, Scales::Own(MOST_CODE));
    assert_eq!(all[5], Quantised { scale: 0.0, error: 0.0 });
    assert!(codes[5 * 33..6 * 33].iter().all(|&code| code == ZERO_CODE));
    let wide = rows.mapv(f64::from);
    for level in available() {
        let mut wide_codes = vec![0; LANES * wide.ncols()];
        let mut wide_all = [Quantised { scale: 0.0, error: 0.0 }; LANES];
        let (rows, floor) = (Rows::native(wide.view()), Floor::new(0.0));
        level.kernels_f64().quantise(
            rows,
            0,
            floor,
            Scales::Own(MOST_CODE),
            &mut wide_codes,
            &mut wide_all,
        );
        let apart = wide_codes.iter().zip(&codes).filter(|(a, b)| a.abs_diff(**b) > 1).count();
        assert_eq!(apart, 0, "{level:?}");
    }
}
