//! All items that score at least so much, for each user.
//!
//! It is the search for the best k, with the threshold given and no k: the scan turns away what is
//! surely below it, and the rest is scored.

use super::filter::Filter;
use super::hits::Hits;
use super::segment::Segment;
use super::sweep::{check, choose_how_candidates_count, sweep};
use super::wanted::{ALL, Wanted};
use crate::error::Error;
use crate::kernel::real::Real;
use crate::memory;
use crate::score::{Call, Options};
use crate::view::Rows;

/// What each user has found: rows of any length, one after the other, each best first.
#[derive(Clone, Debug)]
pub struct Ranges<E> {
    /// Where each user's row begins, and the end: U + 1.
    pub starts: Vec<i64>,
    /// The items.
    pub indices: Vec<i64>,
    /// Their scores.
    pub scores: Vec<E>,
}

/// All of the items that score the filter's `min_score` or more, or any score if it has none, for
/// each of `users` `(U, D)`. Indices and filters are as in [`super::top_k_of`].
///
/// Beyond the result, memory is needed as for [`super::top_k`], with all hits in place of k: no
/// matrix of scores.
///
/// # Errors
/// Those of [`super::top_k`].
pub fn range_search<'a, E: Real>(
    users: impl Into<Rows<'a, E>>,
    segments: &[Segment<'a, E>],
    filter: &Filter<'_>,
    options: &Options<'_>,
) -> Result<Ranges<E>, Error> {
    let users = users.into();
    let [count, dim] = users.shape();
    let slots = check(dim, segments)?;
    let mut ready = filter.ready(count, slots)?;
    let call = Call::<E>::new(options)?;
    choose_how_candidates_count(&mut ready, (count, slots, dim), segments, 0);
    ready.prepare(&call)?;
    let least = filter.min_score.map_or(-E::INFINITY, E::from_f64);
    let wanted = Wanted::of_each(users, ALL, ready, least)?;
    if count > 0 {
        sweep(&call, &wanted, &Segment::in_line(segments))?;
    }
    let hits = wanted.found()?;
    let total: usize = hits.iter().map(Hits::count).sum();
    memory::ask_for(total.saturating_mul(size_of::<E>() + size_of::<i64>()), "the result")?;
    let mut found = Ranges {
        starts: vec![0],
        indices: Vec::with_capacity(total),
        scores: Vec::with_capacity(total),
    };
    for hits in hits {
        let index = |hit: usize| i64::try_from(hit).expect("a place in memory");
        for hit in hits.into_best() {
            found.indices.push(index(hit.index));
            found.scores.push(hit.score);
        }
        found.starts.push(index(found.indices.len()));
    }
    Ok(found)
}
