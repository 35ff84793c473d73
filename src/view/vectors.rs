//! Vectors in views of any type that the core reads, where only the data say which.

use super::batches::Batches;
use super::rows::Rows;
use crate::kernel::real::Real;
use half::{bf16, f16};
use ndarray::{ArrayView, Dimension, Ix2, Ix3};

/// An array of vectors of one of the types.
pub(crate) enum Vectors<'a, D> {
    Single(ArrayView<'a, f32, D>),
    Double(ArrayView<'a, f64, D>),
    Half(ArrayView<'a, f16, D>),
    Brain(ArrayView<'a, bf16, D>),
    Byte(ArrayView<'a, i8, D>),
}

/// One expression for views of every type.
macro_rules! for_each_vectors {
    ($vectors:expr, $view:ident => $expression:expr) => {
        match $vectors {
            $crate::view::Vectors::Single($view) => $expression,
            $crate::view::Vectors::Double($view) => $expression,
            $crate::view::Vectors::Half($view) => $expression,
            $crate::view::Vectors::Brain($view) => $expression,
            $crate::view::Vectors::Byte($view) => $expression,
        }
    };
}

/// The same, where it gives vectors of that type.
macro_rules! same_vectors {
    ($vectors:expr, $view:ident => $expression:expr) => {
        match $vectors {
            $crate::view::Vectors::Single($view) => $crate::view::Vectors::Single($expression),
            $crate::view::Vectors::Double($view) => $crate::view::Vectors::Double($expression),
            $crate::view::Vectors::Half($view) => $crate::view::Vectors::Half($expression),
            $crate::view::Vectors::Brain($view) => $crate::view::Vectors::Brain($expression),
            $crate::view::Vectors::Byte($view) => $crate::view::Vectors::Byte($expression),
        }
    };
}

pub(crate) use {for_each_vectors, same_vectors};

impl<D: Dimension> Vectors<'_, D> {
    pub(crate) fn shape(&self) -> &[usize] {
        for_each_vectors!(self, view => view.shape())
    }

    /// Whether scores with these are computed in 64-bit floats.
    pub(crate) fn is_double(&self) -> bool {
        matches!(self, Self::Double(_))
    }
}

/// A type in which scores are computed.
pub(crate) trait Computed: Real {
    /// Rows to be scored in this type, which holds their numbers.
    fn rows(vectors: Vectors<'_, Ix2>) -> Rows<'_, Self>;
    /// The same, some for each user.
    fn batches(vectors: Vectors<'_, Ix3>) -> Batches<'_, Self>;
}

macro_rules! of_any_type_but_double {
    ($vectors:ident) => {
        match $vectors {
            Vectors::Single(view) => view.into(),
            Vectors::Half(view) => view.into(),
            Vectors::Brain(view) => view.into(),
            Vectors::Byte(view) => view.into(),
            Vectors::Double(_) => unreachable!("scored in 64-bit floats"),
        }
    };
}

impl Computed for f32 {
    fn rows(vectors: Vectors<'_, Ix2>) -> Rows<'_, f32> {
        of_any_type_but_double!(vectors)
    }
    fn batches(vectors: Vectors<'_, Ix3>) -> Batches<'_, f32> {
        of_any_type_but_double!(vectors)
    }
}

impl Computed for f64 {
    fn rows(vectors: Vectors<'_, Ix2>) -> Rows<'_, f64> {
        for_each_vectors!(vectors, view => view.into())
    }
    fn batches(vectors: Vectors<'_, Ix3>) -> Batches<'_, f64> {
        for_each_vectors!(vectors, view => view.into())
    }
}
