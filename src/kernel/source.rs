//! Where the row kernels take their rows from: memory, in the type that they are stored in, or, where
//! nothing is gained by widening them in registers, a scratch row that is widened before.

use super::real::Real;
use crate::view::{Rows, Strided};

/// Rows of one type: in memory, or as a scratch row holds them.
pub(crate) trait Source<'a, S: Copy>: Copy {
    /// As many rows from one on, if there are so many and they are contiguous.
    fn rows<const ROWS: usize>(&self, first: usize) -> Option<[&'a [S]; ROWS]>;
    /// A row, if it is contiguous.
    fn contiguous(&self, index: usize) -> Option<&'a [S]>;
    fn row<'s>(&self, index: usize, scratch: &'s mut Vec<S>) -> &'s [S]
    where
        'a: 's;
}

impl<'a, S: Copy> Source<'a, S> for Strided<'a, S> {
    #[inline(always)]
    fn rows<const ROWS: usize>(&self, first: usize) -> Option<[&'a [S]; ROWS]> {
        self.contiguous_rows(first)
    }
    #[inline(always)]
    fn contiguous(&self, index: usize) -> Option<&'a [S]> {
        Strided::contiguous(self, index)
    }
    #[inline(always)]
    fn row<'s>(&self, index: usize, scratch: &'s mut Vec<S>) -> &'s [S]
    where
        'a: 's,
    {
        Strided::row(self, index, scratch)
    }
}

/// Rows that are widened one by one.
impl<'a, E: Real> Source<'a, E> for Rows<'a, E> {
    #[inline(always)]
    fn rows<const ROWS: usize>(&self, _: usize) -> Option<[&'a [E]; ROWS]> {
        None
    }
    #[inline(always)]
    fn contiguous(&self, _: usize) -> Option<&'a [E]> {
        None
    }
    #[inline(always)]
    fn row<'s>(&self, index: usize, scratch: &'s mut Vec<E>) -> &'s [E]
    where
        'a: 's,
    {
        Rows::row(self, index, scratch)
    }
}
