//! Which items may be found: filters, asked only of an item whose score already counts.
//!
//! A search asks after the scores, so a filter costs in proportion to the hits, not to the items.

use crate::Error;
use crate::kernel::range::places;
use std::ops::Range;

/// Items that some users must not get: compressed sparse rows, one row a user.
#[derive(Clone, Copy, Debug)]
pub struct Exclusions<'a> {
    starts: &'a [i64],
    items: &'a [i64],
}

impl<'a> Exclusions<'a> {
    /// Row `u` is `items[starts[u]..starts[u + 1]]`, ascending. An item that there is not is
    /// allowed and means nothing.
    ///
    /// # Errors
    /// [`Error::Filter`] if the rows do not lie one after the other in `items`, or one of them is
    /// not ascending.
    pub fn new(starts: &'a [i64], items: &'a [i64]) -> Result<Self, Error> {
        let ends = (starts.first(), starts.last().map(|&end| usize::try_from(end)));
        let exclusions = Self { starts, items };
        let is_whole = ends == (Some(&0), Some(Ok(items.len()))) && starts.is_sorted();
        let users = starts.len().saturating_sub(1);
        if is_whole && (0..users).all(|user| exclusions.of(user).is_sorted()) {
            return Ok(exclusions);
        }
        Err(Error::Filter {
            name: "exclude",
            got: "rows that leave gaps, overlap or are not sorted".to_owned(),
            expected: "ascending items, row after row",
        })
    }

    /// How many users there are.
    pub(super) fn users(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, user: usize) -> &'a [i64] {
        // The starts are sorted between 0 and the number of items, as `new` has checked.
        let place = |start: i64| usize::try_from(start).expect("a checked start");
        &self.items[place(self.starts[user])..place(self.starts[user + 1])]
    }
}

/// Which items a search may find.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Scores below this do not count; it is rounded to the type of the scores. Not NaN.
    pub min_score: Option<f64>,
    /// Items that some users must not get.
    pub exclude: Option<Exclusions<'a>>,
    /// A flag an item: whether anyone may get it.
    pub allow: Option<&'a [bool]>,
    /// Whether user `i` must not get item `i`.
    pub exclude_self: bool,
}

impl Filter<'_> {
    /// Fails unless the filter fits so many users and items.
    pub(super) fn check(&self, users: usize, items: usize) -> Result<(), Error> {
        let wrong = |name, got: usize, expected| {
            Err(Error::Filter { name, got: got.to_string(), expected })
        };
        match self {
            Self { min_score: Some(least), .. } if least.is_nan() => Err(Error::Filter {
                name: "min_score",
                got: least.to_string(),
                expected: "a number",
            }),
            Self { exclude: Some(exclude), .. } if exclude.users() != users => {
                wrong("exclude", exclude.users(), "a row for each user")
            }
            Self { allow: Some(allow), .. } if allow.len() != items => {
                wrong("allow", allow.len(), "a flag for each item")
            }
            Self { exclude_self: true, .. } if users != items => {
                wrong("exclude_self", users, "as many users as items")
            }
            _ => Ok(()),
        }
    }

    /// Those with a bit in `mask`, of the items from `first` on, that this user may get.
    pub(super) fn admitted(&self, user: usize, first: usize, mut mask: u16) -> u16 {
        if self.exclude.is_some() || self.allow.is_some() || self.exclude_self {
            for place in places(mask) {
                if !self.admits(user, first + place) {
                    mask &= !(1 << place);
                }
            }
        }
        mask
    }

    /// Whether this user may get this item.
    pub(super) fn admits(&self, user: usize, item: usize) -> bool {
        !(self.exclude_self && user == item)
            && self.allow.is_none_or(|allow| allow[item])
            && self.exclude.is_none_or(|exclude| {
                let found = i64::try_from(item).map(|item| exclude.of(user).binary_search(&item));
                !matches!(found, Ok(Ok(_)))
            })
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
    fn exclusions_are_whole_and_ascending_rows() {
        assert!(Exclusions::new(&[0, 2, 2, 3], &[1, 4, 0]).is_ok());
        assert!(Exclusions::new(&[0], &[]).is_ok());
        let wrong: [(&[i64], &[i64]); 6] = [
            (&[], &[]),
            (&[0, 2], &[1]),
            (&[1, 2], &[1, 2]),
            (&[0, 2, 1, 3], &[1, 2, 3]),
            (&[0, 2], &[4, 1]),
            (&[0, -1], &[]),
        ];
        for (starts, items) in wrong {
            let error = Exclusions::new(starts, items).unwrap_err().to_string();
            assert!(error.starts_with("exclude: got "), "{error}");
        }
    }

    #[test]
    fn each_filter_must_fit() {
        let filters: [(Filter<'_>, &str); 4] = [
            (Filter { min_score: Some(f64::NAN), ..Filter::default() }, "min_score: got NaN"),
            (
                Filter { exclude: Exclusions::new(&[0, 0], &[]).ok(), ..Filter::default() },
                "exclude: got 1, expected a row for each user",
            ),
            (Filter { allow: Some(&[true]), ..Filter::default() }, "allow: got 1"),
            (Filter { exclude_self: true, ..Filter::default() }, "exclude_self: got 2"),
        ];
        for (filter, message) in filters {
            let error = filter.check(2, 3).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(Filter::default().check(2, 3).is_ok());
    }

    #[test]
    fn parts_cover_the_whole() {
        let parts: Vec<_> = (0..4).map(|index| part(index, 3, 8)).collect();
        assert_eq!(parts, [0..3, 3..6, 6..8, 8..8]);
    }
}
