//! TensorFlow's operations, registered.

use pyo3::prelude::*;

/// Registers them, once a process; or says why that cannot be done.
#[pyfunction]
pub(super) fn register_tensorflow(py: Python<'_>) -> Option<String> {
    py.detach(crate::frameworks::tensorflow::register).err()
}
