//! Rows of numbers as the kernels take them: any strides, one contiguous slice at a time.
//!
//! A kernel wants a row as a slice. Where the last axis is contiguous that is a slice of the
//! caller's own memory; any other layout goes through one scratch row, never a whole copy.
#![allow(unsafe_code)] // one place: a row's slice

use ndarray::{ArrayView2, ArrayViewMut1};
use std::marker::PhantomData;
use std::ops::Range;

/// A read-only matrix: `count` rows of `dim` elements, at any strides.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, S> {
    first: *const S,
    count: usize,
    dim: usize,
    row_stride: isize,
    column_stride: isize,
    lifetime: PhantomData<&'a [S]>,
}

impl<'a, S: Copy> Rows<'a, S> {
    /// The rows of a view, which has checked that they lie in memory that lives for `'a`.
    pub(crate) fn new(view: ArrayView2<'a, S>) -> Self {
        let (count, dim) = view.dim();
        let [row_stride, column_stride] = [view.strides()[0], view.strides()[1]];
        Self { first: view.as_ptr(), count, dim, row_stride, column_stride, lifetime: PhantomData }
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
        let start = self.start(index);
        scratch.clear();
        scratch.extend((0..self.dim.cast_signed()).map(|column| {
            // SAFETY: `column` is one of the view's columns and `index`, checked before, one of
            // its rows, so this is one of its elements.
            unsafe { *start.offset(column * self.column_stride) }
        }));
        scratch
    }

    #[inline(always)]
    fn start(&self, index: usize) -> *const S {
        self.first.wrapping_offset(index.cast_signed() * self.row_stride)
    }
}

// SAFETY: `Rows` is a shared view of plain numbers, as `&[S]` is.
unsafe impl<S: Sync> Send for Rows<'_, S> {}
// SAFETY: as above.
unsafe impl<S: Sync> Sync for Rows<'_, S> {}

/// Where one row's scores go: consecutive, or at a stride.
pub(crate) enum ScoreRow<'a, E> {
    Slice(&'a mut [E]),
    Strided(ArrayViewMut1<'a, E>),
}

impl<'a, E: Copy> ScoreRow<'a, E> {
    pub(crate) fn new(view: ArrayViewMut1<'a, E>) -> Self {
        match view.stride_of(ndarray::Axis(0)) {
            1 => Self::Slice(view.into_slice().expect("stride 1 is a slice")),
            _ => Self::Strided(view),
        }
    }

    /// Writes the first `count` of a group of scores from place `first` on.
    #[inline(always)]
    pub(crate) fn write<const GROUP: usize>(
        &mut self,
        first: usize,
        scores: &[E; GROUP],
        count: usize,
    ) {
        match self {
            // A copy of known length is one store, any other a call.
            Self::Slice(row) if count == GROUP => {
                row[first..first + GROUP].copy_from_slice(scores);
            }
            Self::Slice(row) => row[first..first + count].copy_from_slice(&scores[..count]),
            Self::Strided(row) => write_strided(row, first, &scores[..count]),
        }
    }
}

#[cold]
fn write_strided<E: Copy>(row: &mut ArrayViewMut1<'_, E>, first: usize, scores: &[E]) {
    for (place, &score) in scores.iter().enumerate() {
        row[first + place] = score;
    }
}
