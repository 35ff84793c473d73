//! The prepared side of a `Catalogue`: the codes of its items, made here or handed over.

use super::call::{Numbers, run};
use super::lent::{kept, lent};
use super::vectors::{Computed, Vectors, vectors};
use crate::search;
use ndarray::Ix2;
use numpy::PyArray1;
use pyo3::prelude::*;

/// Lines, scales and residuals.
type Parts<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>);

/// The codes of some items.
#[pyclass(frozen)]
pub(super) struct Codes(pub(super) search::Catalogue);

#[pymethods]
impl Codes {
    /// The bytes that they take, unless they lie in arrays that were handed over.
    #[getter]
    fn nbytes(&self) -> usize {
        self.0.bytes()
    }

    /// The codes as `codes_of` takes them, read-only and where they lie.
    fn parts<'py>(this: &Bound<'py, Self>) -> Parts<'py> {
        (
            lent(this, |codes| codes.0.lines()),
            lent(this, |codes| codes.0.scales()),
            lent(this, |codes| codes.0.residuals()),
        )
    }
}

/// The codes of items of this shape, in arrays that are kept: bytes, and two of 32-bit floats.
#[pyfunction]
pub(super) fn codes_of(
    shape: [usize; 2],
    epsilon: f64,
    lines: &Bound<'_, PyAny>,
    scales: &Bound<'_, PyAny>,
    residuals: &Bound<'_, PyAny>,
) -> PyResult<Option<Codes>> {
    let (Some(lines), Some(scales), Some(residuals)) = (kept(lines), kept(scales), kept(residuals))
    else {
        return Ok(None);
    };
    Ok(Some(Codes(search::Catalogue::of_codes(shape, epsilon, lines, scales, residuals)?)))
}

/// The codes of `items`, an array (N, D).
#[pyfunction]
pub(super) fn prepare(
    items: &Bound<'_, PyAny>,
    epsilon: &Bound<'_, PyAny>,
    threads: &Bound<'_, PyAny>,
) -> PyResult<Option<Codes>> {
    let Some(numbers) = Numbers::new(epsilon, threads) else { return Ok(None) };
    let py = items.py();
    let Some(items) = vectors(items) else { return Ok(None) };
    if items.is_double() {
        prepared::<f64>(py, items, numbers)
    } else {
        prepared::<f32>(py, items, numbers)
    }
}

fn prepared<T: Computed>(
    py: Python<'_>,
    items: Vectors<'_, Ix2>,
    numbers: Numbers,
) -> PyResult<Option<Codes>> {
    let items = T::rows(items);
    let codes = run(py, numbers, |options| search::Catalogue::new(items, options))?;
    Ok(Some(Codes(codes)))
}
