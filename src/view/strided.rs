//! Rows of one type of number, at any strides, one contiguous slice at a time.
//!
//! A kernel wants a row as a slice. Where the last axis is contiguous that is a slice of the
//! caller's own memory; any other layout goes through one scratch row, never a whole copy.
#![allow(unsafe_code)] // one place: a row's slice

use ndarray::{ArrayView2, ArrayView3};
use std::marker::PhantomData;
use std::ops::Range;

/// A read-only matrix: `count` rows of `dim` elements, at any strides.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a, S> {
    first: *const S,
    count: usize,
    dim: usize,
    row_stride: isize,
    column_stride: isize,
    lifetime: PhantomData<&'a [S]>,
}

impl<'a, S: Copy> Strided<'a, S> {
    /// The rows of a view, which has checked that they lie in memory that lives for `'a`.
    pub(crate) fn new(view: ArrayView2<'a, S>) -> Self {
        let (count, dim) = view.dim();
        let [row_stride, column_stride] = [view.strides()[0], view.strides()[1]];
        Self { first: view.as_ptr(), count, dim, row_stride, column_stride, lifetime: PhantomData }
    }

    /// The rows of the first matrix of some, and how many elements further the next one's are.
    pub(crate) fn first_of(view: ArrayView3<'a, S>) -> (Self, isize) {
        let (_, count, dim) = view.dim();
        let [stride, row_stride, column_stride] =
            [view.strides()[0], view.strides()[1], view.strides()[2]];
        let first = view.as_ptr();
        (Self { first, count, dim, row_stride, column_stride, lifetime: PhantomData }, stride)
    }

    /// The same rows of a matrix that lies so many elements further; the view it comes of has one
    /// there.
    pub(crate) fn further(&self, elements: isize) -> Self {
        Self { first: self.first.wrapping_offset(elements), ..*self }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Some of the rows.
    pub(crate) fn range(&self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.count);
        Self { first: self.start(rows.start), count: rows.len(), ..*self }
    }

    /// A row in the caller's memory, if it is contiguous there.
    #[inline(always)]
    pub(crate) fn contiguous(&self, index: usize) -> Option<&'a [S]> {
        assert!(index < self.count);
        if self.column_stride == 1 || self.dim <= 1 {
            // SAFETY: the view vouches for `dim` elements at stride 1 from each row's start, for
            // `'a`; `index` is one of its rows, so the offset stays within the view.
            Some(unsafe { std::slice::from_raw_parts(self.start(index), self.dim) })
        } else {
            None
        }
    }

    /// `COUNT` rows in the caller's memory, if there are so many and they are contiguous there.
    #[inline(always)]
    pub(crate) fn contiguous_rows<const COUNT: usize>(
        &self,
        first: usize,
    ) -> Option<[&'a [S]; COUNT]> {
        let is_whole = first + COUNT <= self.count && self.column_stride == 1;
        is_whole.then(|| {
            // SAFETY: as in `contiguous`.
            std::array::from_fn(|place| unsafe {
                std::slice::from_raw_parts(self.start(first + place), self.dim)
            })
        })
    }

    /// A row as a slice: the caller's memory, or `scratch` filled with a copy.
    #[inline(always)]
    pub(crate) fn row<'s>(&self, index: usize, scratch: &'s mut Vec<S>) -> &'s [S]
    where
        'a: 's,
    {
        match self.contiguous(index) {
            Some(row) => row,
            None => self.gather(index, scratch),
        }
    }

    #[cold]
    fn gather<'s>(&self, index: usize, scratch: &'s mut Vec<S>) -> &'s [S] {
        scratch.clear();
        scratch.extend(self.elements(index));
        scratch
    }

    /// The elements of a row, wherever they lie.
    #[inline(always)]
    pub(crate) fn elements(&self, index: usize) -> impl Iterator<Item = S> {
        assert!(index < self.count);
        let (start, column_stride) = (self.start(index), self.column_stride);
        (0..self.dim.cast_signed()).map(move |column| {
            // SAFETY: `column` is one of the view's columns and `index` one of its rows, so this is
            // one of its elements.
            unsafe { *start.offset(column * column_stride) }
        })
    }

    #[inline(always)]
    fn start(&self, index: usize) -> *const S {
        self.first.wrapping_offset(index.cast_signed() * self.row_stride)
    }
}

// SAFETY: `Strided` is a shared view of plain numbers, as `&[S]` is.
unsafe impl<S: Sync> Send for Strided<'_, S> {}
// SAFETY: as above.
unsafe impl<S: Sync> Sync for Strided<'_, S> {}
