//! Which rows a kernel scores, in which order: as they lie, or as they are listed. Rows in order come by
//! themselves; rows here and there are asked for ahead.

use super::lanes::LANES;
use super::prefetch::prefetch_row;
use super::source::Source;

/// Which rows are scored, in which order.
pub(super) trait Order: Copy {
    fn count(self) -> usize;
    /// The row that comes at this place.
    fn row(self, place: usize) -> usize;
    /// Sixteen rows from a place on, if there are so many and they are contiguous.
    fn sixteen<'a, S: Copy + 'a, T: Source<'a, S>>(
        self,
        items: &T,
        place: usize,
    ) -> Option<[&'a [S]; LANES]>;
    /// Asks for four rows from a place on, if there are so many and they do not come by themselves.
    fn ask_for_four<'a, S: Copy + 'a, T: Source<'a, S>>(self, items: &T, place: usize);
}

/// The first so many rows, one after the other.
#[derive(Clone, Copy)]
pub(super) struct InOrder(pub(super) usize);

impl Order for InOrder {
    #[inline(always)]
    fn count(self) -> usize {
        self.0
    }
    #[inline(always)]
    fn row(self, place: usize) -> usize {
        place
    }
    #[inline(always)]
    fn sixteen<'a, S: Copy + 'a, T: Source<'a, S>>(
        self,
        items: &T,
        place: usize,
    ) -> Option<[&'a [S]; LANES]> {
        items.rows(place)
    }
    #[inline(always)]
    fn ask_for_four<'a, S: Copy + 'a, T: Source<'a, S>>(self, _: &T, _: usize) {}
}

/// Rows here and there.
#[derive(Clone, Copy)]
pub(super) struct Listed<'l>(pub(super) &'l [u32]);

impl Order for Listed<'_> {
    #[inline(always)]
    fn count(self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn row(self, place: usize) -> usize {
        self.0[place] as usize
    }
    #[inline(always)]
    fn sixteen<'a, S: Copy + 'a, T: Source<'a, S>>(
        self,
        items: &T,
        place: usize,
    ) -> Option<[&'a [S]; LANES]> {
        let places = self.0.get(place..)?.first_chunk::<LANES>()?;
        let mut rows: [&[S]; LANES] = [&[]; LANES];
        for (row, &place) in rows.iter_mut().zip(places) {
            *row = items.contiguous(place as usize)?;
        }
        Some(rows)
    }
    #[inline(always)]
    fn ask_for_four<'a, S: Copy + 'a, T: Source<'a, S>>(self, items: &T, place: usize) {
        let places = self.0.get(place..).and_then(|places| places.first_chunk::<4>());
        for &place in places.into_iter().flatten() {
            if let Some(row) = items.contiguous(place as usize) {
                prefetch_row(row);
            }
        }
    }
}
