//! A block of the certified search: what the scan of it finds, made hits.
//!
//! A user's candidates are filtered and, if they are many, pruned by their bounds. The rest is scored
//! by the kernel that scores everything, a user after the other, while the rows of the block's items
//! come to the cache once for all users. What reaches the user's least score is a hit. All this takes
//! place at the end of the block, and before if a user's buffer is full.

use super::scan::Scan;
use crate::kernel::real::Real;
use crate::kernel::scan::Sink;
use crate::kernel::scan::barred::Barred;
use crate::kernel::scan::candidates::Candidates;
use crate::kernel::scan::codes::ItemBlocks;

/// A block while it is scanned.
pub(super) struct BlockSearch<'s, 'a, E: Clone + 'static> {
    scan: &'s Scan<'s, 'a, E>,
    first_user: usize,
    blocks: ItemBlocks<'s>,
    /// As the scan has it.
    barred: Barred<'s>,
    scores: &'s mut Vec<E>,
    /// How many pairs have been scored.
    scored: usize,
}

impl<E: Real> Sink for BlockSearch<'_, '_, E> {
    fn make_room(&mut self, user: usize, candidates: &mut Candidates) {
        self.filter(user, candidates);
        self.prune(user, candidates);
        if candidates.is_half_full() {
            self.score(user, candidates);
        }
    }
}

impl<'s, 'a, E: Real> BlockSearch<'s, 'a, E> {
    /// `scores` is room to work in.
    pub(super) fn new(
        scan: &'s Scan<'s, 'a, E>,
        first_user: usize,
        blocks: ItemBlocks<'s>,
        barred: Barred<'s>,
        scores: &'s mut Vec<E>,
    ) -> Self {
        Self { scan, first_user, blocks, barred, scores, scored: 0 }
    }

    /// Scores what is left of all users' candidates; returns how many pairs were scored in all.
    pub(super) fn finish(mut self, candidates: &mut [Candidates]) -> usize {
        for user in 0..candidates.len() {
            if let Some(next) = candidates.get(user + 1) {
                self.ask_for(next);
            }
            let candidates = &mut candidates[user];
            self.filter(user, candidates);
            if candidates.items().len() > self.scan.wanted.k.saturating_mul(2) {
                self.prune(user, candidates);
            }
            if !candidates.items().is_empty() {
                self.score(user, candidates);
            }
        }
        self.scored
    }

    /// Asks for the rows of the first candidates; for the others the kernel asks.
    fn ask_for(&self, candidates: &Candidates) {
        const BEFORE_THE_KERNEL: usize = 16;
        for &row in candidates.items().iter().take(BEFORE_THE_KERNEL) {
            self.scan.segment.items.prefetch(row as usize);
        }
    }

    /// Drops what the user must not get, so that it lifts no threshold.
    fn filter(&self, user: usize, candidates: &mut Candidates) {
        let filter = &self.scan.wanted.filter;
        let is_done = self.barred.knows(user) && filter.is_open_but_for_barred();
        if !filter.is_open() && !is_done {
            let user = self.first_user + user;
            let slot = |item: u32| self.scan.segment.slot(item as usize);
            candidates.retain(|item| filter.admits(user, slot(item)));
        }
    }

    fn prune(&self, user: usize, candidates: &mut Candidates) {
        let Some(bound) = &self.scan.users.bounds[self.first_user + user] else { return };
        let blocks = self.blocks;
        candidates.prune(self.scan.wanted.k, bound.gap(), |item| blocks.error(item));
    }

    /// Scores the candidates exactly, takes the hits among them, and forgets them.
    fn score(&mut self, user: usize, candidates: &mut Candidates) {
        let user = self.first_user + user;
        let Scan { wanted, segment, quantiser, .. } = *self.scan;
        let Some(bound) = &self.scan.users.bounds[user] else { return };
        let listed = candidates.items();
        let mut scratch = Vec::new();
        let row = wanted.users.row(user, &mut scratch);
        self.scores.clear();
        self.scores.resize(listed.len(), E::ZERO);
        quantiser.kernels.score_listed(row, segment.items, listed, quantiser.floor, self.scores);
        self.scored += listed.len();

        let mut hits = wanted.hits(user);
        hits.take(listed, self.scores, |row| wanted.index(user, segment, row));
        candidates.begin(bound.threshold(hits.least().to_f64()), bound.weight());
    }
}
