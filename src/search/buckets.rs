//! A user's list dealt out to buckets, each of a range of items: to ask whether an item is in it is to
//! look through one bucket of a few.
//!
//! That takes two passes over the list, a fraction of sorting it, and buckets are looked into in the
//! order of the items. (A hash table was as fast to build, but each look missed the nearest cache: it
//! cost twice as much.) As many items are looked at whatever a bucket holds, since those of the next
//! ones are never the right one: a loop as long as the bucket mispredicts its end, which took a third
//! of the time that exclusions cost.

use super::lists::items_of;

/// A row's items by ranges of items of equal length.
pub(super) struct Buckets {
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

    pub(super) fn new(row: &[i64], count: usize) -> Self {
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

    pub(super) fn contains(&self, item: usize) -> bool {
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
