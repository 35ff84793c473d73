//! The search by scores alone: tiles of them, scanned while they are in the cache.
//!
//! A block scores its items a panel at a time into one small tile, shows the tile's rows to its
//! users' hits, and at its end merges them into the users' own. So no lock is held meanwhile. Where
//! only a few items are allowed, they are a list, and a panel is a copy of what is listed.

use super::grid::{Grid, parts};
use super::segment::Segment;
use super::wanted::Wanted;
use crate::blocks::Block;
use crate::kernel::real::Real;
use crate::score::Call;
use crate::score::matrix::Panels;
use crate::view::Rows;
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;

/// How tiles of scores are made.
pub(super) struct Tiles<E: Clone + 'static> {
    panels: Panels<E>,
}

impl<E: Real> Tiles<E> {
    pub(super) fn new(call: &Call<'_, E>, dim: usize) -> Self {
        Self { panels: Panels::new(call, dim) }
    }

    pub(super) fn grid(&self, users: usize, items: usize, dim: usize) -> Grid {
        let panel = self.panels.users.min(users);
        Grid { users, items, panel, spans: parts(self.panels.span(panel, dim), items) }
    }

    /// Searches some rows of a segment, or what is `listed` at some places, for those of some users
    /// that are `asked` for.
    pub(super) fn search(
        &self,
        wanted: &Wanted<'_, E>,
        segment: &Segment<'_, E>,
        listed: Option<&[u32]>,
        users: Range<usize>,
        places: Range<usize>,
        asked: impl Fn(usize) -> bool,
    ) {
        let mut hits: Vec<_> = users.clone().map(|user| wanted.no_hits(user)).collect();
        let mut tile = Array2::from_elem((users.len(), self.panels.items), E::ZERO);
        let mut copies = Vec::new();
        for first in places.clone().step_by(self.panels.items) {
            let count = self.panels.items.min(places.end - first);
            let (items, first_column) = match listed {
                None => (segment.items, first),
                Some(listed) => (copied(segment.items, &listed[first..][..count], &mut copies), 0),
            };
            let scores = tile.slice_mut(s![.., ..count]);
            let mut block = Block { first_row: users.start, first_column, scores };
            self.panels.score(wanted.users, items, &mut block);
            for ((user, hits), row) in users.clone().zip(&mut hits).zip(tile.rows()) {
                if !asked(user) {
                    continue;
                }
                hits.scan(&row.to_slice().expect("a row of the tile")[..count], |place| {
                    let row = listed.map_or(first + place, |listed| listed[first + place] as usize);
                    wanted.admitted(user, segment, row)
                });
            }
        }
        for (user, hits) in users.zip(hits) {
            wanted.hits(user).merge(hits);
        }
    }
}

/// Some rows, one after the other, as copies.
fn copied<'c, E: Real>(rows: Rows<'_, E>, listed: &[u32], copies: &'c mut Vec<E>) -> Rows<'c, E> {
    let mut scratch = Vec::new();
    copies.clear();
    for &row in listed {
        copies.extend_from_slice(rows.row(row as usize, &mut scratch));
    }
    let shape = (listed.len(), rows.dim());
    Rows::native(ArrayView2::from_shape(shape, copies).expect("as many copies as elements"))
}
