//! What users must not get: a bit for each item, sixteen of them a word.
//!
//! A scan passes over such items before anything else is done with them; items that are excluded for
//! being a user's best would all be candidates. The words of many users lie far apart, so a tile asks
//! for those of its own before it multiplies, and looks at them afterwards; those of one user alone lie
//! in a row, and come by themselves.

use crate::kernel::prefetch::prefetch;
use std::ops::Range;

/// Words of some users, from the first block of a scan on; where there are none, nothing is barred.
#[derive(Clone, Copy)]
pub(crate) struct Barred<'a>(&'a [&'a [u16]]);

impl<'a> Barred<'a> {
    /// A user's words each, to the last block of the scan, or none at all.
    pub(crate) fn new(users: &'a [&'a [u16]]) -> Self {
        Self(users)
    }

    /// Whether there are words of this user.
    pub(crate) fn knows(self, user: usize) -> bool {
        self.0.get(user).is_some_and(|words| !words.is_empty())
    }

    /// Asks for the words of some users from a group on.
    #[inline(always)]
    pub(super) fn ask_for(self, users: Range<usize>, group: usize) {
        for words in self.0.get(users).unwrap_or_default() {
            prefetch(words.get(group..=group).unwrap_or_default());
        }
    }

    /// A user's words of so many groups.
    #[inline(always)]
    pub(super) fn words<const GROUPS: usize>(self, user: usize, group: usize) -> [u16; GROUPS] {
        let words = self.0.get(user).and_then(|words| words.get(group..));
        words.and_then(|words| words.first_chunk()).copied().unwrap_or([0; GROUPS])
    }
}
