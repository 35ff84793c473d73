//! The user's side of the row kernel: in memory, or held in registers.
//!
//! A load of a user's elements for each load of an item's is half of what the row kernel reads, and
//! once the items are in a cache the loads are what bounds it. So a user of one of the lengths that
//! most embeddings have is loaded once and stays in registers from row to row: in the nearest caches
//! that took 0.65 to 0.8 of the time.
//!
//! Where items are bytes and a user's elements are whole numbers that bytes hold, products and squares
//! are whole too, and so is every sum of them: of up to 1,024 elements none is above 128 · 128 · 1,024 =
//! 2²⁴, up to which 32-bit floats hold every whole number. So it does not matter in which order they are
//! added, nor as what, and whole numbers are multiplied in pairs, without being widened to floats.

// As in `tile`: loops over registers go by index.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Lanes, Load, PAIRS};
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

/// A user of whole numbers, for items of bytes: its elements as words, with zeros behind them.
#[derive(Clone, Copy)]
pub(crate) struct Whole<'a>(pub(crate) &'a [[i16; PAIRS]]);

impl<E: Real, L: Lanes<E>> User<E, L> for Whole<'_> {
    #[inline(always)]
    fn dot_and_square<S>(self, lanes: L, item: &[S]) -> (L::Vector, L::Vector)
    where
        L: Load<E, S>,
    {
        lanes.whole_dot_and_square(self.0, item)
    }
}

/// The elements as words, if they are whole numbers that bytes hold, and so few that all sums are exact.
pub(crate) fn words_of<E: Real>(elements: &[E]) -> Option<Vec<[i16; PAIRS]>> {
    const MOST: usize = 1024;
    if elements.len() > MOST {
        return None;
    }
    let mut words = vec![[0; PAIRS]; elements.len().div_ceil(PAIRS)];
    for (word, element) in words.as_flattened_mut().iter_mut().zip(elements) {
        #[allow(clippy::cast_possible_truncation)] // compared with what it was
        let byte = element.to_f32() as i8;
        if E::from_f32(byte.into()) != *element {
            return None;
        }
        *word = byte.into();
    }
    Some(words)
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
