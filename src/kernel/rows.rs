//! One user against rows of items: the memory-bound kernel.
//!
//! Each item row is read once, in address order, one row after the other, into two accumulators:
//! its dot product with the user and its own square. (Walking several rows side by side defeats
//! the prefetcher and was slower from memory.) The reductions, the square root and the division
//! are shared by a group of sixteen rows.

use super::lanes::{LANES, Load};
use super::order::{InOrder, Listed, Order};
use super::range::{Floor, Prepared, out_of_range, places, prepare};
use super::real::Real;
use super::source::Source;
use super::user::{Held, InMemory, User, Whole, words_of};
use crate::view::{Rows, ScoreRow};

/// Scores one user against every row of `items`, which come as their `source` too.
#[inline(always)]
pub(crate) fn score_rows<'a, E: Real, L, S: Copy + 'a, T: Source<'a, S>>(
    lanes: L,
    user: &[E],
    (items, source): (Rows<'_, E>, T),
    floor: Floor<E>,
    scores: ScoreRow<'_, E>,
) where
    L: Load<E, E> + Load<E, S>,
{
    score(lanes, user, (items, source, InOrder(items.count())), floor, scores);
}

/// Scores one user against the rows of `items` that are `listed`.
#[inline(always)]
pub(crate) fn score_listed<'a, E: Real, L, S: Copy + 'a, T: Source<'a, S>>(
    lanes: L,
    user: &[E],
    (items, source): (Rows<'_, E>, T),
    listed: &[u32],
    floor: Floor<E>,
    scores: &mut [E],
) where
    L: Load<E, E> + Load<E, S>,
{
    score(lanes, user, (items, source, Listed(listed)), floor, ScoreRow::Slice(scores));
}

#[inline(always)]
fn score<'a, E: Real, L, S: Copy + 'a, T: Source<'a, S>, O: Order>(
    lanes: L,
    user: &[E],
    items: (Rows<'_, E>, T, O),
    floor: Floor<E>,
    scores: ScoreRow<'_, E>,
) where
    L: Load<E, E> + Load<E, S>,
{
    assert_eq!(user.len(), items.0.dim());
    let mut scaled = Vec::new();
    let user = &prepare(lanes, user, floor, &mut scaled);
    if <L as Load<E, S>>::MULTIPLIES_BYTES
        && let Some(words) = words_of(user.elements)
    {
        return score_groups(lanes, user, Whole(&words), items, floor, scores);
    }
    // Narrow numbers among doubles are rare, and code for them would be long.
    let holds = L::IS_REGISTERS && (size_of::<E>() == 4 || size_of::<S>() == 8);
    match user.elements.len() {
        _ if !holds => {
            score_groups(lanes, user, InMemory(user.elements), items, floor, scores);
        }
        32 => {
            let held = Held::<_, 2>::new(lanes, user.elements);
            score_groups(lanes, user, held, items, floor, scores);
        }
        64 => {
            let held = Held::<_, 4>::new(lanes, user.elements);
            score_groups(lanes, user, held, items, floor, scores);
        }
        128 => {
            let held = Held::<_, 8>::new(lanes, user.elements);
            score_groups(lanes, user, held, items, floor, scores);
        }
        _ => score_groups(lanes, user, InMemory(user.elements), items, floor, scores),
    }
}

/// Sixteen rows at a time; the last sixteen reach back over rows that are scored already, which is
/// faster than a group of fewer rows. A group's sums wait until the next group's are on their way: its
/// root and division then take place beside them, where they would hold up what comes later.
#[inline(always)]
fn score_groups<'a, E: Real, L, S: Copy + 'a, T: Source<'a, S>, U: User<E, L>, O: Order>(
    lanes: L,
    user: &Prepared<'_, E>,
    elements: U,
    (items, source, order): (Rows<'_, E>, T, O),
    floor: Floor<E>,
    mut scores: ScoreRow<'_, E>,
) where
    L: Load<E, E> + Load<E, S>,
{
    let mut scratch = Vec::new();
    let user_squares = lanes.splat(user.square);
    let mut waiting = None;
    for first in (0..order.count() + LANES).step_by(LANES) {
        let mut next = None;
        if first < order.count() {
            let first = first.min(order.count().saturating_sub(LANES));
            let count = LANES.min(order.count() - first);
            let places = (order, first, count);
            next = Some((first, count, group(lanes, elements, &source, places, &mut scratch)));
        }
        if let Some((first, count, (mut dots, squares))) = waiting {
            let mut squares = lanes.at_least(squares, lanes.splat(floor.square));
            let outside = out_of_range(lanes, squares, count);
            if outside != 0 {
                let (place, sums) = ((order, first), (dots, squares));
                (dots, squares) = rescue_group(lanes, user, &items, place, floor, outside, sums);
            }
            let group_scores = lanes.store(lanes.cosine(dots, squares, user_squares));
            scores.write(first, &group_scores, count);
        }
        waiting = next;
    }
}

/// The dot products and squares of `count` rows from `first` on.
#[inline(always)]
pub(super) fn group<
    'a,
    E: Real,
    L: Load<E, S>,
    S: Copy + 'a,
    T: Source<'a, S>,
    U: User<E, L>,
    O: Order,
>(
    lanes: L,
    user: U,
    items: &T,
    (order, first, count): (O, usize, usize),
    scratch: &mut Vec<S>,
) -> (L::Vector, L::Vector) {
    if let Some(rows) = order.sixteen(items, first) {
        order.ask_for_four(items, first + LANES);
        let (dots_0, squares_0) = quarter(lanes, user, [rows[0], rows[1], rows[2], rows[3]]);
        order.ask_for_four(items, first + LANES + 4);
        let (dots_1, squares_1) = quarter(lanes, user, [rows[4], rows[5], rows[6], rows[7]]);
        order.ask_for_four(items, first + LANES + 8);
        let (dots_2, squares_2) = quarter(lanes, user, [rows[8], rows[9], rows[10], rows[11]]);
        order.ask_for_four(items, first + LANES + 12);
        let (dots_3, squares_3) = quarter(lanes, user, [rows[12], rows[13], rows[14], rows[15]]);
        let dots = lanes.fold_quarters([dots_0, dots_1, dots_2, dots_3]);
        return (dots, lanes.fold_quarters([squares_0, squares_1, squares_2, squares_3]));
    }
    let (mut dot_quarters, mut square_quarters) = ([lanes.zero(); 4], [lanes.zero(); 4]);
    for quarter in 0..count.div_ceil(4) {
        let (mut dots, mut squares) = ([lanes.zero(); 4], [lanes.zero(); 4]);
        for place in 0..(count - 4 * quarter).min(4) {
            let item = items.row(order.row(first + 4 * quarter + place), scratch);
            (dots[place], squares[place]) = user.dot_and_square(lanes, item);
        }
        dot_quarters[quarter] = lanes.fold_rows(dots);
        square_quarters[quarter] = lanes.fold_rows(squares);
    }
    (lanes.fold_quarters(dot_quarters), lanes.fold_quarters(square_quarters))
}

/// Four rows, one after the other, to four lanes of each.
#[inline(always)]
fn quarter<E: Real, L: Load<E, S>, S, U: User<E, L>>(
    lanes: L,
    user: U,
    rows: [&[S]; 4],
) -> (L::Vector, L::Vector) {
    let (dot_0, square_0) = user.dot_and_square(lanes, rows[0]);
    let (dot_1, square_1) = user.dot_and_square(lanes, rows[1]);
    let (dot_2, square_2) = user.dot_and_square(lanes, rows[2]);
    let (dot_3, square_3) = user.dot_and_square(lanes, rows[3]);
    let dots = lanes.fold_rows([dot_0, dot_1, dot_2, dot_3]);
    let squares = lanes.fold_rows([square_0, square_1, square_2, square_3]);
    // Or the compiler folds all rows at the end of their group, and spills what it keeps until then.
    (lanes.settle(dots), lanes.settle(squares))
}

/// Does the rows with a bit in `outside` again, brought into range.
#[inline(always)]
fn rescue_group<E: Real, L, O: Order>(
    lanes: L,
    user: &Prepared<'_, E>,
    items: &Rows<'_, E>,
    (order, first): (O, usize),
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
        let item =
            prepare(lanes, items.row(order.row(first + place), &mut scratch), floor, &mut scaled);
        let (dot, _) = InMemory(user.elements).dot_and_square(lanes, item.elements);
        dots[place] = lanes.sum(dot);
        squares[place] = item.square;
    }
    (lanes.load(&dots), lanes.load(&squares))
}
