//! Rows as the core takes them: of any type that widens to what it computes with, at any strides.

use super::stored::{Narrow, Stored};
use super::strided::Strided;
use crate::kernel::prefetch::prefetch_row;
use crate::kernel::real::Real;
use half::{bf16, f16};
use ndarray::ArrayView2;
use std::ops::Range;

/// Some vectors `(N, D)` in the caller's memory, to be scored in `E`: made of an ndarray view of any
/// type that is [`Stored`].
#[derive(Clone, Copy)]
pub struct Rows<'a, E>(pub(crate) Typed<'a, E>);

/// The rows in the type that they are stored in.
#[derive(Clone, Copy)]
pub(crate) enum Typed<'a, E> {
    Native(Strided<'a, E>),
    /// Where `E` is `f64`.
    Single(Strided<'a, f32>),
    Half(Strided<'a, f16>),
    Brain(Strided<'a, bf16>),
    Byte(Strided<'a, i8>),
}

/// One expression for rows of every type.
macro_rules! for_each_type {
    ($typed:expr, $rows:ident => $expression:expr) => {
        match $typed {
            Typed::Native($rows) => $expression,
            Typed::Single($rows) => $expression,
            Typed::Half($rows) => $expression,
            Typed::Brain($rows) => $expression,
            Typed::Byte($rows) => $expression,
        }
    };
}

/// The same, where it gives rows of that type.
macro_rules! same_type {
    ($typed:expr, $rows:ident => $expression:expr) => {
        match $typed {
            Typed::Native($rows) => Typed::Native($expression),
            Typed::Single($rows) => Typed::Single($expression),
            Typed::Half($rows) => Typed::Half($expression),
            Typed::Brain($rows) => Typed::Brain($expression),
            Typed::Byte($rows) => Typed::Byte($expression),
        }
    };
}

impl<'a, E: Real> Rows<'a, E> {
    /// Rows that are stored as they are computed with.
    pub(crate) fn native(view: ArrayView2<'a, E>) -> Self {
        Self(Typed::Native(Strided::new(view)))
    }

    pub(crate) fn count(&self) -> usize {
        for_each_type!(self.0, rows => rows.count())
    }

    pub(crate) fn dim(&self) -> usize {
        for_each_type!(self.0, rows => rows.dim())
    }

    /// `[count, dim]`.
    pub(crate) fn shape(&self) -> [usize; 2] {
        [self.count(), self.dim()]
    }

    /// Some of the rows.
    pub(crate) fn range(&self, range: Range<usize>) -> Self {
        Self(same_type!(self.0, rows => rows.range(range)))
    }

    /// Asks for a row, if it lies in one piece.
    pub(crate) fn prefetch(&self, index: usize) {
        for_each_type!(self.0, rows => {
            prefetch_row(rows.contiguous(index).unwrap_or_default());
        });
    }

    /// `COUNT` rows from one on in the caller's memory, if there are so many and they are computed
    /// with as they lie.
    #[inline(always)]
    pub(crate) fn in_memory<const COUNT: usize>(&self, first: usize) -> Option<[&'a [E]; COUNT]> {
        match self.0 {
            Typed::Native(rows) => rows.contiguous_rows(first),
            _ => None,
        }
    }

    /// A row as a slice: the caller's memory, or `scratch` filled with a copy that is widened.
    #[inline(always)]
    pub(crate) fn row<'s>(&self, index: usize, scratch: &'s mut Vec<E>) -> &'s [E]
    where
        'a: 's,
    {
        match self.0 {
            Typed::Native(rows) => rows.row(index, scratch),
            Typed::Single(rows) => widened(rows, index, scratch),
            Typed::Half(rows) => widened(rows, index, scratch),
            Typed::Brain(rows) => widened(rows, index, scratch),
            Typed::Byte(rows) => widened(rows, index, scratch),
        }
    }
}

/// A row widened into `scratch`.
#[inline(always)]
fn widened<'s, E: Real, S: Narrow>(
    rows: Strided<'_, S>,
    index: usize,
    scratch: &'s mut Vec<E>,
) -> &'s [E] {
    scratch.clear();
    match rows.contiguous(index) {
        Some(row) => scratch.extend(row.iter().map(|number| E::from_f32(number.widened()))),
        None => scratch.extend(rows.elements(index).map(|number| E::from_f32(number.widened()))),
    }
    scratch
}

impl<'a, E: Real, S: Stored<E>> From<ArrayView2<'a, S>> for Rows<'a, E> {
    fn from(view: ArrayView2<'a, S>) -> Self {
        S::rows_of(view)
    }
}

impl<E: Real> Rows<'_, E> {
    /// The rows of a matrix that lies so many elements further; see [`Strided::further`].
    pub(super) fn further(&self, elements: isize) -> Self {
        Self(same_type!(self.0, rows => rows.further(elements)))
    }
}
