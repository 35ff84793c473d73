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
//! a user who is out of range, go through [`scaled`] one by one.

mod scaled;

use super::lanes::{LANES, Lanes, Load};
use super::range::{Floor, out_of_range, square_lanes};
use super::real::Real;
use super::rows::{InOrder, group};
use super::source::Source;
use super::user::InMemory;
use crate::view::{Gradient, Rows};
use scaled::Scaled;

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
    let square = lanes.sum(square_lanes(lanes, user));
    let side = Side { elements: user, square, is_raised: square < floor.square };
    let square = if side.is_raised { floor.square } else { square };
    if !(E::SAFE_SQUARES.0 <= square && square <= E::SAFE_SQUARES.1) {
        return all_scaled(user, items, weights, floor, sum, room);
    }
    let side = Side { square, ..side };
    let (mut scratch, mut own_row) = (Vec::new(), Vec::new());
    let mut scores = [E::ZERO; LANES];
    let mut rescued = false;
    for first in (0..weights.len()).step_by(LANES) {
        let count = LANES.min(weights.len() - first);
        let places = (InOrder(weights.len()), first, count);
        let sums = group(lanes, InMemory(user), &source, places, &mut scratch);
        let weights = &weights[first..first + count];
        let group = Group::new(lanes, &side, sums, weights, floor, &mut scores);
        for place in 0..count {
            let mut row = Row::new(&mut room, first + place, user.len(), &mut own_row);
            if group.outside >> place & 1 == 1 {
                let item = items.row(first + place, &mut Vec::new()).to_vec();
                one_scaled(user, &item, weights[place], floor, sum.as_deref_mut(), row.numbers());
                rescued = true;
            } else {
                let item = source.row(first + place, &mut scratch);
                let numbers = (lanes.splat(group.across[place]), lanes.splat(group.along[place]));
                step(lanes, user, item, numbers, sum.as_deref_mut(), row.numbers());
            }
            row.write();
        }
    }
    if let Some(sum) = sum {
        finish(lanes, &side, &scores, sum, rescued);
    }
}

/// A user, in range.
struct Side<'a, E> {
    elements: &'a [E],
    /// At least epsilon's.
    square: E,
    /// Whether it is epsilon's.
    is_raised: bool,
}

/// What sixteen rows are multiplied by.
struct Group<E> {
    across: [E; LANES],
    along: [E; LANES],
    /// A bit for each row that these are not for.
    outside: u16,
}

impl<E: Real> Group<E> {
    /// From the rows' dot products and squares; each row's g · s is added to its lane of `scores`.
    #[inline(always)]
    fn new<L: Load<E, E>>(
        lanes: L,
        user: &Side<'_, E>,
        (dots, squares): (L::Vector, L::Vector),
        weights: &[E],
        floor: Floor<E>,
        scores: &mut [E; LANES],
    ) -> Self {
        let count = weights.len();
        let weights = load(lanes, weights);
        let raised = lanes.at_least(squares, lanes.splat(floor.square));
        let most = E::from_f32(MOST_WEIGHT);
        let outside = out_of_range(lanes, raised, count) | lanes.outside(weights, -most, most);
        let unused = outside | !(u16::MAX >> (LANES - count));
        let (dots, squares, weights) =
            (lanes.store(dots), lanes.store(squares), lanes.store(weights));
        let (mut across, mut along) = ([E::ZERO; LANES], [E::ZERO; LANES]);
        for lane in 0..LANES {
            let is_raised = squares[lane] < floor.square;
            let square = if is_raised { floor.square } else { squares[lane] };
            let weight = weights[lane] / (user.square * square).square_root();
            let score = weight * dots[lane];
            let is_used = unused >> lane & 1 == 0;
            across[lane] = weight;
            along[lane] = if is_raised { E::ZERO } else { -score / square };
            scores[lane] = scores[lane] + if is_used { score } else { E::ZERO };
        }
        Self { across, along, outside }
    }
}

/// Weights up to this are multiplied in range; 2³⁰.
const MOST_WEIGHT: f32 = 1_073_741_824.0;

/// Where a row's gradient goes: to its room, or by way of a row of its own to room for other numbers.
struct Row<'r, 'a, E> {
    room: Option<&'r mut Gradient<'a, E>>,
    place: usize,
    own: &'r mut Vec<E>,
    dim: usize,
}

impl<'r, 'a, E: Real> Row<'r, 'a, E> {
    #[inline(always)]
    fn new(
        room: &'r mut Option<Gradient<'a, E>>,
        row: usize,
        dim: usize,
        own: &'r mut Vec<E>,
    ) -> Self {
        own.resize(dim, E::ZERO);
        Self { room: room.as_mut(), place: row * dim, own, dim }
    }

    #[inline(always)]
    fn numbers(&mut self) -> Option<&mut [E]> {
        match self.room.as_mut()? {
            Gradient::Native(room) => Some(&mut room[self.place..self.place + self.dim]),
            _ => Some(&mut *self.own),
        }
    }

    #[inline(always)]
    fn write(self) {
        match self.room {
            None | Some(Gradient::Native(_)) => {}
            Some(room) => room.write(self.place, self.own),
        }
    }
}

/// One row: its gradient, and what it adds to its user's.
#[inline(always)]
fn step<E: Real, L, S: Copy>(
    lanes: L,
    user: &[E],
    item: &[S],
    (across, along): (L::Vector, L::Vector),
    sum: Option<&mut [E]>,
    room: Option<&mut [E]>,
) where
    L: Load<E, E> + Load<E, S>,
{
    match (sum, room) {
        (Some(sum), Some(room)) => {
            let sums = sum.chunks_mut(LANES);
            let rooms = room.chunks_mut(LANES);
            for (((user, item), sum), room) in
                user.chunks(LANES).zip(item.chunks(LANES)).zip(sums).zip(rooms)
            {
                let item = load(lanes, item);
                save(lanes, lanes.multiply_add(across, item, load(lanes, sum)), sum);
                let crossed = lanes.multiply_add(across, load(lanes, user), lanes.zero());
                save(lanes, lanes.multiply_add(along, item, crossed), room);
            }
        }
        (Some(sum), None) => {
            for (item, sum) in item.chunks(LANES).zip(sum.chunks_mut(LANES)) {
                save(lanes, lanes.multiply_add(across, load(lanes, item), load(lanes, sum)), sum);
            }
        }
        (None, Some(room)) => {
            for ((user, item), room) in
                user.chunks(LANES).zip(item.chunks(LANES)).zip(room.chunks_mut(LANES))
            {
                let crossed = lanes.multiply_add(across, load(lanes, user), lanes.zero());
                save(lanes, lanes.multiply_add(along, load(lanes, item), crossed), room);
            }
        }
        (None, None) => {}
    }
}

/// At most sixteen elements.
#[inline(always)]
fn load<E: Real, L: Load<E, S>, S>(lanes: L, elements: &[S]) -> L::Vector {
    match elements.first_chunk() {
        Some(all) => lanes.load(all),
        None => lanes.load_first(elements),
    }
}

/// As many lanes as there is room for.
#[inline(always)]
fn save<E: Real, L: Lanes<E>>(lanes: L, vector: L::Vector, room: &mut [E]) {
    let numbers = lanes.store(vector);
    match room.first_chunk_mut() {
        Some(room) => *room = numbers,
        None => room.copy_from_slice(&numbers[..room.len()]),
    }
}

/// What the user's own length adds; see the module's prose.
#[inline(always)]
fn finish<E: Real, L: Load<E, E>>(
    lanes: L,
    user: &Side<'_, E>,
    scores: &[E; LANES],
    sum: &mut [E],
    rescued: bool,
) {
    if !user.is_raised {
        let along = -lanes.sum(lanes.load(scores)) / user.square;
        step(lanes, &[], user.elements, (lanes.splat(along), lanes.zero()), Some(sum), None);
    }
    if rescued {
        for number in sum {
            *number = E::rounded(*number); // near the largest, the rest may have been too much
        }
    }
}

/// One row that is out of range, or whose weight is.
#[cold]
#[inline(never)]
fn one_scaled<E: Real>(
    user: &[E],
    item: &[E],
    weight: E,
    floor: Floor<E>,
    sum: Option<&mut [E]>,
    room: Option<&mut [E]>,
) {
    Scaled::new(user, floor).gradients(&Scaled::new(item, floor), weight, sum, room);
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
