//! The machine-learning frameworks: the scores and their gradients as operations of their own.
//!
//! Each framework has a folder that speaks its C interface: it makes [`Tensor`]s of the framework's
//! buffers, calls [`scores`] or [`gradients`], and hands an error back. No framework is needed to
//! build or to import this; each is looked up in the process at first use.

pub(crate) mod jax;
mod op;
mod tensor;
pub(crate) mod tensorflow;
pub(crate) mod torch;

pub(crate) use op::{Form, calls, gradients, guarded, scores, scores_kind};
pub(crate) use tensor::{Kind, Tensor, TensorMut};
