//! The user's side of the row kernel: in memory, or held in registers.
//!
//! A load of a user's elements for each load of an item's is half of what the row kernel reads, and
//! once the items are in a cache the loads are what bounds it. So a user of one of the lengths that
//! most embeddings have is loaded once and stays in registers from row to row: in the nearest caches
//! that took 0.65 to 0.8 of the time.

// As in `tile`: loops over registers go by index.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Lanes, Load};
use super::real::Real;

/// A user to be multiplied with one row after the other.
pub(crate) trait User<E: Real, L: Lanes<E>>: Copy {
    /// The lanes of a row's dot product with the user, and of its square.
    fn dot_and_square<S>(self, lanes: L, item: &[S]) -> (L::Vector, L::Vector)
    where
        L: Load<E, S>;
}

/// A user of any length.
#[derive(Clone, Copy)]
pub(crate) struct InMemory<'a, E>(pub(crate) &'a [E]);

impl<E: Real, L: Load<E, E>> User<E, L> for InMemory<'_, E> {
    #[inline(always)]
    fn dot_and_square<S>(self, lanes: L, item: &[S]) -> (L::Vector, L::Vector)
    where
        L: Load<E, S>,
    {
        let mut sums = (lanes.zero(), lanes.zero());
        let (user_groups, user_rest) = self.0.as_chunks::<LANES>();
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
}

/// A user of `GROUPS` times sixteen elements, in registers.
#[derive(Clone, Copy)]
pub(crate) struct Held<V, const GROUPS: usize>([V; GROUPS]);

impl<V: Copy, const GROUPS: usize> Held<V, GROUPS> {
    /// `user` has `GROUPS` times sixteen elements.
    #[inline(always)]
    pub(crate) fn new<E: Real, L: Load<E, E, Vector = V>>(lanes: L, user: &[E]) -> Self {
        let (groups, _) = user.as_chunks::<LANES>();
        let mut held = [lanes.zero(); GROUPS];
        for group in 0..GROUPS {
            held[group] = lanes.load(&groups[group]);
        }
        Self(held)
    }
}

impl<E: Real, L: Load<E, E>, const GROUPS: usize> User<E, L> for Held<L::Vector, GROUPS> {
    #[inline(always)]
    fn dot_and_square<S>(self, lanes: L, item: &[S]) -> (L::Vector, L::Vector)
    where
        L: Load<E, S>,
    {
        let mut sums = (lanes.zero(), lanes.zero());
        let (item, _) = item.as_chunks::<LANES>();
        let item = &item[..GROUPS];
        for group in 0..GROUPS {
            sums = step(lanes, self.0[group], lanes.load(&item[group]), sums);
        }
        // Nothing is left of the loop, and the compiler would mix the loads of several rows: from
        // memory that took three times as long.
        (lanes.settle(sums.0), lanes.settle(sums.1))
    }
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
