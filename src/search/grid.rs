//! How a search is cut into blocks: a panel of users by a span of items.

use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::Call;
use std::ops::Range;

/// The blocks of a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) users: usize,
    pub(super) items: usize,
    /// Users in a block.
    pub(super) panel: usize,
    /// Items in a block.
    pub(super) span: usize,
}

impl Grid {
    /// Searches each block, by as many threads as reading so many elements deserves.
    pub(super) fn each<E: Real>(
        &self,
        call: &Call<'_, E>,
        elements: usize,
        search: impl Fn(Range<usize>, Range<usize>) + Sync,
    ) -> Result<(), Error> {
        let spans = self.items.div_ceil(self.span);
        let blocks = self.users.div_ceil(self.panel) * spans;
        for_each(0..blocks, blocks, call.threads_for(elements), call.interrupted, |block| {
            let users = part(block / spans, self.panel, self.users);
            search(users, part(block % spans, self.span, self.items));
        })
    }
}

/// Cuts `0..count` into parts of `length`.
pub(super) fn part(index: usize, length: usize, count: usize) -> Range<usize> {
    (index * length).min(count)..((index + 1) * length).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_whole() {
        let parts: Vec<_> = (0..4).map(|index| part(index, 3, 8)).collect();
        assert_eq!(parts, [0..3, 3..6, 6..8, 8..8]);
    }
}
