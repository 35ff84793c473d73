//! `cosine_similarity`: `(U, D)` and `(N, D)` to `(U, N)`; without the second, the first with
//! itself.

use super::array::output;
use super::call::{Numbers, run};
use super::vectors::{Computed, Vectors, memory_of, vectors};
use crate::score;
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
    let y = if y.is_none() { x } else { y };
    let is_symmetric = y.is(x);
    let (Some(x), Some(y)) = (vectors(x), vectors(y)) else { return Ok(None) };
    if x.is_double() || y.is_double() {
        scores::<f64>(x, y, is_symmetric, out, numbers)
    } else {
        scores::<f32>(x, y, is_symmetric, out, numbers)
    }
}

fn scores<'py, T: Computed + Element>(
    x: Vectors<'_, Ix2>,
    y: Vectors<'_, Ix2>,
    is_symmetric: bool,
    out: &Bound<'py, PyAny>,
    numbers: Numbers,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (&[users, dim], &[items, item_dim]) = (x.shape(), y.shape()) else { return Ok(None) };
    if dim != item_dim {
        return Ok(None);
    }
    let inputs = [memory_of(&x), memory_of(&y)];
    let Some(out) = output(out, Dim([users, items]), &inputs)? else { return Ok(None) };
    let (x, y) = (T::rows(x), T::rows(y));
    run(out.array.py(), numbers, |options| {
        if is_symmetric {
            score::self_cosine_similarity(x, out.view, options)
        } else {
            score::cosine_similarity(x, y, out.view, options)
        }
    })?;
    Ok(Some(out.array.into_any()))
}
