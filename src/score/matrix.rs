//! Every user against every item: `(U, D)` and `(N, D)` to `(U, N)`.
//!
//! The output is walked in panels of rows, so that a fresh one gets its pages in order. A thread
//! takes a panel of users and a span of items; it prepares the users once and goes through the
//! items a panel at a time, small enough to stay in its cache while all the users meet it.

use super::{Call, Options, batched_cosine_similarity, check_shape};
use crate::blocks::{Block, Blocks};
use crate::error::Error;
use crate::kernel::panel::Panel;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::view::{Rows, ScoreRow};
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// Users in a panel: enough that packing an item is little beside scoring it.
const USERS: usize = 64;
/// Items in a panel: enough that the users are packed seldom, and each row's scores are long.
const ITEMS: usize = 256;
/// Bytes of a panel: half of a small second-level cache.
const PANEL_BYTES: usize = 128 << 10;
/// Elements of a vector that is too long for panels: sixteen rows of it leave the cache.
const LONG: usize = 8192;
/// Multiplications in a block: some milliseconds, or a tenth of a second on the portable kernel.
const BLOCK_WORK: usize = 1 << 25;
/// With so few users, each item is read once a user instead.
const FEW_USERS: usize = 2;

/// Cosine scores of each row of `x` `(U, D)` with each row of `y` `(N, D)`, into `scores` `(U, N)`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, and the errors of the [`Options`].
pub fn cosine_similarity<E: Real>(
    x: ArrayView2<'_, E>,
    y: ArrayView2<'_, E>,
    scores: ArrayViewMut2<'_, E>,
    options: &Options<'_>,
) -> Result<(), Error> {
    let ((users, dim), items) = (x.dim(), y.nrows());
    check_shape("y", y.shape(), &[items, dim])?;
    check_shape("scores", scores.shape(), &[users, items])?;
    if users <= FEW_USERS || dim > LONG {
        let shape = (users, items, dim);
        let y = y.insert_axis(Axis(0));
        let y = y.broadcast(shape).expect("a new axis can be repeated");
        return batched_cosine_similarity(x, y, scores, options);
    }
    let call = Call::<E>::new(options)?;
    let (kernels, floor) = (call.kernels, call.floor);

    let (x, y) = (Rows::new(x), Rows::new(y));
    let (user_panel, item_panel) = (panel_rows::<E>(dim, USERS), panel_rows::<E>(dim, ITEMS));
    let span = BLOCK_WORK / (user_panel * dim.max(1));
    let shape = (user_panel, span.max(1).next_multiple_of(item_panel));
    let score_block = |mut block: Block<'_, E>| {
        let (rows, columns) = (block.scores.nrows(), block.scores.ncols());
        let (mut user_tiles, mut item_tiles) = (Panel::new(), Panel::new());
        kernels.fill_users(&mut user_tiles, x, block.first_row..block.first_row + rows, floor);
        let mut scores: Vec<_> = block.scores.rows_mut().into_iter().map(ScoreRow::new).collect();
        for first in (0..columns).step_by(item_panel) {
            let first_item = block.first_column + first;
            let range = first_item..first_item + item_panel.min(columns - first);
            kernels.fill_items(&mut item_tiles, y, range, floor);
            kernels.score_tiles(&user_tiles, &item_tiles, &mut scores, first);
        }
    };
    let block_count = Blocks::<E>::count((users, items), shape);
    let threads = call.threads_for(users.saturating_mul(items).saturating_mul(dim) / 8);
    for_each(Blocks::new(scores, shape), block_count, threads, call.interrupted, score_block)
}

/// How many rows of `dim` elements make a panel of at most `most`: whole groups of sixteen.
fn panel_rows<E>(dim: usize, most: usize) -> usize {
    (PANEL_BYTES / dim.saturating_mul(size_of::<E>()).max(1)).clamp(16, most) / 16 * 16
}

/// Cosine scores of each row of `x` `(N, D)` with each of its rows, into `scores` `(N, N)`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, and the errors of the [`Options`].
pub fn self_cosine_similarity<E: Real>(
    x: ArrayView2<'_, E>,
    scores: ArrayViewMut2<'_, E>,
    options: &Options<'_>,
) -> Result<(), Error> {
    cosine_similarity(x, x, scores, options)
}
