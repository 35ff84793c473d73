//! An output may have any strides; nothing is written between its elements.

use crate::entry_points::{batched, matrix as full, paired, unwritten};
use crate::number::{Number, assert_same_bits, matrix};
use cosim_rs::score::{
    Options, batched_cosine_similarity, cosine_similarity, paired_cosine_similarity,
    self_cosine_similarity,
};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

/// Gives `call` outputs of many strides inside larger arrays and compares all that these hold.
fn into_each_output<E: Number>(expected: &Array2<E>, call: impl Fn(ArrayViewMut2<'_, E>)) {
    let (rows, columns) = expected.dim();
    for (name, place) in [
        ("whole", s![..;1, ..;1]),
        ("a gap between rows", s![1..;2, ..;1]),
        ("gaps between columns", s![..;1, 2..;3]),
        ("rows reversed", s![..;-1, ..;1]),
        ("columns reversed", s![..;1, ..;-1]),
        ("all reversed by steps", s![..;-2, ..;-3]),
        ("transposed", s![..;1, ..;1]),
        ("transposed, by steps", s![1..;-2, ..;3]),
    ] {
        let is_transposed = name.starts_with("transposed");
        let size = if is_transposed { (3 * columns, 2 * rows) } else { (3 * rows, 3 * columns) };
        let mut whole = unwritten::<E>(size.0, size.1);
        let mut whole_expected = whole.clone();
        let part = |whole: &mut Array2<E>, act: &dyn Fn(ArrayViewMut2<'_, E>)| {
            let view = whole.view_mut();
            let view = if is_transposed { view.reversed_axes() } else { view };
            act(view.slice_move(place).slice_move(s![..rows, ..columns]));
        };
        if part_is_large_enough(&whole, is_transposed, (rows, columns), name) {
            part(&mut whole, &call);
            part(&mut whole_expected, &|mut view| view.assign(expected));
            assert_same_bits(&whole, &whole_expected, name);
        }
    }
}

/// Always true; fails if a size above were too small for its steps.
fn part_is_large_enough<E>(
    whole: &Array2<E>,
    is_transposed: bool,
    (rows, columns): (usize, usize),
    name: &str,
) -> bool {
    let (high, wide) = whole.dim();
    let (high, wide) = if is_transposed { (wide, high) } else { (high, wide) };
    assert!(high >= rows && wide >= columns, "{name}");
    true
}
