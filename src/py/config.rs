//! Threads, kernels and the floating-point mode, asked and set.

use super::limit;
use crate::Level;
use crate::kernel::float_mode::DefaultMode;
use pyo3::prelude::*;

#[pyfunction]
pub(super) fn set_num_threads(n: usize) -> PyResult<()> {
    Ok(crate::set_num_threads(n)?)
}

#[pyfunction]
pub(super) fn get_num_threads(py: Python<'_>) -> PyResult<usize> {
    let threads = crate::num_threads()?;
    Ok(limit::within(py, Some(threads))?.unwrap_or(threads))
}

#[pyfunction]
pub(super) fn kernel() -> PyResult<&'static str> {
    Ok(crate::selected_level()?.name())
}

#[pyfunction]
pub(super) fn available_kernels() -> Vec<&'static str> {
    crate::available_levels().into_iter().map(Level::name).collect()
}

/// Calls a function of no arguments in the default floating-point mode: conversions by NumPy would
/// flush subnormals in a caller's thread that does.
#[pyfunction]
pub(super) fn in_default_mode<'py>(call: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let _mode = DefaultMode::enter();
    call.call0()
}

/// How often scores, and how often gradients, were computed by the operations of a framework.
#[pyfunction]
pub(super) fn native_calls() -> (u64, u64) {
    crate::frameworks::calls()
}
