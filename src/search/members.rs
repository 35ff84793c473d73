//! Lists of items, to be asked whether an item is in them: those that a user must not get, or that
//! alone a user may.
//!
//! They come in any order. Before anything is asked, each list is made [bits](super::bits), or, if it is
//! too short for a bit an item, [buckets](super::buckets).

use super::bits::Bits;
use super::buckets::Buckets;
use super::grid::part;
use super::lists::Lists;
use crate::Error;
use crate::kernel::real::Real;
use crate::kernel::scan::GROUP;
use crate::parallel::for_each;
use crate::score::Call;
use std::sync::OnceLock;

/// Bits, if there are so many items at the most for each that is listed: twice the list's own bytes.
const ITEMS_A_LISTED: usize = 128;

/// Lists made ready to be asked.
pub(super) struct Members<'a> {
    rows: Lists<'a>,
    items: usize,
    sets: Vec<OnceLock<Set>>,
}

impl<'a> Members<'a> {
    /// There are so many items, and no others in the rows; see [`Lists::check`].
    pub(super) fn new(rows: Lists<'a>, items: usize) -> Self {
        Self { rows, items, sets: (0..rows.users()).map(|_| OnceLock::new()).collect() }
    }

    /// Makes all rows ready at once: where two threads first ask for the same one, one of them waits.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(super) fn make_ready<E: Real>(&self, call: &Call<'_, E>) -> Result<(), Error> {
        const USERS: usize = 16;
        let (users, listed) = (self.sets.len(), self.rows.places());
        let parts = users.div_ceil(USERS);
        let threads = call.threads_for(listed.saturating_mul(8)); // read, counted and scattered
        for_each(0..parts, parts, threads, call.interrupted, |index| {
            for user in part(index, USERS, users) {
                self.of(user);
            }
        })
    }

    /// Whether this item is in this user's list.
    pub(super) fn contains(&self, user: usize, item: usize) -> bool {
        match self.of(user) {
            Set::Bits(bits) => bits.contains(item),
            Set::Buckets(buckets) => buckets.contains(item),
        }
    }

    /// A bit for each item from one on, set for those in this user's list, if it is made bits and the
    /// item begins a word; otherwise none.
    pub(super) fn bits_from(&self, user: usize, item: usize) -> &[u16] {
        match self.of(user) {
            Set::Bits(bits) if item.is_multiple_of(GROUP) => bits.from(item),
            _ => &[],
        }
    }

    fn of(&self, user: usize) -> &Set {
        self.sets[user].get_or_init(|| {
            let row = self.rows.of(user);
            if self.items <= row.len().saturating_mul(ITEMS_A_LISTED) {
                Set::Bits(Bits::new(row, self.items))
            } else {
                Set::Buckets(Buckets::new(row, self.items))
            }
        })
    }
}

/// A list made ready.
enum Set {
    Bits(Bits),
    Buckets(Buckets),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_length_and_order_are_sets() {
        for length in [0, 1, 2, 15, 16, 17, 100, 1000] {
            for (step, count) in [(1, 1000), (2, 5000), (1024, 1 << 21), (7919, 7_919_001)] {
                let items: Vec<i64> = (0..length).map(|place| place * step % count).collect();
                let padded: Vec<_> =
                    items.iter().rev().flat_map(|&item| [item, -1, item]).collect();
                let starts = [0, 0, i64::try_from(padded.len()).unwrap()];
                let rows = Lists::new("exclude", &starts, &padded).unwrap();
                let members = Members::new(rows, usize::try_from(count).unwrap());
                let has_bits = count <= 128 * 3 * length;
                assert_eq!(members.bits_from(1, 16).is_empty(), !has_bits);
                assert!(members.bits_from(1, 17).is_empty() && members.bits_from(0, 16).is_empty());
                for (place, word) in members.bits_from(1, 16).iter().enumerate() {
                    let listed =
                        |bit: i64| items.contains(&(16 + 16 * i64::try_from(place).unwrap() + bit));
                    assert_eq!(*word, (0..16).map(|bit| u16::from(listed(bit)) << bit).sum());
                }
                for item in items.iter().flat_map(|&item| [item, (item + 1).min(count - 1)]) {
                    let (is_in, item) = (items.contains(&item), usize::try_from(item).unwrap());
                    assert_eq!(members.contains(1, item), is_in, "{item}, {length}, {step}");
                    assert!(!members.contains(0, item));
                }
            }
        }
    }
}
