//! Panels of users against panels of items: the compute-bound kernel of the full matrix.
//!
//! Every score owns its sixteen lanes, so that its bits are those of a score computed alone. A
//! register tile holds the lanes of `USERS` × `ITEMS` scores; each step loads one group of sixteen
//! elements of each row and uses it for all the others. The reductions are folded per user: four
//! items' lanes at once, then sixteen items' sums, whose epilogue and store are one vector each.

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
    let user_tiles = users.rows.chunks(USERS).zip(users.squares.chunks(USERS));
    for ((tile_users, user_squares), rows) in user_tiles.zip(scores.chunks_mut(USERS)) {
        let tile_users = slices::<_, USERS>(tile_users);
        for (group, group_items) in items.rows.chunks(LANES).enumerate() {
            let dots = tile_group::<E, L, USERS, ITEMS>(lanes, tile_users, group_items);
            let (squares, _) = items.squares[group * LANES..].as_chunks::<LANES>();
            let squares = lanes.load(&squares[0]);
            for ((dots, &user_square), row) in dots.into_iter().zip(user_squares).zip(&mut *rows) {
                let scores = lanes.cosine(dots, squares, lanes.splat(user_square));
                let scores = lanes.store(scores);
                row.write(first_item + group * LANES, &scores[..group_items.len()]);
            }
        }
    }
}

/// The rows of a tile. Where fewer are left, the last one fills the other places: its scores are
/// computed again and not written.
#[inline(always)]
fn slices<'a, E: Clone, const COUNT: usize>(rows: &'a [Cow<'_, [E]>]) -> [&'a [E]; COUNT] {
    std::array::from_fn(|place| &*rows[place.min(rows.len() - 1)])
}

/// The dot products of a tile's users with up to sixteen items, a vector a user.
#[inline(always)]
fn tile_group<E: Real, L, const USERS: usize, const ITEMS: usize>(
    lanes: L,
    users: [&[E]; USERS],
    items: &[Cow<'_, [E]>],
) -> [L::Vector; USERS]
where
    L: Load<E, E>,
{
    let mut quarters = [[lanes.zero(); 4]; USERS];
    for (quarter, items) in items.chunks(4).enumerate() {
        let mut dots = [[lanes.zero(); 4]; USERS];
        for (tile, items) in items.chunks(ITEMS).enumerate() {
            let sums = tile_dots::<E, L, USERS, ITEMS>(lanes, users, slices::<_, ITEMS>(items));
            for (dots, sums) in dots.iter_mut().zip(sums) {
                dots[tile * ITEMS..][..ITEMS].copy_from_slice(&sums);
            }
        }
        for (quarters, dots) in quarters.iter_mut().zip(dots) {
            quarters[quarter] = lanes.fold_rows(dots);
        }
    }
    quarters.map(|quarters| lanes.fold_quarters(quarters))
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
    let mut sums = [[lanes.zero(); ITEMS]; USERS];
    let whole = users[0].len() / LANES;
    let user_groups = users.map(|row| &row.as_chunks::<LANES>().0[..whole]);
    let item_groups = items.map(|row| &row.as_chunks::<LANES>().0[..whole]);
    for group in 0..whole {
        let items = item_groups.map(|row| lanes.load(&row[group]));
        for (sums, row) in sums.iter_mut().zip(user_groups) {
            let user = lanes.load(&row[group]);
            for (sum, item) in sums.iter_mut().zip(items) {
                *sum = lanes.multiply_add(user, item, *sum);
            }
        }
    }
    if users[0].len() % LANES != 0 {
        let items = items.map(|row| lanes.load_first(&row[whole * LANES..]));
        for (sums, row) in sums.iter_mut().zip(users) {
            let user = lanes.load_first(&row[whole * LANES..]);
            for (sum, item) in sums.iter_mut().zip(items) {
                *sum = lanes.multiply_add(user, item, *sum);
            }
        }
    }
    sums
}
