//! What a schema says of the values: which numbers, or how they lie in lists.

use half::f16;
use numpy::{Element, PyArrayDescr};
use pyo3::prelude::*;
use serde::Deserialize;

/// A type, as far as vectors can be made of it.
pub(super) enum Kind {
    Numbers(Numbers),
    /// Flags, a bit each.
    Flags,
    /// Lists of one length.
    Fixed(usize),
    /// Lists of one length whose numbers have a shape.
    Tensors(Tensors),
    /// Lists that may have any length, with offsets of 32 bits or of 64.
    Lists {
        is_large: bool,
    },
    /// Nothing but nulls.
    Nulls,
    /// Strings, dates, records and so on.
    Other {
        marks_nulls: bool,
    },
}

/// Numbers that NumPy has as well.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) width: usize,
    pub(super) dtype: for<'py> fn(Python<'py>) -> Bound<'py, PyArrayDescr>,
}

impl Numbers {
    pub(super) fn of<T: Element>() -> Self {
        Self { width: size_of::<T>(), dtype: T::get_dtype }
    }
}

impl Kind {
    /// The type that a format stands for.
    pub(super) fn new(format: &[u8]) -> Self {
        match format {
            b"e" => Self::Numbers(Numbers::of::<f16>()),
            b"f" => Self::Numbers(Numbers::of::<f32>()),
            b"g" => Self::Numbers(Numbers::of::<f64>()),
            b"c" => Self::Numbers(Numbers::of::<i8>()),
            b"s" => Self::Numbers(Numbers::of::<i16>()),
            b"i" => Self::Numbers(Numbers::of::<i32>()),
            b"l" => Self::Numbers(Numbers::of::<i64>()),
            b"C" => Self::Numbers(Numbers::of::<u8>()),
            b"S" => Self::Numbers(Numbers::of::<u16>()),
            b"I" => Self::Numbers(Numbers::of::<u32>()),
            b"L" => Self::Numbers(Numbers::of::<u64>()),
            b"b" => Self::Flags,
            b"n" => Self::Nulls,
            b"+l" => Self::Lists { is_large: false },
            b"+L" => Self::Lists { is_large: true },
            // Unions and runs have no marks of nulls of their own.
            [b'+', b'u' | b'r', ..] => Self::Other { marks_nulls: false },
            _ => match format.strip_prefix(b"+w:").map(length) {
                Some(Some(length)) => Self::Fixed(length),
                _ => Self::Other { marks_nulls: true },
            },
        }
    }

    /// Of this type, but with a meaning that is not in the numbers alone.
    pub(super) fn extended(self, name: &[u8], description: &[u8]) -> Option<Self> {
        match self {
            Self::Fixed(size) if name == Tensors::NAME => {
                Tensors::new(size, description).map(Self::Tensors)
            }
            storage => Some(Self::Other { marks_nulls: storage.marks_nulls() }),
        }
    }

    /// Whether the first buffer says which values are null.
    pub(super) fn marks_nulls(&self) -> bool {
        !matches!(self, Self::Nulls | Self::Other { marks_nulls: false })
    }
}

fn length(digits: &[u8]) -> Option<usize> {
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Lists of one length that are tensors of one shape, an extension of Arrow's.
pub(super) struct Tensors {
    /// How many numbers each has.
    pub(super) size: usize,
    /// The lengths of its axes, as they lie in memory.
    pub(super) shape: Vec<usize>,
    /// Which of these axes are to be seen, in turn; None if they are as they lie.
    pub(super) permutation: Option<Vec<usize>>,
}

/// What the extension says, as JSON.
#[derive(Deserialize)]
struct Description {
    shape: Vec<usize>,
    permutation: Option<Vec<usize>>,
}

impl Tensors {
    const NAME: &[u8] = b"arrow.fixed_shape_tensor";

    /// Out of lists of this length; None if the description does not fit.
    fn new(size: usize, description: &[u8]) -> Option<Self> {
        let Description { shape, permutation } = serde_json::from_slice(description).ok()?;
        let product = shape.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis))?;
        // pyarrow names all axes in turn where nothing is permuted.
        let permutation = permutation.filter(|axes| !axes.iter().copied().eq(0..shape.len()));
        let permutes = permutation.as_ref().is_none_or(|axes| {
            let mut sorted = axes.clone();
            sorted.sort_unstable();
            sorted.into_iter().eq(0..shape.len())
        });
        (product == size && permutes).then_some(Self { size, shape, permutation })
    }
}
