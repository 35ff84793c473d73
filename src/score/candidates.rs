//! A list of candidates a user out of one table of items: `(B, D)`, `(M, D)` and `(B, N)` to `(B, N)`.

use super::{Call, Options, check_shape, rows_per_block};
use crate::blocks::{Block, Blocks};
use crate::error::Error;
use crate::kernel::MOST_LISTED;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::view::Rows;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};

/// How many places are made the kernel's at a time.
const CHUNK: usize = 256;

/// Cosine scores of each of `users` `(B, D)` with the rows of `items` `(M, D)` whose numbers are in
/// the same row of `ids` `(B, N)`, into `scores` `(B, N)`. The id -1 is padding and scores negative
/// infinity. The numbers are of any type that converts to 64-bit integers.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, [`Error::Index`] for an id that is neither -1 nor a
/// row, and the errors of the [`Options`].
pub fn candidate_cosine_similarity<'a, E: Real, I: Copy + Into<i64> + Sync>(
    users: impl Into<Rows<'a, E>>,
    items: impl Into<Rows<'a, E>>,
    ids: ArrayView2<'_, I>,
    scores: ArrayViewMut2<'_, E>,
    options: &Options<'_>,
) -> Result<(), Error> {
    let (users, items) = (users.into(), items.into());
    let ((batch, count), dim) = (ids.dim(), items.dim());
    check_shape("users", &users.shape(), &[batch, dim])?;
    check_shape("scores", scores.shape(), &[batch, count])?;
    let count_listed = items.count().min(MOST_LISTED);
    let rows = i64::try_from(count_listed).expect("33 bits");
    let mut places = ids.indexed_iter().map(|(place, &id)| (place, id.into()));
    if let Some((place, got)) = places.find(|&(_, id)| id < -1 || id >= rows) {
        return Err(Error::Index { name: "ids", place, got, count: count_listed });
    }
    let call = Call::<E>::new(options)?;

    let shape = (1, rows_per_block::<E>(dim).next_multiple_of(CHUNK));
    let blocks = Blocks::<E>::count((batch, count), shape);
    let threads = call.threads_for(ids.len().saturating_mul(dim));
    let (kernels, floor) = (call.kernels, call.floor);
    let score_block = |mut block: Block<'_, E>| {
        let (mut scratch, mut listed, mut found) = (Vec::new(), Vec::new(), [E::ZERO; CHUNK]);
        let user = users.row(block.first_row, &mut scratch);
        let ids = ids.row(block.first_row);
        let mut scores = block.scores.row_mut(0);
        let ids = ids.slice(s![block.first_column..block.first_column + scores.len()]);
        let chunks = scores.axis_chunks_iter_mut(Axis(0), CHUNK);
        for (ids, mut scores) in ids.axis_chunks_iter(Axis(0), CHUNK).zip(chunks) {
            listed.clear();
            listed.extend(ids.iter().filter_map(|&id| u32::try_from(id.into()).ok()));
            let found = &mut found[..listed.len()];
            kernels.score_listed(user, items, &listed, floor, found);
            let mut found = found.iter();
            for (&id, score) in ids.iter().zip(&mut scores) {
                let padding = &-E::INFINITY;
                *score =
                    *if id.into() < 0 { padding } else { found.next().expect("a score an id") };
            }
        }
    };
    for_each(Blocks::new(scores, shape), blocks, threads, call.interrupted, score_block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn padding_scores_negative_infinity_and_what_is_no_row_is_refused() {
        let (users, items) = (arr2(&[[1.0_f32, 0.0]]), arr2(&[[0.0, 3.0], [2.0, 0.0]]));
        let score = |ids: [i64; 3]| {
            let (ids, mut scores) = (arr2(&[ids]), arr2(&[[7.0; 3]]));
            let (views, options) = ((users.view(), items.view()), Options::default());
            let out = scores.view_mut();
            let done = candidate_cosine_similarity(views.0, views.1, ids.view(), out, &options);
            done.map(|()| scores.clone()).map_err(|error| (error.to_string(), scores))
        };
        assert_eq!(score([1, -1, 0]), Ok(arr2(&[[1.0, f32::NEG_INFINITY, 0.0]])));
        for wrong in [2, -2] {
            let message = format!("ids: got {wrong} at (0, 1), expected -1 to 1");
            assert_eq!(score([0, wrong, 0]), Err((message, arr2(&[[7.0; 3]]))));
        }
    }
}
