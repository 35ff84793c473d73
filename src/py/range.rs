//! `range_search`: `(U, D)` and segments of `(N, D)` to rows of places and scores.

use super::call::{Numbers, run};
use super::filter;
use super::segments::{self, Piece, are_double, pieces, segments};
use super::vectors::{Computed, Vectors, vectors};
use crate::search::{self, Filter};
use ndarray::Ix2;
use numpy::Element;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

type Found<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>, Bound<'py, PyAny>);

#[pyfunction]
pub(super) fn range_search<'py>(
    users: &Bound<'py, PyAny>,
    searched: segments::Given<'py>,
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
        found::<f64>(py, users, searched, &filter, numbers)
    } else {
        found::<f32>(py, users, searched, &filter, numbers)
    }
}

fn found<'py, T: Computed + Element>(
    py: Python<'py>,
    users: Vectors<'_, Ix2>,
    searched: Vec<Piece<'_>>,
    filter: &Filter<'_>,
    numbers: Numbers,
) -> PyResult<Option<Found<'py>>> {
    let (users, searched) = (T::rows(users), segments::<T>(searched)?);
    let found =
        run(py, numbers, |options| search::range_search(users, &searched, filter, options))?;
    let scores = found.scores.into_pyarray(py).into_any();
    Ok(Some((found.starts.into_pyarray(py), found.indices.into_pyarray(py), scores)))
}
