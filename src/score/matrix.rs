//! Every user against every item: `(U, D)` and `(N, D)` to `(U, N)`.
//!
//! The output is walked in panels of rows, so that a fresh one gets its pages in order. A thread
//! takes a panel of users and a span of items; it prepares the users once and goes through the
//! items a panel at a time, small enough to stay in its cache while all the users meet it.

use super::{Call, Options, batched_cosine_similarity, check_shape, rows_per_block};
use crate::blocks::{Block, Blocks};
use crate::error::Error;
use crate::kernel::Kernels;
use crate::kernel::panel::Panel;
use crate::kernel::range::Floor;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::view::{Batches, Rows, ScoreRow};
use ndarray::{ArrayViewMut2, Axis};

/// Users in a panel: enough that packing an item is little beside scoring it.
const USERS: usize = 64;
/// Items in a panel: enough that the users are packed seldom, and each row's scores are long.
const ITEMS: usize = 256;
/// Bytes of a panel: half of a small second-level cache.
const PANEL_BYTES: usize = 128 << 10;
/// How often the tile kernel uses an element it has loaded, as against the row kernel's once.
pub(super) const REUSE: usize = 8;
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
pub fn cosine_similarity<'a, E: Real>(
    x: impl Into<Rows<'a, E>>,
    y: impl Into<Rows<'a, E>>,
    scores: ArrayViewMut2<'_, E>,
    options: &Options<'_>,
) -> Result<(), Error> {
    let (x, y) = (x.into(), y.into());
    let ([users, dim], items) = (x.shape(), y.count());
    check_shape("y", &y.shape(), &[items, dim])?;
    check_shape("scores", scores.shape(), &[users, items])?;
    if !panels_pay(users, dim) {
        return batched_cosine_similarity(x, Batches::alike(y, users), scores, options);
    }
    let call = Call::<E>::new(options)?;

    let panels = Panels::new(&call, dim);
    let shape = (panels.users, panels.span(panels.users, dim));
    let score_block = |mut block: Block<'_, E>| panels.score(x, y, &mut block);
    let block_count = Blocks::<E>::count((users, items), shape);
    let threads = call.threads_for(elements_read(users, items, dim));
    for_each(Blocks::new(scores, shape), block_count, threads, call.interrupted, score_block)
}

/// How a block of a full matrix is scored: by which kernels, in panels of how many rows.
pub(crate) struct Panels<E: Clone + 'static> {
    kernels: &'static Kernels<E>,
    floor: Floor<E>,
    pub(crate) users: usize,
    pub(crate) items: usize,
}

impl<E: Real> Panels<E> {
    pub(crate) fn new(call: &Call<'_, E>, dim: usize) -> Self {
        let (users, items) = (panel_rows::<E>(dim, USERS), panel_rows::<E>(dim, ITEMS));
        Self { kernels: call.kernels, floor: call.floor, users, items }
    }

    /// Items in a block of so many users: panels of about [`BLOCK_WORK`], or what is read at once.
    pub(crate) fn span(&self, users: usize, dim: usize) -> usize {
        if !panels_pay(users, dim) {
            return rows_per_block::<E>(dim);
        }
        let users = users.max(16); // of fewer, packing their items is most of the work
        (BLOCK_WORK / (users * dim.max(1))).max(1).next_multiple_of(self.items)
    }

    /// Scores the block's rows of `x` against its columns' rows of `y`.
    pub(crate) fn score(&self, x: Rows<'_, E>, y: Rows<'_, E>, block: &mut Block<'_, E>) {
        if !panels_pay(block.scores.nrows(), x.dim()) {
            return self.score_row_by_row(x, y, block);
        }
        let columns = block.scores.ncols();
        let (mut users, mut items) = (Panel::new(), Panel::new());
        let mut first_user = block.first_row;
        for mut scores in block.scores.axis_chunks_iter_mut(Axis(0), self.users) {
            let next_user = first_user + scores.nrows();
            self.kernels.fill_users(&mut users, x, first_user..next_user, self.floor);
            first_user = next_user;
            let mut rows: Vec<_> = scores.rows_mut().into_iter().map(ScoreRow::new).collect();
            for column in (0..columns).step_by(self.items) {
                let first_item = block.first_column + column;
                let next_item = first_item + self.items.min(columns - column);
                self.kernels.fill_items(&mut items, y, first_item..next_item, self.floor);
                self.kernels.score_tiles(&users, &items, &mut rows, column);
            }
        }
    }

    /// The same where panels do not pay.
    fn score_row_by_row(&self, x: Rows<'_, E>, y: Rows<'_, E>, block: &mut Block<'_, E>) {
        let mut scratch = Vec::new();
        let y = y.range(block.first_column..block.first_column + block.scores.ncols());
        for (row, scores) in block.scores.rows_mut().into_iter().enumerate() {
            let user = x.row(block.first_row + row, &mut scratch);
            self.kernels.score_rows(user, y, self.floor, ScoreRow::new(scores));
        }
    }
}

/// Whether packing panels is worth it; if not, each user reads the items anew, row by row.
fn panels_pay(users: usize, dim: usize) -> bool {
    users > FEW_USERS && dim <= LONG
}

/// How many elements so many users read of so many items.
pub(crate) fn elements_read(users: usize, items: usize, dim: usize) -> usize {
    let all = users.saturating_mul(items).saturating_mul(dim);
    if panels_pay(users, dim) { all / REUSE } else { all }
}

/// How many rows of `dim` elements make a panel of at most `most`: whole groups of sixteen.
fn panel_rows<E>(dim: usize, most: usize) -> usize {
    (PANEL_BYTES / dim.saturating_mul(size_of::<E>()).max(1)).clamp(16, most) / 16 * 16
}
