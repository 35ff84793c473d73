//! Panels of users against panels of items: the compute-bound kernel of the full matrix.
//!
//! Every score owns its sixteen lanes, so that its bits are those of a score computed alone. A
//! register tile holds the lanes of `USERS` × `ITEMS` scores; each step loads one group of sixteen
//! elements of each row and uses it for all the others. The reductions are folded per user: four
//! items' lanes at once, then sixteen items' sums, whose epilogue and store are one vector each.

// Loops over registers go by index: they unroll, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Load};
use super::range::{Floor, out_of_range, places, prepare, square_lanes};
use super::real::Real;
use crate::view::{Rows, ScoreRow};
use std::borrow::Cow;
use std::ops::Range;

/// Rows ready to be scored many times: in range and contiguous, with their squares. Rows that are
/// so already stay where they are; only the others are copied.
pub(crate) struct Panel<'a, E: Clone> {
    rows: Vec<Cow<'a, [E]>>,
    squares: Vec<E>,
}

/// Prepares some rows.
#[inline(always)]
pub(crate) fn panel<'a, E: Real, L>(
    lanes: L,
    rows: Rows<'a, E>,
    range: Range<usize>,
    floor: Floor<E>,
) -> Panel<'a, E>
where
    L: Load<E, E>,
{
    let mut rows: Vec<_> = range.map(|index| rows.owned_row(index)).collect();
    let mut squares = Vec::with_capacity(rows.len().next_multiple_of(LANES));
    for group in rows.chunks_mut(LANES) {
        let sums = lanes.at_least(group_squares(lanes, group), lanes.splat(floor.square));
        let mut sums_rescued = lanes.store(sums);
        for place in places(out_of_range(lanes, sums, group.len())) {
            let mut scaled = Vec::new();
            sums_rescued[place] = prepare(lanes, &group[place], floor, &mut scaled).square;
            if !scaled.is_empty() {
                group[place] = Cow::Owned(scaled);
            }
        }
        squares.extend_from_slice(&sums_rescued);
    }
    Panel { rows, squares }
}

/// The squares of up to sixteen rows.
#[inline(always)]
fn group_squares<E: Real, L>(lanes: L, rows: &[Cow<'_, [E]>]) -> L::Vector
where
    L: Load<E, E>,
{
    let mut quarters = [lanes.zero(); 4];
    for (quarter, rows) in quarters.iter_mut().zip(rows.chunks(4)) {
        let mut squares = [lanes.zero(); 4];
        for (square, row) in squares.iter_mut().zip(rows) {
            *square = square_lanes(lanes, row);
        }
        *quarter = lanes.fold_rows(squares);
    }
    lanes.fold_quarters(quarters)
}

/// Scores every user of one panel against every item of another. `scores` has a row a user;
/// `first_item` is the place of the panel's first item in it.
#[inline(always)]
pub(crate) fn score_tiles<E: Real, L, const USERS: usize, const ITEMS: usize>(
    lanes: L,
    users: &Panel<'_, E>,
    items: &Panel<'_, E>,
    scores: &mut [ScoreRow<'_, E>],
    first_item: usize,
) where
    L: Load<E, E>,
{
    let item_rows: Vec<&[E]> = items.rows.iter().map(|row| &**row).collect();
    let user_rows: Vec<&[E]> = users.rows.iter().map(|row| &**row).collect();
    let user_tiles = user_rows.chunks(USERS).zip(users.squares.chunks(USERS));
    for ((tile_users, user_squares), rows) in user_tiles.zip(scores.chunks_mut(USERS)) {
        let tile_users = slices::<_, USERS>(tile_users);
        for (group, group_items) in item_rows.chunks(LANES).enumerate() {
            let dots = tile_group::<E, L, USERS, ITEMS>(lanes, tile_users, group_items);
            let (squares, _) = items.squares[group * LANES..].as_chunks::<LANES>();
            let squares = lanes.load(&squares[0]);
            for user in 0..rows.len() {
                let user_square = lanes.splat(user_squares[user]);
                let scores = lanes.store(lanes.cosine(dots[user], squares, user_square));
                rows[user].write(first_item + group * LANES, &scores, group_items.len());
            }
        }
    }
}

/// The rows of a tile. Where fewer are left, the last one fills the other places: its scores are
/// computed again and not written.
#[inline(always)]
fn slices<'a, E, const COUNT: usize>(rows: &[&'a [E]]) -> [&'a [E]; COUNT] {
    std::array::from_fn(|place| rows[place.min(rows.len() - 1)])
}

/// The dot products of a tile's users with up to sixteen items, a vector a user.
#[inline(always)]
fn tile_group<E: Real, L, const USERS: usize, const ITEMS: usize>(
    lanes: L,
    users: [&[E]; USERS],
    items: &[&[E]],
) -> [L::Vector; USERS]
where
    L: Load<E, E>,
{
    let mut quarters = [[lanes.zero(); 4]; USERS];
    for (quarter, items) in items.chunks(4).enumerate() {
        let mut dots = [[lanes.zero(); 4]; USERS];
        for (tile, items) in items.chunks(ITEMS).enumerate() {
            let sums = tile_dots::<E, L, USERS, ITEMS>(lanes, users, slices::<_, ITEMS>(items));
            for user in 0..USERS {
                for item in 0..ITEMS {
                    dots[user][tile * ITEMS + item] = sums[user][item];
                }
            }
        }
        for user in 0..USERS {
            quarters[user][quarter] = lanes.fold_rows(dots[user]);
        }
    }
    let mut sums = [lanes.zero(); USERS];
    for user in 0..USERS {
        sums[user] = lanes.fold_quarters(quarters[user]);
    }
    sums
}

/// The lanes of the dot products of `USERS` × `ITEMS` rows.
#[inline(always)]
fn tile_dots<E: Real, L, const USERS: usize, const ITEMS: usize>(
    lanes: L,
    users: [&[E]; USERS],
    items: [&[E]; ITEMS],
) -> [[L::Vector; ITEMS]; USERS]
where
    L: Load<E, E>,
{
    let whole = users[0].len() / LANES;
    let (user_groups, item_groups) = (groups(users, whole), groups(items, whole));
    let mut sums = [[lanes.zero(); ITEMS]; USERS];
    let mut item_vectors = [lanes.zero(); ITEMS];
    for group in 0..whole {
        for item in 0..ITEMS {
            item_vectors[item] = lanes.load(&item_groups[item][group]);
        }
        for user in 0..USERS {
            let user_vector = lanes.load(&user_groups[user][group]);
            for item in 0..ITEMS {
                sums[user][item] =
                    lanes.multiply_add(user_vector, item_vectors[item], sums[user][item]);
            }
        }
    }
    if users[0].len() % LANES != 0 {
        for item in 0..ITEMS {
            item_vectors[item] = lanes.load_first(&items[item][whole * LANES..]);
        }
        for user in 0..USERS {
            let user_vector = lanes.load_first(&users[user][whole * LANES..]);
            for item in 0..ITEMS {
                sums[user][item] =
                    lanes.multiply_add(user_vector, item_vectors[item], sums[user][item]);
            }
        }
    }
    sums
}

/// The whole groups of sixteen elements of some rows, all of one length that the compiler sees.
#[inline(always)]
fn groups<E, const COUNT: usize>(rows: [&[E]; COUNT], whole: usize) -> [&[[E; LANES]]; COUNT] {
    rows.map(|row| &row.as_chunks::<LANES>().0[..whole])
}
