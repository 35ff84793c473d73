//! The prepared side of a `Catalogue`: the codes of its items.

use super::array::input;
use super::call::{Numbers, run};
use crate::Real;
use crate::search;
use ndarray::Ix2;
use numpy::Element;
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
    match prepared::<f32>(items, numbers)? {
        None => prepared::<f64>(items, numbers),
        codes => Ok(codes),
    }
}

fn prepared<T: Real + Element>(
    items: &Bound<'_, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Codes>> {
    let py = items.py();
    let Some(items) = input::<T, Ix2>(items) else { return Ok(None) };
    let codes = run(py, numbers, |options| search::Catalogue::new(items, options))?;
    Ok(Some(Codes(codes)))
}
