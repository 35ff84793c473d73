//! Shapes with a 0 in them: no scores, or scores of vectors without elements, which are +0.

use crate::entry_points::all;
use crate::number::{Number, assert_same_bits, matrix};
use cosim_rs::score::{Options, batched_cosine_similarity};
use ndarray::{Array2, Array3};

fn assert_empty_shapes_are_scored<E: Number>() {
    for rows in [0, 1, 3, 65] {
        for items in [0, 1, 17] {
            for dim in [0, 1, 33, 8193] {
                if rows > 0 && items > 0 && dim > 0 {
                    continue; // not empty
                }
                let (x, y) = (matrix::<E>(rows, dim, 1), matrix::<E>(items, dim, 2));
                for threads in [1, 4] {
                    let options = Options { threads: Some(threads), ..Options::default() };
                    for (name, scores) in all(x.view(), y.view(), &options) {
                        let expected = Array2::from_elem((rows, items), E::ZERO);
                        assert_same_bits(&scores, &expected, &format!("{name}, {dim}"));
                    }
                }
            }
        }
    }
}

#[test]
fn empty_shapes_are_scored() {
    assert_empty_shapes_are_scored::<f32>();
    assert_empty_shapes_are_scored::<f64>();
}

#[test]
fn a_vector_without_elements_scores_0_with_an_epsilon_too() {
    let (x, y) = (matrix::<f32>(3, 0, 1), matrix::<f32>(17, 0, 2));
    for (name, scores) in all(x.view(), y.view(), &Options { epsilon: 1.0, ..Options::default() }) {
        assert_same_bits(&scores, &Array2::zeros((3, 17)), name);
    }
}

/// The other axes of an empty array may be as long as they like.
#[test]
fn an_empty_batch_may_have_long_axes() {
    let long = 1 << 40;
    let (users, items) = (Array2::<f32>::zeros((0, long)), Array3::<f32>::zeros((0, 7, long)));
    let mut scores = Array2::<f32>::zeros((0, 7));
    let options = Options::default();
    let (users, items) = (users.view(), items.view());
    assert_eq!(batched_cosine_similarity(users, items, scores.view_mut(), &options), Ok(()));
}
