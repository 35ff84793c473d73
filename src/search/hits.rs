//! The hits of one user: a bounded buffer that keeps the best k of all that it was shown.
//!
//! A hit enters if it reaches the least score that can still matter. When the buffer is full it is
//! pruned to the best k, and the k-th score becomes the least; so most rows are turned away by one
//! comparison, and pruning is paid for by the many hits between two of them. A score equal to the
//! least still enters, since its index may come first: ties are settled by the order alone.

use crate::{Error, Real};
use std::cmp::Ordering;

/// A buffer holds at least this many hits: small ones would be pruned all the time.
const LEAST_CAPACITY: usize = 256;

/// An item found, and its score, which is not NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit<E> {
    pub(super) score: E,
    pub(super) index: usize,
}

impl<E: Real> Hit<E> {
    /// Best first: by score descending, then by index ascending.
    fn order(&self, other: &Self) -> Ordering {
        let by_score = other.score.partial_cmp(&self.score).expect("no hit is NaN");
        by_score.then(self.index.cmp(&other.index))
    }
}

/// The best `k` hits so far, and some more; see the module's prose.
pub(super) struct Hits<E> {
    k: usize,
    least: E,
    kept: Vec<Hit<E>>,
    /// Whether there was no memory for some.
    is_cut_short: bool,
}

impl<E: Real> Hits<E> {
    /// `k` is at least 1; scores below `least` do not count.
    pub(super) fn new(k: usize, least: E) -> Self {
        Self { k, least, kept: Vec::new(), is_cut_short: false }
    }

    /// The least score that can still be among the best k.
    pub(super) fn least(&self) -> E {
        self.least
    }

    /// Takes those of a row of scores that can matter and that are admitted; `admitted` gives the
    /// item of a place, if it is.
    pub(super) fn scan(&mut self, scores: &[E], admitted: impl Fn(usize) -> Option<usize>) {
        const GROUP: usize = 16;
        for (group, scores) in scores.chunks(GROUP).enumerate() {
            // One verdict on sixteen scores: nearly always none of them is a hit.
            let hits = scores.iter().filter(|&&score| score >= self.least).count();
            if hits > 0 {
                for (place, &score) in scores.iter().enumerate() {
                    if score >= self.least
                        && let Some(index) = admitted(group * GROUP + place)
                    {
                        self.push(Hit { score, index });
                    }
                }
            }
        }
    }

    /// Takes those of some rows' scores that can matter, and settles the least score, unless few
    /// are new; `index` gives what a row is known by.
    pub(super) fn take(&mut self, rows: &[u32], scores: &[E], index: impl Fn(usize) -> usize) {
        for (&row, &score) in rows.iter().zip(scores) {
            if score >= self.least {
                self.push(Hit { score, index: index(row as usize) });
            }
        }
        if self.kept.len() > self.k.saturating_add(self.k / 8) {
            self.prune();
        }
    }

    /// k.
    pub(super) fn most(&self) -> usize {
        self.k
    }

    /// How many hits there are, of the best k and others.
    pub(super) fn count(&self) -> usize {
        self.kept.len()
    }

    /// Whether there are k hits.
    pub(super) fn is_filled(&self) -> bool {
        self.kept.len() >= self.k
    }

    /// Whether all hits are here that should be.
    ///
    /// # Errors
    /// [`Error::Memory`] if there was none for some.
    pub(super) fn check(&self) -> Result<(), Error> {
        let bytes = 2 * self.kept.len() * size_of::<Hit<E>>();
        if self.is_cut_short {
            Err(Error::Memory { bytes, for_what: "all that is found" })
        } else {
            Ok(())
        }
    }

    /// Takes the hits of another part of the items.
    pub(super) fn merge(&mut self, other: Self) {
        self.is_cut_short |= other.is_cut_short;
        for hit in other.kept {
            if hit.score >= self.least {
                self.push(hit);
            }
        }
    }

    /// The best k, best first.
    pub(super) fn into_best(mut self) -> Vec<Hit<E>> {
        self.prune();
        self.kept.sort_unstable_by(Hit::order);
        self.kept
    }

    fn push(&mut self, hit: Hit<E>) {
        // An allocation that fails would end the process.
        if self.kept.try_reserve(1).is_err() {
            (self.is_cut_short, self.least) = (true, E::INFINITY); // so the rest of the search is short
            return;
        }
        self.kept.push(hit);
        if self.kept.len() >= LEAST_CAPACITY.max(self.k.saturating_mul(2)) {
            self.prune();
        }
    }

    /// Drops all but the best k.
    fn prune(&mut self) {
        if self.kept.len() >= self.k {
            let (_, worst, _) = self.kept.select_nth_unstable_by(self.k - 1, Hit::order);
            self.least = worst.score;
            self.kept.truncate(self.k);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores with masses of ties, in no order.
    fn scores(count: usize) -> Vec<f32> {
        (0..count).map(|index| f32::from(u8::try_from(index * 7919 % 13).unwrap()) / 13.0).collect()
    }

    fn best(k: usize, parts: &[&[f32]]) -> Vec<Hit<f32>> {
        let mut all = Hits::new(k, f32::NEG_INFINITY);
        let mut first = 0;
        for part in parts {
            let mut hits = Hits::new(k, all.least());
            hits.scan(part, |place| Some(first + place));
            all.merge(hits);
            first += part.len();
        }
        all.into_best()
    }

    #[test]
    fn the_best_are_those_of_a_stable_sort_however_the_scores_are_cut() {
        let scores = scores(3000);
        let mut sorted: Vec<_> = scores.iter().copied().enumerate().collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
        for k in [1, 2, 10, 127, 128, 129, 300, 2999, 3000, 4000] {
            for cut in [0, 1, 15, 1000, 2999] {
                let found = best(k, &[&scores[..cut], &scores[cut..]]);
                let found: Vec<_> = found.iter().map(|hit| (hit.index, hit.score)).collect();
                assert_eq!(found, sorted[..k.min(3000)], "k = {k}, cut at {cut}");
            }
        }
    }

    #[test]
    fn the_buffer_stays_bounded_and_nan_never_enters() {
        let mut hits = Hits::new(3, -1.0_f32);
        for first in (0..100_000).step_by(100) {
            hits.scan(&[0.5; 100], |place| Some(first + place));
            hits.scan(&[f32::NAN; 100], |place| Some(first + place));
            assert!(hits.kept.len() <= LEAST_CAPACITY);
        }
        let found: Vec<_> = hits.into_best().iter().map(|hit| hit.index).collect();
        assert_eq!(found, [0, 1, 2]);
    }

    #[test]
    fn what_is_not_admitted_never_lifts_the_least_score() {
        let mut hits = Hits::new(1, -1.0_f32);
        hits.scan(&[0.9; 1000], |_| None);
        hits.scan(&[0.1], |place| Some(1000 + place));
        assert_eq!(hits.into_best(), [Hit { score: 0.1, index: 1000 }]);
    }
}
