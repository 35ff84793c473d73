//! What a search is for: which users, how many hits, and what has been found by now.
//!
//! Hits go to pools. Each user has one of their own, which keeps the best k; or, where pairs are
//! mined, all share one. A pool without a limit keeps whatever scores at least what is asked for.

use super::filter::Ready;
use super::hits::Hits;
use super::segment::Segment;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::kernel::scan::GROUP;
use crate::memory;
use crate::view::Rows;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// As many hits as there are.
pub(super) const ALL: usize = usize::MAX;

/// A search under way.
pub(super) struct Wanted<'a, E> {
    pub(super) users: Rows<'a, E>,
    pub(super) filter: Ready<'a>,
    /// The most hits that a pool keeps.
    pub(super) k: usize,
    pools: Pools<'a, E>,
}

/// Where hits go.
enum Pools<'a, E> {
    /// A user's hits are known by their places.
    Each(Vec<Mutex<Hits<E>>>),
    /// All users' hits are known by pairs; see [`Pairing`].
    Shared(&'a Mutex<Hits<E>>, Pairing),
}

/// How pairs are numbered: in the order of users, then of places.
#[derive(Clone, Copy)]
pub(super) struct Pairing {
    /// The number of this search's first user among all.
    pub(super) first_user: usize,
    pub(super) items: usize,
}

impl Pairing {
    /// The user and the item of a pair.
    pub(super) fn pair(self, number: usize) -> (usize, usize) {
        (number / self.items, number % self.items)
    }
}

impl<'a, E: Real> Wanted<'a, E> {
    /// The `k` best of each user that score `least` or more.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn of_each(
        users: Rows<'a, E>,
        k: usize,
        filter: Ready<'a>,
        least: E,
    ) -> Result<Self, Error> {
        let bytes_each = size_of::<Mutex<Hits<E>>>();
        memory::ask_for(users.count().saturating_mul(bytes_each), "the users")?;
        let pools = (0..users.count()).map(|_| Mutex::new(Hits::new(k, least))).collect();
        Ok(Self { users, filter, k, pools: Pools::Each(pools) })
    }

    /// What the pool keeps of all pairs.
    pub(super) fn of_pairs(
        users: Rows<'a, E>,
        filter: Ready<'a>,
        pool: &'a Mutex<Hits<E>>,
        pairing: Pairing,
    ) -> Self {
        let k = lock(pool).most();
        Self { users, filter, k, pools: Pools::Shared(pool, pairing) }
    }

    /// How many hits it takes until a user's threshold means something: none, where it is given.
    pub(super) fn settling(&self) -> usize {
        let is_given = self.k == ALL || matches!(self.pools, Pools::Shared(..));
        if is_given { 0 } else { self.k }
    }

    /// The hits of a user, for as long as this is held.
    pub(super) fn hits(&self, user: usize) -> MutexGuard<'_, Hits<E>> {
        match &self.pools {
            Pools::Each(pools) => lock(&pools[user]),
            Pools::Shared(pool, _) => lock(pool),
        }
    }

    /// No hits, to be filled with a user's and merged with what has been found by now.
    pub(super) fn no_hits(&self, user: usize) -> Hits<E> {
        Hits::new(self.k, self.hits(user).least())
    }

    /// What a hit is known by.
    pub(super) fn index(&self, user: usize, segment: &Segment<'_, E>, row: usize) -> usize {
        let place = segment.place(row);
        match &self.pools {
            Pools::Each(_) => place,
            Pools::Shared(_, pairing) => (pairing.first_user + user) * pairing.items + place,
        }
    }

    /// Whether the user may have the item.
    pub(super) fn admits(&self, user: usize, segment: &Segment<'_, E>, row: usize) -> bool {
        self.filter.admits(user, segment.slot(row))
    }

    /// What a hit is known by, if the user may have the item.
    pub(super) fn admitted(
        &self,
        user: usize,
        segment: &Segment<'_, E>,
        row: usize,
    ) -> Option<usize> {
        self.admits(user, segment, row).then(|| self.index(user, segment, row))
    }

    /// Those of some rows that any of these users may have, as far as is known without looking at
    /// them: all, none, or those from one of the segment's groups on.
    pub(super) fn within(
        &self,
        segment: &Segment<'_, E>,
        users: &Range<usize>,
        rows: Range<usize>,
    ) -> Range<usize> {
        let first = self.filter.first_slot(users).saturating_sub(segment.slot(0));
        (first / GROUP * GROUP).clamp(rows.start, rows.end)..rows.end
    }

    /// The best of each user, in order.
    ///
    /// # Errors
    /// [`Error::Memory`] if there was none for all of them.
    pub(super) fn found(self) -> Result<Vec<Hits<E>>, Error> {
        let Pools::Each(pools) = self.pools else { unreachable!("pairs have one pool") };
        let hits = pools.into_iter();
        let hits: Vec<_> =
            hits.map(|hits| hits.into_inner().unwrap_or_else(PoisonError::into_inner)).collect();
        hits.iter().try_for_each(Hits::check)?;
        Ok(hits)
    }
}

fn lock<E>(hits: &Mutex<Hits<E>>) -> MutexGuard<'_, Hits<E>> {
    hits.lock().unwrap_or_else(PoisonError::into_inner)
}
