//! Numbers as they are stored, and as they are computed with.
//!
//! 16-bit floats and 8-bit integers are exact in 32-bit floats, and all of them in 64-bit ones. So
//! they are never converted as a whole: the kernels widen what they load, and a score is the same
//! bits as if the vectors had been widened before.

use super::batches::Batches;
use super::rows::{Rows, Typed};
use super::strided::Strided;
use crate::kernel::real::Real;
use half::{bf16, f16};
use ndarray::{ArrayView2, ArrayView3};

/// A type of number that can be stored where scores are computed in `E`.
pub trait Stored<E: Real>: Copy + Send + Sync + 'static {
    /// The kernels' view of some rows.
    #[doc(hidden)]
    fn rows_of(view: ArrayView2<'_, Self>) -> Rows<'_, E>;

    /// The kernels' view of some rows for each user.
    #[doc(hidden)]
    fn batches_of(view: ArrayView3<'_, Self>) -> Batches<'_, E>;
}

macro_rules! stored {
    ($stored:ty, $real:ty, $variant:ident) => {
        impl Stored<$real> for $stored {
            fn rows_of(view: ArrayView2<'_, Self>) -> Rows<'_, $real> {
                Rows(Typed::$variant(Strided::new(view)))
            }
            fn batches_of(view: ArrayView3<'_, Self>) -> Batches<'_, $real> {
                let (count, (first, stride)) = (view.dim().0, Strided::first_of(view));
                Batches { count, first: Rows(Typed::$variant(first)), stride }
            }
        }
    };
}

stored!(f32, f32, Native);
stored!(f16, f32, Half);
stored!(bf16, f32, Brain);
stored!(i8, f32, Byte);
stored!(f64, f64, Native);
stored!(f32, f64, Single);
stored!(f16, f64, Half);
stored!(bf16, f64, Brain);
stored!(i8, f64, Byte);

/// A number that a 32-bit float holds.
pub(crate) trait Narrow: Copy {
    fn widened(self) -> f32;
}

impl Narrow for f32 {
    #[inline(always)]
    fn widened(self) -> f32 {
        self
    }
}

impl Narrow for i8 {
    #[inline(always)]
    fn widened(self) -> f32 {
        self.into()
    }
}

impl Narrow for bf16 {
    #[inline(always)]
    fn widened(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }
}

impl Narrow for f16 {
    /// Without branches, so that loops over it become vectors: the bits put where those of an `f32`
    /// are, times the power of two by which the exponents' biases differ. Subnormals come out right
    /// by that.
    #[inline(always)]
    fn widened(self) -> f32 {
        const BIASES: f32 = f32::from_bits((112 + 127) << 23); // 2¹¹²
        let bits = u32::from(self.to_bits());
        let magnitude = f32::from_bits((bits & 0x7fff) << 13) * BIASES;
        let is_finite = bits & 0x7c00 != 0x7c00;
        let exponent = if is_finite { 0 } else { 0x7f80_0000 };
        f32::from_bits(magnitude.to_bits() | exponent | (bits & 0x8000) << 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_pattern_is_widened_as_the_standard_says() {
        for bits in 0..=u16::MAX {
            let (half, brain) = (f16::from_bits(bits), bf16::from_bits(bits));
            let widened = [half.widened(), brain.widened()];
            for (widened, expected) in widened.into_iter().zip([half.to_f32(), brain.to_f32()]) {
                let same = widened.to_bits() == expected.to_bits();
                assert!(same || widened.is_nan() && expected.is_nan(), "{bits:#x}: {widened}");
            }
        }
    }
}
