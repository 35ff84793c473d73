//! A pair has one score: the model's bits from every entry point, whatever the length of the
//! vectors, the number of threads and the split of the batch.

use crate::entry_points::{all, batched, matrix as full, of_itself, paired};
use crate::model;
use crate::number::{LENGTHS, Number, assert_same_bits, matrix};
use cosim_rs::score::Options;
use ndarray::{ArrayView2, Axis, concatenate};

fn with_threads(threads: usize) -> Options<'static> {
    Options { threads: Some(threads), ..Options::default() }
}

fn assert_every_entry_point_is_the_model<E: Number>(rows: usize, items: usize, dim: usize) {
    let (x, y) = (matrix::<E>(rows, dim, 1), matrix::<E>(items, dim, 2));
    let expected = model::scores(x.view(), y.view());
    for (name, scores) in all(x.view(), y.view(), &Options::default()) {
        assert_same_bits(&scores, &expected, &format!("{name}, length {dim}"));
    }
}

#[test]
fn every_length_has_the_model_s_bits_from_every_entry_point() {
    for dim in LENGTHS {
        assert_every_entry_point_is_the_model::<f32>(5, 35, dim);
        assert_every_entry_point_is_the_model::<f64>(5, 35, dim);
    }
}

#[test]
fn every_number_of_rows_has_the_model_s_bits_from_every_entry_point() {
    for rows in [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65] {
        assert_every_entry_point_is_the_model::<f32>(rows, 19, 33);
        assert_every_entry_point_is_the_model::<f64>(rows, 19, 33);
        assert_every_entry_point_is_the_model::<f32>(3, rows, 17);
    }
}

/// From 8193 elements on the matrix takes another path.
#[test]
fn long_vectors_have_the_model_s_bits_from_every_entry_point() {
    for dim in [8191, 8192, 8193] {
        assert_every_entry_point_is_the_model::<f32>(5, 18, dim);
        assert_every_entry_point_is_the_model::<f64>(5, 18, dim);
    }
}

/// More than one panel of users and of items.
#[test]
fn a_large_matrix_has_the_model_s_bits() {
    let (x, y) = (matrix::<f32>(131, 65, 3), matrix::<f32>(1041, 65, 4));
    let scores = full(x.view(), y.view(), &Options::default());
    assert_same_bits(&scores, &model::scores(x.view(), y.view()), "matrix");
}

/// Sizes over 1 MiB of input and of many blocks, so that helpers take part.
fn assert_threads_change_nothing<E: Number>() {
    for (users, items, dim) in [(200, 300, 129), (5, 1000, 129), (33, 33, 4100), (4, 9, 8193)] {
        let (x, y) = (matrix::<E>(users, dim, 5), matrix::<E>(items, dim, 6));
        let expected = model::scores(x.view(), y.view());
        for threads in 1..=8 {
            let options = with_threads(threads);
            let what = format!("{users} x {items} x {dim} on {threads} threads");
            assert_same_bits(&full(x.view(), y.view(), &options), &expected, &what);
            assert_same_bits(&batched(x.view(), y.view(), &options), &expected, &what);
        }
    }
    let (x, y) = (matrix::<E>(2001, 129, 7), matrix::<E>(2001, 129, 8));
    let expected = paired(x.view(), y.view(), &with_threads(1));
    for row in [0, 1000, 2000] {
        let [left, right] = [&x, &y].map(|rows| rows.row(row).insert_axis(Axis(0)));
        assert_eq!(expected[row].bits(), model::scores(left, right)[(0, 0)].bits());
    }
    for threads in 2..=8 {
        let scores = paired(x.view(), y.view(), &with_threads(threads));
        assert_same_bits(&scores, &expected, &format!("paired on {threads} threads"));
    }
}

/// A matrix of itself, which is symmetric, in sizes about and over its panels.
fn assert_scores_of_itself_are_the_model<E: Number>() {
    for (rows, dim) in [(1, 17), (63, 33), (65, 33), (129, 100), (600, 65), (20, 8193)] {
        let x = matrix::<E>(rows, dim, 11);
        let expected = model::scores(x.view(), x.view());
        for threads in 1..=8 {
            let scores = of_itself(x.view(), &with_threads(threads));
            assert_same_bits(&scores, &expected, &format!("{rows} x {dim} on {threads} threads"));
        }
    }
}

#[test]
fn a_matrix_of_itself_has_the_model_s_bits() {
    assert_scores_of_itself_are_the_model::<f32>();
    assert_scores_of_itself_are_the_model::<f64>();
}

#[test]
fn threads_change_no_bit_of_f32() {
    assert_threads_change_nothing::<f32>();
}

#[test]
fn threads_change_no_bit_of_f64() {
    assert_threads_change_nothing::<f64>();
}

#[test]
fn a_split_batch_has_the_whole_s_bits() {
    let (x, y) = (matrix::<f32>(70, 100, 9), matrix::<f32>(70, 100, 10));
    let options = Options::default();
    let [whole_matrix, whole_batch] = [full, batched].map(|by| by(x.view(), y.view(), &options));
    let whole_pairs = paired(x.view(), y.view(), &options);
    assert_same_bits(&whole_matrix, &whole_batch, "matrix and batched");
    assert_same_bits(&whole_matrix.diag(), &whole_pairs.view(), "matrix and paired");
    for size in [1, 2, 3, 15, 16, 17, 64, 69] {
        let what = format!("parts of {size}");
        let parts = || x.axis_chunks_iter(Axis(0), size).zip(y.axis_chunks_iter(Axis(0), size));
        for by in [full, batched] {
            let by_users = parts().map(|(part, _)| by(part, y.view(), &options));
            assert_same_bits(&joined(0, by_users), &whole_matrix, &what);
            let by_items = parts().map(|(_, part)| by(x.view(), part, &options));
            assert_same_bits(&joined(1, by_items), &whole_matrix, &what);
        }
        let pairs = parts().map(|(x, y)| paired(x, y, &options).insert_axis(Axis(0)));
        assert_same_bits(&joined(1, pairs).row(0), &whole_pairs.view(), &what);
    }
}

fn joined(axis: usize, parts: impl Iterator<Item = ndarray::Array2<f32>>) -> ndarray::Array2<f32> {
    let parts: Vec<_> = parts.collect();
    let views: Vec<ArrayView2<'_, f32>> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(axis), &views).unwrap()
}
