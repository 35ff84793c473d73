//! Lists of items, to be asked whether an item is in them: those that a user must not get, or that
//! alone a user may.
//!
//! They come in any order. When a user is first asked for, the list is dealt out to buckets, each of a
//! range of items; to ask is then to look through one bucket of a few. That takes two passes over the
//! list, a fraction of sorting it, and buckets are looked into in the order of the items. (A hash table
//! was as fast to build, but each look missed the nearest cache: it cost twice as much.) As many items
//! are looked at whatever a bucket holds, since those of the next ones are never the right one: a loop
//! as long as the bucket mispredicts its end, which took a third of the time that exclusions cost.

use super::grid::part;
use super::lists::{Lists, items_of};
use crate::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::Call;
use std::sync::OnceLock;

/// Lists made ready to be asked.
pub(super) struct Members<'a> {
    rows: Lists<'a>,
    items: usize,
    buckets: Vec<OnceLock<Buckets>>,
}

impl<'a> Members<'a> {
    /// There are so many items, and no others in the rows; see [`Lists::check`].
    pub(super) fn new(rows: Lists<'a>, items: usize) -> Self {
        Self { rows, items, buckets: (0..rows.users()).map(|_| OnceLock::new()).collect() }
    }

    /// Deals out all rows at once: where two threads first ask for the same one, one of them waits.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(super) fn deal_out<E: Real>(&self, call: &Call<'_, E>) -> Result<(), Error> {
        const USERS: usize = 16;
        let (users, listed) = (self.buckets.len(), self.rows.places());
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
        self.of(user).contains(item)
    }

    fn of(&self, user: usize) -> &Buckets {
        self.buckets[user].get_or_init(|| Buckets::new(self.rows.of(user), self.items))
    }
}

/// A row's items by ranges of items of equal length.
struct Buckets {
    /// The length of a range is two to this.
    shift: u32,
    /// Where each range's items begin, and the end.
    starts: Vec<u32>,
    /// The items, and some more of none.
    items: Vec<u32>,
}

impl Buckets {
    /// Ranges of about so many of the row's items.
    const FEW: usize = 4;
    /// Hardly any range has more of them.
    const MOST: usize = 8;

    fn new(row: &[i64], count: usize) -> Self {
        let length = (Self::FEW * count.div_ceil(row.len().max(1))).next_power_of_two();
        let shift = length.trailing_zeros();
        let range = |item: u32| item as usize >> shift;
        let row = items_of(row);
        let mut starts = vec![0; (count >> shift) + 2];
        for item in row.clone() {
            starts[range(item) + 1] += 1;
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let mut items = vec![u32::MAX; starts[starts.len() - 1] as usize + Self::MOST];
        let mut next = starts.clone();
        for item in row {
            let place = &mut next[range(item)];
            items[*place as usize] = item;
            *place += 1;
        }
        Self { shift, starts, items }
    }

    fn contains(&self, item: usize) -> bool {
        let range = item >> self.shift;
        let (start, end) = (self.starts[range] as usize, self.starts[range + 1] as usize);
        let is_item = |&listed: &u32| listed as usize == item;
        if end - start > Self::MOST {
            return self.items[start..end].iter().any(is_item);
        }
        let looked_at = &self.items[start..start + Self::MOST];
        looked_at.iter().fold(false, |found, listed| found | is_item(listed))
    }
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
                for item in items.iter().flat_map(|&item| [item, (item + 1).min(count - 1)]) {
                    let (is_in, item) = (items.contains(&item), usize::try_from(item).unwrap());
                    assert_eq!(members.contains(1, item), is_in, "{item}, {length}, {step}");
                    assert!(!members.contains(0, item));
                }
            }
        }
    }
}
