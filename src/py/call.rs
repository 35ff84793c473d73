//! What every call from Python has in common: its options, its interrupts, its errors.

use super::limit::within;
use crate::error::Error;
use crate::score::Options;
use pyo3::exceptions::{PyIndexError, PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt};
use std::cell::RefCell;

/// `epsilon` and `threads` as the core takes them.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    epsilon: f64,
    threads: Option<usize>,
}

impl Numbers {
    /// The options as they stand: plain Python numbers that the core would not refuse.
    pub(super) fn new(epsilon: &Bound<'_, PyAny>, threads: &Bound<'_, PyAny>) -> Option<Self> {
        let epsilon = epsilon.cast_exact::<PyFloat>().ok()?.extract().ok()?;
        let threads = if threads.is_none() {
            None
        } else {
            Some(
                threads
                    .cast_exact::<PyInt>()
                    .ok()?
                    .extract()
                    .ok()
                    .filter(|&threads| threads > 0)?,
            )
        };
        (0.0..=f64::from(f32::MAX)).contains(&epsilon).then_some(Self { epsilon, threads })
    }
}

/// Runs some core work without the interpreter, within the context's limit, with Ctrl-C looked for.
pub(super) fn run<R, W>(py: Python<'_>, numbers: Numbers, work: W) -> PyResult<R>
where
    R: Send,
    W: FnOnce(&Options<'_>) -> Result<R, Error> + Send,
{
    let Numbers { epsilon, threads } = numbers;
    let threads = within(py, threads)?;
    let (result, interrupt) = py.detach(|| {
        let interrupt = RefCell::new(None);
        let interrupted = || {
            // The method itself is for one lifetime only, so a closure it is.
            #[allow(clippy::redundant_closure_for_method_calls)]
            let signal = Python::attach(|py| py.check_signals());
            let stop = signal.is_err();
            interrupt.replace(signal.err());
            stop
        };
        let result = work(&Options { epsilon, threads, interrupted: &interrupted });
        (result, interrupt.into_inner())
    });
    match (result, interrupt) {
        (Ok(result), _) => Ok(result),
        (Err(Error::Interrupted), Some(interrupt)) => Err(interrupt),
        (Err(error), _) => Err(error.into()),
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Index { .. } => PyIndexError::new_err(error.to_string()),
            Error::Memory { .. } => PyMemoryError::new_err(error.to_string()),
            _ => PyValueError::new_err(error.to_string()),
        }
    }
}
