//! An output may have any strides; nothing is written between its elements.

use crate::entry_points::{batched, matrix as full, of_itself, paired, unwritten};
use crate::number::{Number, assert_same_bits, matrix};
use cosim_rs::score::{
    Options, batched_cosine_similarity, cosine_similarity, paired_cosine_similarity,
    self_cosine_similarity,
};
use ndarray::{Array2, ArrayViewMut2, Axis, s};

/// Gives `call` outputs of many strides, cut from a larger square, and compares the whole square.
fn into_each_output<E: Number>(expected: &Array2<E>, call: impl Fn(ArrayViewMut2<'_, E>)) {
    let (rows, columns) = expected.dim();
    let side = 3 * rows.max(columns) + 5;
    for (name, steps) in [
        ("in wider rows", s![..;1, 5..;1]),
        ("every second row", s![1..;2, ..;1]),
        ("every third column", s![..;1, 2..;3]),
        ("rows reversed", s![..;-1, ..;1]),
        ("columns reversed", s![..;1, ..;-1]),
        ("all reversed by steps", s![..;-2, ..;-3]),
    ] {
        for is_transposed in [false, true] {
            let fill = |whole: &mut Array2<E>, write: &dyn Fn(ArrayViewMut2<'_, E>)| {
                let view = whole.view_mut();
                let view = if is_transposed { view.reversed_axes() } else { view };
                write(view.slice_move(steps).slice_move(s![..rows, ..columns]));
            };
            let (mut got, mut whole_expected) = (unwritten(side, side), unwritten(side, side));
            fill(&mut got, &call);
            fill(&mut whole_expected, &|mut view| view.assign(expected));
            assert_same_bits(&got, &whole_expected, &format!("{name}, {is_transposed}"));
        }
    }
}

fn assert_outputs_may_be_strided<E: Number>(rows: usize, items: usize, dim: usize) {
    let options = Options { threads: Some(3), ..Options::default() };
    let (x, y) = (matrix::<E>(rows, dim, 1), matrix::<E>(items, dim, 2));
    let (x, y) = (x.view(), y.view());
    into_each_output(&full(x, y, &options), |scores| {
        cosine_similarity(x, y, scores, &options).unwrap();
    });
    into_each_output(&of_itself(y, &options), |scores| {
        self_cosine_similarity(y, scores, &options).unwrap();
    });
    into_each_output(&batched(x, y, &options), |scores| {
        let repeated = y.insert_axis(Axis(0));
        let repeated = repeated.broadcast((rows, items, dim)).unwrap();
        batched_cosine_similarity(x, repeated, scores, &options).unwrap();
    });
    let expected = paired(y, y.slice(s![..;-1, ..]), &options).insert_axis(Axis(0));
    into_each_output(&expected, |scores| {
        let scores = scores.index_axis_move(Axis(0), 0);
        paired_cosine_similarity(y, y.slice(s![..;-1, ..]), scores, &options).unwrap();
    });
}

#[test]
fn outputs_may_have_any_strides() {
    for (rows, items) in [(1, 1), (1, 35), (3, 15), (5, 16), (5, 17), (35, 1)] {
        assert_outputs_may_be_strided::<f32>(rows, items, 33);
        assert_outputs_may_be_strided::<f64>(rows, items, 33);
    }
}

/// Over 1 MiB of input and many blocks, so that several threads write.
#[test]
fn outputs_of_many_threads_may_have_any_strides() {
    assert_outputs_may_be_strided::<f32>(70, 300, 129);
    assert_outputs_may_be_strided::<f32>(5, 17, 8193);
}
