//! `paired_cosine_similarity`: `(B, D)` and `(B, D)` to `(B,)`.

use super::array::{input, memory, output};
use super::call::{Numbers, run};
use crate::{Real, score};
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
    match scores::<f32>(x, y, out, numbers)? {
        None => scores::<f64>(x, y, out, numbers),
        scores => Ok(scores),
    }
}

fn scores<'py, T: Real + Element>(
    x_array: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (Some(x), Some(y)) = (input::<T, Ix2>(x_array), input::<T, Ix2>(y)) else {
        return Ok(None);
    };
    if x.dim() != y.dim() {
        return Ok(None);
    }
    let inputs = [memory(&x), memory(&y)];
    let Some(out) = output(out, Dim([x.nrows()]), &inputs)? else { return Ok(None) };
    run(x_array.py(), numbers, |options| score::paired_cosine_similarity(x, y, out.view, options))?;
    Ok(Some(out.array.into_any()))
}
