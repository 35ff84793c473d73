//! The two element types in which scores are computed.

use super::{Kernels, level};
use crate::error::Error;
use crate::view::Stored;
use std::ops::{Add, Div, Mul, Neg};

/// `f32` or `f64`: what the core computes with, and what it needs to know of either.
pub trait Real:
    Copy
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Stored<Self>
    + sealed::Sealed
    + 'static
{
    /// +0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The one NaN that scores use: quiet, positive, no payload.
    const NAN: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// The largest relative error of one rounding.
    const UNIT: f64;
    /// Where a squared norm may lie as it is. The product of two such squares neither overflows
    /// nor underflows, and a product of elements that underflows is too small to matter.
    const SAFE_SQUARES: (Self, Self);

    /// Rounds a `f64`.
    #[must_use]
    fn from_f64(value: f64) -> Self;
    /// The same number.
    #[must_use]
    fn from_f32(value: f32) -> Self;
    /// Widens to `f64`.
    #[must_use]
    fn to_f64(self) -> f64;
    /// Rounds to `f32`.
    #[must_use]
    fn to_f32(self) -> f32;
    /// `self * factor + sum` with one rounding.
    #[must_use]
    fn multiply_add(self, factor: Self, sum: Self) -> Self;
    /// The square root, correctly rounded.
    #[must_use]
    fn square_root(self) -> Self;
    /// The magnitude.
    #[must_use]
    fn magnitude(self) -> Self;
    /// The number, or the largest finite one of its sign instead of an infinity.
    #[must_use]
    fn saturated(self) -> Self;
    /// Whether this is not a number.
    #[must_use]
    fn is_nan(self) -> bool;
    /// Whether this is neither infinite nor NaN.
    #[must_use]
    fn is_finite(self) -> bool;
    /// `e` with `2^e <= |self| < 2^(e+1)`, for finite values other than zero.
    #[must_use]
    fn exponent(self) -> i32;
    /// `self * 2^exponent`, in two steps, since the power alone may not be representable.
    #[must_use]
    fn times_power_of_two(self, exponent: i32) -> Self;

    /// The kernels in use for this type.
    ///
    /// # Errors
    /// [`Error::Kernel`] if `COSIM_RS_KERNEL` asks for one that is not available.
    #[doc(hidden)]
    fn kernels() -> Result<&'static Kernels<Self>, Error>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// Both types read the same but for the bits of their NaN.
macro_rules! real {
    ($real:ident, $nan_bits:literal, $safe_squares:expr, $table:ident) => {
        impl Real for $real {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAN: Self = $real::from_bits($nan_bits);
            const INFINITY: Self = $real::INFINITY;
            const UNIT: f64 = $real::EPSILON as f64 / 2.0;
            const SAFE_SQUARES: (Self, Self) = $safe_squares;

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation)] // rounding is what it is for
            fn from_f64(value: f64) -> Self {
                value as $real
            }
            #[inline(always)]
            fn from_f32(value: f32) -> Self {
                value.into()
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, clippy::unnecessary_cast)] // one of the two is one
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline(always)]
            fn multiply_add(self, factor: Self, sum: Self) -> Self {
                self.mul_add(factor, sum)
            }
            #[inline(always)]
            fn square_root(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn magnitude(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn saturated(self) -> Self {
                self.clamp(-$real::MAX, $real::MAX)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            fn exponent(self) -> i32 {
                const FRACTION_BITS: i32 = $real::MANTISSA_DIGITS.cast_signed() - 1;
                let normal = if self.is_subnormal() { FRACTION_BITS + 1 } else { 0 };
                let bits = self.times_power_of_two(normal).abs().to_bits();
                let biased = i32::try_from(bits >> FRACTION_BITS).expect("an exponent field");
                biased - ($real::MAX_EXP - 1) - normal
            }
            #[inline(always)]
            fn times_power_of_two(self, exponent: i32) -> Self {
                let half = exponent / 2;
                let power = |exponent| $real::powi(2.0, exponent);
                self * power(half) * power(exponent - half)
            }
            fn kernels() -> Result<&'static Kernels<Self>, Error> {
                level::selected().map(|level| level.$table())
            }
        }
    };
}

/// 2^-60 and 2^60, which both types hold.
const SAFE_SQUARES: (f32, f32) = (8.673_617_4e-19, 1.152_921_5e18);

real!(f32, 0x7fc0_0000, SAFE_SQUARES, kernels_f32);
real!(f64, 0x7ff8_0000_0000_0000, (SAFE_SQUARES.0 as f64, SAFE_SQUARES.1 as f64), kernels_f64);
