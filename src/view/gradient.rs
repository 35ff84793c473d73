//! Room for the gradient of some vectors: in the type that these are stored in, so that a gradient
//! is rounded once, where it is written.

use super::stored::Rounded;
use crate::kernel::real::Real;
use half::{bf16, f16};

/// Room for the gradient of vectors that lie in this type of number, rows one after the other.
pub enum Gradient<'a, E> {
    /// Of vectors that are stored as they are computed with.
    Native(&'a mut [E]),
    /// Of 32-bit floats, where `E` is `f64`.
    Single(&'a mut [f32]),
    /// Of 16-bit floats.
    Half(&'a mut [f16]),
    /// Of bfloat16 numbers.
    Brain(&'a mut [bf16]),
}

/// What is wrong if it is not there.
const ROOM: &str = "room for every row";

impl<E: Real> Gradient<'_, E> {
    /// How many numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Native(slice) => slice.len(),
            Self::Single(slice) => slice.len(),
            Self::Half(slice) => slice.len(),
            Self::Brain(slice) => slice.len(),
        }
    }

    /// Whether there is no room.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Room for the first so many numbers; this keeps the rest.
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        match self {
            Self::Native(slice) => Self::Native(slice.split_off_mut(..count).expect(ROOM)),
            Self::Single(slice) => Self::Single(slice.split_off_mut(..count).expect(ROOM)),
            Self::Half(slice) => Self::Half(slice.split_off_mut(..count).expect(ROOM)),
            Self::Brain(slice) => Self::Brain(slice.split_off_mut(..count).expect(ROOM)),
        }
    }

    /// Writes some numbers from a place on, rounded; what is too large becomes the largest.
    pub(crate) fn write(&mut self, first: usize, numbers: &[E]) {
        match self {
            Self::Native(slice) => write(slice, first, numbers),
            Self::Single(slice) => write(slice, first, numbers),
            Self::Half(slice) => write(slice, first, numbers),
            Self::Brain(slice) => write(slice, first, numbers),
        }
    }
}

#[inline(always)]
fn write<E: Real, S: Rounded>(slice: &mut [S], first: usize, numbers: &[E]) {
    for (place, &number) in slice[first..first + numbers.len()].iter_mut().zip(numbers) {
        *place = S::rounded(number);
    }
}
