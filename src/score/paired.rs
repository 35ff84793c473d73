//! Row by row: `(B, D)` and `(B, D)` to `(B,)`.

use super::{Call, Options, check_shape, rows_per_block};
use crate::blocks::{Block, Blocks};
use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::view::{Rows, ScoreRow};
use ndarray::{ArrayViewMut1, Axis};

/// Cosine scores of each row of `x` `(B, D)` with the same row of `y` `(B, D)`, into `scores`
/// `(B,)`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, and the errors of the [`Options`].
pub fn paired_cosine_similarity<'a, E: Real>(
    x: impl Into<Rows<'a, E>>,
    y: impl Into<Rows<'a, E>>,
    scores: ArrayViewMut1<'_, E>,
    options: &Options<'_>,
) -> Result<(), Error> {
    let (x, y) = (x.into(), y.into());
    let [count, dim] = x.shape();
    check_shape("y", &y.shape(), &[count, dim])?;
    check_shape("scores", scores.shape(), &[count])?;
    let call = Call::<E>::new(options)?;
    let (kernels, floor) = (call.kernels, call.floor);

    let shape = (1, rows_per_block::<E>(dim.saturating_mul(2)));
    let threads = call.threads_for(count.saturating_mul(dim).saturating_mul(2));
    let score_block = |mut block: Block<'_, E>| {
        let rows = block.first_column..block.first_column + block.scores.ncols();
        let scores = ScoreRow::new(block.scores.row_mut(0));
        kernels.score_pairs(x.range(rows.clone()), y.range(rows), floor, scores);
    };
    let block_count = Blocks::<E>::count((1, count), shape);
    let blocks = Blocks::new(scores.insert_axis(Axis(0)), shape);
    for_each(blocks, block_count, threads, call.interrupted, score_block)
}
