//! The best k items of each user: a grid of blocks, a panel of users by a span of items.
//!
//! A block finds what it can in its items, by a certified [`scan`](super::scan) or by [`tiles`] of
//! scores, and gives it to its users' own hits. It begins with the least score that these have reached by
//! then, so what one block has found spares the next ones work. The full score matrix never exists.
//! Where users have few candidates of their [`own`], only these are searched.
//!
//! [`tiles`]: super::tiles

use super::catalogue::Catalogue;
use super::filter::{Filter, Ready};
use super::hits::Hits;
use super::own;
use super::scan::{self, Scan};
use super::tiles::Tiles;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::matrix::elements_read;
use crate::score::{Call, Options, check_shape};
use crate::view::Rows;
use ndarray::Array2;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The best items of each user, best first. A place that cannot be filled holds index -1 and the
/// score negative infinity.
#[derive(Clone, Debug)]
pub struct TopK<E> {
    /// `(U, k)`.
    pub scores: Array2<E>,
    /// `(U, k)`.
    pub indices: Array2<i64>,
    /// How many of the U · N pairs had to be scored: the bound ruled out the others.
    pub scored: usize,
}

/// The best `k` of `items` `(N, D)` for each of `users` `(U, D)`, or all N if they are fewer.
///
/// Beyond the result, memory is needed for up to 2·k hits (at least 256) of each user, for the
/// users' codes, and for a few hundred kilobytes to megabytes a thread.
///
/// # Errors
/// [`Error::Shape`] or [`Error::Filter`] if the arguments do not fit each other, and the errors of
/// the [`Options`].
pub fn top_k<'a, E: Real>(
    users: impl Into<Rows<'a, E>>,
    items: impl Into<Rows<'a, E>>,
    k: usize,
    filter: &Filter<'_>,
    options: &Options<'_>,
) -> Result<TopK<E>, Error> {
    search(users.into(), items.into(), None, k, filter, options)
}

/// The search of items that may be prepared.
pub(super) fn search<E: Real>(
    users: Rows<'_, E>,
    items: Rows<'_, E>,
    prepared: Option<&Catalogue>,
    k: usize,
    filter: &Filter<'_>,
    options: &Options<'_>,
) -> Result<TopK<E>, Error> {
    let ([user_count, dim], item_count) = (users.shape(), items.count());
    check_shape("items", &items.shape(), &[item_count, dim])?;
    let mut ready = filter.ready(user_count, item_count)?;
    let call = Call::<E>::new(options)?;
    let k = k.min(item_count);
    if scan::pays((user_count, item_count, dim), k, prepared.is_some())
        && ready.are_many_candidates(user_count.saturating_mul(item_count))
    {
        ready.ask_of_candidates(item_count);
    }
    ready.prepare(&call)?;
    if k == 0 || user_count == 0 {
        return Ok(TopK::unfilled(user_count, k));
    }

    let least = filter.min_score.map_or(-E::INFINITY, E::from_f64);
    let wanted = Wanted::new(users, items, k, ready, least);
    if let Some(lists) = wanted.filter.candidates {
        let scored = own::search(&call, &wanted, lists)?;
        return Ok(wanted.found(scored));
    }
    let tiles = Tiles::new(&call, dim);
    let only = wanted.filter.only();
    let scan = if only.is_some() { None } else { Scan::if_it_pays(&call, &wanted, prepared)? };
    if let Some(scan) = scan {
        scan.grid.each(&call, scan.elements_read(&wanted), |users, items| {
            scan.search(&wanted, &tiles, users, items);
        })?;
        scan.answer_zero_users(&wanted);
        return Ok(wanted.found(scan.scored()));
    }
    let grid = tiles.grid(user_count, only.as_ref().map_or(item_count, Vec::len), dim);
    grid.each(&call, elements_read(grid.users, grid.items, dim), |users, places| {
        tiles.search(&wanted, only.as_deref(), users, places);
    })?;
    Ok(wanted.found(grid.users * grid.items))
}

/// What is searched, for whom, and what has been found by now.
pub(super) struct Wanted<'a, E> {
    pub(super) users: Rows<'a, E>,
    pub(super) items: Rows<'a, E>,
    pub(super) k: usize,
    pub(super) filter: Ready<'a>,
    /// Scores below this do not count.
    least: E,
    best: Vec<Mutex<Hits<E>>>,
}

impl<'a, E: Real> Wanted<'a, E> {
    fn new(users: Rows<'a, E>, items: Rows<'a, E>, k: usize, filter: Ready<'a>, least: E) -> Self {
        let best = (0..users.count()).map(|_| Mutex::new(Hits::new(k, least))).collect();
        Self { users, items, k, filter, least, best }
    }

    /// Hits as each user begins with.
    pub(super) fn no_hits(&self) -> Hits<E> {
        Hits::new(self.k, self.least)
    }

    /// The hits of a user, for as long as this is held.
    pub(super) fn hits(&self, user: usize) -> MutexGuard<'_, Hits<E>> {
        self.best[user].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The best of each user, put in order.
    fn found(self, scored: usize) -> TopK<E> {
        let mut found = TopK { scored, ..TopK::unfilled(self.best.len(), self.k) };
        for (user, hits) in self.best.into_iter().enumerate() {
            let hits = hits.into_inner().unwrap_or_else(PoisonError::into_inner).into_best();
            for (place, hit) in hits.into_iter().enumerate() {
                found.scores[(user, place)] = hit.score;
                found.indices[(user, place)] = i64::try_from(hit.index).expect("rows in memory");
            }
        }
        found
    }
}

/// How a search is cut into blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) users: usize,
    pub(super) items: usize,
    /// Users in a block.
    pub(super) panel: usize,
    /// Items in a block.
    pub(super) span: usize,
}

impl Grid {
    /// Searches each block, by as many threads as reading so many elements deserves.
    fn each<E: Real>(
        &self,
        call: &Call<'_, E>,
        elements: usize,
        search: impl Fn(Range<usize>, Range<usize>) + Sync,
    ) -> Result<(), Error> {
        let spans = self.items.div_ceil(self.span);
        let blocks = self.users.div_ceil(self.panel) * spans;
        for_each(0..blocks, blocks, call.threads_for(elements), call.interrupted, |block| {
            let users = part(block / spans, self.panel, self.users);
            search(users, part(block % spans, self.span, self.items));
        })
    }
}

/// Cuts `0..count` into parts of `length`.
pub(super) fn part(index: usize, length: usize, count: usize) -> Range<usize> {
    (index * length).min(count)..((index + 1) * length).min(count)
}

impl<E: Real> TopK<E> {
    fn unfilled(users: usize, k: usize) -> Self {
        let shape = (users, k);
        Self {
            scores: Array2::from_elem(shape, -E::INFINITY),
            indices: Array2::from_elem(shape, -1),
            scored: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_whole() {
        let parts: Vec<_> = (0..4).map(|index| part(index, 3, 8)).collect();
        assert_eq!(parts, [0..3, 3..6, 6..8, 8..8]);
    }
}
