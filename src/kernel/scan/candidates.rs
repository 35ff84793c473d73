//! The candidates of one user: a buffer of fixed size that a scan appends to.
//!
//! When it is full it is pruned by the bounds alone: `k` items have scores of at least the k-th best
//! lower bound, so an item whose upper bound is below that is out. What that leaves may still be too
//! much; then the owner scores the candidates exactly, which empties the buffer and gives a
//! threshold as good as can be.

use super::GROUP;

/// What a buffer holds at the most: more made no search faster.
const MOST: usize = 512;
/// When a buffer counts as full: at eight times k, within these bounds. Fuller ones prune less often,
/// by thresholds that let more through meanwhile.
const LEAST: usize = 128;
/// What a scan may append before it looks whether the buffer is full.
pub(crate) const ROOM: usize = 4 * GROUP;

/// Items that may matter to one user; see the module's prose.
pub(crate) struct Candidates {
    /// The least bound of a candidate.
    pub(crate) threshold: f32,
    /// What an item's error counts in the user's unit.
    pub(crate) weight: f32,
    full: usize,
    count: usize,
    bounds: Box<[f32]>,
    items: Box<[u32]>,
}

impl Candidates {
    /// An empty buffer for the best `k`.
    pub(crate) fn new(k: usize) -> Self {
        let full = k.saturating_mul(8).clamp(LEAST, MOST);
        Self {
            threshold: f32::INFINITY,
            weight: 0.0,
            full,
            count: 0,
            bounds: vec![0.0; full + ROOM].into(),
            items: vec![0; full + ROOM].into(),
        }
    }

    /// Empties the buffer for a user. No threshold is so low that everything reaches it: the bounds
    /// of items that must not be found are negative infinity.
    pub(crate) fn begin(&mut self, threshold: f32, weight: f32) {
        (self.threshold, self.weight, self.count) = (threshold.max(f32::MIN), weight, 0);
    }

    /// The items, ascending.
    pub(crate) fn items(&self) -> &[u32] {
        &self.items[..self.count]
    }

    /// The items and their bounds.
    #[cfg(test)]
    pub(crate) fn found(&self) -> impl Iterator<Item = (u32, f32)> {
        self.items().iter().copied().zip(self.bounds.iter().copied())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count >= self.full
    }

    pub(crate) fn is_half_full(&self) -> bool {
        self.count >= self.full / 2
    }

    /// Where the next sixteen go, whatever of them counts.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> (&mut [f32; GROUP], &mut [u32; GROUP]) {
        let bounds = self.bounds[self.count..].first_chunk_mut();
        let items = self.items[self.count..].first_chunk_mut();
        (bounds.expect("room is made in time"), items.expect("room is made in time"))
    }

    /// The first so many of what was put there count.
    #[inline(always)]
    pub(crate) fn advance(&mut self, count: usize) {
        self.count += count;
    }

    /// Drops the items that are not `admitted`.
    pub(crate) fn retain(&mut self, admitted: impl Fn(u32) -> bool) {
        let mut kept = 0;
        for place in 0..self.count {
            self.bounds[kept] = self.bounds[place];
            self.items[kept] = self.items[place];
            kept += usize::from(admitted(self.items[kept]));
        }
        self.count = kept;
    }

    /// Lifts the threshold, if `k` lower bounds do, and drops what is then below it; `error` is an
    /// item's, and `gap` is how much of the user's unit the bounds leave open beside the items' errors.
    pub(crate) fn prune(&mut self, k: usize, gap: f64, error: impl Fn(u32) -> f32) {
        if k > self.count {
            return;
        }
        let mut lower: [f64; MOST + ROOM] = [0.0; MOST + ROOM];
        let lower = &mut lower[..self.count];
        for (place, lower) in lower.iter_mut().enumerate() {
            let error = f64::from(self.weight) * f64::from(error(self.items[place]));
            *lower = f64::from(self.bounds[place]) - 2.0 * error;
        }
        // Mostly, where the threshold comes from scores, too few are beyond it to lift it.
        let beyond = f64::from(self.threshold) + gap;
        if lower.iter().filter(|&&lower| lower > beyond).count() < k {
            return;
        }
        let (_, &mut kth, _) = lower.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
        self.threshold = self.threshold.max(round_down(kth - gap));
        let mut kept = 0;
        for place in 0..self.count {
            if self.bounds[place] >= self.threshold {
                self.bounds[kept] = self.bounds[place];
                self.items[kept] = self.items[place];
                kept += 1;
            }
        }
        self.count = kept;
    }
}

/// The largest 32-bit float of at most `value`.
#[allow(clippy::cast_possible_truncation)] // rounding is what it is for
pub(crate) fn round_down(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) > value { nearest.next_down() } else { nearest }
}

/// The least 32-bit float of at least `value`.
pub(crate) fn round_up(value: f64) -> f32 {
    -round_down(-value)
}

#[cfg(test)]
#[allow(clippy::float_cmp, clippy::cast_precision_loss)] // small whole numbers
mod tests {
    use super::*;

    /// A buffer of so many items, the bound of each its number.
    fn candidates(count: u16) -> Candidates {
        let mut candidates = Candidates::new(MOST / 8);
        candidates.begin(f32::NEG_INFINITY, 2.0);
        for item in 0..count {
            let (bounds, items) = candidates.next();
            (bounds[0], items[0]) = (f32::from(item), u32::from(item));
            candidates.advance(1);
        }
        candidates
    }

    #[test]
    fn pruning_keeps_what_may_be_among_the_best() {
        for (k, count) in [(1, 1), (1, 300), (10, 200), (200, 200)] {
            let mut candidates = candidates(count);
            candidates.prune(k, 3.0, |_| 0.25);
            // The k-th bound less two errors of weight 2 and the gap.
            let least = f32::from(count) - f32::from(u16::try_from(k).unwrap()) - 1.0 - 3.0;
            assert_eq!(candidates.threshold, least);
            let kept = (0..u32::from(count)).filter(|&item| item as f32 >= least);
            assert_eq!(candidates.items(), kept.collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_item_of_large_error_lifts_no_threshold() {
        let mut candidates = candidates(10);
        candidates.prune(2, 0.0, |item| if item > 5 { 100.0 } else { 0.0 });
        assert_eq!(candidates.threshold, 4.0);
    }

    #[test]
    fn fewer_than_k_lift_no_threshold_and_none_falls() {
        let mut candidates = candidates(9);
        candidates.prune(10, 0.0, |_| 0.0);
        assert_eq!((candidates.threshold, candidates.items().len()), (f32::MIN, 9));
        candidates.threshold = 8.5;
        candidates.prune(5, 0.0, |_| 0.0);
        assert_eq!((candidates.threshold, candidates.items().len()), (8.5, 9));
    }

    #[test]
    fn rounding_is_directed() {
        for value in [0.1, -0.1, 1.0, 1e40, -1e40, 1e-46, 16_777_217.0] {
            let (down, up) = (round_down(value), round_up(value));
            assert!(f64::from(down) <= value && value <= f64::from(up));
            assert!(down == up || down.next_up() == up, "{down} {up}");
        }
        assert_eq!(round_down(1e40), f32::MAX);
        assert_eq!(round_up(1e-46), f32::from_bits(1));
    }
}
