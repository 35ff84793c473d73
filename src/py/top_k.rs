//! `top_k`: `(U, D)` and `(N, D)` to scores and indices `(U, min(k, N))`.

use super::array::input;
use super::call::{Numbers, run};
use super::catalogue::Codes;
use super::vectors::{Computed, Vectors, vectors};
use crate::search::{self, Catalogue, Filter, Lists};
use ndarray::{Ix1, Ix2};
use numpy::Element;
use numpy::{IntoPyArray, PyArray2};
use pyo3::prelude::*;

type Found<'py> = (Bound<'py, PyAny>, Bound<'py, PyArray2<i64>>, usize);
type GivenLists<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// `exclude` and `candidates` are each a tuple of two arrays of 64-bit integers, see [`Lists`], or
/// None; `allow` is an array of bool or None.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // the caller's own, all of them
pub(super) fn top_k<'py>(
    users: &Bound<'py, PyAny>,
    items: &Bound<'py, PyAny>,
    k: usize,
    min_score: Option<f64>,
    exclude: Option<GivenLists<'py>>,
    allow: Option<Bound<'py, PyAny>>,
    candidates: Option<GivenLists<'py>>,
    exclude_self: bool,
    codes: Option<Bound<'py, Codes>>,
    epsilon: &Bound<'py, PyAny>,
    threads: &Bound<'py, PyAny>,
) -> PyResult<Option<Found<'py>>> {
    let Some(numbers) = Numbers::new(epsilon, threads) else { return Ok(None) };
    let mut filter = Filter { min_score, exclude_self, ..Filter::default() };
    if let Some(given) = &exclude {
        let Some((starts, items)) = lists(given) else { return Ok(None) };
        filter.exclude = Some(Lists::new("exclude", starts, items)?);
    }
    if let Some(given) = &candidates {
        let Some((starts, items)) = lists(given) else { return Ok(None) };
        filter.candidates = Some(Lists::new("candidates", starts, items)?);
    }
    if let Some(allow) = &allow {
        let Some(flags) = input::<bool, Ix1>(allow).and_then(|flags| flags.to_slice()) else {
            return Ok(None);
        };
        filter.allow = Some(flags);
    }
    let codes = codes.as_ref().map(|codes| &codes.get().0);
    let py = users.py();
    let (Some(users), Some(items)) = (vectors(users), vectors(items)) else { return Ok(None) };
    if users.is_double() || items.is_double() {
        found::<f64>(py, users, items, codes, k, &filter, numbers)
    } else {
        found::<f32>(py, users, items, codes, k, &filter, numbers)
    }
}

fn lists<'a>((starts, items): &'a GivenLists<'_>) -> Option<(&'a [i64], &'a [i64])> {
    Some((input::<i64, Ix1>(starts)?.to_slice()?, input::<i64, Ix1>(items)?.to_slice()?))
}

fn found<'py, T: Computed + Element>(
    py: Python<'py>,
    users: Vectors<'_, Ix2>,
    items: Vectors<'_, Ix2>,
    codes: Option<&Catalogue>,
    k: usize,
    filter: &Filter<'_>,
    numbers: Numbers,
) -> PyResult<Option<Found<'py>>> {
    let (users, items) = (T::rows(users), T::rows(items));
    let found = run(py, numbers, |options| match codes {
        None => search::top_k(users, items, k, filter, options),
        Some(codes) => codes.top_k(users, items, k, filter, options),
    })?;
    let scores = found.scores.into_pyarray(py).into_any();
    Ok(Some((scores, found.indices.into_pyarray(py), found.scored)))
}
