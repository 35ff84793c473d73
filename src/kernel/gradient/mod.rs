//! The gradients of one user's scores: the memory-bound kernel of training.
//!
//! Sixteen rows at a time, as in [`super::rows`]: their dot products and squares first, from which each
//! row gets two numbers, `across` and `along`; then each row once more, while it is in the nearest
//! cache. Its gradient is `across · u + along · v`, and it adds `across · v` to its user's:
//!
//! ```text
//! across = g / (n(u) · n(v))      along = -g · s / n(v)², or 0 where |v| is below epsilon
//! ```
//!
//! What the user's own length adds, `-Σ g · s / n(u)² · u`, is one number a user until the end. With
//! squares in the safe range and |g| up to 2³⁰ no step of this overflows; other rows, and all rows of
//! a user who is out of range, go through [`scaled`] one by one. What these add is cut to the largest
//! number, beside which all the rest is less than a rounding.

mod factors;
mod scaled;
mod step;

use super::lanes::{LANES, Load};
use super::order::InOrder;
use super::range::{Floor, square_lanes};
use super::real::Real;
use super::rows::group;
use super::source::Source;
use super::user::InMemory;
use crate::view::{Gradient, Rows};
use factors::{Factors, Side};
use scaled::Scaled;
use step::{Slot, step};

/// Rows that are multiplied at once: their factors fill half of the registers.
const QUARTER: usize = 4;

/// The gradients of a user's scores with `items`, which come as their `source` too, given those of the
/// scores, `weights`. The user's is written to `sum`, the items' to `room`.
#[inline(always)]
pub(crate) fn gradients<'a, E: Real, L, S: Copy + 'a, T: Source<'a, S>>(
    lanes: L,
    user: &[E],
    (items, source): (Rows<'_, E>, T),
    weights: &[E],
    floor: Floor<E>,
    mut sum: Option<&mut [E]>,
    mut room: Option<Gradient<'_, E>>,
) where
    L: Load<E, E> + Load<E, S>,
{
    if let Some(sum) = &mut sum {
        sum.fill(E::ZERO);
    }
    let Some(side) = Side::new(lanes.sum(square_lanes(lanes, user)), floor) else {
        return all_scaled(user, items, weights, floor, sum, room);
    };
    let (mut scratch, mut own_rows) = (Vec::new(), Vec::new());
    let mut scores = [E::ZERO; LANES];
    for first in (0..weights.len()).step_by(LANES) {
        let count = LANES.min(weights.len() - first);
        let weights = &weights[first..first + count];
        let places = (InOrder(first + count), first, count);
        let sums = group(lanes, InMemory(user), &source, places, &mut scratch);
        let factors = Factors::new(lanes, &side, sums, weights, floor, &mut scores);
        let mut place = 0;
        while place < count {
            let row = first + place;
            let quarter = source.rows::<QUARTER>(row);
            if let (true, Some(rows)) = (factors.are_for::<QUARTER>(place, count), quarter) {
                let mut slot = Slot::new(&mut room, row..row + QUARTER, user.len(), &mut own_rows);
                let factors = factors.of(lanes, place);
                step(lanes, user, rows, factors, sum.as_deref_mut(), slot.numbers());
                slot.write();
                place += QUARTER;
                continue;
            }
            let mut slot = Slot::new(&mut room, row..row + 1, user.len(), &mut own_rows);
            if factors.are_for::<1>(place, count) {
                let (item, factors) = (source.row(row, &mut scratch), factors.of(lanes, place));
                step(lanes, user, [item], factors, sum.as_deref_mut(), slot.numbers());
            } else {
                let sum = sum.as_deref_mut();
                one_scaled(
                    user,
                    items.range(row..row + 1),
                    weights[place],
                    floor,
                    sum,
                    slot.numbers(),
                );
            }
            slot.write();
            place += 1;
        }
    }
    if let (Some(sum), false) = (sum, side.is_raised) {
        let along = -lanes.sum(lanes.load(&scores)) / side.square;
        step(lanes, user, [user], [(lanes.splat(along), lanes.zero())], Some(sum), None);
    }
}

/// One row that is out of range, or whose weight is.
#[cold]
#[inline(never)]
fn one_scaled<E: Real>(
    user: &[E],
    item: Rows<'_, E>,
    weight: E,
    floor: Floor<E>,
    sum: Option<&mut [E]>,
    room: Option<&mut [E]>,
) {
    let item = Scaled::new(item.row(0, &mut Vec::new()), floor);
    Scaled::new(user, floor).gradients(&item, weight, sum, room);
}

/// All rows of a user who is out of range.
#[cold]
#[inline(never)]
fn all_scaled<E: Real>(
    user: &[E],
    items: Rows<'_, E>,
    weights: &[E],
    floor: Floor<E>,
    mut sum: Option<&mut [E]>,
    mut room: Option<Gradient<'_, E>>,
) {
    let user = Scaled::new(user, floor);
    let (mut scratch, mut row) = (Vec::new(), vec![E::ZERO; items.dim()]);
    for (place, &weight) in weights.iter().enumerate() {
        let item = Scaled::new(items.row(place, &mut scratch), floor);
        user.gradients(&item, weight, sum.as_deref_mut(), Some(&mut row));
        if let Some(room) = &mut room {
            room.write(place * row.len(), &row);
        }
    }
}
