//! The scan on AMX: sixteen users by sixteen items in one register.
//!
//! A tile is a register of sixteen rows of 64 bytes. One instruction multiplies a tile of users, 64
//! codes of each of sixteen, by a tile of items, sixteen lines of a block, and adds the 256 dot
//! products to a tile of sums. Four of the eight tiles hold sums, of two tiles of users by two of
//! items: each tile that is loaded is multiplied twice, so that loading, which takes half as long as
//! multiplying, does not hold it up.
//!
//! Sums leave a tile by memory only, and to compare 32 users' takes the vector units as long as the
//! tiles need to multiply vectors of 60 elements or so. Therefore a place's sums are compared
//! between the next place's multiplications and the stores that replace them: the CPU, which runs
//! ahead, has both units at work.
//!
//! The lines of some groups, a strip, stay in the nearest cache while all users pass by; and so do
//! 32 users, whose codes come from the next cache, while the groups of the strip pass by them.
//!
//! All this follows what the manuals say of these CPUs; it has not been measured on one.

// Loops over registers go by index: they unroll, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

#[cfg(test)]
mod emulated;
#[cfg(target_arch = "x86_64")]
pub(crate) mod instructions;
#[cfg(test)]
mod tests;
mod tiles;

use super::barred::Barred;
use super::candidates::Candidates;
use super::codes::{ItemBlocks, Line, TILE_LINES};
use super::epilogue::Scan;
use super::users::UserRows;
use super::{CodeLanes, GROUP, Sink};
use tiles::{GROUPS, Sums, TILE_USERS, Tiles, USERS};

/// Bytes of the items' lines that stay in the nearest cache; as many are for all the rest.
const STRIP_BYTES: usize = 24 << 10;

/// What the epilogue needs of an instruction set beside what tiles in registers need.
pub(crate) trait StoredSums: CodeLanes {
    /// Sums from memory, with `start` added to each.
    fn stored(self, sums: &[i32; GROUP], start: i32) -> Self::Sums;
}

/// Some users by some groups of items, as much as the tiles of sums hold, or less at the edges.
#[derive(Clone, Copy, Default)]
struct Place {
    first_user: usize,
    users: usize,
    first_group: usize,
    groups: usize,
}

/// Each user against all items.
#[inline(always)]
pub(super) fn scan<T: Tiles, L: StoredSums>(
    mut tiles: T,
    lanes: L,
    users: UserRows<'_>,
    items: ItemBlocks<'_>,
    barred: Barred<'_>,
    candidates: &mut [Candidates],
    sink: &mut dyn Sink,
) {
    let rows = TileRows::new(users);
    let mut scan = Scan::new(users, items, barred, candidates, sink);
    let mut sums = Sums::default();
    let mut stored = Place::default(); // nothing so far
    let strip = groups_per_strip(items.lines_per_block);
    for first in (0..items.count()).step_by(strip) {
        let end = items.count().min(first + strip);
        for first_user in (0..users.count()).step_by(USERS) {
            for first_group in (first..end).step_by(GROUPS) {
                let place = Place {
                    first_user,
                    users: USERS.min(users.count() - first_user),
                    first_group,
                    groups: GROUPS.min(end - first_group),
                };
                multiply(&mut tiles, &rows, items, place);
                compare(lanes, &mut scan, stored, &sums);
                store(&mut tiles, place, &mut sums);
                stored = place;
            }
        }
    }
    compare(lanes, &mut scan, stored, &sums);
}

/// Whole tiles of sums, and at least one.
fn groups_per_strip(lines_per_block: usize) -> usize {
    let groups = STRIP_BYTES / (lines_per_block * size_of::<Line>()).max(1);
    (groups / GROUPS * GROUPS).max(GROUPS)
}

/// The users' rows, sixteen by sixteen.
struct TileRows<'a> {
    users: UserRows<'a>,
    /// The last ones, if they are fewer: tiles are read whole, so zeros fill them up.
    last: Vec<i8>,
}

impl<'a> TileRows<'a> {
    fn new(users: UserRows<'a>) -> Self {
        let bytes = TILE_USERS * users.bytes_per_row;
        let mut last = users.codes.chunks_exact(bytes).remainder().to_vec();
        last.resize(bytes, 0);
        Self { users, last }
    }

    /// The rows from a user on who is the first of sixteen.
    #[inline(always)]
    fn from(&self, user: usize) -> &[i8] {
        let bytes = TILE_USERS * self.users.bytes_per_row;
        let first = user * self.users.bytes_per_row;
        self.users.codes.get(first..first + bytes).unwrap_or(&self.last)
    }
}

/// Puts the place's dot products into the tiles of sums.
#[inline(always)]
fn multiply<T: Tiles>(tiles: &mut T, rows: &TileRows<'_>, items: ItemBlocks<'_>, place: Place) {
    match (place.users > TILE_USERS, place.groups > 1) {
        (true, true) => multiply_tiles::<T, true, true>(tiles, rows, items, place),
        (true, false) => multiply_tiles::<T, true, false>(tiles, rows, items, place),
        (false, true) => multiply_tiles::<T, false, true>(tiles, rows, items, place),
        (false, false) => multiply_tiles::<T, false, false>(tiles, rows, items, place),
    }
}

/// The same, with or without a second tile of users and one of items.
///
/// Behind a block's last line a tile reads what follows it, the next block's or those behind the
/// last one; they meet the zeros that users' rows end with.
#[inline(always)]
fn multiply_tiles<T: Tiles, const MORE_USERS: bool, const MORE_ITEMS: bool>(
    tiles: &mut T,
    rows: &TileRows<'_>,
    items: ItemBlocks<'_>,
    place: Place,
) {
    let users = rows.from(place.first_user);
    let more_users = if MORE_USERS { rows.from(place.first_user + TILE_USERS) } else { users };
    let lines = lines_from(items, place.first_group);
    let more_lines = if MORE_ITEMS { lines_from(items, place.first_group + 1) } else { lines };
    tiles.zero::<0>();
    tiles.zero::<1>();
    tiles.zero::<2>();
    tiles.zero::<3>();
    for step in 0..items.lines_per_block.div_ceil(TILE_LINES) {
        tiles.load_items::<6>(&lines[step]);
        tiles.load_users::<4>(users, step);
        tiles.multiply_add::<0, 4, 6>();
        if MORE_ITEMS {
            tiles.load_items::<7>(&more_lines[step]);
            tiles.multiply_add::<1, 4, 7>();
        }
        if MORE_USERS {
            tiles.load_users::<5>(more_users, step);
            tiles.multiply_add::<2, 5, 6>();
        }
        if MORE_USERS && MORE_ITEMS {
            tiles.multiply_add::<3, 5, 7>();
        }
    }
}

/// The lines from a block on, sixteen by sixteen.
#[inline(always)]
fn lines_from(items: ItemBlocks<'_>, block: usize) -> &[[Line; TILE_LINES]] {
    items.lines[block * items.lines_per_block..].as_chunks().0
}

/// Takes the place's dot products to memory.
#[inline(always)]
fn store<T: Tiles>(tiles: &mut T, place: Place, sums: &mut Sums) {
    let [users, more_users] = sums.halves();
    tiles.store::<0>(users, 0);
    if place.groups > 1 {
        tiles.store::<1>(users, 1);
    }
    if place.users > TILE_USERS {
        tiles.store::<2>(more_users, 0);
        if place.groups > 1 {
            tiles.store::<3>(more_users, 1);
        }
    }
}

/// Appends what reaches its user's threshold to the candidates.
#[inline(always)]
fn compare<L: StoredSums>(lanes: L, scan: &mut Scan<'_>, place: Place, sums: &Sums) {
    match place.groups {
        0 => {}
        1 => compare_groups::<L, 1>(lanes, scan, place, sums),
        _ => compare_groups::<L, GROUPS>(lanes, scan, place, sums),
    }
}

/// The same, for so many groups.
#[inline(always)]
fn compare_groups<L: StoredSums, const COUNT: usize>(
    lanes: L,
    scan: &mut Scan<'_>,
    place: Place,
    sums: &Sums,
) {
    let sums = &sums.0[..place.users];
    let mut starts = [[0; USERS]; COUNT];
    for group in 0..COUNT {
        let outline = scan.items.outlines[place.first_group + group];
        let corrections = &scan.users.corrections[place.first_user..][..place.users];
        scan.screen.start(outline, place.first_user, corrections, &mut starts[group]);
    }
    let mut hit = 0_u32;
    for user in 0..place.users {
        let mut all = lanes.stored(&sums[user][0], starts[0][user]);
        for group in 1..COUNT {
            all = lanes.and(all, lanes.stored(&sums[user][group], starts[group][user]));
        }
        hit |= u32::from(lanes.passing(all) != 0) << user;
    }
    while hit != 0 {
        let user = hit.trailing_zeros() as usize;
        hit &= hit - 1;
        for group in 0..COUNT {
            let dots =
                lanes.stored(&sums[user][group], scan.users.corrections[place.first_user + user]);
            scan.append(lanes, dots, place.first_user + user, place.first_group + group);
        }
        scan.make_room_if_full(place.first_user + user);
    }
}
