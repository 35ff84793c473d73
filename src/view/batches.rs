//! Each user's own rows: `(B, N, D)`.

use super::rows::Rows;
use super::stored::Stored;
use crate::kernel::real::Real;
use ndarray::ArrayView3;

/// Vectors `(B, N, D)` in the caller's memory, as [`Rows`] are.
#[derive(Clone, Copy)]
pub struct Batches<'a, E> {
    pub(super) count: usize,
    /// Those of the first user, if there is one.
    pub(super) first: Rows<'a, E>,
    /// How many elements further the next user's are.
    pub(super) stride: isize,
}

impl<'a, E: Real> Batches<'a, E> {
    /// The same rows for each of so many users.
    pub(crate) fn alike(rows: Rows<'a, E>, count: usize) -> Self {
        Self { count, first: rows, stride: 0 }
    }

    /// The rows of a user.
    pub(crate) fn of(&self, user: usize) -> Rows<'a, E> {
        assert!(user < self.count);
        self.first.further(user.cast_signed() * self.stride)
    }

    /// `(B, N, D)`.
    pub(crate) fn dim(&self) -> (usize, usize, usize) {
        (self.count, self.first.count(), self.first.dim())
    }
}

impl<'a, E: Real, S: Stored<E>> From<ArrayView3<'a, S>> for Batches<'a, E> {
    fn from(view: ArrayView3<'a, S>) -> Self {
        S::batches_of(view)
    }
}
