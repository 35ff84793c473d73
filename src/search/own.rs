//! The search among each user's own candidates: a list of items for each.
//!
//! This is for lists that are short beside all the items. A listed row costs tens of times what a row
//! of the scan costs, so longer ones are a filter of a scan of everything, see [`Ready`].
//!
//! A list is made a set first: what the user must not get is dropped, the rest put in order, which is
//! also the order of memory, and each item kept once. Then it is scored, some rows at a time, by the
//! kernel that scores everything, and shown to the user's hits.
//!
//! A block is a part of a list, and most lists are one; only those that would keep a thread busy
//! alone are cut. Whoever comes first to a list makes the set, and it is gone when its last part is
//! done; so there is one set a thread, not one a user.
//!
//! [`Ready`]: super::filter::Ready

use super::lists::{Lists, items_of};
use super::segment::Segment;
use super::wanted::Wanted;
use crate::error::Error;
use crate::kernel::Kernels;
use crate::kernel::range::Floor;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::{Call, rows_per_block};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// How many rows are made the kernel's at a time.
const CHUNK: usize = 1024;

/// A part of a user's list: places from `first` on.
struct Part {
    user: usize,
    first: usize,
    set: Arc<OnceLock<Vec<u32>>>,
}

/// Searches the list of each user, of the users that are wanted; returns how many pairs were scored.
pub(super) fn search<E: Real>(
    call: &Call<'_, E>,
    wanted: &Wanted<'_, E>,
    segments: &[Segment<'_, E>],
    lists: Lists<'_>,
) -> Result<usize, Error> {
    let dim = wanted.users.dim();
    let threads = call.threads_for(lists.places().saturating_mul(dim));
    let length = part_length(lists.places(), rows_per_block::<E>(dim), threads);
    let parts = |user: usize| {
        let set = Arc::new(OnceLock::new());
        let firsts = (0..lists.of(user).len()).step_by(length);
        firsts.map(move |first| Part { user, first, set: Arc::clone(&set) })
    };
    let users = 0..lists.users();
    let count = users.clone().map(|user| lists.of(user).len().div_ceil(length)).sum();
    let scored = AtomicUsize::new(0);
    let (kernels, floor) = (call.kernels, call.floor);
    for_each(users.flat_map(parts), count, threads, call.interrupted, |part| {
        let set = part.set.get_or_init(|| set(wanted, part.user, lists.of(part.user)));
        let listed = &set[part.first.min(set.len())..(part.first + length).min(set.len())];
        for segment in segments {
            score((kernels, floor), wanted, segment, part.user, &segment.rows_of(listed));
        }
        scored.fetch_add(listed.len(), Ordering::Relaxed);
    })?;
    Ok(scored.into_inner())
}

/// The places of a part: a share of all that there are, so that no thread is left alone with a long
/// list, within what is worth a block and what an interrupt can wait for.
fn part_length(places: usize, block: usize, threads: usize) -> usize {
    const PARTS_A_THREAD: usize = 4;
    const MOST_BLOCKS: usize = 64;
    let share = places / threads.saturating_mul(PARTS_A_THREAD);
    share.clamp(block, block.saturating_mul(MOST_BLOCKS))
}

/// The items of a list that this user may get, each once and in order.
fn set<E: Real>(wanted: &Wanted<'_, E>, user: usize, list: &[i64]) -> Vec<u32> {
    let admitted = |&item: &u32| wanted.filter.admits(user, item as usize);
    let mut items: Vec<u32> = items_of(list).filter(admitted).collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// Scores listed rows of a segment and shows them to the user's hits.
fn score<E: Real>(
    (kernels, floor): (&Kernels<E>, Floor<E>),
    wanted: &Wanted<'_, E>,
    segment: &Segment<'_, E>,
    user: usize,
    listed: &[u32],
) {
    let (mut scratch, mut scores) = (Vec::new(), [E::ZERO; CHUNK]);
    let row = wanted.users.row(user, &mut scratch);
    for listed in listed.chunks(CHUNK) {
        let scores = &mut scores[..listed.len()];
        kernels.score_listed(row, segment.items, listed, floor, scores);
        let index = |place: usize| wanted.index(user, segment, listed[place] as usize);
        wanted.hits(user).scan(scores, |place| Some(index(place)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_lists_are_cut() {
        assert_eq!(part_length(256 * 1000, 4096, 2), 256 * 1000 / 8);
        assert_eq!(part_length(5000, 2048, 2), 2048);
        assert_eq!(part_length(1 << 30, 2048, 2), 64 * 2048);
        assert_eq!(part_length(0, 1, usize::MAX), 1);
    }
}
