//! Vectors in arrays of any type that the core reads, as they are stored.
//!
//! NumPy has no bfloat16. It comes as the type of that name that `ml_dtypes` adds, or, where that is
//! not there, as a structure of one field of that name: the mark that the shim puts on 16 bits.
#![allow(unsafe_code)] // a border spot: numbers that NumPy has no type for

use super::array::{elements, memory};
pub(super) use crate::view::{Computed, Vectors};
use crate::view::{for_each_vectors, same_vectors};
use half::bf16;
use ndarray::{Axis, Dimension, Ix2, Ix3};
use numpy::npyffi::NPY_TYPES;
use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyTypeMethods;
use std::ffi::c_int;
use std::ops::Range;

const SINGLE: c_int = NPY_TYPES::NPY_FLOAT as c_int;
const DOUBLE: c_int = NPY_TYPES::NPY_DOUBLE as c_int;
const HALF: c_int = NPY_TYPES::NPY_HALF as c_int;
const BYTE: c_int = NPY_TYPES::NPY_BYTE as c_int;
const BITS: c_int = NPY_TYPES::NPY_USHORT as c_int;

/// An array of this number of dimensions, as it stands, if its type is one of them.
pub(super) fn vectors<'a, D>(object: &'a Bound<'_, PyAny>) -> Option<Vectors<'a, D>>
where
    D: Dimension + 'static,
{
    let array = object.cast::<PyUntypedArray>().ok()?;
    let dtype = array.dtype();
    dtype.is_native_byteorder().unwrap_or(true).then_some(())?;
    // SAFETY: the numbers are in native byte order, of the type that NumPy says, or of bfloat16.
    unsafe {
        Some(match dtype.num() {
            SINGLE => Vectors::Single(elements::<f32, _, D>(array)?),
            DOUBLE => Vectors::Double(elements::<f64, _, D>(array)?),
            HALF => Vectors::Half(elements::<u16, _, D>(array)?),
            BYTE => Vectors::Byte(elements::<i8, _, D>(array)?),
            _ if is_brain(&dtype) => Vectors::Brain(elements::<u16, _, D>(array)?),
            _ => return None,
        })
    }
}

/// Whether this is a type of bfloat16; see the module's prose.
#[cold]
fn is_brain(dtype: &Bound<'_, PyArrayDescr>) -> bool {
    const NAME: &str = "bfloat16";
    // Their alignment is that of the array's flag; a structure may have none.
    if dtype.itemsize() != size_of::<bf16>() || dtype.alignment() != align_of::<bf16>() {
        return false;
    }
    if dtype.has_fields() {
        let is_native = |field: &Bound<'_, PyArrayDescr>| field.is_native_byteorder() == Some(true);
        let bits = dtype.get_field(NAME).ok().map(|(field, _)| field);
        return bits.is_some_and(|field| field.num() == BITS && is_native(&field));
    }
    dtype.typeobj().name().is_ok_and(|name| name == NAME)
}

/// Users as `(B, D)`, also where they come as `(B, 1, D)`.
pub(super) fn users<'a>(object: &'a Bound<'_, PyAny>) -> Option<Vectors<'a, Ix2>> {
    vectors::<Ix2>(object).or_else(|| {
        let users = vectors::<Ix3>(object).filter(|users| users.shape()[1] == 1)?;
        Some(same_vectors!(users, view => view.index_axis_move(Axis(1), 0)))
    })
}

/// The addresses between the first and the last byte.
pub(super) fn memory_of<D: Dimension>(vectors: &Vectors<'_, D>) -> Range<usize> {
    for_each_vectors!(vectors, view => memory(view))
}
