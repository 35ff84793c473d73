//! Room for the gradient of some vectors: in the type that these are stored in, so that a gradient
//! is rounded once, where it is written.

use crate::kernel::real::Real;
use half::slice::HalfFloatSliceExt;
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
            Self::Native(slice) => write(slice, first, numbers, E::saturated),
            Self::Single(slice) => {
                write(slice, first, numbers, |number| number.to_f32().saturated());
            }
            Self::Half(slice) => write_narrow(slice, first, numbers, f16::MAX.to_f32()),
            Self::Brain(slice) => write_narrow(slice, first, numbers, bf16::MAX.to_f32()),
        }
    }
}

#[inline(always)]
fn write<E: Copy, S>(slice: &mut [S], first: usize, numbers: &[E], rounded: impl Fn(E) -> S) {
    for (place, &number) in slice[first..first + numbers.len()].iter_mut().zip(numbers) {
        *place = rounded(number);
    }
}

/// As [`write`], many at once: each by itself took 16-bit floats twice the time of the whole gradient.
#[inline(always)]
fn write_narrow<E: Real, S>(slice: &mut [S], first: usize, numbers: &[E], largest: f32)
where
    [S]: HalfFloatSliceExt,
{
    const MANY: usize = 64;
    let mut wide = [0.0; MANY];
    let slots = slice[first..first + numbers.len()].chunks_mut(MANY);
    for (slots, numbers) in slots.zip(numbers.chunks(MANY)) {
        let wide = &mut wide[..numbers.len()];
        for (wide, &number) in wide.iter_mut().zip(numbers) {
            *wide = number.to_f32().clamp(-largest, largest);
        }
        slots.convert_from_f32_slice(wide);
    }
}
