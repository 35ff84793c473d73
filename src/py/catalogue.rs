//! The prepared side of a `Catalogue`: the codes of its items.

use super::call::{Numbers, run};
use super::vectors::{Computed, Vectors, vectors};
use crate::search;
use ndarray::Ix2;
use pyo3::prelude::*;

/// The codes of some items.
#[pyclass(frozen)]
pub(super) struct Codes(pub(super) search::Catalogue);

#[pymethods]
impl Codes {
    /// The bytes that they take.
    #[getter]
    fn nbytes(&self) -> usize {
        self.0.bytes()
    }
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
