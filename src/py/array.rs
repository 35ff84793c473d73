//! NumPy arrays as ndarray views, without a copy, or not at all.
//!
//! Safety rests on what is checked here: type, native byte order, alignment, and that an output is
//! writeable, of the right shape, and overlaps neither an input nor itself. What cannot be checked
//! is what other threads do: while the interpreter is let go, Python code may write to an input.
//! As with NumPy itself, the scores of such a call mean nothing; nothing else is at stake, since
//! [`Number`]s have no invalid values.
#![allow(unsafe_code)] // the border spot where arrays become views

use crate::Real;
use ndarray::{ArrayView, ArrayViewMut, Dimension};
use numpy::npyffi::{NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE, PY_ARRAY_API};
use numpy::{
    Element, PyArray, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use std::ffi::c_int;
use std::ops::Range;

/// Of these every pattern of bits is a value, unlike `bool`.
pub(super) trait Number: Element {}
impl Number for i8 {}
impl Number for u8 {}
impl Number for i32 {}
impl Number for i64 {}
impl Number for f32 {}
impl Number for f64 {}

/// An array of this element type and number of dimensions, as it stands.
pub(super) fn input<'a, T, D>(object: &'a Bound<'_, PyAny>) -> Option<ArrayView<'a, T, D>>
where
    T: Number,
    D: Dimension + 'static,
{
    let array = object.cast::<PyArray<T, D>>().ok()?;
    has_flags(array, NPY_ARRAY_ALIGNED).then_some(())?;
    // SAFETY: the array has this type in native byte order and number of dimensions, which `cast`
    // checked, and is aligned. It lives for `'a`, since `object` holds it. For writes by others
    // see the module's prose.
    Some(unsafe { array.as_array() })
}

/// The elements of an array, if it is aligned and has this number of dimensions.
///
/// # Safety
/// They are `T`s, which have no invalid values, in native byte order, whatever NumPy calls them, and as long as `Carrier`s.
pub(super) unsafe fn elements<'a, Carrier, T, D>(
    array: &'a Bound<'_, PyUntypedArray>,
) -> Option<ArrayView<'a, T, D>>
where
    Carrier: Element,
    D: Dimension + 'static,
{
    (Some(array.ndim()) == D::NDIM).then_some(())?;
    // SAFETY: no more is done with the type than to tell the length of an element by it; the number
    // of dimensions is this.
    let array = unsafe { array.as_any().cast_unchecked::<PyArray<Carrier, D>>() };
    has_flags(array, NPY_ARRAY_ALIGNED).then_some(())?;
    // SAFETY: the caller vouches for the elements; the rest is as in `input`.
    Some(unsafe { array.as_raw_array().cast::<T>().deref_into_view() })
}

/// An array to write scores to, and its view.
pub(super) struct Output<'a, 'py, T, D: Dimension> {
    pub(super) array: Bound<'py, PyArray<T, D>>,
    pub(super) view: ArrayViewMut<'a, T, D>,
}

/// The caller's array if it can hold the scores, or a new one; `inputs` are where the inputs lie.
pub(super) fn output<'a, 'py, T, D>(
    out: &'a Bound<'py, PyAny>,
    shape: D,
    inputs: &[Range<usize>],
) -> PyResult<Option<Output<'a, 'py, T, D>>>
where
    T: Element + Real,
    D: Dimension + 'static,
{
    if out.is_none() {
        let array = new_array(out.py(), &shape)?;
        // SAFETY: nobody else knows the array yet. It lives as long as `array`, which is returned
        // along with the view.
        let view = unsafe { ArrayViewMut::from_shape_ptr(shape, array.data()) };
        return Ok(Some(Output { array, view }));
    }
    let Ok(array) = out.cast::<PyArray<T, D>>() else { return Ok(None) };
    if array.shape() != shape.slice() || !has_flags(array, NPY_ARRAY_ALIGNED | NPY_ARRAY_WRITEABLE)
    {
        return Ok(None);
    }
    // SAFETY: as in `input`; only read from, until the checks below have passed.
    let extent = unsafe { array.as_array() };
    let own = memory(&extent);
    let is_shared = inputs.iter().any(|input| input.start < own.end && own.start < input.end);
    if is_shared || overlaps_itself(&extent) {
        return Ok(None);
    }
    // SAFETY: as in `input`; besides, the array is writeable, each element has its own place, and
    // no input of this call shares it.
    let view = unsafe { array.as_array_mut() };
    Ok(Some(Output { array: array.clone(), view }))
}

/// The addresses between the first and the last byte of a view.
pub(super) fn memory<T, D: Dimension>(view: &ArrayView<'_, T, D>) -> Range<usize> {
    if view.is_empty() {
        return 0..0;
    }
    let (mut start, mut end) = (view.as_ptr().addr(), view.as_ptr().addr() + size_of::<T>());
    for (&length, &stride) in view.shape().iter().zip(view.strides()) {
        let reach = (length - 1) * stride.unsigned_abs() * size_of::<T>();
        if stride < 0 { start -= reach } else { end += reach }
    }
    start..end
}

/// Whether two elements might share memory: whether some axis steps less far than the axes with
/// smaller steps reach.
fn overlaps_itself<T, D: Dimension>(view: &ArrayView<'_, T, D>) -> bool {
    let mut axes: Vec<_> = view
        .shape()
        .iter()
        .zip(view.strides())
        .filter(|&(&length, _)| length > 1)
        .map(|(&length, &stride)| (stride.unsigned_abs(), length))
        .collect();
    axes.sort_unstable();
    let mut reach = 0;
    axes.into_iter().any(|(stride, length)| {
        let overlaps = stride <= reach;
        reach += stride * (length - 1);
        overlaps && !view.is_empty()
    })
}

fn has_flags<T, D>(array: &Bound<'_, PyArray<T, D>>, flags: c_int) -> bool {
    // SAFETY: the pointer is the array's own, and the flags are a plain field.
    unsafe { (*array.as_array_ptr()).fields.flags & flags == flags }
}

/// A new, uninitialised array in C order. NumPy allocates it, and so asks for huge pages where it
/// is large: without them, faults on a fresh output cost as much as the scores.
fn new_array<'py, T, D>(py: Python<'py>, shape: &D) -> PyResult<Bound<'py, PyArray<T, D>>>
where
    T: Element,
    D: Dimension + 'static,
{
    let mut shape: Vec<_> = shape.slice().iter().map(|length| length.cast_signed()).collect();
    let (rank, not_fortran) = (c_int::try_from(shape.len())?, 0);
    let dtype = T::get_dtype(py).into_dtype_ptr();
    // SAFETY: `shape` has `rank` lengths, and the call takes the reference to the dtype that it is
    // given. It returns a new reference to an array of this type and rank, or null and an error.
    unsafe {
        let array = PY_ARRAY_API.PyArray_Empty(py, rank, shape.as_mut_ptr(), dtype, not_fortran);
        Ok(Bound::from_owned_ptr_or_err(py, array)?.cast_into_unchecked())
    }
}
