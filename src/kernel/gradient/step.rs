//! Some rows times their factors; see [`super`].

// As in `tile`: loops over registers go by index.
#![allow(clippy::needless_range_loop)]

use super::super::lanes::{LANES, Lanes, Load};
use super::super::real::Real;
use crate::view::Gradient;
use std::ops::Range;

/// Where rows' gradients go: to their room, or by way of rows of our own to room for other numbers.
pub(super) struct Slot<'r, 'a, E> {
    room: Option<&'r mut Gradient<'a, E>>,
    numbers: Range<usize>,
    own: &'r mut Vec<E>,
}

impl<'r, 'a, E: Real> Slot<'r, 'a, E> {
    #[inline(always)]
    pub(super) fn new(
        room: &'r mut Option<Gradient<'a, E>>,
        rows: Range<usize>,
        dim: usize,
        own: &'r mut Vec<E>,
    ) -> Self {
        Self { room: room.as_mut(), numbers: rows.start * dim..rows.end * dim, own }
    }

    /// Where to put the numbers, if anywhere.
    #[inline(always)]
    pub(super) fn numbers(&mut self) -> Option<&mut [E]> {
        if let Gradient::Native(room) = self.room.as_mut()? {
            return Some(&mut room[self.numbers.clone()]);
        }
        self.own.resize(self.numbers.len(), E::ZERO);
        Some(&mut *self.own)
    }

    /// The numbers are there.
    #[inline(always)]
    pub(super) fn write(self) {
        match self.room {
            None | Some(Gradient::Native(_)) => {}
            Some(room) => room.write(self.numbers.start, self.own),
        }
    }
}

/// Some rows: their gradients, and what they add to their user's. Several at once, so that this and
/// the user are loaded but once for them.
#[inline(always)]
pub(super) fn step<E: Real, L, S: Copy, const ROWS: usize>(
    lanes: L,
    user: &[E],
    items: [&[S]; ROWS],
    factors: [(L::Vector, L::Vector); ROWS],
    mut sum: Option<&mut [E]>,
    mut room: Option<&mut [E]>,
) where
    L: Load<E, E> + Load<E, S>,
{
    let dim = user.len();
    for first in (0..dim).step_by(LANES) {
        let group = first..dim.min(first + LANES);
        let user = load(lanes, &user[group.clone()]);
        let mut sums = lanes.zero();
        if let Some(sum) = &sum {
            sums = load(lanes, &sum[group.clone()]);
        }
        for row in 0..ROWS {
            let (across, along) = factors[row];
            let item = load(lanes, &items[row][group.clone()]);
            sums = lanes.multiply_add(across, item, sums);
            if let Some(room) = &mut room {
                let crossed = lanes.multiply_add(across, user, lanes.zero());
                let room = &mut room[row * dim + group.start..row * dim + group.end];
                save(lanes, lanes.multiply_add(along, item, crossed), room);
            }
        }
        if let Some(sum) = &mut sum {
            save(lanes, sums, &mut sum[group]);
        }
    }
}

/// At most sixteen elements.
#[inline(always)]
pub(super) fn load<E: Real, L: Load<E, S>, S>(lanes: L, elements: &[S]) -> L::Vector {
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
