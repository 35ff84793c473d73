//! Users who are zero. They have no direction, so neither the scan nor its tiles can tell their items
//! apart: all scores are +0, and the first items that they may get are best, but for those without scores.

use super::coded::Quantiser;
use super::scan::Scan;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::Call;

impl<E: Real> Scan<'_, '_, E> {
    /// Finds the items of users who are zero, whom everything else has left alone.
    pub(super) fn answer_zero_users(&self, call: &Call<'_, E>) -> Result<(), Error> {
        let mut scratch = Vec::new();
        let mut is_zero = |user: usize| {
            let row = self.wanted.users.row(user, &mut scratch);
            row.iter().all(|&element| element == E::ZERO)
        };
        let users: Vec<_> = (0..self.grid.users)
            .filter(|&user| self.users.bounds[user].is_none() && is_zero(user))
            .collect();
        // A filter may turn away any number of items before the first few are found.
        let is_open = self.wanted.filter.is_open();
        let asked = if is_open { self.wanted.k.min(self.grid.items) } else { self.grid.items };
        let threads = call.threads_for(users.len().saturating_mul(asked));
        for_each(users.iter(), users.len(), threads, call.interrupted, |&user| {
            self.answer_zero_user(user);
        })
    }

    fn answer_zero_user(&self, user: usize) {
        const CHUNK: usize = 256;
        let (wanted, segment, Quantiser { kernels, floor }) =
            (self.wanted, self.segment, self.quantiser);
        let (mut scratch, mut listed, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        let zeros = wanted.users.row(user, &mut scratch);
        // Of this segment alone: an earlier one may have items of later places.
        let mut hits = wanted.no_hits(user);
        let mut first = 0;
        while first < self.grid.items && hits.least() <= E::ZERO && !hits.is_filled() {
            let end = (first + CHUNK).min(self.grid.items);
            let rows = (first..end).filter(|&row| wanted.admits(user, segment, row));
            listed.clear();
            listed.extend(rows.map(|row| u32::try_from(row).expect("few enough for codes")));
            scores.resize(listed.len(), E::ZERO);
            kernels.score_listed(zeros, segment.items, &listed, floor, &mut scores);
            hits.take(&listed, &scores, |row| wanted.index(user, segment, row));
            first = end;
        }
        wanted.hits(user).merge(hits);
    }
}
