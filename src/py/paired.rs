//! `paired_cosine_similarity`: `(B, D)` and `(B, D)` to `(B,)`.

use super::array::output;
use super::call::{Numbers, run};
use super::vectors::{Computed, Vectors, memory_of, vectors};
use crate::score;
use ndarray::{Dim, Ix2};
use numpy::Element;
use pyo3::prelude::*;

#[pyfunction]
pub(super) fn paired_cosine_similarity<'py>(
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    out: &Bound<'py, PyAny>,
    epsilon: &Bound<'py, PyAny>,
    threads: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(numbers) = Numbers::new(epsilon, threads) else { return Ok(None) };
    let (Some(x), Some(y)) = (vectors(x), vectors(y)) else { return Ok(None) };
    if x.is_double() || y.is_double() {
        scores::<f64>(x, y, out, numbers)
    } else {
        scores::<f32>(x, y, out, numbers)
    }
}

fn scores<'py, T: Computed + Element>(
    x: Vectors<'_, Ix2>,
    y: Vectors<'_, Ix2>,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if x.shape() != y.shape() {
        return Ok(None);
    }
    let inputs = [memory_of(&x), memory_of(&y)];
    let Some(out) = output(out, Dim([x.shape()[0]]), &inputs)? else { return Ok(None) };
    let (x, y) = (T::rows(x), T::rows(y));
    run(out.array.py(), numbers, |options| {
        score::paired_cosine_similarity(x, y, out.view, options)
    })?;
    Ok(Some(out.array.into_any()))
}
