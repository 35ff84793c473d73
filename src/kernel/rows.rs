//! One user against rows of items: the memory-bound kernel.
//!
//! Each item row is read once, in address order, one row after the other, into two accumulators:
//! its dot product with the user and its own square. (Walking several rows side by side defeats
//! the prefetcher and was slower from memory.) The reductions, the square root and the division
//! are shared by a group of sixteen rows.

use super::lanes::{LANES, Load};
use super::range::{Floor, Prepared, out_of_range, places, prepare};
use super::real::Real;
use crate::view::{Rows, ScoreRow};

/// Scores one user against every row of `items`.
#[inline(always)]
pub(crate) fn score_rows<E: Real, L>(
    lanes: L,
    user: &[E],
    items: Rows<'_, E>,
    floor: Floor<E>,
    mut scores: ScoreRow<'_, E>,
) where
    L: Load<E, E>,
{
    assert_eq!(user.len(), items.dim());
    let (mut scratch, mut scaled) = (Vec::new(), Vec::new());
    let user = prepare(lanes, user, floor, &mut scaled);
    let user_squares = lanes.splat(user.square);
    for first in (0..items.count()).step_by(LANES) {
        let count = LANES.min(items.count() - first);
        let (mut dots, squares) = group(lanes, user.elements, &items, first, count, &mut scratch);
        let mut squares = lanes.at_least(squares, lanes.splat(floor.square));
        let outside = out_of_range(lanes, squares, count);
        if outside != 0 {
            (dots, squares) =
                rescue_group(lanes, &user, &items, first, floor, outside, (dots, squares));
        }
        let group_scores = lanes.store(lanes.cosine(dots, squares, user_squares));
        scores.write(first, &group_scores, count);
    }
}

/// The dot products and squares of `count` rows from `first` on.
#[inline(always)]
fn group<E: Real, L, S: Copy>(
    lanes: L,
    user: &[E],
    items: &Rows<'_, S>,
    first: usize,
    count: usize,
    scratch: &mut Vec<S>,
) -> (L::Vector, L::Vector)
where
    L: Load<E, S> + Load<E, E>,
{
    let (mut dot_quarters, mut square_quarters) = ([lanes.zero(); 4], [lanes.zero(); 4]);
    for quarter in 0..4 {
        let (mut dots, mut squares) = ([lanes.zero(); 4], [lanes.zero(); 4]);
        let first = first + 4 * quarter;
        if let Some(rows) = items.contiguous_rows::<4>(first) {
            (dots[0], squares[0]) = dot_and_square(lanes, user, rows[0]);
            (dots[1], squares[1]) = dot_and_square(lanes, user, rows[1]);
            (dots[2], squares[2]) = dot_and_square(lanes, user, rows[2]);
            (dots[3], squares[3]) = dot_and_square(lanes, user, rows[3]);
        } else {
            for place in 0..count.saturating_sub(4 * quarter).min(4) {
                let item = items.row(first + place, scratch);
                (dots[place], squares[place]) = dot_and_square(lanes, user, item);
            }
        }
        dot_quarters[quarter] = lanes.fold_rows(dots);
        square_quarters[quarter] = lanes.fold_rows(squares);
    }
    (lanes.fold_quarters(dot_quarters), lanes.fold_quarters(square_quarters))
}

/// The lanes of a row's dot product with the user, and of its square.
#[inline(always)]
pub(crate) fn dot_and_square<E: Real, L, S>(
    lanes: L,
    user: &[E],
    item: &[S],
) -> (L::Vector, L::Vector)
where
    L: Load<E, S> + Load<E, E>,
{
    let (mut dot, mut square) = (lanes.zero(), lanes.zero());
    let (user_groups, user_rest) = user.as_chunks::<LANES>();
    let (item_groups, item_rest) = item.as_chunks::<LANES>();
    for (user, item) in user_groups.iter().zip(item_groups) {
        let item = lanes.load(item);
        dot = lanes.multiply_add(lanes.load(user), item, dot);
        square = lanes.multiply_add(item, item, square);
    }
    if !item_rest.is_empty() {
        let item = lanes.load_first(item_rest);
        dot = lanes.multiply_add(lanes.load_first(user_rest), item, dot);
        square = lanes.multiply_add(item, item, square);
    }
    (dot, square)
}

/// Does the rows with a bit in `outside` again, brought into range.
#[inline(always)]
fn rescue_group<E: Real, L>(
    lanes: L,
    user: &Prepared<'_, E>,
    items: &Rows<'_, E>,
    first: usize,
    floor: Floor<E>,
    outside: u16,
    (dots, squares): (L::Vector, L::Vector),
) -> (L::Vector, L::Vector)
where
    L: Load<E, E>,
{
    let (mut scratch, mut scaled) = (Vec::new(), Vec::new());
    let (mut dots, mut squares) = (lanes.store(dots), lanes.store(squares));
    for place in places(outside) {
        let item = prepare(lanes, items.row(first + place, &mut scratch), floor, &mut scaled);
        let (dot, _) = dot_and_square(lanes, user.elements, item.elements);
        dots[place] = lanes.sum(dot);
        squares[place] = item.square;
    }
    (lanes.load(&dots), lanes.load(&squares))
}
