//! `top_k`: `(U, D)` and segments of `(N, D)` to scores and places `(U, min(k, N))`.

use super::call::{Numbers, run};
use super::filter;
use super::segments::{self, Piece, are_double, pieces, segments};
use super::vectors::{Computed, Vectors, vectors};
use crate::search::{Filter, top_k_of};
use ndarray::Ix2;
use numpy::Element;
use numpy::{IntoPyArray, PyArray2};
use pyo3::prelude::*;

type Found<'py> = (Bound<'py, PyAny>, Bound<'py, PyArray2<i64>>, usize);

#[pyfunction]
pub(super) fn top_k<'py>(
    users: &Bound<'py, PyAny>,
    searched: segments::Given<'py>,
    k: usize,
    filter: filter::Given<'py>,
    epsilon: &Bound<'py, PyAny>,
    threads: &Bound<'py, PyAny>,
) -> PyResult<Option<Found<'py>>> {
    let py = users.py();
    let Some(numbers) = Numbers::new(epsilon, threads) else { return Ok(None) };
    let Some(filter) = filter.filter()? else { return Ok(None) };
    let (Some(users), Some(searched)) = (vectors(users), pieces(&searched)) else {
        return Ok(None);
    };
    if users.is_double() || are_double(&searched) {
        found::<f64>(py, users, searched, k, &filter, numbers)
    } else {
        found::<f32>(py, users, searched, k, &filter, numbers)
    }
}

fn found<'py, T: Computed + Element>(
    py: Python<'py>,
    users: Vectors<'_, Ix2>,
    searched: Vec<Piece<'_>>,
    k: usize,
    filter: &Filter<'_>,
    numbers: Numbers,
) -> PyResult<Option<Found<'py>>> {
    let (users, searched) = (T::rows(users), segments::<T>(searched)?);
    let found = run(py, numbers, |options| top_k_of(users, &searched, k, filter, options))?;
    let scores = found.scores.into_pyarray(py).into_any();
    Ok(Some((scores, found.indices.into_pyarray(py), found.scored)))
}
