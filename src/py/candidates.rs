//! `candidate_cosine_similarity`: `(B, D)`, `(M, D)` and ids `(B, N)` to `(B, N)`.

use super::array::{input, memory, output};
use super::call::{Numbers, run};
use crate::{Real, score};
use ndarray::{Dim, Ix2};
use numpy::Element;
use pyo3::prelude::*;

#[pyfunction]
pub(super) fn candidate_cosine_similarity<'py>(
    users: &Bound<'py, PyAny>,
    items: &Bound<'py, PyAny>,
    ids: &Bound<'py, PyAny>,
    out: &Bound<'py, PyAny>,
    epsilon: &Bound<'py, PyAny>,
    threads: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(numbers) = Numbers::new(epsilon, threads) else { return Ok(None) };
    match scores::<f32>(users, items, ids, out, numbers)? {
        None => scores::<f64>(users, items, ids, out, numbers),
        scores => Ok(scores),
    }
}

fn scores<'py, T: Real + Element>(
    users_array: &Bound<'py, PyAny>,
    items: &Bound<'py, PyAny>,
    ids: &Bound<'py, PyAny>,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (Some(users), Some(items)) = (input::<T, Ix2>(users_array), input::<T, Ix2>(items)) else {
        return Ok(None);
    };
    let Some(ids) = input::<i64, Ix2>(ids) else { return Ok(None) };
    if users.dim() != (ids.nrows(), items.ncols()) {
        return Ok(None);
    }
    let inputs = [memory(&users), memory(&items), memory(&ids)];
    let Some(out) = output(out, Dim([ids.nrows(), ids.ncols()]), &inputs)? else { return Ok(None) };
    run(users_array.py(), numbers, |options| {
        score::candidate_cosine_similarity(users, items, ids, out.view, options)
    })?;
    Ok(Some(out.array.into_any()))
}
