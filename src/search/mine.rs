//! Mining: the pairs of items that are most alike, each found once.
//!
//! The rows of one side are users of the other side's items, some thousands at a time. They share one
//! pool of hits, whose order is that of pairs: by score descending, then by the first item, then by
//! the second. Where only the best pairs are asked for, the pool's least score rises for all users at
//! once, so it is a better threshold than any user's own.

use super::catalogue::Catalogue;
use super::filter::{Filter, Ready};
use super::hits::Hits;
use super::segment::Segment;
use super::sweep::{check, sweep};
use super::wanted::{ALL, Pairing, Wanted};
use crate::error::Error;
use crate::kernel::real::Real;
use crate::memory;
use crate::score::{Call, Options};
use crate::view::Rows;
use std::sync::{Mutex, PoisonError};

/// Users at a time: their codes are made together, and after them progress is told.
const BATCH: usize = 4096;

/// Pairs found, best first.
#[derive(Clone, Debug)]
pub struct Pairs<E> {
    /// The score of each pair.
    pub scores: Vec<E>,
    /// Rows of the first side.
    pub first: Vec<i64>,
    /// Rows of the second.
    pub second: Vec<i64>,
}

/// Which pairs are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Mining {
    /// Lower scores do not count.
    pub min_score: f64,
    /// No more than so many, the best.
    pub max_pairs: Option<usize>,
}

/// The pairs of rows of `x` `(M, D)` and `y` `(N, D)`, or of two rows of `x`, the first before the
/// second; `progress` is told how many rows of `x` are done, each time some are, and
/// may end the work by an error.
///
/// Memory is needed for twice the pairs kept, and for the codes of `y` or `x`.
///
/// # Errors
/// [`Error::Shape`] if the sides do not fit, [`Error::Filter`] if the least score is NaN, and those
/// of the [`Options`] and of `progress`.
pub fn mine_pairs<'a, E: Real>(
    x: impl Into<Rows<'a, E>>,
    y: Option<Rows<'a, E>>,
    mining: Mining,
    options: &Options<'_>,
    progress: &dyn Fn(usize) -> Result<(), Error>,
) -> Result<Pairs<E>, Error> {
    let x = x.into();
    let items = y.unwrap_or(x);
    check(x.dim(), &[Segment::new(items)])?;
    let least = Filter { min_score: Some(mining.min_score), ..Filter::default() };
    least.ready(0, 0)?;
    let call = Call::<E>::new(options)?;
    let k = mining.max_pairs.unwrap_or(ALL);
    if k == 0 || items.count() == 0 {
        return Ok(Pairs { scores: Vec::new(), first: Vec::new(), second: Vec::new() });
    }
    let pool = Mutex::new(Hits::new(k, E::from_f64(mining.min_score)));
    let catalogue = Catalogue::new(items, options)?;
    let segments = [Segment::prepared(items, &catalogue)?];
    for first_user in (0..x.count()).step_by(BATCH) {
        let end = (first_user + BATCH).min(x.count());
        let filter = if y.is_some() { Ready::open() } else { Ready::of_pairs_from(first_user) };
        let pairing = Pairing { first_user, items: items.count() };
        let wanted = Wanted::of_pairs(x.range(first_user..end), filter, &pool, pairing);
        sweep(&call, &wanted, &segments)?;
        progress(end)?;
    }
    Pairs::of(pool.into_inner().unwrap_or_else(PoisonError::into_inner), items.count())
}

impl<E: Real> Pairs<E> {
    fn of(pool: Hits<E>, items: usize) -> Result<Self, Error> {
        pool.check()?;
        let bytes_each = size_of::<E>() + 2 * size_of::<i64>();
        memory::ask_for(pool.count().saturating_mul(bytes_each), "the result")?;
        let pairing = Pairing { first_user: 0, items };
        let hits = pool.into_best();
        let row = |row: usize| i64::try_from(row).expect("rows in memory");
        Ok(Self {
            scores: hits.iter().map(|hit| hit.score).collect(),
            first: hits.iter().map(|hit| row(pairing.pair(hit.index).0)).collect(),
            second: hits.iter().map(|hit| row(pairing.pair(hit.index).1)).collect(),
        })
    }
}
