//! What is searched, as Python gives it: a list of tuples of items, codes or None, places or None.

use super::array::input;
use super::catalogue::Codes;
use super::vectors::{Computed, Vectors, vectors};
use crate::error::Error;
use crate::search::{Catalogue, Segment};
use ndarray::{Ix1, Ix2};
use pyo3::prelude::*;

pub(super) type Given<'py> =
    Vec<(Bound<'py, PyAny>, Option<Bound<'py, Codes>>, Option<Bound<'py, PyAny>>)>;

/// A segment of items of any type.
pub(super) struct Piece<'a> {
    items: Vectors<'a, Ix2>,
    codes: Option<&'a Catalogue>,
    places: Option<&'a [i64]>,
}

/// The segments, if they can be used as they are.
pub(super) fn pieces<'a>(given: &'a Given<'_>) -> Option<Vec<Piece<'a>>> {
    let piece = |(items, codes, places): &'a (_, Option<Bound<'_, Codes>>, _)| {
        let places = match places {
            Some(places) => Some(input::<i64, Ix1>(places)?.to_slice()?),
            None => None,
        };
        let codes = codes.as_ref().map(|codes| &codes.get().0);
        Some(Piece { items: vectors(items)?, codes, places })
    };
    given.iter().map(piece).collect()
}

/// Whether scores with any of these are computed in 64-bit floats.
pub(super) fn are_double(pieces: &[Piece<'_>]) -> bool {
    pieces.iter().any(|piece| piece.items.is_double())
}

/// The segments as they are searched.
pub(super) fn segments<T: Computed>(pieces: Vec<Piece<'_>>) -> Result<Vec<Segment<'_, T>>, Error> {
    let segment = |Piece { items, codes, places }| {
        let items = T::rows(items);
        let segment = match codes {
            Some(codes) => Segment::prepared(items, codes)?,
            None => Segment::new(items),
        };
        places.map_or(Ok(segment), |places| segment.at(places))
    };
    pieces.into_iter().map(segment).collect()
}
