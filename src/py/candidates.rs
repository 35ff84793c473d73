//! `candidate_cosine_similarity`: `(B, D)`, `(M, D)` and ids `(B, N)` to `(B, N)`.

use super::array::{input, memory, output};
use super::call::{Numbers, run};
use super::vectors::{Computed, Vectors, vectors};
use crate::score;
use ndarray::{Dim, Ix2};
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
    let (Some(users), Some(items)) = (vectors(users), vectors(items)) else { return Ok(None) };
    if users.is_double() || items.is_double() {
        scores::<f64>(users, items, ids, out, numbers)
    } else {
        scores::<f32>(users, items, ids, out, numbers)
    }
}

fn scores<'py, T: Computed>(
    users: Vectors<'_, Ix2>,
    items: Vectors<'_, Ix2>,
    ids: &Bound<'py, PyAny>,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(ids) = input::<i64, Ix2>(ids) else { return Ok(None) };
    if users.shape() != [ids.nrows(), items.shape()[1]] {
        return Ok(None);
    }
    let inputs = [users.memory(), items.memory(), memory(&ids)];
    let Some(out) = output(out, Dim([ids.nrows(), ids.ncols()]), &inputs)? else { return Ok(None) };
    let (users, items) = (T::rows(users), T::rows(items));
    run(out.array.py(), numbers, |options| {
        score::candidate_cosine_similarity(users, items, ids, out.view, options)
    })?;
    Ok(Some(out.array.into_any()))
}
