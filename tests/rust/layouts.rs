//! The layout of an input changes no bit, and what lies between its elements is never read.

use crate::entry_points::{all, batched, matrix as full, unwritten};
use crate::model;
use crate::number::{LENGTHS, Number, assert_same_bits, matrix};
use cosim_rs::score::{Options, batched_cosine_similarity};
use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut2, Axis, s};

/// A matrix at the slice `place` of a larger one, which is NaN elsewhere.
fn embedded<E: Number>(
    rows: &Array2<E>,
    shape: (usize, usize),
    place: impl for<'a> Fn(ArrayViewMut2<'a, E>) -> ArrayViewMut2<'a, E>,
) -> Array2<E> {
    let mut whole = Array2::from_elem(shape, E::NAN);
    place(whole.view_mut()).assign(rows);
    whole
}

/// Shows `check` the same matrix in many layouts.
fn in_each_layout<E: Number>(rows: &Array2<E>, check: impl Fn(&str, ArrayView2<'_, E>)) {
    let (count, dim) = rows.dim();
    let columns = Array2::from_shape_fn((dim, count), |(column, row)| rows[(row, column)]);
    check("transposed", columns.t());

    let place = s![.., 3..3 + dim];
    check("in wider rows", embedded(rows, (count, dim + 5), |w| w.slice_move(place)).slice(place));
    let place = s![1..;2, ..];
    let whole = embedded(rows, (2 * count, dim), |whole| whole.slice_move(place));
    check("every second row", whole.slice(place));
    let place = s![.., 2..;3];
    let whole = embedded(rows, (count, 3 * dim + 2), |whole| whole.slice_move(place));
    check("every third column", whole.slice(place));

    for (name, place) in [
        ("rows reversed", s![..;-1, ..;1]),
        ("columns reversed", s![..;1, ..;-1]),
        ("all reversed", s![..;-1, ..;-1]),
        ("all reversed by steps", s![..;-2, ..;-3]),
    ] {
        let size = if name.ends_with("steps") { (2 * count, 3 * dim) } else { (count, dim) };
        let whole = embedded(rows, size, |whole| whole.slice_move(place));
        check(name, whole.slice(place));
    }
}

fn assert_layouts_change_nothing<E: Number>(dim: usize) {
    let (x, y) = (matrix::<E>(4, dim, 1), matrix::<E>(18, dim, 2));
    let expected = model::scores(x.view(), y.view());
    in_each_layout(&x, |x_layout, x| {
        in_each_layout(&y, |y_layout, y| {
            for (name, scores) in all(x, y, &Options::default()) {
                let what = format!("{name}, length {dim}, x {x_layout}, y {y_layout}");
                assert_same_bits(&scores, &expected, &what);
            }
        });
    });
}

#[test]
fn layouts_change_no_bit() {
    for dim in LENGTHS {
        assert_layouts_change_nothing::<f32>(dim);
    }
    assert_layouts_change_nothing::<f64>(33);
}

#[test]
fn layouts_change_no_bit_of_long_vectors_on_many_threads() {
    let (x, y) = (matrix::<f32>(6, 8193, 3), matrix::<f32>(17, 8193, 4));
    let expected = model::scores(x.view(), y.view());
    let options = Options { threads: Some(3), ..Options::default() };
    in_each_layout(&y, |layout, y| {
        assert_same_bits(&full(x.view(), y, &options), &expected, layout);
        assert_same_bits(&batched(x.view(), y, &options), &expected, layout);
    });
}

#[test]
fn broadcast_inputs_have_the_bits_of_their_copies() {
    for dim in [1, 17, 100] {
        let (row, column) = (matrix::<f32>(1, dim, 5), matrix::<f32>(19, 1, 6));
        let element = matrix::<f32>(1, 1, 7);
        let views = [&row, &column, &element].map(|part| part.broadcast((19, dim)).unwrap());
        for x in views {
            for y in views {
                let copies = [x, y].map(|view| view.as_standard_layout().into_owned());
                let expected = model::scores(copies[0].view(), copies[1].view());
                for (name, scores) in all(x, y, &Options::default()) {
                    assert_same_bits(&scores, &expected, &format!("{name}, length {dim}"));
                }
            }
        }
    }
}

/// Items of three axes, in all six orders of their axes in memory, one of them reversed.
#[test]
fn items_may_have_their_axes_in_any_order() {
    let users = matrix::<f32>(3, 33, 8);
    let flat = matrix::<f32>(3 * 18, 33, 9);
    let mut expected = unwritten(3, 18);
    for (row, mut scores) in expected.rows_mut().into_iter().enumerate() {
        let [user, items] =
            [users.slice(s![row..=row, ..]), flat.slice(s![18 * row..18 * row + 18, ..])];
        scores.assign(&model::scores(user, items).row(0));
    }
    let shape = [3, 18, 33];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut whole = Array3::from_elem(order.map(|axis| shape[axis]), f32::NAN);
        let mut back = [0; 3];
        (0..3).for_each(|place| back[order[place]] = place);
        for reversed in 0..3 {
            let mut items = whole.view_mut().permuted_axes(back);
            items.invert_axis(Axis(reversed));
            items.assign(&flat.view().into_shape_with_order(shape).unwrap());
            let mut scores = unwritten(3, 18);
            let options = Options::default();
            batched_cosine_similarity(users.view(), items.view(), scores.view_mut(), &options)
                .unwrap();
            assert_same_bits(&scores, &expected, &format!("{order:?}, {reversed} reversed"));
        }
    }
}
