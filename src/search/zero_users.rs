//! Users who are zero. They have no direction, so neither the scan nor its tiles can tell their items
//! apart: all scores are +0, and the first items are best.

use super::coded::Quantiser;
use super::scan::Scan;
use crate::kernel::real::Real;
use crate::view::ScoreRow;

impl<E: Real> Scan<'_, '_, E> {
    /// Finds the items of users who are zero, whom everything else has left alone.
    pub(super) fn answer_zero_users(&self) {
        let mut scratch = Vec::new();
        for user in (0..self.grid.users).filter(|&user| self.users.bounds[user].is_none()) {
            let row = self.wanted.users.row(user, &mut scratch);
            if row.iter().all(|&element| element == E::ZERO) {
                self.answer_zero_user(user, row);
            }
        }
    }

    fn answer_zero_user(&self, user: usize, row: &[E]) {
        const CHUNK: usize = 256;
        let (wanted, segment, Quantiser { kernels, floor }) =
            (self.wanted, self.segment, self.quantiser);
        let mut scores = [E::ZERO; CHUNK];
        // Of this segment alone: an earlier one may have items of later places.
        let mut hits = wanted.no_hits(user);
        let mut first = 0;
        while first < self.grid.items && hits.least() <= E::ZERO && !hits.is_filled() {
            let count = CHUNK.min(self.grid.items - first);
            let scores = &mut scores[..count];
            let items = segment.items.range(first..first + count);
            kernels.score_rows(row, items, floor, ScoreRow::Slice(scores));
            hits.scan(scores, |place| wanted.admitted(user, segment, first + place));
            first += count;
        }
        wanted.hits(user).merge(hits);
    }
}
