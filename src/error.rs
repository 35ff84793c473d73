//! What can go wrong in the core.

use thiserror::Error;

/// Every way in which a call can fail. Nothing has been written to the output, an interrupt
/// excepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Two arrays do not fit each other.
    #[error("{name}: got shape {got:?}, expected {expected:?}")]
    Shape {
        /// The argument that does not fit.
        name: &'static str,
        /// Its shape.
        got: Vec<usize>,
        /// The shape that the other arguments ask for.
        expected: Vec<usize>,
    },
    /// `epsilon` is negative, infinite or not a number.
    #[error("epsilon: got {0}, expected a finite number of at least 0")]
    Epsilon(String),
    /// A number of threads below 1.
    #[error("threads: got 0, expected at least 1")]
    Threads,
    /// An environment variable that should hold a number of threads holds something else.
    #[error("{name}: got {got:?}, expected a whole number of threads of at least 1")]
    ThreadsVariable {
        /// The variable.
        name: &'static str,
        /// Its value.
        got: String,
    },
    /// `COSIM_RS_KERNEL` names a kernel that does not exist or that this CPU cannot run.
    #[error("COSIM_RS_KERNEL: got {got:?}, available here: {available}")]
    Kernel {
        /// The variable's value.
        got: String,
        /// The names of the kernels that this CPU can run.
        available: String,
    },
    /// A filter holds a value that it cannot have.
    #[error("{name}: got {got}, expected {expected}")]
    Filter {
        /// The part of the filter.
        name: &'static str,
        /// Its value.
        got: String,
        /// What it can be.
        expected: String,
    },
    /// Codes that were made before are none that a search can go by.
    #[error("{name}: got {got} at {place}, expected {expected}")]
    Codes {
        /// The part of the codes.
        name: &'static str,
        /// Where in it, or in the part of it that is to be as expected.
        place: usize,
        /// What is there.
        got: String,
        /// What should be.
        expected: &'static str,
    },
    /// An index of a row that there is not.
    #[error("{name}: got {got} at {place:?}, expected -1 to {}", .count.wrapping_sub(1).cast_signed())]
    Index {
        /// The argument that holds it.
        name: &'static str,
        /// Where in it.
        place: (usize, usize),
        /// The index.
        got: i64,
        /// How many rows there are, or can be named.
        count: usize,
    },
    /// What is asked for takes more memory than there is.
    #[error("memory: got none for {for_what}, expected {bytes} bytes")]
    Memory {
        /// How much it takes.
        bytes: usize,
        /// What takes it.
        for_what: &'static str,
    },
    /// The caller asked to stop; the output is partly written.
    #[error("interrupted")]
    Interrupted,
}
