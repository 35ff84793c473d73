//! The operations of the machine-learning frameworks, made known to them.
#![allow(unsafe_code)] // a border spot: functions as pointers

use crate::frameworks::jax::HANDLERS;
use crate::frameworks::{tensorflow, torch};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::c_void;
use std::ptr::NonNull;

/// The handlers of XLA by the names of their targets, as the capsules that JAX takes them in.
#[pyfunction]
pub(super) fn xla_handlers(py: Python<'_>) -> PyResult<Vec<(&'static str, Bound<'_, PyCapsule>)>> {
    let capsule = |(name, handler)| {
        let pointer = NonNull::new(handler as *mut c_void).expect("a function is somewhere");
        // SAFETY: functions are there for good, and XLA casts the pointer to what it is.
        let capsule =
            unsafe { PyCapsule::new_with_pointer(py, pointer, c"xla._CUSTOM_CALL_TARGET") };
        Ok((name, capsule?))
    };
    HANDLERS.into_iter().map(capsule).collect()
}

/// Implements the operations for tensors in the CPU's memory, with the functions of the library at
/// this path, which the process has loaded already. To be called once.
#[pyfunction]
pub(super) fn implement_for_torch(library: &str) -> PyResult<()> {
    torch::implement(library).map_err(PyRuntimeError::new_err)
}

/// Registers the operations of TensorFlow, once a process; or says why that cannot be done.
#[pyfunction]
pub(super) fn register_tensorflow(py: Python<'_>) -> Option<String> {
    py.detach(tensorflow::register).err()
}
