//! Why a column is refused.

use std::fmt::{self, Display};
use thiserror::Error;

#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error("got a null in row {0}, expected none")]
    Null(usize),
    #[error("got a row {row} of shape {}, expected {}, as before it", Tuple(got), Tuple(wanted))]
    Ragged { row: usize, got: Vec<usize>, wanted: Vec<usize> },
    /// What was read before is right: this is how a producer that is wrong is found out.
    #[error("got Arrow data that is not as Arrow asks: {0}")]
    Broken(&'static str),
    #[error("got a stream of Arrow data that failed: {0}")]
    Stream(String),
}

impl Refusal {
    pub(super) const NO_CHILD: Self = Self::Broken("lists of nothing");
    pub(super) const TOO_LARGE: Self = Self::Broken("lengths that no memory holds");

    /// Counts rows from this one on.
    pub(super) fn after(self, rows: usize) -> Self {
        match self {
            Self::Null(row) => Self::Null(rows + row),
            Self::Ragged { row, got, wanted } => Self::Ragged { row: rows + row, got, wanted },
            other => other,
        }
    }
}

/// A shape as Python writes it.
struct Tuple<'a>(&'a [usize]);

impl Display for Tuple<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [length] => write!(out, "({length},)"),
            shape => {
                let lengths: Vec<_> = shape.iter().map(ToString::to_string).collect();
                write!(out, "({})", lengths.join(", "))
            }
        }
    }
}
