//! `candidate_cosine_similarity`: `(B, D)` or `(B, 1, D)`, `(M, D)` and ids `(B, N)` to `(B, N)`.
//!
//! Ids of 64 and of 32 bits are read where they lie.

use super::array::{input, memory, output};
use super::call::{Numbers, run};
use super::vectors::{self, Computed, Vectors, memory_of, vectors};
use crate::score;
use ndarray::{ArrayView2, Dim, Ix2};
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
    if let Some(ids) = input::<i64, Ix2>(ids) {
        return of_listed(users, items, ids, out, numbers);
    }
    if let Some(ids) = input::<i32, Ix2>(ids) {
        return of_listed(users, items, ids, out, numbers);
    }
    Ok(None)
}

fn of_listed<'py, I: Copy + Into<i64> + Sync>(
    users: &Bound<'py, PyAny>,
    items: &Bound<'py, PyAny>,
    ids: ArrayView2<'_, I>,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (Some(users), Some(items)) = (vectors::users(users), vectors(items)) else {
        return Ok(None);
    };
    if users.is_double() || items.is_double() {
        scores::<f64, I>(users, items, ids, out, numbers)
    } else {
        scores::<f32, I>(users, items, ids, out, numbers)
    }
}

fn scores<'py, T: Computed + Element, I: Copy + Into<i64> + Sync>(
    users: Vectors<'_, Ix2>,
    items: Vectors<'_, Ix2>,
    ids: ArrayView2<'_, I>,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if users.shape() != [ids.nrows(), items.shape()[1]] {
        return Ok(None);
    }
    let inputs = [memory_of(&users), memory_of(&items), memory(&ids)];
    let Some(out) = output(out, Dim([ids.nrows(), ids.ncols()]), &inputs)? else { return Ok(None) };
    let (users, items) = (T::rows(users), T::rows(items));
    run(out.array.py(), numbers, |options| {
        score::candidate_cosine_similarity(users, items, ids, out.view, options)
    })?;
    Ok(Some(out.array.into_any()))
}
