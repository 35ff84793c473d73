//! `mine_pairs`: `(M, D)`, or that and `(N, D)`, to scores and rows of pairs.

use super::call::{Numbers, run};
use super::vectors::{Computed, Vectors, vectors};
use crate::error::Error;
use crate::search::{self, Mining};
use ndarray::Ix2;
use numpy::Element;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use std::sync::Mutex;

type Found<'py> = (Bound<'py, PyAny>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>);

/// `progress`, if any, is called with how many rows of `x` are done.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // the caller's own, all of them
pub(super) fn mine_pairs<'py>(
    x: &Bound<'py, PyAny>,
    y: Option<Bound<'py, PyAny>>,
    min_score: f64,
    max_pairs: Option<usize>,
    progress: Option<Py<PyAny>>,
    epsilon: &Bound<'py, PyAny>,
    threads: &Bound<'py, PyAny>,
) -> PyResult<Option<Found<'py>>> {
    let py = x.py();
    let Some(numbers) = Numbers::new(epsilon, threads) else { return Ok(None) };
    let Some(x) = vectors(x) else { return Ok(None) };
    let y = match &y {
        Some(y) => match vectors(y) {
            Some(y) => Some(y),
            None => return Ok(None),
        },
        None => None,
    };
    let mining = Mining { min_score, max_pairs };
    if x.is_double() || y.as_ref().is_some_and(Vectors::is_double) {
        found::<f64>(py, x, y, mining, progress.as_ref(), numbers)
    } else {
        found::<f32>(py, x, y, mining, progress.as_ref(), numbers)
    }
}

fn found<'py, T: Computed + Element>(
    py: Python<'py>,
    x: Vectors<'_, Ix2>,
    y: Option<Vectors<'_, Ix2>>,
    mining: Mining,
    progress: Option<&Py<PyAny>>,
    numbers: Numbers,
) -> PyResult<Option<Found<'py>>> {
    let (x, y) = (T::rows(x), y.map(T::rows));
    let raised = Mutex::new(None);
    let tell = |rows: usize| {
        let Some(progress) = progress else { return Ok(()) };
        Python::attach(|py| progress.call1(py, (rows,))).map(drop).map_err(|error| {
            *raised.lock().expect("one thread") = Some(error);
            Error::Interrupted
        })
    };
    let found = run(py, numbers, |options| search::mine_pairs(x, y, mining, options, &tell));
    if let Some(error) = raised.into_inner().expect("one thread") {
        return Err(error);
    }
    let found = found?;
    let scores = found.scores.into_pyarray(py).into_any();
    Ok(Some((scores, found.first.into_pyarray(py), found.second.into_pyarray(py))))
}
