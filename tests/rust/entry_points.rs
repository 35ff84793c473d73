//! Every way to ask for the scores of each row of `x` with each row of `y`.

use crate::number::Number;
use cosim_rs::score::{
    Options, batched_cosine_similarity, candidate_cosine_similarity, cosine_similarity,
    paired_cosine_similarity, self_cosine_similarity,
};
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, s};

/// A name to show when it fails, and the scores.
pub(crate) type Named<E> = (&'static str, Array2<E>);

/// What an output holds before a call: no score is 7.
pub(crate) fn unwritten<E: Number>(rows: usize, columns: usize) -> Array2<E> {
    Array2::from_elem((rows, columns), E::from_f64(7.0))
}

pub(crate) fn matrix<E: Number>(
    x: ArrayView2<'_, E>,
    y: ArrayView2<'_, E>,
    options: &Options<'_>,
) -> Array2<E> {
    let mut scores = unwritten(x.nrows(), y.nrows());
    cosine_similarity(x, y, scores.view_mut(), options).unwrap();
    scores
}

/// Every user with the same items, repeated by a stride of 0.
pub(crate) fn batched<E: Number>(
    x: ArrayView2<'_, E>,
    y: ArrayView2<'_, E>,
    options: &Options<'_>,
) -> Array2<E> {
    let mut scores = unwritten(x.nrows(), y.nrows());
    let items = y.insert_axis(Axis(0));
    let items = items.broadcast((x.nrows(), y.nrows(), y.ncols())).unwrap();
    batched_cosine_similarity(x, items, scores.view_mut(), options).unwrap();
    scores
}

pub(crate) fn paired<E: Number>(
    x: ArrayView2<'_, E>,
    y: ArrayView2<'_, E>,
    options: &Options<'_>,
) -> Array1<E> {
    let mut scores = Array1::from_elem(x.nrows(), E::from_f64(7.0));
    paired_cosine_similarity(x, y, scores.view_mut(), options).unwrap();
    scores
}

/// Every user with the same list of all items, of 32-bit numbers, last first.
pub(crate) fn candidates<E: Number>(
    x: ArrayView2<'_, E>,
    y: ArrayView2<'_, E>,
    options: &Options<'_>,
) -> Array2<E> {
    let count = i32::try_from(y.nrows()).unwrap();
    let ids = Array2::from_shape_fn((x.nrows(), y.nrows()), |(_, place)| {
        count - 1 - i32::try_from(place).unwrap()
    });
    let mut scores = unwritten(x.nrows(), y.nrows());
    let reversed = scores.slice_mut(s![.., ..;-1]);
    candidate_cosine_similarity(x, y, ids.view(), reversed, options).unwrap();
    scores
}

/// Each user in a call of its own.
fn by_user<E: Number>(
    x: ArrayView2<'_, E>,
    y: ArrayView2<'_, E>,
    mut score: impl FnMut(ArrayView2<'_, E>) -> Array2<E>,
) -> Array2<E> {
    let mut scores = unwritten(x.nrows(), y.nrows());
    for (user, mut row) in x.axis_chunks_iter(Axis(0), 1).zip(scores.rows_mut()) {
        row.assign(&score(user).row(0));
    }
    scores
}

pub(crate) fn of_itself<E: Number>(x: ArrayView2<'_, E>, options: &Options<'_>) -> Array2<E> {
    let mut scores = unwritten(x.nrows(), x.nrows());
    self_cosine_similarity(x, scores.view_mut(), options).unwrap();
    scores
}

/// From the scores of all rows of both sides with all.
fn of_all<E: Number>(
    x: ArrayView2<'_, E>,
    y: ArrayView2<'_, E>,
    options: &Options<'_>,
) -> Array2<E> {
    let all = concatenate(Axis(0), &[x, y]).unwrap();
    of_itself(all.view(), options).slice(s![..x.nrows(), x.nrows()..]).to_owned()
}

/// The scores by every entry point.
pub(crate) fn all<E: Number>(
    x: ArrayView2<'_, E>,
    y: ArrayView2<'_, E>,
    options: &Options<'_>,
) -> Vec<Named<E>> {
    let pairs = |user: ArrayView2<'_, E>| {
        paired(user.broadcast(y.dim()).unwrap(), y, options).insert_axis(Axis(0))
    };
    vec![
        ("matrix", matrix(x, y, options)),
        ("matrix, sides swapped", matrix(y, x, options).reversed_axes()),
        ("matrix, user by user", by_user(x, y, |user| matrix(user, y, options))),
        ("batched", batched(x, y, options)),
        ("batched, sides swapped", batched(y, x, options).reversed_axes()),
        ("batched, user by user", by_user(x, y, |user| batched(user, y, options))),
        ("candidates", candidates(x, y, options)),
        ("candidates, user by user", by_user(x, y, |user| candidates(user, y, options))),
        ("paired, user by user", by_user(x, y, pairs)),
        ("of all with all", of_all(x, y, options)),
    ]
}
