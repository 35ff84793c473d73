//! Vectors of extreme magnitude: the rescue that keeps every finite input within the error bound.
//!
//! A squared norm overflows or loses its bits long before the vector itself does. So a vector
//! whose square, or epsilon's, leaves the safe range is scaled by a power of two that brings its
//! largest element (or epsilon, if that is larger) to [1, 2). The score does not depend on the
//! scale, and a power of two changes no bit of it, so the rule is the vector's own: it asks for
//! nothing of its partner, and a matrix or a catalogue applies it once a row.
//!
//! Two kinds of vectors have no direction, and their squares say so. A zero vector's is infinite:
//! its dot product, 0, divided by infinity is the score 0. A vector with a NaN or an infinity has
//! the square NaN, which every score with it becomes.

use super::lanes::{LANES, Lanes, Load};
use super::real::Real;

/// The least norm that a vector is divided by; see Keras' `normalize`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor<E> {
    epsilon: E,
    /// epsilon², for vectors that are in range as they are.
    pub(crate) square: E,
}

impl<E: Real> Floor<E> {
    /// `epsilon` is finite and at least 0.
    pub(crate) fn new(epsilon: E) -> Self {
        let wide = epsilon.to_f64();
        Self { epsilon, square: E::from_f64(wide * wide) }
    }

    pub(crate) fn epsilon(self) -> E {
        self.epsilon
    }
}

/// A vector ready to be scored: in range, with its square (or what stands for it).
pub(crate) struct Prepared<'a, E> {
    pub(crate) elements: &'a [E],
    pub(crate) square: E,
}

/// Brings a row into range, through `scaled` if it must be.
#[inline(always)]
pub(crate) fn prepare<'a, E: Real, L>(
    lanes: L,
    row: &'a [E],
    floor: Floor<E>,
    scaled: &'a mut Vec<E>,
) -> Prepared<'a, E>
where
    L: Load<E, E>,
{
    let square = larger(lanes.sum(square_lanes(lanes, row)), floor.square);
    let (low, high) = E::SAFE_SQUARES;
    if low <= square && square <= high {
        return Prepared { elements: row, square };
    }
    match rescue(row, floor, scaled) {
        Rescued::Scaled(least) => {
            let square = larger(lanes.sum(square_lanes(lanes, scaled)), least);
            Prepared { elements: scaled, square }
        }
        Rescued::Square(square) => Prepared { elements: row, square },
    }
}

/// The lanes of a row's squared norm.
#[inline(always)]
pub(crate) fn square_lanes<E: Real, L: Load<E, S>, S>(lanes: L, row: &[S]) -> L::Vector {
    let mut square = lanes.zero();
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        let elements = lanes.load(group);
        square = lanes.multiply_add(elements, elements, square);
    }
    if !rest.is_empty() {
        let elements = lanes.load_first(rest);
        square = lanes.multiply_add(elements, elements, square);
    }
    square
}

/// The lanes of the first `count` whose squares are out of the safe range.
#[inline(always)]
pub(crate) fn out_of_range<E: Real, L: Lanes<E>>(
    lanes: L,
    squares: L::Vector,
    count: usize,
) -> u16 {
    let (low, high) = E::SAFE_SQUARES;
    lanes.outside(squares, low, high) & (u16::MAX >> (LANES - count))
}

/// The places of the bits that are set.
pub(crate) fn places(mut bits: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (place < LANES).then_some(place)
    })
}

/// The larger of the two; NaN if the first is.
fn larger<E: Real>(square: E, floor: E) -> E {
    if floor > square { floor } else { square }
}

/// What a vector out of range is scored as.
enum Rescued<E> {
    /// Its scaled elements are in the scratch row; their square is to be at least this.
    Scaled(E),
    /// It has no direction; this stands for its square.
    Square(E),
}

/// Scales a row into `scaled`; see the module's prose.
#[cold]
#[inline(never)]
fn rescue<E: Real>(row: &[E], floor: Floor<E>, scaled: &mut Vec<E>) -> Rescued<E> {
    let mut largest = floor.epsilon;
    for element in row {
        let magnitude = element.magnitude();
        if !magnitude.is_finite() {
            return Rescued::Square(E::NAN);
        }
        if magnitude > largest {
            largest = magnitude;
        }
    }
    if largest == E::ZERO {
        return Rescued::Square(E::INFINITY);
    }
    let exponent = -largest.exponent();
    scaled.clear();
    scaled.extend(row.iter().map(|element| element.times_power_of_two(exponent)));
    let epsilon = floor.epsilon.times_power_of_two(exponent);
    Rescued::Scaled(epsilon * epsilon)
}
