//! The search by scores alone: tiles of them, scanned while they are in the cache.
//!
//! A block scores its items a panel at a time into one small tile, shows the tile's rows to its
//! users' hits, and at its end merges them into the users' own. So no lock is held meanwhile.

use super::hits::Hits;
use super::top_k::{Grid, Wanted};
use crate::blocks::Block;
use crate::kernel::real::Real;
use crate::score::Call;
use crate::score::matrix::{Panels, elements_read};
use ndarray::{Array2, s};
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
        Grid { users, items, panel, span: self.panels.span(panel, dim) }
    }

    pub(super) fn elements_read(&self, users: usize, items: usize, dim: usize) -> usize {
        elements_read(users, items, dim)
    }

    /// Searches some items for some users.
    pub(super) fn search(&self, wanted: &Wanted<'_, E>, users: Range<usize>, items: Range<usize>) {
        let mut hits: Vec<_> =
            users.clone().map(|user| Hits::new(wanted.k, wanted.hits(user).least())).collect();
        let mut tile = Array2::from_elem((users.len(), self.panels.items), E::ZERO);
        for first_column in items.clone().step_by(self.panels.items) {
            let columns = self.panels.items.min(items.end - first_column);
            let scores = tile.slice_mut(s![.., ..columns]);
            let mut block = Block { first_row: users.start, first_column, scores };
            self.panels.score(wanted.users, wanted.items, &mut block);
            for ((user, hits), row) in users.clone().zip(&mut hits).zip(tile.rows()) {
                let row = &row.to_slice().expect("a row of the tile")[..columns];
                hits.scan(row, first_column, |item| wanted.filter.admits(user, item));
            }
        }
        for (user, hits) in users.zip(hits) {
            wanted.hits(user).merge(hits);
        }
    }
}
