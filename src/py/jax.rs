//! The handlers of XLA, as the capsules that JAX takes them in.
#![allow(unsafe_code)] // a border spot: functions as pointers

use crate::frameworks::jax::HANDLERS;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::c_void;
use std::ptr::NonNull;

/// The handlers by the names of their targets.
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
