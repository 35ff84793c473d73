//! Threads and kernels, asked and set.

use crate::Level;
use pyo3::prelude::*;

#[pyfunction]
pub(super) fn set_num_threads(n: usize) -> PyResult<()> {
    Ok(crate::set_num_threads(n)?)
}

#[pyfunction]
pub(super) fn get_num_threads() -> PyResult<usize> {
    Ok(crate::num_threads()?)
}

#[pyfunction]
pub(super) fn kernel() -> PyResult<&'static str> {
    Ok(crate::selected_level()?.name())
}

#[pyfunction]
pub(super) fn available_kernels() -> Vec<&'static str> {
    crate::available_levels().into_iter().map(Level::name).collect()
}
