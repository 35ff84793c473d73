//! torch: kernels of its dispatcher, for tensors in the CPU's memory.
//!
//! The operations themselves, with their schemas, are defined in Python by `torch.library`. Their
//! kernels are registered here, through the C functions that torch keeps stable for extensions
//! ([`shims`]). A kernel takes its arguments from a stack and leaves its results there
//! ([`kernels`]), tensors as handles that it owns ([`handle`]). So a call of an operation goes from
//! torch's dispatcher to the core, with no Python between.

mod handle;
mod kernels;
mod shims;

use super::Form;
use kernels::{gradient_kernel, scores_kernel};
use shims::Kernel;
use std::ffi::CStr;

const BATCHED: u8 = Form::Batched as u8;
const PAIRED: u8 = Form::Paired as u8;
const MATRIX: u8 = Form::Matrix as u8;

/// Scores have two operations: one that torch's autograd knows, and a plain one.
const KERNELS: [(&CStr, Kernel); 9] = [
    (c"batched_cosine_similarity", scores_kernel::<BATCHED>),
    (c"batched_cosine_scores", scores_kernel::<BATCHED>),
    (c"batched_cosine_gradient", gradient_kernel::<BATCHED>),
    (c"paired_cosine_similarity", scores_kernel::<PAIRED>),
    (c"paired_cosine_scores", scores_kernel::<PAIRED>),
    (c"paired_cosine_gradient", gradient_kernel::<PAIRED>),
    (c"cosine_similarity", scores_kernel::<MATRIX>),
    (c"cosine_scores", scores_kernel::<MATRIX>),
    (c"cosine_gradient", gradient_kernel::<MATRIX>),
];

/// Implements the operations with the functions of torch's library at this path.
///
/// # Errors
/// What the library lacks, or refused to do; then no kernel is registered.
pub(crate) fn implement(library: &str) -> Result<(), String> {
    shims::register(library, [c"cosim_rs", c"CPU"], &KERNELS)
}
