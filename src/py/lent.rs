//! Arrays that outlive a call: NumPy's that we keep, and ours that NumPy sees.
//!
//! Both hold on to who owns the memory. As with the arrays of a call, nobody must resize them or write
//! to them meanwhile: the shim keeps to itself what it hands over here.
#![allow(unsafe_code)] // a border spot: memory that is shared with NumPy

use super::array::{Number, input};
use crate::search::Shared;
use ndarray::{ArrayView1, Ix1};
use numpy::npyffi::NPY_ARRAY_WRITEABLE;
use numpy::{Element, PyArray1, PyUntypedArrayMethods};
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use std::sync::Arc;

/// The elements of an array that we keep.
struct Kept<T> {
    first: *const T,
    count: usize,
    /// Whose they are.
    _array: Py<PyAny>,
}

impl<T> AsRef<[T]> for Kept<T> {
    fn as_ref(&self) -> &[T] {
        // SAFETY: `kept` found so many contiguous elements there; the array lives as long as `self`, and
        // for what others might do to it see the module's prose.
        unsafe { std::slice::from_raw_parts(self.first, self.count) }
    }
}

// SAFETY: elements that are only read, and an object that only its destruction touches, which any
// thread may ask for.
unsafe impl<T: Sync> Send for Kept<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Kept<T> {}

/// The elements of an array of this type that is contiguous, where they lie.
pub(super) fn kept<T>(array: &Bound<'_, PyAny>) -> Option<Shared<T>>
where
    T: Number + Sync + 'static,
{
    let view = input::<T, Ix1>(array)?;
    let elements = view.as_slice()?;
    let (first, count) = (elements.as_ptr(), elements.len());
    Some(Arc::new(Kept { first, count, _array: array.clone().unbind() }))
}

/// A read-only array of a part of an object that never changes, where it lies.
pub(super) fn lent<'py, T, O>(
    owner: &Bound<'py, O>,
    part: impl for<'a> Fn(&'a O) -> &'a [T],
) -> Bound<'py, PyArray1<T>>
where
    T: Element,
    O: PyClass<Frozen = True> + Sync,
{
    let view = ArrayView1::from(part(owner.get()));
    // SAFETY: the object is frozen, so it can be borrowed for as long as it lives; and the array holds
    // on to it.
    let array = unsafe { PyArray1::borrow_from_array(&view, owner.clone().into_any()) };
    // SAFETY: nobody else knows the array yet. (`readwrite` would panic, where another thread has an
    // array of the same memory just then.)
    unsafe { (*array.as_array_ptr()).fields.flags &= !NPY_ARRAY_WRITEABLE };
    array
}
