//! Each user against its own items: `(B, D)` and `(B, N, D)` to `(B, N)`.

use super::{Call, Options, check_shape, rows_per_block};
use crate::blocks::{Block, Blocks};
use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::view::{Batches, Rows, ScoreRow};
use ndarray::ArrayViewMut2;

/// Cosine scores of each user `(B, D)` with its own items `(B, N, D)`, into `scores` `(B, N)`.
///
/// Memory-bound: each item is read once. Nothing is allocated beyond a scratch row.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, and the errors of the [`Options`].
pub fn batched_cosine_similarity<'a, E: Real>(
    users: impl Into<Rows<'a, E>>,
    items: impl Into<Batches<'a, E>>,
    scores: ArrayViewMut2<'_, E>,
    options: &Options<'_>,
) -> Result<(), Error> {
    let (users, items) = (users.into(), items.into());
    let (batch, count, dim) = items.dim();
    check_shape("users", &users.shape(), &[batch, dim])?;
    check_shape("scores", scores.shape(), &[batch, count])?;
    let call = Call::<E>::new(options)?;
    let (kernels, floor) = (call.kernels, call.floor);
    if scores.is_empty() {
        return Ok(());
    }

    let rows = rows_per_block::<E>(dim);
    let shape = ((rows / count).max(1), rows);
    let score_block = |mut block: Block<'_, E>| {
        let mut scratch = Vec::new();
        let columns = block.first_column..block.first_column + block.scores.ncols();
        for (row, scores) in block.scores.rows_mut().into_iter().enumerate() {
            let row = block.first_row + row;
            let items = items.of(row).range(columns.clone());
            let user = users.row(row, &mut scratch);
            kernels.score_rows(user, items, floor, ScoreRow::new(scores));
        }
    };
    let block_count = Blocks::<E>::count((batch, count), shape);
    let threads = call.threads_for(batch.saturating_mul(count).saturating_mul(dim));
    for_each(Blocks::new(scores, shape), block_count, threads, call.interrupted, score_block)
}
