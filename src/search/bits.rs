//! A user's list as a bit for each item: the fastest to make and to ask, and a scan can read sixteen
//! items' bits at once.

use super::lists::items_of;
use crate::kernel::scan::GROUP;

/// A bit an item, sixteen of them a word.
pub(super) struct Bits(Box<[u16]>);

impl Bits {
    /// The items of a row, of so many that there are.
    pub(super) fn new(row: &[i64], count: usize) -> Self {
        let mut words = vec![0; count.div_ceil(GROUP)];
        for item in items_of(row) {
            words[item as usize / GROUP] |= 1 << (item as usize % GROUP);
        }
        Self(words.into())
    }

    pub(super) fn contains(&self, item: usize) -> bool {
        self.0[item / GROUP] >> (item % GROUP) & 1 != 0
    }

    /// The words of the items from one on, which begins one.
    pub(super) fn from(&self, item: usize) -> &[u16] {
        &self.0[item / GROUP..]
    }
}
