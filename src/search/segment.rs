//! Segments: what is searched as one, though it lies in several pieces of memory.
//!
//! A catalogue that changes keeps the items that it began with where they are, and puts later ones
//! beside them, in segments of their own. The rows of all segments, one segment after the other, are
//! numbered by *slots*; filters and lists of items are in slots. Where a row stands in the order that
//! settles ties is its *place*. The two are the same until items are replaced: what stands in for
//! another item lies in a later segment, and has the place of the earlier one.

use super::catalogue::Catalogue;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::kernel::scan::codes::ItemCodes;
use crate::score::check_shape;
use crate::view::Rows;
use std::ops::Range;

/// Some of the items of a search; see the module's prose.
#[derive(Clone, Copy)]
pub struct Segment<'a, E> {
    pub(super) items: Rows<'a, E>,
    prepared: Option<&'a Catalogue>,
    places: Option<&'a [i64]>,
    /// The slot of the first row.
    first: usize,
}

impl<'a, E: Real> Segment<'a, E> {
    /// Items `(N, D)` as they are.
    pub fn new(items: impl Into<Rows<'a, E>>) -> Self {
        Self { items: items.into(), prepared: None, places: None, first: 0 }
    }

    /// Items and their codes. They must be the items that were prepared, and with the epsilon of the
    /// search: of others, what is found means nothing.
    ///
    /// # Errors
    /// [`Error::Shape`] if the catalogue is of items of another shape.
    pub fn prepared(
        items: impl Into<Rows<'a, E>>,
        catalogue: &'a Catalogue,
    ) -> Result<Self, Error> {
        let items = items.into();
        check_shape("items", &items.shape(), &catalogue.shape())?;
        Ok(Self { prepared: Some(catalogue), ..Self::new(items) })
    }

    /// The same with a place for each row, ascending, no two alike in all segments of rows that may
    /// be found. Rows without have their slots for places.
    ///
    /// # Errors
    /// [`Error::Shape`] if these are not as many as rows.
    pub fn at(self, places: &'a [i64]) -> Result<Self, Error> {
        check_shape("places", &[places.len()], &[self.items.count()])?;
        Ok(Self { places: Some(places), ..self })
    }

    /// The segments as they follow each other.
    pub(super) fn in_line(segments: &[Self]) -> Vec<Self> {
        let mut first = 0;
        let next = |segment: &Self| {
            let placed = Self { first, ..*segment };
            first += segment.items.count();
            placed
        };
        segments.iter().map(next).collect()
    }

    /// The codes, if there are any for all of the rows.
    pub(super) fn codes(&self) -> Option<&'a ItemCodes> {
        self.prepared.and_then(Catalogue::whole_codes)
    }

    /// The slots of the rows.
    pub(super) fn slots(&self) -> Range<usize> {
        self.first..self.first + self.items.count()
    }

    /// The slot of a row.
    pub(super) fn slot(&self, row: usize) -> usize {
        self.first + row
    }

    /// The place of a row.
    pub(super) fn place(&self, row: usize) -> usize {
        let placed = |places: &[i64]| usize::try_from(places[row]).expect("a place in memory");
        self.places.map_or(self.first + row, placed)
    }

    /// Those of some slots, ascending, that are this segment's, as its rows.
    pub(super) fn rows_of(&self, slots: &[u32]) -> Vec<u32> {
        let Range { start, end } = self.slots();
        let before = |bound: usize| slots.partition_point(|&slot| (slot as usize) < bound);
        let first = u32::try_from(start).unwrap_or(u32::MAX);
        slots[before(start)..before(end)].iter().map(|slot| slot - first).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn slots_follow_each_other_and_places_are_as_given() {
        let rows = [3, 0, 2].map(|count| Array2::<f32>::zeros((count, 4)));
        let places = [1, 7];
        let segments = [
            Segment::<f32>::new(rows[0].view()),
            Segment::new(rows[1].view()),
            Segment::new(rows[2].view()).at(&places).unwrap(),
        ];
        let segments = Segment::in_line(&segments);
        assert_eq!(segments.iter().map(Segment::slots).collect::<Vec<_>>(), [0..3, 3..3, 3..5]);
        assert_eq!((segments[0].place(2), segments[2].place(1), segments[2].slot(1)), (2, 7, 4));
        let listed = segments.iter().map(|segment| segment.rows_of(&[0, 2, 4]));
        assert_eq!(listed.collect::<Vec<_>>(), [vec![0, 2], vec![], vec![1]]);
        assert!(Segment::<f32>::new(rows[0].view()).at(&places).is_err());
    }
}
