//! Columns of any library that offers Arrow's capsules, as NumPy arrays where they lie.
//!
//! Structs are taken out of their capsules ([`abi`]), numbers and shape are read from them
//! ([`column`]), level by level ([`level`], [`schema`]), and what was taken lives as long as the NumPy array that
//! lies in its memory. Neither the library nor pyarrow is asked for more than its capsules.
#![allow(unsafe_code)] // a border spot: memory of other libraries that NumPy sees

mod abi;
mod chunks;
mod column;
mod kind;
mod level;
mod refusal;
mod schema;

use abi::{Array, Passed, Schema};
use chunks::chunks;
use column::{Column, Values, read};
use kind::Numbers;
use level::Level;
use numpy::npyffi::{NpyTypes, PY_ARRAY_API, get_type_object};
use numpy::{PyArray1, PyArrayDescrMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};
use refusal::Refusal;
use schema::Type;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

/// Memory that a NumPy array lies in.
#[pyclass(frozen)]
struct Owner(#[allow(dead_code)] Array); // it is there to be dropped

/// What `__arrow_c_array__` has returned, as an array; None if it is no column of numbers.
#[pyfunction]
pub(super) fn arrow_array<'py>(
    py: Python<'py>,
    name: &str,
    capsules: (Bound<'py, PyAny>, Bound<'py, PyAny>),
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let read = || {
        let (schema, array) = (taken::<Schema>(&capsules.0)?, taken::<Array>(&capsules.1)?);
        // SAFETY: as they came together, the array is of this type.
        let column = read(unsafe { Level::new(Type::new(&schema), &array) }?)?;
        Ok(column.map(|column| (column, Some(array))))
    };
    match read().map_err(|refusal| refused(name, &refusal))? {
        Some((column, array)) => in_numpy(py, column, array).map(Some),
        None => Ok(None),
    }
}

/// What `__arrow_c_stream__` has returned, likewise; several chunks are put together by a copy.
#[pyfunction]
pub(super) fn arrow_chunks<'py>(
    py: Python<'py>,
    name: &str,
    capsule: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let chunks = taken(capsule).and_then(chunks);
    let Some(chunks) = chunks.map_err(|refusal| refused(name, &refusal))? else { return Ok(None) };
    let arrays = chunks.into_iter().map(|(column, array)| in_numpy(py, column, array));
    let mut arrays = arrays.collect::<PyResult<Vec<_>>>()?;
    if arrays.len() == 1 {
        return Ok(arrays.pop());
    }
    py.import("numpy")?.call_method1("concatenate", (arrays,)).map(Some)
}

/// A struct out of its capsule.
fn taken<T: Passed>(offered: &Bound<'_, PyAny>) -> Result<T, Refusal> {
    let capsule = offered.cast::<PyCapsule>().ok();
    let place = capsule.and_then(|capsule| capsule.pointer_checked(Some(T::CAPSULE)).ok());
    // SAFETY: the capsule's name says what is in it; whoever knows of it has the interpreter too.
    let taken = place.and_then(|place| unsafe { T::take(place.cast()) });
    taken.ok_or(Refusal::Broken("a capsule that is of another kind, or was taken before"))
}

fn refused(name: &str, refusal: &Refusal) -> PyErr {
    PyValueError::new_err(format!("{name}: {refusal}"))
}

/// An array of a column's values; `array` has the memory of those that are not copied.
fn in_numpy(py: Python<'_>, column: Column, array: Option<Array>) -> PyResult<Bound<'_, PyAny>> {
    let Column { shape, axes, values } = column;
    let in_order = match values {
        // SAFETY: so many numbers lie there, side by side.
        Values::Numbers(numbers, place) => unsafe { seen(py, numbers, place, shape, array) }?,
        Values::Flags(flags) => {
            let flags = PyArray1::from_slice(py, &flags).into_any();
            if shape.len() == 1 {
                return Ok(flags); // not a view of it, which would have a base
            }
            flags.call_method1("reshape", (shape,))?
        }
    };
    match axes {
        Some(axes) => in_order.call_method1("transpose", (axes,)),
        None => Ok(in_order),
    }
}

/// A read-only array of numbers where they lie; of none, if that is null.
///
/// # Safety
/// As many numbers as the shape has lie there as long as `array` lives.
unsafe fn seen(
    py: Python<'_>,
    numbers: Numbers,
    place: *const c_void,
    shape: Vec<usize>,
    array: Option<Array>,
) -> PyResult<Bound<'_, PyAny>> {
    let mut shape: Vec<_> = shape.into_iter().map(usize::cast_signed).collect();
    let (class, rank) = (NpyTypes::PyArray_Type, c_int::try_from(shape.len())?);
    let (dtype, flags) = ((numbers.dtype)(py).into_dtype_ptr(), 0);
    // SAFETY: the shape has `rank` lengths. The call takes the reference to the dtype, and
    // returns a new reference to an array or null and an error. Where nothing lies it allocates.
    let seen = unsafe {
        let seen = PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            get_type_object(py, class),
            dtype,
            rank,
            shape.as_mut_ptr(),
            null_mut(),
            place.cast_mut(),
            flags,
            null_mut(),
        );
        Bound::from_owned_ptr_or_err(py, seen)?
    };
    if let Some(array) = array.filter(|_| !place.is_null()) {
        let owner = Bound::new(py, Owner(array))?.into_ptr();
        // SAFETY: the array has no base yet. The call takes the reference to it.
        let code = unsafe { PY_ARRAY_API.PyArray_SetBaseObject(py, seen.as_ptr().cast(), owner) };
        if code != 0 {
            return Err(PyErr::fetch(py));
        }
    }
    Ok(seen)
}
