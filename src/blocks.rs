//! The output, cut into blocks: what one thread takes at a time.
//!
//! A block owns its part of the output, so threads that write different blocks need no trust:
//! the borrow checker sees that the parts are disjoint. Blocks are cut one by one, as they are
//! asked for.

use ndarray::{ArrayViewMut2, Axis};

/// A part of the output, and where in the whole it lies.
pub(crate) struct Block<'a, E> {
    pub(crate) first_row: usize,
    pub(crate) first_column: usize,
    pub(crate) scores: ArrayViewMut2<'a, E>,
}

/// Cuts an output into blocks, row panel by row panel, so that threads own what they write.
pub(crate) struct Blocks<'a, E> {
    shape: (usize, usize),
    panel: Block<'a, E>,
    rest: ArrayViewMut2<'a, E>,
}

impl<'a, E> Blocks<'a, E> {
    /// Blocks of at most `shape`, which has no zero.
    pub(crate) fn new(scores: ArrayViewMut2<'a, E>, shape: (usize, usize)) -> Self {
        let (none, rest) = scores.split_at(Axis(0), 0);
        Self { shape, panel: Block { first_row: 0, first_column: 0, scores: none }, rest }
    }

    /// How many blocks a `(rows, columns)` output is cut into.
    pub(crate) fn count(output: (usize, usize), shape: (usize, usize)) -> usize {
        output.0.div_ceil(shape.0).saturating_mul(output.1.div_ceil(shape.1))
    }
}

/// Takes up to `count` of `view` along `axis` off its front.
fn split_off<'a, E>(
    view: &mut ArrayViewMut2<'a, E>,
    axis: usize,
    count: usize,
) -> ArrayViewMut2<'a, E> {
    let whole = std::mem::replace(view, ArrayViewMut2::from_shape((0, 0), &mut []).expect("empty"));
    let count = count.min(whole.shape()[axis]);
    let (front, rest) = whole.split_at(Axis(axis), count);
    *view = rest;
    front
}

impl<'a, E> Iterator for Blocks<'a, E> {
    type Item = Block<'a, E>;

    fn next(&mut self) -> Option<Block<'a, E>> {
        if self.panel.scores.is_empty() {
            if self.rest.is_empty() {
                return None;
            }
            self.panel.first_row += self.panel.scores.nrows();
            self.panel.first_column = 0;
            self.panel.scores = split_off(&mut self.rest, 0, self.shape.0);
        }
        let (first_row, first_column) = (self.panel.first_row, self.panel.first_column);
        let scores = split_off(&mut self.panel.scores, 1, self.shape.1);
        self.panel.first_column += scores.ncols();
        Some(Block { first_row, first_column, scores })
    }
}
