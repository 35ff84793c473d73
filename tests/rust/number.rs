//! Numbers of both types, and matrices of them.

use cosim_rs::Real;
use ndarray::{Array2, ArrayBase, Data, Dimension};
use std::fmt::Debug;

/// Lengths of vectors on both sides of one lane group, of many, and of none.
pub(crate) const LENGTHS: [usize; 13] = [0, 1, 7, 15, 16, 17, 31, 33, 64, 65, 100, 129, 768];

/// `f32` or `f64`, comparable bit by bit.
pub(crate) trait Number: Real + Debug {
    /// The bits, zeros before them.
    fn bits(self) -> u64;
}

impl Number for f32 {
    fn bits(self) -> u64 {
        self.to_bits().into()
    }
}

impl Number for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// A matrix of numbers in [-1, 1) with all their fraction bits in use, so that every addition
/// rounds and a wrong order shows.
pub(crate) fn matrix<E: Number>(rows: usize, dim: usize, seed: u64) -> Array2<E> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from_bits(0x3ff << 52 | state >> 12) * 2.0 - 3.0
    };
    Array2::from_shape_fn((rows, dim), |_| E::from_f64(draw()))
}

/// Fails, naming the first place, unless both arrays hold the same bits.
#[track_caller]
pub(crate) fn assert_same_bits<E: Number, D: Dimension>(
    got: &ArrayBase<impl Data<Elem = E>, D>,
    expected: &ArrayBase<impl Data<Elem = E>, D>,
    what: &str,
) {
    assert_eq!(got.shape(), expected.shape(), "{what}");
    for ((place, &got), &expected) in got.indexed_iter().zip(expected) {
        assert_eq!(got.bits(), expected.bits(), "{what}, {place:?}: {got:?} for {expected:?}");
    }
}
