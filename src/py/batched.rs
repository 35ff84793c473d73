//! `batched_cosine_similarity`: `(B, D)` or `(B, 1, D)`, and `(B, N, D)`, to `(B, N)`.

use super::array::output;
use super::call::{Numbers, run};
use super::vectors::{self, Computed, Vectors, memory_of, vectors};
use crate::score;
use ndarray::{Dim, Ix2, Ix3};
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
    let (Some(users), Some(items)) = (vectors::users(users), vectors::<Ix3>(items)) else {
        return Ok(None);
    };
    if users.is_double() || items.is_double() {
        scores::<f64>(users, items, out, numbers)
    } else {
        scores::<f32>(users, items, out, numbers)
    }
}

fn scores<'py, T: Computed + Element>(
    users: Vectors<'_, Ix2>,
    items: Vectors<'_, Ix3>,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let [batch, count, dim] = *items.shape() else { return Ok(None) };
    if users.shape() != [batch, dim] {
        return Ok(None);
    }
    let inputs = [memory_of(&users), memory_of(&items)];
    let Some(out) = output(out, Dim([batch, count]), &inputs)? else { return Ok(None) };
    let (users, items) = (T::rows(users), T::batches(items));
    run(out.array.py(), numbers, |options| {
        score::batched_cosine_similarity(users, items, out.view, options)
    })?;
    Ok(Some(out.array.into_any()))
}
