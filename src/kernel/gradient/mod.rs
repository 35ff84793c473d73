//! The gradients of one user's scores.

pub(crate) mod scaled;
