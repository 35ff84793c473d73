//! The best k items of each user: score tiles, scanned while they are in the cache.
//!
//! The work is a grid of blocks, a panel of users by a span of items. A block scores its items a
//! panel at a time into one small tile, shows the tile's rows to its users' hits, and at its end
//! merges them into the users' own. It begins with the least score that these have reached by then,
//! so what one block has found spares the next ones work. The full score matrix never exists.

use super::filter::{Filter, part};
use super::hits::Hits;
use crate::blocks::Block;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::parallel::for_each;
use crate::score::matrix::{Panels, elements_read};
use crate::score::{Call, Options, check_shape};
use crate::view::Rows;
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The best items of each user, best first. A place that cannot be filled holds index -1 and the
/// score negative infinity.
#[derive(Clone, Debug)]
pub struct TopK<E> {
    /// `(U, k)`.
    pub scores: Array2<E>,
    /// `(U, k)`.
    pub indices: Array2<i64>,
}

/// The best `k` of `items` `(N, D)` for each of `users` `(U, D)`, or all N if they are fewer.
///
/// Beyond the result, memory is needed for up to 2·k hits (at least 256) of each user, of a panel of
/// users once more for each thread, and for a tile of scores a thread.
///
/// # Errors
/// [`Error::Shape`] or [`Error::Filter`] if the arguments do not fit each other, and the errors of
/// the [`Options`].
pub fn top_k<E: Real>(
    users: ArrayView2<'_, E>,
    items: ArrayView2<'_, E>,
    k: usize,
    filter: &Filter<'_>,
    options: &Options<'_>,
) -> Result<TopK<E>, Error> {
    let ((user_count, dim), item_count) = (users.dim(), items.nrows());
    check_shape("items", items.shape(), &[item_count, dim])?;
    filter.check(user_count, item_count)?;
    let call = Call::<E>::new(options)?;
    let k = k.min(item_count);
    if k == 0 || user_count == 0 {
        return Ok(TopK::unfilled(user_count, k));
    }

    let least = filter.min_score.map_or(-E::INFINITY, E::from_f64);
    let panels = Panels::new(&call, dim);
    let panel = panels.users.min(user_count);
    let span = panels.span(panel, dim);
    let best = (0..user_count).map(|_| Mutex::new(Hits::new(k, least))).collect();
    let search =
        Search { users: Rows::new(users), items: Rows::new(items), k, filter, panels, best };

    let spans = item_count.div_ceil(span);
    let blocks = user_count.div_ceil(panel) * spans;
    let search_block = |block: usize| {
        let panel = part(block / spans, panel, user_count);
        search.block(panel, part(block % spans, span, item_count));
    };
    let threads = call.threads_for(elements_read(user_count, item_count, dim));
    for_each(0..blocks, blocks, threads, call.interrupted, search_block)?;
    Ok(search.found())
}

/// A search under way.
struct Search<'a, E: Clone + 'static> {
    users: Rows<'a, E>,
    items: Rows<'a, E>,
    k: usize,
    filter: &'a Filter<'a>,
    panels: Panels<E>,
    /// The hits of each user; see the module's prose.
    best: Vec<Mutex<Hits<E>>>,
}

impl<E: Real> Search<'_, E> {
    /// Searches some items for some users.
    fn block(&self, users: Range<usize>, items: Range<usize>) {
        let own = |user: usize| self.best[user].lock().unwrap_or_else(PoisonError::into_inner);
        let mut hits: Vec<_> =
            users.clone().map(|user| Hits::new(self.k, own(user).least())).collect();
        let mut tile = Array2::from_elem((users.len(), self.panels.items), E::ZERO);
        for first_column in items.clone().step_by(self.panels.items) {
            let columns = self.panels.items.min(items.end - first_column);
            let scores = tile.slice_mut(s![.., ..columns]);
            let mut block = Block { first_row: users.start, first_column, scores };
            self.panels.score(self.users, self.items, &mut block);
            for ((user, hits), row) in users.clone().zip(&mut hits).zip(tile.rows()) {
                let row = &row.to_slice().expect("a row of the tile")[..columns];
                hits.scan(row, first_column, |item| self.filter.admits(user, item));
            }
        }
        for (user, hits) in users.zip(hits) {
            own(user).merge(hits);
        }
    }

    /// The best of each user, put in order.
    fn found(self) -> TopK<E> {
        let mut found = TopK::unfilled(self.best.len(), self.k);
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

impl<E: Real> TopK<E> {
    fn unfilled(users: usize, k: usize) -> Self {
        let shape = (users, k);
        Self {
            scores: Array2::from_elem(shape, -E::INFINITY),
            indices: Array2::from_elem(shape, -1),
        }
    }
}
