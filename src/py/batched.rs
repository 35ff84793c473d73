//! `batched_cosine_similarity`: `(B, D)` or `(B, 1, D)`, and `(B, N, D)`, to `(B, N)`.

use super::array::{input, memory, output, users};
use super::call::{Numbers, run};
use crate::{Real, score};
use ndarray::{Dim, Ix3};
use numpy::Element;
use pyo3::prelude::*;

#[pyfunction]
pub(super) fn batched_cosine_similarity<'py>(
    users: &Bound<'py, PyAny>,
    items: &Bound<'py, PyAny>,
    out: &Bound<'py, PyAny>,
    epsilon: &Bound<'py, PyAny>,
    threads: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(numbers) = Numbers::new(epsilon, threads) else { return Ok(None) };
    match scores::<f32>(users, items, out, numbers)? {
        None => scores::<f64>(users, items, out, numbers),
        scores => Ok(scores),
    }
}

fn scores<'py, T: Real + Element>(
    users_array: &Bound<'py, PyAny>,
    items: &Bound<'py, PyAny>,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(items) = input::<T, Ix3>(items) else { return Ok(None) };
    let Some(users) = users::<T>(users_array) else { return Ok(None) };
    let (batch, count, dim) = items.dim();
    if users.dim() != (batch, dim) {
        return Ok(None);
    }
    let inputs = [memory(&users), memory(&items)];
    let Some(out) = output(out, Dim([batch, count]), &inputs)? else { return Ok(None) };
    run(users_array.py(), numbers, |options| {
        score::batched_cosine_similarity(users, items, out.view, options)
    })?;
    Ok(Some(out.array.into_any()))
}
