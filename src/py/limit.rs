//! The limit on the threads of a context, as `threadpool_limits` sets it.
//!
//! The limit is a `ContextVar` of the shim's, so that it follows tasks and `to_thread` and leaves
//! other threads alone. Asking for it takes some 40 ns, which is much beside a small call, so
//! nobody is asked until a limit was set for the first time.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// What tells the limit of the context that it is called in: the variable's `get`.
static TELLS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Has every call from now on keep to what `tells` returns: a limit of at least 1, or None.
#[pyfunction]
pub(super) fn keep_to(tells: &Bound<'_, PyAny>) {
    TELLS.get_or_init(tells.py(), || tells.clone().unbind());
}

/// The limit of the calling context.
fn limit(py: Python<'_>) -> PyResult<Option<usize>> {
    TELLS.get(py).map_or(Ok(None), |tells| tells.bind(py).call0()?.extract())
}

/// The threads of a call that asks for these, within the limit. The environment may hold no number
/// of threads; then None remains, for which the core will say so.
pub(super) fn within(py: Python<'_>, threads: Option<usize>) -> PyResult<Option<usize>> {
    Ok(match limit(py)? {
        None => threads,
        Some(limit) => threads.or_else(|| crate::num_threads().ok()).map(|n| n.min(limit)),
    })
}
