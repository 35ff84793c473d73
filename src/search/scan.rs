//! The certified search of a block: scan the codes, score what is left.
//!
//! The scan goes over the codes of the block's items and keeps, for each user, the candidates whose
//! scores may still count; see [`bound`](super::bound). Then [they are scored](super::block); so the
//! next block's threshold comes from exact scores.
//!
//! Where the bounds cannot thin the items out, as among many that are alike, scoring candidates one
//! by one costs more than scoring tiles of everything. So each panel of users keeps a tally, and its
//! blocks are searched by [tiles](super::tiles) while too many of its pairs had to be scored.

use super::block::BlockSearch;
use super::bound::UserBound;
use super::coded::Quantiser;
use super::cut::grid;
use super::grid::Grid;
use super::segment::Segment;
use super::tiles::Tiles;
use super::wanted::Wanted;
use crate::kernel::quantise::MOST_CODES;
use crate::kernel::real::Real;
use crate::kernel::scan::barred::Barred;
use crate::kernel::scan::candidates::Candidates;
use crate::kernel::scan::codes::ItemCodes;
use crate::kernel::scan::users::UserCodes;
use crate::kernel::scan::{GROUP, ScanKernel};
use crate::score::Call;
use crate::view::Rows;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Codes are made for one search if at least so many users share them.
const WORTH_CODING: usize = 32;
/// Fewer items than so many times k are not thinned out.
const WORTH_THINNING: usize = 16;
/// Tiles of everything, if more than one in so many pairs had to be scored.
const FEW: usize = 8;

/// The users of a search as the scan knows them.
pub(super) struct CodedUsers {
    kernel: &'static ScanKernel,
    codes: UserCodes,
    pub(super) bounds: Vec<Option<UserBound>>,
}

impl CodedUsers {
    pub(super) fn new<E: Real>(
        call: &Call<'_, E>,
        kernel: &'static ScanKernel,
        users: Rows<'_, E>,
    ) -> Self {
        let (codes, bounds) = Quantiser::new(call).users(users, kernel.most_code);
        Self { kernel, codes, bounds }
    }
}

/// The scan of a segment under way; see the module's prose.
pub(super) struct Scan<'s, 'a, E: Clone + 'static> {
    pub(super) wanted: &'s Wanted<'a, E>,
    pub(super) segment: &'s Segment<'s, E>,
    pub(super) users: &'s CodedUsers,
    pub(super) quantiser: Quantiser<E>,
    prepared: Option<&'s ItemCodes>,
    pub(super) grid: Grid,
    tallies: Vec<Tally>,
    /// What blocks work with, kept from one to the next.
    workspaces: Mutex<Vec<Workspace<E>>>,
}

/// How many pairs of a panel's users have been searched, and how many of them were scored, one by
/// one or in tiles.
#[derive(Default)]
struct Tally {
    searched: AtomicUsize,
    scored: AtomicUsize,
    in_tiles: AtomicUsize,
}

impl Tally {
    /// Whether few pairs had to be scored, so many aside.
    fn is_thin(&self, aside: usize) -> bool {
        let scored = self.scored.load(Ordering::Relaxed);
        scored.saturating_sub(aside) <= self.searched.load(Ordering::Relaxed) / FEW
    }
}

/// Buffers of one block at a time.
struct Workspace<E> {
    candidates: Vec<Candidates>,
    scores: Vec<E>,
    /// The codes of the block's items, if they are not prepared.
    items: ItemCodes,
}

impl<'s, 'a, E: Real> Scan<'s, 'a, E> {
    pub(super) fn new(
        call: &Call<'_, E>,
        wanted: &'s Wanted<'a, E>,
        segment: &'s Segment<'s, E>,
        users: &'s CodedUsers,
    ) -> Self {
        let prepared = segment.codes();
        let shape = (wanted.users.count(), segment.items.count(), wanted.users.dim());
        let grid = grid(shape, call.threads, prepared.is_some());
        let tallies = (0..grid.users.div_ceil(grid.panel)).map(|_| Tally::default()).collect();
        let quantiser = Quantiser::new(call);
        let workspaces = Mutex::default();
        Self { wanted, segment, users, quantiser, prepared, grid, tallies, workspaces }
    }

    /// What the work costs, as so many elements read.
    pub(super) fn elements_read(&self) -> usize {
        const MULTIPLIED_AT_ONCE: usize = 96;
        let elements = self.grid.items.saturating_mul(self.wanted.users.dim());
        let multiplied = elements.saturating_mul(self.grid.users) / MULTIPLIED_AT_ONCE;
        multiplied.max(elements / if self.prepared.is_some() { size_of::<E>() } else { 1 })
    }

    /// Searches some items for some users.
    pub(super) fn search(&self, tiles: &Tiles<E>, users: Range<usize>, items: Range<usize>) {
        let items = self.wanted.within(self.segment, &users, items);
        if items.is_empty() {
            return;
        }
        let tally = &self.tallies[users.start / self.grid.panel];
        let pairs = users.len() * items.len();
        tally.searched.fetch_add(pairs, Ordering::Relaxed);
        if tally.is_thin(4 * users.len() * self.wanted.settling()) {
            let mut workspace = self.workspace();
            let scored = self.search_codes(&mut workspace, users, items);
            tally.scored.fetch_add(scored, Ordering::Relaxed);
            self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
        } else {
            let has_direction = |user: usize| self.users.bounds[user].is_some();
            tiles.search(self.wanted, self.segment, None, users, items, has_direction);
            tally.in_tiles.fetch_add(pairs, Ordering::Relaxed);
        }
    }

    /// How many pairs have been scored, one by one or in tiles.
    pub(super) fn scored(&self) -> usize {
        let of = |tally: &Tally| {
            tally.scored.load(Ordering::Relaxed) + tally.in_tiles.load(Ordering::Relaxed)
        };
        self.tallies.iter().map(of).sum()
    }

    fn workspace(&self) -> Workspace<E> {
        let kept = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Workspace {
            candidates: (0..self.grid.panel).map(|_| Candidates::new(self.wanted.k)).collect(),
            scores: Vec::new(),
            items: ItemCodes::new(
                if self.prepared.is_some() { 0 } else { self.grid.spans[0].len() },
                self.wanted.users.dim(),
            ),
        })
    }

    /// Searches by the codes; returns how many pairs were scored.
    fn search_codes(
        &self,
        workspace: &mut Workspace<E>,
        users: Range<usize>,
        items: Range<usize>,
    ) -> usize {
        let Workspace { candidates, scores, items: span } = workspace;
        let blocks = if let Some(prepared) = self.prepared {
            prepared.blocks(items)
        } else {
            let rows = self.segment.items.range(items.clone());
            span.parts_to_fill(self.grid.spans[0].len().next_multiple_of(GROUP))
                .for_each(|mut blocks| self.quantiser.fill(rows, &mut blocks));
            span.blocks(0..items.len()).from(items.start)
        };
        let candidates = &mut candidates[..users.len()];
        for (user, candidates) in users.clone().zip(&mut *candidates) {
            match &self.users.bounds[user] {
                Some(bound) => {
                    let least = self.wanted.hits(user).least().to_f64();
                    candidates.begin(bound.threshold(least), bound.weight());
                }
                None => candidates.begin(f32::INFINITY, 0.0),
            }
        }
        let slot = self.segment.slot(blocks.first);
        let barred_from = |user| self.wanted.filter.barred_from(user, slot);
        let words: Vec<_> = users.clone().map(barred_from).collect();
        let barred = Barred::new(&words);
        let mut block = BlockSearch::new(self, users.start, blocks, barred, scores);
        let CodedUsers { kernel, codes, .. } = self.users;
        kernel.scan(codes.rows(users), blocks, barred, candidates, &mut block);
        block.finish(candidates)
    }
}

/// Whether a search of so many users, items and elements is worth a scan.
pub(super) fn pays(
    (users, items, dim): (usize, usize, usize),
    settling: usize,
    prepared: bool,
) -> bool {
    let is_shared = prepared || users >= WORTH_CODING;
    let is_thinned = items / WORTH_THINNING >= settling.max(1) && u32::try_from(items).is_ok();
    is_shared && is_thinned && dim <= MOST_CODES
}
