//! What the core is given: vectors as they lie in the caller's memory, and room for scores.

mod batches;
mod gradient;
mod rows;
mod score_row;
mod stored;
mod strided;
#[cfg(feature = "python")]
mod vectors;

pub use batches::Batches;
pub use gradient::Gradient;
pub use rows::Rows;
pub(crate) use rows::Typed;
pub(crate) use score_row::ScoreRow;
pub(crate) use stored::Narrow;
pub use stored::Stored;
pub(crate) use strided::Strided;
#[cfg(feature = "python")]
pub(crate) use vectors::{Computed, Vectors, for_each_vectors, same_vectors};
