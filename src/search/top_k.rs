//! The best k items of each user.

use super::filter::Filter;
use super::segment::Segment;
use super::sweep::{check, choose_how_candidates_count, sweep};
use super::wanted::Wanted;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::memory;
use crate::score::{Call, Options};
use crate::view::Rows;
use ndarray::Array2;

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
/// [`Error::Shape`] or [`Error::Filter`] if the arguments do not fit each other, [`Error::Memory`] if there
/// is none for the result, and the errors of the [`Options`].
pub fn top_k<'a, E: Real>(
    users: impl Into<Rows<'a, E>>,
    items: impl Into<Rows<'a, E>>,
    k: usize,
    filter: &Filter<'_>,
    options: &Options<'_>,
) -> Result<TopK<E>, Error> {
    top_k_of(users, &[Segment::new(items)], k, filter, options)
}

/// The same of items in segments; the indices are places, and filters are in slots (see
/// [`Segment`]).
///
/// # Errors
/// Those of [`top_k`].
pub fn top_k_of<'a, E: Real>(
    users: impl Into<Rows<'a, E>>,
    segments: &[Segment<'a, E>],
    k: usize,
    filter: &Filter<'_>,
    options: &Options<'_>,
) -> Result<TopK<E>, Error> {
    let users = users.into();
    let [count, dim] = users.shape();
    let slots = check(dim, segments)?;
    let mut ready = filter.ready(count, slots)?;
    let call = Call::<E>::new(options)?;
    let k = k.min(slots);
    choose_how_candidates_count(&mut ready, (count, slots, dim), segments, k);
    ready.prepare(&call)?;
    let mut found = TopK::unfilled(count, k)?;
    if k == 0 || count == 0 {
        return Ok(found);
    }
    let least = filter.min_score.map_or(-E::INFINITY, E::from_f64);
    let wanted = Wanted::of_each(users, k, ready, least)?;
    found.scored = sweep(&call, &wanted, &Segment::in_line(segments))?;
    for (user, hits) in wanted.found()?.into_iter().enumerate() {
        for (place, hit) in hits.into_best().into_iter().enumerate() {
            found.scores[(user, place)] = hit.score;
            found.indices[(user, place)] = i64::try_from(hit.index).expect("a place in memory");
        }
    }
    Ok(found)
}

impl<E: Real> TopK<E> {
    fn unfilled(users: usize, k: usize) -> Result<Self, Error> {
        let bytes_each = size_of::<E>() + size_of::<i64>();
        memory::ask_for(users.saturating_mul(k.max(1)).saturating_mul(bytes_each), "the result")?;
        let shape = (users, k);
        Ok(Self {
            scores: Array2::from_elem(shape, -E::INFINITY),
            indices: Array2::from_elem(shape, -1),
            scored: 0,
        })
    }
}
