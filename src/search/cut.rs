//! How a scan is cut into blocks, so that what a block works with stays in the caches: the codes of its
//! users and items, and the rows of those items that are scored for several users.

use super::grid::{Grid, parts};
use crate::kernel::scan::GROUP;
use std::ops::Range;

/// Users in a block, if their codes are not too long: enough that an item's row is scored for
/// several of them.
const PANEL: usize = 256;
/// Users that are worth going over the items for.
const WORTH_A_PANEL: usize = 64;
/// Bytes of the codes of a block's users.
const PANEL_BYTES: usize = 256 << 10;
/// Bytes of the codes of a block's items.
const SPAN_BYTES: usize = 512 << 10;
/// Items in a block, at the most.
const MOST_ITEMS: usize = 8192;

/// So few users go over a block's codes but once, and nothing is gained by having them in a cache.
const FEW_USERS: usize = GROUP;
/// Bytes of the codes of a block's items then, at the least: the more of these if threads have blocks enough, as
/// a block costs 0.4 µs beside its reading.
const LEAST_BYTES: Range<usize> = SPAN_BYTES..1 << 20;
/// And at the most, so that a search can be interrupted.
const MOST_BYTES: usize = 16 << 20;

/// The blocks of a scan. There is a panel for each thread if that leaves it users enough, and
/// if items are few, users are cut finer, so that no thread goes without a block. But codes that are
/// not prepared would be made by each panel, and few users have few blocks.
pub(super) fn grid(
    (users, items, dim): (usize, usize, usize),
    threads: usize,
    prepared: bool,
) -> Grid {
    const BLOCKS_A_THREAD: usize = 2;
    const ROUND: usize = 2 * GROUP; // users of a tile, at the most
    if prepared && users <= FEW_USERS {
        return Grid { users, items, panel: users, spans: halving(items, dim, threads) };
    }
    let span = (SPAN_BYTES / dim.max(1)).clamp(4 * GROUP, MOST_ITEMS).next_multiple_of(GROUP);
    let few_items = threads.saturating_mul(BLOCKS_A_THREAD).div_ceil(items.div_ceil(span));
    let panels = if prepared { few_items.max(threads.min(users / WORTH_A_PANEL)) } else { 1 };
    let share = users.div_ceil(panels);
    let most = (PANEL_BYTES / dim.max(1)).clamp(ROUND, PANEL) / ROUND * ROUND;
    let panel = share.next_multiple_of(GROUP).min(most).min(users);
    Grid { users, items, panel, spans: parts(span, items) }
}

/// Spans of which each is a thread's share of half of what is left: few, and the last ones short, so that
/// no thread waits for long until another one is done with its own.
fn halving(items: usize, dim: usize, threads: usize) -> Vec<Range<usize>> {
    const LEAST_BLOCKS_A_THREAD: usize = 3;
    let holding = |bytes: usize| bytes / dim.max(1);
    let even = items.div_ceil(threads.saturating_mul(LEAST_BLOCKS_A_THREAD));
    let least = even.clamp(holding(LEAST_BYTES.start), holding(LEAST_BYTES.end));
    let mut spans = Vec::new();
    let mut first = 0;
    while first < items {
        let share = (items - first) / threads.saturating_mul(2);
        let length = share.clamp(least, holding(MOST_BYTES)).next_multiple_of(GROUP);
        let end = (first + length).min(items);
        spans.push(first..end);
        first = end;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::quantise::MOST_CODES;

    #[test]
    fn there_is_a_block_for_each_thread_if_there_are_users_enough() {
        let panel = |users, items, threads, prepared| {
            let grid = grid((users, items, 64), threads, prepared);
            (grid.panel, grid.spans.len() * grid.users.div_ceil(grid.panel))
        };
        assert_eq!(panel(256, 1800, 2, true), (64, 4));
        assert_eq!(panel(256, 1800, 2, false), (256, 1));
        assert_eq!(panel(20, 1800, 8, true), (16, 2));
        assert_eq!(panel(1, 1800, usize::MAX, true), (1, 1));
        assert_eq!(panel(1000, 1 << 20, 8, true), (128, 8 * 128));
        assert_eq!(panel(100, 1 << 20, 8, true), (100, 128));
    }

    /// How many blocks there are, how long the first is, and the longest of the last, one a thread.
    fn blocks(shape: (usize, usize, usize), threads: usize, prepared: bool) -> [usize; 3] {
        let spans = grid(shape, threads, prepared).spans;
        let ends = spans.iter().map(|span| span.end);
        assert!(
            spans.iter().map(|span| span.start).eq([0].into_iter().chain(ends).take(spans.len()))
        );
        assert!(spans.last().is_some_and(|last| last.end == shape.1));
        let last = spans.iter().rev().take(threads).map(Range::len).max();
        [spans.len(), spans[0].len(), last.unwrap()]
    }

    #[test]
    fn few_users_have_few_blocks_and_short_ones_at_the_end() {
        for users in [1, 16] {
            assert_eq!(blocks((users, 1_000_000, 64), 2, true), [14, 250_000, 16_384]);
            assert_eq!(blocks((users, 1_000_000, 64), 8, true), [37, 62_512, 16_384]);
        }
        assert_eq!(blocks((17, 1_000_000, 64), 2, true), [123, 8192, 8192]);
        assert_eq!(blocks((1, 1_000_000, 64), 2, false), [123, 8192, 8192]);
        assert_eq!(blocks((1, 60_000, 64), 2, true), [6, 15_008, 10_000]);
        assert_eq!(blocks((1, 1000, 64), 2, true), [1, 1000, 1000]);
        assert_eq!(blocks((1, 1 << 30, 64), 2, true)[1..], [262_144, 16_384]);
    }

    #[test]
    fn blocks_of_long_vectors_are_small() {
        let grid = grid((1000, 100_000, MOST_CODES), 2, true);
        assert_eq!((grid.panel, grid.spans[0].len()), (32, 64));
        assert_eq!(blocks((1, 100_000, MOST_CODES), 2, true)[1..], [2048, 128]);
    }
}
