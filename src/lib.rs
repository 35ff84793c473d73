//! Exact, reproducible cosine scores for ranking on CPUs, at the speed of memory.
//!
//! The functions take ndarray views of `f32`, `f64`, `f16`, `bf16` or `i8`, mixed as may be, compute
//! in `f32` or `f64`, and write into a view of that. All of them give a pair
//! of vectors the same bits, whatever the function, the batch, the number of threads, the layout
//! and the instruction set; see [`score`].
//!
//! This is the core. The Python package is a thin layer over it, in the `python` feature.

// Kernels must be inlined into functions compiled for their instructions, or they are none.
#![allow(clippy::inline_always)]

mod blocks;
pub mod error;
#[cfg(feature = "python")]
mod frameworks;
pub mod gradient;
mod huge_pages;
mod kernel;
mod memory;
mod parallel;
#[cfg(feature = "python")]
mod py;
pub mod score;
pub mod search;
mod view;

pub use error::Error;
pub use kernel::level::{Level, available as available_levels, selected as selected_level};
pub use kernel::real::Real;
pub use parallel::{num_threads, set_num_threads};
pub use view::{Batches, Gradient, Rows, Stored};
