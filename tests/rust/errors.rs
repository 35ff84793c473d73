//! What is refused, and that nothing is written then.

use crate::number::{Number, assert_same_bits, matrix};
use cosim_rs::Error;
use cosim_rs::score::{
    Options, batched_cosine_similarity, cosine_similarity, paired_cosine_similarity,
    self_cosine_similarity,
};
use ndarray::{Array2, Array3, ArrayViewMut2, Axis};

/// Fails unless `call` refuses with `expected` and leaves its output alone.
#[track_caller]
fn assert_refused<E: Number>(
    (rows, columns): (usize, usize),
    expected: &Error,
    call: impl FnOnce(ArrayViewMut2<'_, E>) -> Result<(), Error>,
) {
    let before = matrix::<E>(rows, columns, 1);
    let mut scores = before.clone();
    assert_eq!(call(scores.view_mut()).as_ref(), Err(expected));
    assert_same_bits(&scores, &before, "the output");
}

fn shape_error(name: &'static str, got: &[usize], expected: &[usize]) -> Error {
    Error::Shape { name, got: got.to_vec(), expected: expected.to_vec() }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let options = Options::default();
    let rows = |count, dim| matrix::<f32>(count, dim, 2);
    let items = Array3::<f32>::ones((2, 5, 3));

    for (users, got) in [(rows(2, 4), [2, 4]), (rows(1, 3), [1, 3]), (rows(0, 3), [0, 3])] {
        assert_refused::<f32>((2, 5), &shape_error("users", &got, &[2, 3]), |scores| {
            batched_cosine_similarity(users.view(), items.view(), scores, &options)
        });
    }
    for shape in [(2, 4), (5, 2), (1, 5), (2, 6)] {
        assert_refused::<f32>(
            shape,
            &shape_error("scores", &[shape.0, shape.1], &[2, 5]),
            |scores| batched_cosine_similarity(rows(2, 3).view(), items.view(), scores, &options),
        );
        assert_refused::<f32>(
            shape,
            &shape_error("scores", &[shape.0, shape.1], &[2, 5]),
            |scores| cosine_similarity(rows(2, 3).view(), rows(5, 3).view(), scores, &options),
        );
        assert_refused::<f32>(
            shape,
            &shape_error("scores", &[shape.0, shape.1], &[7, 7]),
            |scores| self_cosine_similarity(rows(7, 3).view(), scores, &options),
        );
        assert_refused::<f32>(shape, &shape_error("scores", &[shape.1], &[9]), |scores| {
            let scores = scores.index_axis_move(Axis(0), 0);
            paired_cosine_similarity(rows(9, 3).view(), rows(9, 3).view(), scores, &options)
        });
    }
    assert_refused::<f32>((2, 5), &shape_error("y", &[5, 4], &[5, 3]), |scores| {
        cosine_similarity(rows(2, 3).view(), rows(5, 4).view(), scores, &options)
    });
    for (y, got) in [(rows(5, 4), [5, 4]), (rows(4, 3), [4, 3]), (rows(3, 5), [3, 5])] {
        assert_refused::<f32>((1, 5), &shape_error("y", &got, &[5, 3]), |scores| {
            let scores = scores.index_axis_move(Axis(0), 0);
            paired_cosine_similarity(rows(5, 3).view(), y.view(), scores, &options)
        });
    }
}

/// Every function, over arrays of the same sizes, refuses these options; so it does when there is
/// nothing to score.
fn assert_options_refused<E: Number>(options: &Options<'_>, expected: &Error) {
    for (count, dim) in [(5, 3), (2, 3), (5, 8193), (5, 0), (0, 3), (0, 0)] {
        let x = matrix::<E>(count, dim, 3);
        let x = x.view();
        assert_refused((count, count), expected, |scores| cosine_similarity(x, x, scores, options));
        assert_refused((count, count), expected, |scores| {
            self_cosine_similarity(x, scores, options)
        });
        assert_refused((count, 1), expected, |scores| {
            batched_cosine_similarity(x, x.insert_axis(Axis(1)), scores, options)
        });
        assert_refused((1, count), expected, |scores| {
            let scores = scores.index_axis_move(Axis(0), 0);
            paired_cosine_similarity(x, x, scores, options)
        });
    }
}

#[test]
fn epsilon_is_finite_and_not_negative() {
    for epsilon in [-1.0, -1.0e-300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let options = Options { epsilon, ..Options::default() };
        let expected = Error::Epsilon(epsilon.to_string());
        assert_options_refused::<f32>(&options, &expected);
        assert_options_refused::<f64>(&options, &expected);
    }
}

/// It is finite as a number of the type that is computed with.
#[test]
fn epsilon_of_f32_is_finite_as_f32() {
    let options = Options { epsilon: 1.0e39, ..Options::default() };
    assert_options_refused::<f32>(&options, &Error::Epsilon(1.0e39.to_string()));
    let mut scores = Array2::<f64>::zeros((1, 1));
    let row = Array2::<f64>::ones((1, 3));
    assert_eq!(cosine_similarity(row.view(), row.view(), scores.view_mut(), &options), Ok(()));
}

#[test]
fn a_call_takes_at_least_one_thread() {
    let options = Options { threads: Some(0), ..Options::default() };
    assert_options_refused::<f32>(&options, &Error::Threads);
    assert_options_refused::<f64>(&options, &Error::Threads);
}
