//! `cosine_similarity`: `(U, D)` and `(N, D)` to `(U, N)`; without the second, the first with
//! itself.

use super::array::{input, memory, output};
use super::call::{Numbers, run};
use crate::{Real, score};
use ndarray::{Dim, Ix2};
use numpy::Element;
use pyo3::prelude::*;

#[pyfunction]
pub(super) fn cosine_similarity<'py>(
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
    let y = if y.is_none() { x_array } else { y };
    let is_symmetric = y.is(x_array);
    let (Some(x), Some(y)) = (input::<T, Ix2>(x_array), input::<T, Ix2>(y)) else {
        return Ok(None);
    };
    if x.ncols() != y.ncols() {
        return Ok(None);
    }
    let inputs = [memory(&x), memory(&y)];
    let Some(out) = output(out, Dim([x.nrows(), y.nrows()]), &inputs)? else { return Ok(None) };
    run(x_array.py(), numbers, |options| {
        if is_symmetric {
            score::self_cosine_similarity(x, out.view, options)
        } else {
            score::cosine_similarity(x, y, out.view, options)
        }
    })?;
    Ok(Some(out.array.into_any()))
}
