//! Every row against every row of the same matrix: `(N, D)` to `(N, N)`, each score once.
//!
//! score(u, v) and score(v, u) are the same bits, so only the upper triangle is computed. The
//! output is a grid of square blocks; a block above the diagonal is scored, and while it is still
//! in the cache its transpose is written to the block across. A thread takes both blocks at once,
//! and so owns all that it writes.

use super::matrix::{Panels, REUSE};
use super::{Call, Options, check_shape, cosine_similarity};
use crate::blocks::Block;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::view::Rows;
use ndarray::{ArrayViewMut2, Axis};

/// Rows of a block, where there are not so many that the grid itself would be large.
const BLOCK: usize = 128;
/// Blocks along a side of the grid, at the most.
const MOST_BLOCKS: usize = 128;
/// With shorter vectors a score costs less than its mirroring: for 4,000 rows, the whole matrix took
/// 0.9 of the time at D = 32 and 1.15 times at 128.
const WORTH_MIRRORING: usize = 96;
/// Multiplications in a block, so that the calling thread comes to look for an interrupt: a fifth
/// of a second on the portable kernel.
const MOST_WORK: usize = 1 << 26;

/// Cosine scores of each row of `x` `(N, D)` with each of its rows, into `scores` `(N, N)`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, and the errors of the [`Options`].
pub fn self_cosine_similarity<'a, E: Real>(
    x: impl Into<Rows<'a, E>>,
    scores: ArrayViewMut2<'_, E>,
    options: &Options<'_>,
) -> Result<(), Error> {
    let x = x.into();
    let [count, dim] = x.shape();
    check_shape("scores", scores.shape(), &[count, count])?;
    let side = count.div_ceil(MOST_BLOCKS).next_multiple_of(BLOCK);
    let work = side.saturating_mul(side).saturating_mul(dim);
    if count <= BLOCK || dim < WORTH_MIRRORING || work > MOST_WORK {
        return cosine_similarity(x, x, scores, options);
    }
    let call = Call::<E>::new(options)?;

    let panels = Panels::new(&call, dim);
    let sides = count.div_ceil(side);
    let score_pair = |mut pair: Pair<'_, E>| {
        panels.score(x, x, &mut pair.upper);
        if let Some(lower) = &mut pair.lower {
            mirror(&pair.upper.scores, lower);
        }
    };
    let pairs = Pairs { grid: grid(scores, side), side, next: (0, 0) };
    let threads = call.threads_for(count.saturating_mul(count).saturating_mul(dim) / (2 * REUSE));
    for_each(pairs, sides * (sides + 1) / 2, threads, call.interrupted, score_pair)
}

/// Writes the transpose of `upper` to `lower`, in squares that stay in the nearest cache.
fn mirror<E: Real>(upper: &ArrayViewMut2<'_, E>, lower: &mut ArrayViewMut2<'_, E>) {
    const SQUARE: usize = 16;
    let mirrored = upper.t();
    for (mut to, from) in
        lower.axis_chunks_iter_mut(Axis(0), SQUARE).zip(mirrored.axis_chunks_iter(Axis(0), SQUARE))
    {
        for (mut to, from) in
            to.axis_chunks_iter_mut(Axis(1), SQUARE).zip(from.axis_chunks_iter(Axis(1), SQUARE))
        {
            to.assign(&from);
        }
    }
}

/// A block on or above the diagonal, and the one across, if that is another.
struct Pair<'a, E> {
    upper: Block<'a, E>,
    lower: Option<ArrayViewMut2<'a, E>>,
}

type Grid<'a, E> = Vec<Vec<Option<ArrayViewMut2<'a, E>>>>;

/// Hands out the pairs of a grid, row by row.
struct Pairs<'a, E> {
    grid: Grid<'a, E>,
    side: usize,
    next: (usize, usize),
}

impl<'a, E> Iterator for Pairs<'a, E> {
    type Item = Pair<'a, E>;

    fn next(&mut self) -> Option<Pair<'a, E>> {
        let (row, column) = self.next;
        let scores = self.grid.get_mut(row)?[column].take()?;
        let lower = self.grid[column][row].take(); // on the diagonal, the one just taken: none
        self.next =
            if column + 1 < self.grid.len() { (row, column + 1) } else { (row + 1, row + 1) };
        let upper = Block { first_row: row * self.side, first_column: column * self.side, scores };
        Some(Pair { upper, lower })
    }
}

/// Cuts a square matrix into square blocks.
fn grid<E>(scores: ArrayViewMut2<'_, E>, side: usize) -> Grid<'_, E> {
    cut(scores, 0, side)
        .into_iter()
        .map(|rows| cut(rows, 1, side).into_iter().map(Some).collect())
        .collect()
}

/// Cuts a matrix along an axis.
fn cut<E>(mut rest: ArrayViewMut2<'_, E>, axis: usize, side: usize) -> Vec<ArrayViewMut2<'_, E>> {
    let mut parts = Vec::with_capacity(rest.shape()[axis].div_ceil(side));
    while rest.shape()[axis] > side {
        let (part, others) = rest.split_at(Axis(axis), side);
        parts.push(part);
        rest = others;
    }
    parts.push(rest);
    parts
}
