//! Items that some users must not get.
//!
//! They come as rows in any order. When a user is first asked for, the row is dealt out to buckets, each
//! of a range of items; to ask is then to look through one bucket of a few. That takes two passes over
//! the row, a fraction of sorting it, and buckets are looked into in the order of the items. (A hash
//! table was as fast to build, but each look missed the nearest cache: it cost twice as much.)

use super::top_k::part;
use crate::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::Call;
use std::sync::OnceLock;

/// Fills up a row.
const PADDING: i64 = -1;

/// Items that some users must not get: compressed sparse rows, one row a user.
#[derive(Clone, Copy, Debug)]
pub struct Exclusions<'a> {
    starts: &'a [i64],
    items: &'a [i64],
}

impl<'a> Exclusions<'a> {
    /// Row `u` is `items[starts[u]..starts[u + 1]]`, in any order; -1 in it means nothing.
    ///
    /// # Errors
    /// [`Error::Filter`] if the rows do not lie one after the other in `items`.
    pub fn new(starts: &'a [i64], items: &'a [i64]) -> Result<Self, Error> {
        let ends = (starts.first(), starts.last().map(|&end| usize::try_from(end)));
        if ends == (Some(&0), Some(Ok(items.len()))) && starts.is_sorted() {
            return Ok(Self { starts, items });
        }
        Err(Error::Filter {
            name: "exclude",
            got: "rows that leave gaps or overlap".to_owned(),
            expected: "items row after row".to_owned(),
        })
    }

    /// How many users there are.
    pub(super) fn users(&self) -> usize {
        self.starts.len() - 1
    }

    /// The first item that is neither one of so many nor a padding.
    pub(super) fn outside(&self, items: usize) -> Option<i64> {
        let items = i64::try_from(items).unwrap_or(i64::MAX).min(i64::from(u32::MAX));
        self.items.iter().copied().find(|&item| item < PADDING || item >= items)
    }

    fn of(&self, user: usize) -> &'a [i64] {
        // The starts are sorted between 0 and the number of items, as `new` has checked.
        let place = |start: i64| usize::try_from(start).expect("a checked start");
        &self.items[place(self.starts[user])..place(self.starts[user + 1])]
    }
}

/// The exclusions of a search, made ready to be asked.
pub(super) struct Excluded<'a> {
    rows: Exclusions<'a>,
    items: usize,
    buckets: Vec<OnceLock<Buckets>>,
}

impl<'a> Excluded<'a> {
    /// There are so many items, and no others in the rows; see [`Exclusions::outside`].
    pub(super) fn new(rows: Exclusions<'a>, items: usize) -> Self {
        Self { rows, items, buckets: (0..rows.users()).map(|_| OnceLock::new()).collect() }
    }

    /// Deals out all rows at once: where two threads first ask for the same one, one of them waits.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(super) fn deal_out<E: Real>(&self, call: &Call<'_, E>) -> Result<(), Error> {
        const USERS: usize = 16;
        let (users, excluded) = (self.buckets.len(), self.rows.items.len());
        let parts = users.div_ceil(USERS);
        let threads = call.threads_for(excluded.saturating_mul(8)); // read, counted and scattered
        for_each(0..parts, parts, threads, call.interrupted, |index| {
            for user in part(index, USERS, users) {
                self.of(user);
            }
        })
    }

    /// Whether this user must not get this item.
    pub(super) fn contains(&self, user: usize, item: usize) -> bool {
        self.of(user).of(item).iter().any(|&excluded| excluded as usize == item)
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
    items: Vec<u32>,
}

impl Buckets {
    /// Ranges of about so many of the row's items.
    const FEW: usize = 4;

    fn new(row: &[i64], count: usize) -> Self {
        let length = (Self::FEW * count.div_ceil(row.len().max(1))).next_power_of_two();
        let shift = length.trailing_zeros();
        let range = |item: u32| item as usize >> shift;
        let row = || row.iter().filter_map(|&item| u32::try_from(item).ok());
        let mut starts = vec![0; (count >> shift) + 2];
        for item in row() {
            starts[range(item) + 1] += 1;
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let mut items = vec![0; starts[starts.len() - 1] as usize];
        let mut next = starts.clone();
        for item in row() {
            let place = &mut next[range(item)];
            items[*place as usize] = item;
            *place += 1;
        }
        Self { shift, starts, items }
    }

    /// The items of the range that this one is in.
    fn of(&self, item: usize) -> &[u32] {
        let range = item >> self.shift;
        &self.items[self.starts[range] as usize..self.starts[range + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_are_whole_rows() {
        assert!(Exclusions::new(&[0, 2, 2, 3], &[4, -1, 0]).is_ok());
        assert!(Exclusions::new(&[0], &[]).is_ok());
        let wrong: [(&[i64], &[i64]); 5] = [
            (&[], &[]),
            (&[0, 2], &[1]),
            (&[1, 2], &[1, 2]),
            (&[0, 2, 1, 3], &[1, 2, 3]),
            (&[0, -1], &[]),
        ];
        for (starts, items) in wrong {
            let error = Exclusions::new(starts, items).unwrap_err().to_string();
            assert!(error.starts_with("exclude: got "), "{error}");
        }
    }

    #[test]
    fn what_is_no_item_is_found() {
        let outside = |items: &[i64]| {
            let count = i64::try_from(items.len()).unwrap();
            Exclusions::new(&[0, count], items).unwrap().outside(5)
        };
        assert_eq!(outside(&[-1, 0, 4]), None);
        assert_eq!(outside(&[0, 5]), Some(5));
        assert_eq!(outside(&[-2]), Some(-2));
    }

    #[test]
    fn rows_of_every_length_and_order_are_sets() {
        for length in [0, 1, 2, 15, 16, 17, 100, 1000] {
            for (step, count) in [(1, 1000), (2, 5000), (1024, 1 << 21), (7919, 7_919_001)] {
                let items: Vec<i64> = (0..length).map(|place| place * step % count).collect();
                let padded: Vec<_> =
                    items.iter().rev().flat_map(|&item| [item, -1, item]).collect();
                let starts = [0, 0, i64::try_from(padded.len()).unwrap()];
                let rows = Exclusions::new(&starts, &padded).unwrap();
                let excluded = Excluded::new(rows, usize::try_from(count).unwrap());
                for item in items.iter().flat_map(|&item| [item, (item + 1).min(count - 1)]) {
                    let (is_in, item) = (items.contains(&item), usize::try_from(item).unwrap());
                    assert_eq!(excluded.contains(1, item), is_in, "{item}, {length}, {step}");
                    assert!(!excluded.contains(0, item));
                }
            }
        }
    }
}
