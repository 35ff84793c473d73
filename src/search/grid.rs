//! How a search is cut into blocks: a panel of users by a span of items.
//!
//! As many panels as there are threads go over the items side by side. So a user's blocks come one
//! after the other, each with the threshold that the last one has left; and threads that are at
//! the same items share what of them is in the cache.

use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::Call;
use std::ops::Range;

/// The blocks of a search.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) users: usize,
    pub(super) items: usize,
    /// Users in a block.
    pub(super) panel: usize,
    /// The items of each block.
    pub(super) spans: Vec<Range<usize>>,
}

impl Grid {
    /// Searches each block, by as many threads as reading so many elements deserves.
    pub(super) fn each<E: Real>(
        &self,
        call: &Call<'_, E>,
        elements: usize,
        search: impl Fn(Range<usize>, Range<usize>) + Sync,
    ) -> Result<(), Error> {
        let blocks = self.users.div_ceil(self.panel) * self.spans.len();
        let threads = call.threads_for(elements);
        for_each(0..blocks, blocks, threads, call.interrupted, |block| {
            let (panel, span) = self.place(block, threads);
            search(part(panel, self.panel, self.users), self.spans[span].clone());
        })
    }

    /// The panel and the span of a block, if so many panels go side by side, or as are left.
    fn place(&self, block: usize, abreast: usize) -> (usize, usize) {
        let (panels, spans) = (self.users.div_ceil(self.panel), self.spans.len());
        let first = block / abreast.saturating_mul(spans) * abreast;
        let (abreast, block) = (abreast.min(panels - first), block - first * spans);
        (first + block % abreast, block / abreast)
    }
}

/// Cuts `0..count` into parts of `length`.
pub(super) fn parts(length: usize, count: usize) -> Vec<Range<usize>> {
    (0..count.div_ceil(length)).map(|index| part(index, length, count)).collect()
}

/// One of these parts.
pub(super) fn part(index: usize, length: usize, count: usize) -> Range<usize> {
    (index * length).min(count)..((index + 1) * length).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_whole() {
        assert_eq!(parts(3, 8), [0..3, 3..6, 6..8]);
        assert_eq!(parts(3, 0), []);
        assert_eq!(part(3, 3, 8), 8..8);
    }

    #[test]
    fn panels_go_side_by_side() {
        let grid = Grid { users: 5, items: 3, panel: 2, spans: parts(2, 3) };
        let places: Vec<_> = (0..6).map(|block| grid.place(block, 2)).collect();
        assert_eq!(places, [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 1)]);
        for abreast in [1, 3, usize::MAX] {
            let mut places: Vec<_> = (0..6).map(|block| grid.place(block, abreast)).collect();
            places.sort_unstable();
            assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)], "{abreast}");
        }
    }
}
