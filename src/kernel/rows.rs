//! One user against rows of items: the memory-bound kernel.
//!
//! Each item row is read once, in address order, one row after the other, into two accumulators:
//! its dot product with the user and its own square. (Walking several rows side by side defeats
//! the prefetcher and was slower from memory.) The reductions, the square root and the division
//! are shared by a group of sixteen rows.

use super::lanes::{LANES, Lanes, Load};
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
    if let Some(rows) = items.contiguous_rows::<LANES>(first) {
        let (dots_0, squares_0) = quarter(lanes, user, [rows[0], rows[1], rows[2], rows[3]]);
        let (dots_1, squares_1) = quarter(lanes, user, [rows[4], rows[5], rows[6], rows[7]]);
        let (dots_2, squares_2) = quarter(lanes, user, [rows[8], rows[9], rows[10], rows[11]]);
        let (dots_3, squares_3) = quarter(lanes, user, [rows[12], rows[13], rows[14], rows[15]]);
        let dots = lanes.fold_quarters([dots_0, dots_1, dots_2, dots_3]);
        return (dots, lanes.fold_quarters([squares_0, squares_1, squares_2, squares_3]));
    }
    let (mut dot_quarters, mut square_quarters) = ([lanes.zero(); 4], [lanes.zero(); 4]);
    for quarter in 0..count.div_ceil(4) {
        let (mut dots, mut squares) = ([lanes.zero(); 4], [lanes.zero(); 4]);
        for place in 0..(count - 4 * quarter).min(4) {
            let item = items.row(first + 4 * quarter + place, scratch);
            (dots[place], squares[place]) = dot_and_square(lanes, user, item);
        }
        dot_quarters[quarter] = lanes.fold_rows(dots);
        square_quarters[quarter] = lanes.fold_rows(squares);
    }
    (lanes.fold_quarters(dot_quarters), lanes.fold_quarters(square_quarters))
}

/// Four rows, one after the other, to four lanes of each.
#[inline(always)]
fn quarter<E: Real, L, S>(lanes: L, user: &[E], rows: [&[S]; 4]) -> (L::Vector, L::Vector)
where
    L: Load<E, S> + Load<E, E>,
{
    let (dot_0, square_0) = dot_and_square(lanes, user, rows[0]);
    let (dot_1, square_1) = dot_and_square(lanes, user, rows[1]);
    let (dot_2, square_2) = dot_and_square(lanes, user, rows[2]);
    let (dot_3, square_3) = dot_and_square(lanes, user, rows[3]);
    let dots = lanes.fold_rows([dot_0, dot_1, dot_2, dot_3]);
    (dots, lanes.fold_rows([square_0, square_1, square_2, square_3]))
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
    let mut sums = (lanes.zero(), lanes.zero());
    let (user_groups, user_rest) = user.as_chunks::<LANES>();
    let (item_groups, item_rest) = item.as_chunks::<LANES>();
    // Four groups a step: a short row is then done without a branch to mispredict.
    let (user_steps, user_groups) = user_groups.as_chunks::<4>();
    let (item_steps, item_groups) = item_groups.as_chunks::<4>();
    for (user, item) in user_steps.iter().zip(item_steps) {
        for group in 0..4 {
            sums = step(lanes, lanes.load(&user[group]), lanes.load(&item[group]), sums);
        }
    }
    for (user, item) in user_groups.iter().zip(item_groups) {
        sums = step(lanes, lanes.load(user), lanes.load(item), sums);
    }
    if !item_rest.is_empty() {
        sums = step(lanes, lanes.load_first(user_rest), lanes.load_first(item_rest), sums);
    }
    sums
}

/// One group of sixteen elements more.
#[inline(always)]
fn step<E: Real, L: Lanes<E>>(
    lanes: L,
    user: L::Vector,
    item: L::Vector,
    (dot, square): (L::Vector, L::Vector),
) -> (L::Vector, L::Vector) {
    (lanes.multiply_add(user, item, dot), lanes.multiply_add(item, item, square))
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
