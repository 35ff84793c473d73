//! Which items may be found: filters, asked only of an item whose score counts, or may count by its bound.
//!
//! So a filter costs in proportion to the hits, not to the items. But where few items are allowed at all,
//! only these are searched; what has bits the scan passes over by itself; and a user's own list is
//! filtered before it is scored.

use super::lists::{Lists, items_of};
use super::members::Members;
use crate::Error;
use crate::kernel::real::Real;
use crate::score::Call;
use std::ops::Range;

/// If less than one in so many items is allowed, these are searched alone.
const SELECTIVE: usize = 8;
/// If more than one in so many items is a candidate, a scan of everything is faster.
const MANY: usize = 16;

/// Which items a search may find.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Scores below this do not count; it is rounded to the type of the scores. Not NaN.
    pub min_score: Option<f64>,
    /// Items that some users must not get.
    pub exclude: Option<Lists<'a>>,
    /// A flag an item: whether anyone may get it.
    pub allow: Option<&'a [bool]>,
    /// The only items that each user may get, of those that the rest of the filter leaves.
    pub candidates: Option<Lists<'a>>,
    /// Whether user `i` must not get item `i`.
    pub exclude_self: bool,
}

impl<'a> Filter<'a> {
    /// The filter made ready for a search of so many users and items.
    ///
    /// # Errors
    /// [`Error::Filter`] unless it fits them.
    pub(super) fn ready(&self, users: usize, items: usize) -> Result<Ready<'a>, Error> {
        let wrong = |name, got: String, expected: &str| {
            Err(Error::Filter { name, got, expected: expected.to_owned() })
        };
        if let Some(least) = self.min_score.filter(|least| least.is_nan()) {
            return wrong("min_score", least.to_string(), "a number");
        }
        if let Some(exclude) = self.exclude {
            exclude.check("exclude", users, items)?;
        }
        if let Some(candidates) = self.candidates {
            candidates.check("candidates", users, items)?;
        }
        if let Some(allow) = self.allow.filter(|allow| allow.len() != items) {
            return wrong("allow", allow.len().to_string(), "a flag for each item");
        }
        if self.exclude_self && users != items {
            return wrong("exclude_self", users.to_string(), "as many users as items");
        }
        let Self { allow, candidates, exclude_self, .. } = *self;
        Ok(Ready {
            exclude: self.exclude.map(|rows| Members::new(rows, items)),
            allow,
            candidates,
            among: None,
            exclude_self,
            after: None,
        })
    }
}

/// A filter that is asked of items one by one.
pub(super) struct Ready<'a> {
    exclude: Option<Members<'a>>,
    allow: Option<&'a [bool]>,
    /// Of these one is not asked: who searches goes through them.
    pub(super) candidates: Option<Lists<'a>>,
    /// Candidates that one is asked of.
    among: Option<Members<'a>>,
    exclude_self: bool,
    /// Users are items, from this one on, and may get later ones than themselves only.
    after: Option<usize>,
}

impl Ready<'_> {
    /// Everything is admitted.
    pub(super) fn open() -> Self {
        Self {
            exclude: None,
            allow: None,
            candidates: None,
            among: None,
            exclude_self: false,
            after: None,
        }
    }

    /// Users are items, from `first` on; each pair of two items is admitted once.
    pub(super) fn of_pairs_from(first: usize) -> Self {
        Self { after: Some(first), ..Self::open() }
    }

    /// The slot before which none of these users may get any.
    pub(super) fn first_slot(&self, users: &Range<usize>) -> usize {
        self.after.map_or(0, |first| first + users.start + 1)
    }

    /// Whether more than one in so many pairs of users and items are candidates.
    pub(super) fn are_many_candidates(&self, pairs: usize) -> bool {
        self.candidates.is_some_and(|lists| {
            lists.places() > pairs / MANY
                && (0..lists.users()).map(|user| items_of(lists.of(user)).count()).sum::<usize>()
                    > pairs / MANY
        })
    }

    /// Has candidates asked of, as all else, and not gone through.
    pub(super) fn ask_of_candidates(&mut self, items: usize) {
        self.among = self.candidates.take().map(|lists| Members::new(lists, items));
    }

    /// The allowed items, if they are so few that only these should be searched.
    pub(super) fn only(&self) -> Option<Vec<u32>> {
        let allow = self.allow?;
        let count = u32::try_from(allow.len()).ok()?;
        let allowed = allow.iter().filter(|&&is_allowed| is_allowed).count();
        let items = (0..count).zip(allow);
        let items = items.filter_map(|(item, &is_allowed)| is_allowed.then_some(item));
        (allowed < allow.len() / SELECTIVE).then(|| items.collect())
    }

    /// Does what is best done for all users at once.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(super) fn prepare<E: Real>(&self, call: &Call<'_, E>) -> Result<(), Error> {
        [&self.exclude, &self.among]
            .into_iter()
            .flatten()
            .try_for_each(|lists| lists.make_ready(call))
    }

    /// A bit for each item from one on, set for those that this user must not get, or none if that is
    /// not known so; see [`Members::bits_from`].
    pub(super) fn barred_from(&self, user: usize, item: usize) -> &[u16] {
        self.exclude.as_ref().map_or(&[], |exclude| exclude.bits_from(user, item))
    }

    /// Whether every user may get every item, but for candidates to be gone through.
    pub(super) fn is_open(&self) -> bool {
        self.exclude.is_none() && self.is_open_but_for_barred()
    }

    /// The same, but for items that are [barred](Self::barred_from).
    pub(super) fn is_open_but_for_barred(&self) -> bool {
        self.among.is_none() && self.allow.is_none() && !self.exclude_self && self.after.is_none()
    }

    /// Whether this user may get this item, but for candidates to be gone through.
    pub(super) fn admits(&self, user: usize, item: usize) -> bool {
        !(self.exclude_self && user == item)
            && self.after.is_none_or(|first| item > first + user)
            && self.allow.is_none_or(|allow| allow[item])
            // Both are asked, as which items are in a list is nothing that the CPU can predict.
            && self.exclude.as_ref().is_none_or(|exclude| !exclude.contains(user, item))
                & self.among.as_ref().is_none_or(|among| among.contains(user, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_must_fit() {
        let listed = |starts, items| Lists::new("", starts, items).ok();
        let filters: [(Filter<'_>, &str); 7] = [
            (Filter { min_score: Some(f64::NAN), ..Filter::default() }, "min_score: got NaN"),
            (
                Filter { exclude: listed(&[0, 0], &[]), ..Filter::default() },
                "exclude: got 1, expected a row for each user",
            ),
            (
                Filter { exclude: listed(&[0, 0, 1], &[3]), ..Filter::default() },
                "exclude: got index 3, expected -1 to 2",
            ),
            (
                Filter { candidates: listed(&[0, 0], &[]), ..Filter::default() },
                "candidates: got 1, expected a row for each user",
            ),
            (
                Filter { candidates: listed(&[0, 1, 1], &[-2]), ..Filter::default() },
                "candidates: got index -2, expected -1 to 2",
            ),
            (Filter { allow: Some(&[true]), ..Filter::default() }, "allow: got 1"),
            (Filter { exclude_self: true, ..Filter::default() }, "exclude_self: got 2"),
        ];
        for (filter, message) in filters {
            let error = filter.ready(2, 3).err().unwrap().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(Filter::default().ready(2, 3).is_ok());
    }

    #[test]
    fn a_selective_filter_lists_what_is_allowed() {
        let only = |allow: &[bool]| {
            Filter { allow: Some(allow), ..Filter::default() }.ready(1, allow.len()).unwrap().only()
        };
        let mut allow = [false; 32];
        (allow[5], allow[30]) = (true, true);
        assert_eq!(only(&allow), Some(vec![5, 30]));
        (allow[6], allow[7]) = (true, true); // one in eight
        assert_eq!(only(&allow), None);
        assert_eq!(only(&[]), None);
    }
}
