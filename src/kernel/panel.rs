//! Rows prepared to be scored many times: in range, with their squares, and packed.
//!
//! A panel is a copy of a few rows, small enough to stay in a thread's cache, laid out in the order
//! in which a register tile reads it: tile by tile, and in a tile group by group of sixteen
//! elements, the rows side by side. Groups are aligned, so no load crosses a cache line; the
//! caller's rows seldom are, and read in place they made the tile kernel take twice the time. What
//! is missing of a last group, or of a last tile, is zero.

use super::lanes::{LANES, Load};
use super::range::{Floor, out_of_range, places, prepare, square_lanes};
use super::real::Real;
use crate::view::Rows;
use std::ops::Range;

/// Sixteen elements of a row, in one cache line or two.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(crate) struct Group<E>(pub(crate) [E; LANES]);

/// Some rows, packed in tiles; see the module's prose.
pub(crate) struct Panel<E> {
    /// How many rows there are, without those that fill up a tile.
    pub(crate) count: usize,
    /// How many groups a row has.
    pub(crate) groups: usize,
    pub(crate) elements: Vec<Group<E>>,
    /// A square for each row, and zeros up to a multiple of sixteen.
    pub(crate) squares: Vec<E>,
}

impl<E> Panel<E> {
    pub(crate) const fn new() -> Self {
        Self { count: 0, groups: 0, elements: Vec::new(), squares: Vec::new() }
    }
}

/// Fills a panel with tiles of `TILE` rows each, which divides sixteen.
#[inline(always)]
pub(crate) fn fill<E: Real, L, const TILE: usize>(
    lanes: L,
    panel: &mut Panel<E>,
    rows: Rows<'_, E>,
    range: Range<usize>,
    floor: Floor<E>,
) where
    L: Load<E, E>,
{
    let rows = rows.range(range);
    panel.count = rows.count();
    panel.groups = rows.dim().div_ceil(LANES);
    panel.squares.clear();
    let padded = panel.count.next_multiple_of(LANES);
    panel.elements.resize(padded * panel.groups, Group([E::ZERO; LANES]));

    let (mut scratch, mut scaled) = (Vec::new(), Vec::new());
    for first in (0..panel.count).step_by(LANES) {
        let count = LANES.min(panel.count - first);
        let mut quarters = [lanes.zero(); 4];
        for (quarter, sum) in quarters.iter_mut().enumerate() {
            let mut squares = [lanes.zero(); 4];
            for (place, square) in squares.iter_mut().enumerate() {
                let place = 4 * quarter + place;
                let row = if place < count { rows.row(first + place, &mut scratch) } else { &[] };
                *square = square_lanes(lanes, row);
                pack::<E, L, TILE>(lanes, panel, first + place, row);
            }
            *sum = lanes.fold_rows(squares);
        }
        let sums = lanes.at_least(lanes.fold_quarters(quarters), lanes.splat(floor.square));
        let mut squares = lanes.store(sums);
        for place in places(out_of_range(lanes, sums, count)) {
            let row = rows.row(first + place, &mut scratch);
            let row = prepare(lanes, row, floor, &mut scaled);
            squares[place] = row.square;
            pack::<E, L, TILE>(lanes, panel, first + place, row.elements);
        }
        panel.squares.extend_from_slice(&squares);
    }
}

/// Copies a row, or zeros where it ends, to its place in a panel.
#[inline(always)]
fn pack<E: Real, L, const TILE: usize>(lanes: L, panel: &mut Panel<E>, index: usize, row: &[E])
where
    L: Load<E, E>,
{
    let tile_groups = TILE * panel.groups;
    let tile = &mut panel.elements[index / TILE * tile_groups..][..tile_groups];
    let mut places = tile.as_chunks_mut::<TILE>().0.iter_mut();
    let (groups, rest) = row.as_chunks::<LANES>();
    for (group, place) in groups.iter().zip(&mut places) {
        place[index % TILE] = Group(*group);
    }
    if let Some(place) = places.next() {
        place[index % TILE] = Group(lanes.store(lanes.load_first(rest)));
    }
    for place in places {
        place[index % TILE] = Group([E::ZERO; LANES]);
    }
}
