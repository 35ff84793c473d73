//! Tensors in a framework's memory, as views that the core takes.
#![allow(unsafe_code)] // a border spot: pointers that a framework vouches for

use crate::huge_pages;
use crate::view::{Gradient, Vectors};
use half::{bf16, f16};
use ndarray::{ArrayView3, ArrayViewMut3, Ix3, ShapeBuilder};
use std::ffi::c_void;
use std::marker::PhantomData;

/// The type of a tensor's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Single,
    Double,
    Half,
    Brain,
    Byte,
}

impl Kind {
    /// The bytes of a number; it is aligned to as many.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Double => 8,
            Self::Single => 4,
            Self::Half | Self::Brain => 2,
            Self::Byte => 1,
        }
    }
}

/// Numbers to read. Strides are in elements and at least 0; without them, in C order.
#[derive(Clone, Copy)]
pub(crate) struct Tensor<'a> {
    pub(super) kind: Kind,
    data: *const c_void,
    pub(super) shape: &'a [usize],
    strides: Option<&'a [usize]>,
}

/// Room for numbers, in C order.
pub(crate) struct TensorMut<'a> {
    pub(super) kind: Kind,
    data: *mut c_void,
    pub(super) len: usize,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl<'a> Tensor<'a> {
    /// # Safety
    /// For `'a` there are numbers of this kind at `data`, in native byte order and aligned, of this
    /// shape and at these strides; nobody writes to them.
    pub(crate) unsafe fn new(
        kind: Kind,
        data: *const c_void,
        shape: &'a [usize],
        strides: Option<&'a [usize]>,
    ) -> Self {
        Self { kind, data, shape, strides }
    }

    /// The rows as `(L, R, D)`, if they can be seen so; the shape itself may have fewer axes, or
    /// more in C order.
    pub(super) fn rows(&self, shape: [usize; 3]) -> Option<Vectors<'a, Ix3>> {
        Some(match self.kind {
            Kind::Single => Vectors::Single(self.view::<f32>(shape)?),
            Kind::Double => Vectors::Double(self.view::<f64>(shape)?),
            Kind::Half => Vectors::Half(self.view::<f16>(shape)?),
            Kind::Brain => Vectors::Brain(self.view::<bf16>(shape)?),
            Kind::Byte => Vectors::Byte(self.view::<i8>(shape)?),
        })
    }

    /// As [`Self::rows`], of numbers of this kind as `T`.
    pub(super) fn view<T>(&self, shape: [usize; 3]) -> Option<ArrayView3<'a, T>> {
        let [leading, rows, dim] = shape;
        (self.shape.iter().product::<usize>() == leading * rows * dim).then_some(())?;
        let data = if leading * rows * dim == 0 {
            std::ptr::dangling() // a framework may have no memory for nothing
        } else {
            self.data.cast::<T>()
        };
        let longer = shape.iter().filter(|&&length| length != 1).count();
        let strides = match (self.strides, self.shape) {
            (None, _) => [rows * dim, dim, 1],
            (Some(&[first, second, third]), _) if *self.shape == shape => [first, second, third],
            (Some(&[first, second]), &[_, last]) if last == dim && (rows == 1 || leading == 1) => {
                [first, first, second]
            }
            (Some(&[only]), _) if longer <= 1 => [only; 3],
            (Some(_), _) => return None,
        };
        // SAFETY: `new`'s caller vouches for the numbers at these strides. There are as many in this
        // shape, whose axes are those of the tensor, of the same lengths, or of length 1.
        Some(unsafe { ArrayView3::from_shape_ptr(shape.strides(strides), data) })
    }
}

impl<'a> TensorMut<'a> {
    /// # Safety
    /// For `'a` there is room for so many numbers of this kind at `data`, aligned; nobody else reads
    /// or writes there.
    pub(crate) unsafe fn new(kind: Kind, data: *mut c_void, len: usize) -> Self {
        Self { kind, data, len, lifetime: PhantomData }
    }

    /// Room for scores.
    pub(super) fn scores<T>(&mut self, shape: [usize; 3]) -> Option<ArrayViewMut3<'_, T>> {
        (self.len == shape.iter().product::<usize>()).then_some(())?;
        let data = self.fresh::<T>();
        // SAFETY: `new`'s caller vouches for room for as many numbers of this kind.
        Some(unsafe { ArrayViewMut3::from_shape_ptr(shape, data) })
    }

    /// Room for a gradient that is computed in `f32` (`native`: this kind), or in `f64`.
    pub(super) fn gradient<E>(self, native: Kind) -> Option<Gradient<'a, E>> {
        Some(match self.kind {
            // SAFETY: of `E`s, which are of this kind; as in `slice`.
            kind if kind == native => Gradient::Native(unsafe { self.slice::<E>() }),
            // SAFETY: of this kind.
            Kind::Single => Gradient::Single(unsafe { self.slice::<f32>() }),
            // SAFETY: of this kind.
            Kind::Half => Gradient::Half(unsafe { self.slice::<f16>() }),
            // SAFETY: of this kind.
            Kind::Brain => Gradient::Brain(unsafe { self.slice::<bf16>() }),
            Kind::Double | Kind::Byte => return None,
        })
    }

    /// # Safety
    /// The numbers are of the kind that `T` is.
    unsafe fn slice<T>(self) -> &'a mut [T] {
        // SAFETY: `new`'s caller vouches for room for so many of them.
        unsafe { std::slice::from_raw_parts_mut(self.fresh(), self.len) }
    }

    /// Where the room is, on huge pages if it is large and new; anywhere if there is none.
    fn fresh<T>(&self) -> *mut T {
        if self.len == 0 {
            return std::ptr::dangling_mut();
        }
        huge_pages::ask_for(self.data.cast_const().cast(), self.len * size_of::<T>());
        self.data.cast()
    }
}
