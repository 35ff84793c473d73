//! The definition: sixteen lanes as an array, in plain Rust, on any machine.

use super::super::real::Real;
use super::{LANES, Lanes, Load};

/// Lanes as an array; every CPU has them.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// The lower half of each piece of `2 * HALF` lanes, and the upper one: first of `a`'s pieces, then
/// of `b`'s, so rows stay in order.
#[inline(always)]
fn halves<E: Real, const HALF: usize>(a: [E; LANES], b: [E; LANES]) -> [[E; LANES]; 2] {
    let mut lower = [E::ZERO; LANES];
    let mut upper = lower;
    for (place, halves) in lower.iter_mut().zip(&mut upper).enumerate() {
        let source = if place < LANES / 2 { &a } else { &b };
        let kept = place % (LANES / 2);
        let first = kept / HALF * (2 * HALF) + kept % HALF;
        (*halves.0, *halves.1) = (source[first], source[first + HALF]);
    }
    [lower, upper]
}

impl<E: Real> Lanes<E> for Portable {
    type Vector = [E; LANES];

    const IS_REGISTERS: bool = false;

    #[inline(always)]
    fn splat(self, value: E) -> [E; LANES] {
        [value; LANES]
    }
    #[inline(always)]
    fn store(self, vector: [E; LANES]) -> [E; LANES] {
        vector
    }
    #[inline(always)]
    fn multiply_add(self, a: [E; LANES], b: [E; LANES], mut sum: [E; LANES]) -> [E; LANES] {
        for lane in 0..LANES {
            sum[lane] = a[lane].multiply_add(b[lane], sum[lane]);
        }
        sum
    }
    #[inline(always)]
    fn added(self, [a, mut b]: [[E; LANES]; 2]) -> [E; LANES] {
        for lane in 0..LANES {
            b[lane] = a[lane] + b[lane];
        }
        b
    }
    #[inline(always)]
    fn halves_8(self, a: [E; LANES], b: [E; LANES]) -> [[E; LANES]; 2] {
        halves::<E, 8>(a, b)
    }
    #[inline(always)]
    fn halves_4(self, a: [E; LANES], b: [E; LANES]) -> [[E; LANES]; 2] {
        halves::<E, 4>(a, b)
    }
    #[inline(always)]
    fn halves_2(self, a: [E; LANES], b: [E; LANES]) -> [[E; LANES]; 2] {
        halves::<E, 2>(a, b)
    }
    #[inline(always)]
    fn halves_1(self, a: [E; LANES], b: [E; LANES]) -> [[E; LANES]; 2] {
        halves::<E, 1>(a, b)
    }
    #[inline(always)]
    fn in_order(self, sums: [E; LANES]) -> [E; LANES] {
        sums
    }
    #[inline(always)]
    fn settle(self, vector: [E; LANES]) -> [E; LANES] {
        vector
    }
    #[inline(always)]
    fn magnitude(self, vector: [E; LANES]) -> [E; LANES] {
        vector.map(E::magnitude)
    }
    #[inline(always)]
    fn at_least(self, mut vector: [E; LANES], floor: [E; LANES]) -> [E; LANES] {
        for lane in 0..LANES {
            if floor[lane] > vector[lane] {
                vector[lane] = floor[lane];
            }
        }
        vector
    }
    #[inline(always)]
    fn outside(self, vector: [E; LANES], low: E, high: E) -> u16 {
        let mut outside = 0;
        for (lane, &value) in vector.iter().enumerate() {
            outside |= u16::from(!(low <= value && value <= high)) << lane;
        }
        outside
    }
    #[inline(always)]
    fn cosine(
        self,
        mut dots: [E; LANES],
        squares: [E; LANES],
        other_squares: [E; LANES],
    ) -> [E; LANES] {
        for (dot, (square, other)) in dots.iter_mut().zip(squares.into_iter().zip(other_squares)) {
            let score = *dot / (square * other).square_root();
            *dot = if score > E::ONE {
                E::ONE
            } else if score < -E::ONE {
                -E::ONE
            } else if score.is_nan() {
                E::NAN
            } else {
                score + E::ZERO // -0 becomes +0
            };
        }
        dots
    }
}

impl<E: Real> Load<E, E> for Portable {
    #[inline(always)]
    fn load(self, elements: &[E; LANES]) -> [E; LANES] {
        *elements
    }
    #[inline(always)]
    fn load_first(self, elements: &[E]) -> [E; LANES] {
        let mut lanes = [E::ZERO; LANES];
        lanes[..elements.len()].copy_from_slice(elements);
        lanes
    }
}
