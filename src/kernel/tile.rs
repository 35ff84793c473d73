//! Panels of users against panels of items: the compute-bound kernel of the full matrix.
//!
//! Every score owns its sixteen lanes, so that its bits are those of a score computed alone. A
//! register tile holds the lanes of `USERS` × `ITEMS` scores; each step loads one group of sixteen
//! elements of each row and uses it for all the others. The reductions are folded per user: four
//! items' lanes at once, then sixteen items' sums, whose epilogue and store are one vector each.

// Loops over registers go by index: they unroll, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Load};
use super::panel::{Group, Panel};
use super::real::Real;
use crate::view::ScoreRow;

/// Scores every user of one panel against every item of another. `scores` has a row a user;
/// `first_item` is the place of the panel's first item in it.
#[inline(always)]
pub(crate) fn score_tiles<E: Real, L, const USERS: usize, const ITEMS: usize>(
    lanes: L,
    users: &Panel<E>,
    items: &Panel<E>,
    scores: &mut [ScoreRow<'_, E>],
    first_item: usize,
) where
    L: Load<E, E>,
{
    let (item_squares, _) = items.squares.as_chunks::<LANES>();
    let row_groups = users.groups;
    for (tile, rows) in scores.chunks_mut(USERS).enumerate() {
        let tile_users = &users.elements[tile * USERS * row_groups..][..USERS * row_groups];
        let user_squares = &users.squares[tile * USERS..];
        for (group, squares) in item_squares.iter().enumerate() {
            let first = group * LANES;
            let group_items = &items.elements[first * row_groups..][..LANES * row_groups];
            let dots = group_dots::<E, L, USERS, ITEMS>(lanes, tile_users, group_items);
            let squares = lanes.load(squares);
            for user in 0..rows.len() {
                let user_square = lanes.splat(user_squares[user]);
                let group_scores = lanes.store(lanes.cosine(dots[user], squares, user_square));
                let count = LANES.min(items.count - first);
                rows[user].write(first_item + first, &group_scores, count);
            }
        }
    }
}

/// The dot products of a tile's users with sixteen items, a vector a user.
#[inline(always)]
fn group_dots<E: Real, L, const USERS: usize, const ITEMS: usize>(
    lanes: L,
    users: &[Group<E>],
    items: &[Group<E>],
) -> [L::Vector; USERS]
where
    L: Load<E, E>,
{
    let mut quarters = [[lanes.zero(); 4]; USERS];
    for quarter in 0..4 {
        let quarter_groups = items.len() / 4;
        let items = &items[quarter * quarter_groups..][..quarter_groups];
        let mut dots = [[lanes.zero(); 4]; USERS];
        for tile in 0..4 / ITEMS {
            let tile_groups = quarter_groups / (4 / ITEMS);
            let items = &items[tile * tile_groups..][..tile_groups];
            let sums = tile_dots::<E, L, USERS, ITEMS>(lanes, users, items);
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
    users: &[Group<E>],
    items: &[Group<E>],
) -> [[L::Vector; ITEMS]; USERS]
where
    L: Load<E, E>,
{
    let mut sums = [[lanes.zero(); ITEMS]; USERS];
    let mut item_vectors = [lanes.zero(); ITEMS];
    let (users, items) = (users.as_chunks::<USERS>().0, items.as_chunks::<ITEMS>().0);
    for (users, items) in users.iter().zip(items) {
        for item in 0..ITEMS {
            item_vectors[item] = lanes.load(&items[item].0);
        }
        for user in 0..USERS {
            let user_vector = lanes.load(&users[user].0);
            for item in 0..ITEMS {
                sums[user][item] =
                    lanes.multiply_add(user_vector, item_vectors[item], sums[user][item]);
            }
        }
    }
    sums
}
