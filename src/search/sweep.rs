//! A search goes over all segments, one after the other, in blocks.
//!
//! A block finds what it can in its items, by a certified [`scan`](super::scan) or by [`tiles`] of
//! scores, and gives it to its users' pools. It begins with the least score that these have reached by
//! then, so what one block has found spares the next ones work. The full score matrix never exists.
//! Where users have few candidates of their [`own`], only these are searched.
//!
//! [`tiles`]: super::tiles

use super::filter::Ready;
use super::own;
use super::scan::{self, CodedUsers, Scan};
use super::segment::Segment;
use super::tiles::Tiles;
use super::wanted::Wanted;
use crate::error::Error;
use crate::kernel::level;
use crate::kernel::real::Real;
use crate::kernel::scan::ScanKernel;
use crate::score::matrix::elements_read;
use crate::score::{Call, check_shape};
use std::cell::OnceCell;

/// Checks that the segments fit the users and each other; returns how many slots there are.
pub(super) fn check<E: Real>(dim: usize, segments: &[Segment<'_, E>]) -> Result<usize, Error> {
    for segment in segments {
        let items = segment.items;
        check_shape("items", &items.shape(), &[items.count(), dim])?;
    }
    Ok(segments.iter().map(|segment| segment.items.count()).sum())
}

/// Has candidates asked of where they are so many that a scan of everything is faster; `settling`
/// is as in [`Wanted::settling`].
pub(super) fn choose_how_candidates_count<E: Real>(
    filter: &mut Ready<'_>,
    (users, items, dim): (usize, usize, usize),
    segments: &[Segment<'_, E>],
    settling: usize,
) {
    let is_prepared = segments.first().is_some_and(|segment| segment.codes().is_some());
    if scan::pays((users, items, dim), settling, is_prepared)
        && filter.are_many_candidates(users.saturating_mul(items))
    {
        filter.ask_of_candidates(items);
    }
}

/// Searches all segments; returns how many pairs had to be scored.
pub(super) fn sweep<E: Real>(
    call: &Call<'_, E>,
    wanted: &Wanted<'_, E>,
    segments: &[Segment<'_, E>],
) -> Result<usize, Error> {
    if let Some(lists) = wanted.filter.candidates {
        return own::search(call, wanted, segments, lists);
    }
    let sweep = Sweep {
        call,
        wanted,
        tiles: Tiles::new(call, wanted.users.dim()),
        only: wanted.filter.only(),
        kernel: level::selected()?.scan(),
        users: OnceCell::new(),
    };
    segments.iter().try_fold(0, |scored, segment| Ok(scored + sweep.segment(segment)?))
}

/// What the search of every segment has in common.
struct Sweep<'s, 'a, E: Clone + 'static> {
    call: &'s Call<'s, E>,
    wanted: &'s Wanted<'a, E>,
    tiles: Tiles<E>,
    /// The only slots that anyone may get, if they are few.
    only: Option<Vec<u32>>,
    kernel: &'static ScanKernel,
    /// Made when the first segment is worth a scan.
    users: OnceCell<CodedUsers>,
}

impl<E: Real> Sweep<'_, '_, E> {
    fn segment(&self, segment: &Segment<'_, E>) -> Result<usize, Error> {
        let Self { call, wanted, tiles, .. } = self;
        let (users, dim) = (wanted.users.count(), wanted.users.dim());
        if let Some(only) = &self.only {
            return self.all(segment, Some(&segment.rows_of(only)));
        }
        let shape = (users, segment.items.count(), dim);
        if !scan::pays(shape, wanted.settling(), segment.codes().is_some()) {
            return self.all(segment, None);
        }
        let users = self.users.get_or_init(|| CodedUsers::new(call, self.kernel, wanted.users));
        let scan = Scan::new(call, wanted, segment, users);
        scan.grid.each(call, scan.elements_read(), |users, items| {
            scan.search(tiles, users, items);
        })?;
        scan.answer_zero_users(call)?;
        Ok(scan.scored())
    }

    /// Scores all rows of a segment, or all that are `listed`.
    fn all(&self, segment: &Segment<'_, E>, listed: Option<&[u32]>) -> Result<usize, Error> {
        let Self { wanted, tiles, .. } = self;
        let (users, dim) = (wanted.users.count(), wanted.users.dim());
        let rows = listed.map_or(segment.items.count(), <[u32]>::len);
        let grid = tiles.grid(users, rows, dim);
        grid.each(self.call, elements_read(users, rows, dim), |users, rows| {
            let rows = wanted.within(segment, &users, rows);
            if !rows.is_empty() {
                tiles.search(wanted, segment, listed, users, rows, |_| true);
            }
        })?;
        Ok(users * rows)
    }
}
