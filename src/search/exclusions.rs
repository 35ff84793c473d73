//! Items that some users must not get.
//!
//! They come as rows in any order. A search asks after them only for items whose scores count, in
//! the order of the items; so when a user is first asked for, the row is copied and sorted, and a
//! scan then walks along it. (A hash table was built faster than the row is sorted, but each look
//! into it missed the nearest cache: all in all it cost twice as much.)

use crate::Error;
use std::ops::Range;
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
    sorted: Vec<OnceLock<Vec<u32>>>,
}

impl<'a> Excluded<'a> {
    /// All items fit 32 bits, which [`Exclusions::outside`] has made sure of.
    pub(super) fn new(rows: Exclusions<'a>) -> Self {
        Self { rows, sorted: (0..rows.users()).map(|_| OnceLock::new()).collect() }
    }

    /// The items that this user must not get, ascending.
    pub(super) fn of(&self, user: usize) -> &[u32] {
        self.sorted[user].get_or_init(|| {
            let items = self.rows.of(user).iter().filter_map(|&item| u32::try_from(item).ok());
            let mut items: Vec<_> = items.collect();
            items.sort_unstable();
            items
        })
    }

    /// Whether this user must not get this item.
    pub(super) fn contains(&self, user: usize, item: usize) -> bool {
        u32::try_from(item).is_ok_and(|item| self.of(user).binary_search(&item).is_ok())
    }
}

/// Cuts `0..count` into parts of `length`.
pub(super) fn part(index: usize, length: usize, count: usize) -> Range<usize> {
    (index * length).min(count)..((index + 1) * length).min(count)
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
            for step in [1, 2, 1024, 4_000_037] {
                let items: Vec<_> = (0..length).map(|place| place * step % 4_294_967_291).collect();
                let padded: Vec<_> =
                    items.iter().rev().flat_map(|&item| [item, -1, item]).collect();
                let starts = [0, 0, i64::try_from(padded.len()).unwrap()];
                let excluded = Excluded::new(Exclusions::new(&starts, &padded).unwrap());
                for item in items.iter().flat_map(|&item| [item, item + 1]) {
                    let is_in = items.contains(&item);
                    let item = usize::try_from(item).unwrap();
                    assert_eq!(excluded.contains(1, item), is_in, "{item} of {length} by {step}");
                    assert!(!excluded.contains(0, item));
                }
            }
        }
    }

    #[test]
    fn parts_cover_the_whole() {
        let parts: Vec<_> = (0..4).map(|index| part(index, 3, 8)).collect();
        assert_eq!(parts, [0..3, 3..6, 6..8, 8..8]);
    }
}
