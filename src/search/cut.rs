//! How a scan is cut into blocks, so that what a block works with stays in the caches: the codes of its
//! users and items, and the rows of those items that are scored for several users.

use super::grid::Grid;
use crate::kernel::scan::GROUP;

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
/// How many blocks there are then for each thread. A block costs 0.4 µs beside its reading, but one that
/// is late must not keep the others waiting for long.
const BLOCKS_OF_FEW: usize = 3;
/// Bytes of the codes of a block's items then: not so many that a search could hardly be interrupted.
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
    let cached = (SPAN_BYTES / dim.max(1)).clamp(4 * GROUP, MOST_ITEMS);
    let even = items.div_ceil(threads.saturating_mul(BLOCKS_OF_FEW));
    let read_once = even.min(MOST_BYTES / dim.max(1));
    let span = if prepared && users <= FEW_USERS { cached.max(read_once) } else { cached };
    let span = span.next_multiple_of(GROUP);
    let few_items = threads.saturating_mul(BLOCKS_A_THREAD).div_ceil(items.div_ceil(span));
    let panels = if prepared { few_items.max(threads.min(users / WORTH_A_PANEL)) } else { 1 };
    let share = users.div_ceil(panels);
    let most = (PANEL_BYTES / dim.max(1)).clamp(ROUND, PANEL) / ROUND * ROUND;
    Grid { users, items, panel: share.next_multiple_of(GROUP).min(most).min(users), span }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::quantise::MOST_CODES;

    #[test]
    fn there_is_a_block_for_each_thread_if_there_are_users_enough() {
        let panel = |users, items, threads, prepared| {
            let grid = grid((users, items, 64), threads, prepared);
            (grid.panel, grid.items.div_ceil(grid.span) * grid.users.div_ceil(grid.panel))
        };
        assert_eq!(panel(256, 1800, 2, true), (64, 4));
        assert_eq!(panel(256, 1800, 2, false), (256, 1));
        assert_eq!(panel(20, 1800, 8, true), (16, 2));
        assert_eq!(panel(1, 1800, usize::MAX, true), (1, 1));
        assert_eq!(panel(1000, 1 << 20, 8, true), (128, 8 * 128));
        assert_eq!(panel(100, 1 << 20, 8, true), (100, 128));
    }

    #[test]
    fn few_users_have_few_blocks() {
        let span = |users, items, prepared| grid((users, items, 64), 2, prepared).span;
        assert_eq!(span(1, 100_000, true), 16_672);
        assert_eq!(span(16, 100_000, true), 16_672);
        assert_eq!(span(17, 100_000, true), 8192);
        assert_eq!(span(1, 100_000, false), 8192);
        assert_eq!(span(1, 1000, true), 8192);
        assert_eq!(span(1, 1 << 30, true), 262_144);
    }

    #[test]
    fn blocks_of_long_vectors_are_small() {
        let grid = grid((1000, 100_000, MOST_CODES), 2, true);
        assert_eq!((grid.panel, grid.span), (32, 64));
    }
}
