//! The scan in register tiles: some users by some groups of items.
//!
//! A tile keeps the sums of `USERS` × `GROUPS` × 16 pairs in registers. A step loads a line of each
//! group and four bytes of each user, and uses each for all the others. Users pass by while the
//! lines of a few groups stay in the nearest cache, so the items' codes are read from memory once. The
//! lines of the next groups are asked for meanwhile, some with each tile: without that, the first tile
//! of each group waits for them.

// Loops over registers go by index: they unroll, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::barred::Barred;
use super::candidates::Candidates;
use super::codes::{ItemBlocks, Line};
use super::epilogue::{Hits, Scan};
use super::users::UserRows;
use super::{CodeLanes, Sink};
use crate::kernel::prefetch::prefetch;

/// Each user against all items, in tiles of this shape and smaller ones at the edges.
#[inline(always)]
pub(crate) fn scan<L: CodeLanes, const USERS: usize, const GROUPS: usize>(
    lanes: L,
    users: UserRows<'_>,
    items: ItemBlocks<'_>,
    barred: Barred<'_>,
    candidates: &mut [Candidates],
    sink: &mut dyn Sink,
) {
    let mut scan = Scan::new(users, items, barred, candidates, sink);
    let mut starts = vec![0; GROUPS * users.count()];
    let whole = items.count() / GROUPS * GROUPS;
    for first in (0..whole).step_by(GROUPS) {
        strip::<L, USERS, GROUPS>(lanes, &mut scan, &mut starts, first);
    }
    for first in whole..items.count() {
        strip::<L, USERS, 1>(lanes, &mut scan, &mut starts, first);
    }
}

/// Each user against the `GROUPS` groups from `first` on; `starts` has room for what their sums start
/// at, each user's for one group after the other.
#[inline(always)]
fn strip<L: CodeLanes, const USERS: usize, const GROUPS: usize>(
    lanes: L,
    scan: &mut Scan<'_>,
    starts: &mut [i32],
    first: usize,
) {
    let count = scan.users.count();
    for group in 0..GROUPS {
        let outline = scan.items.outlines[first + group];
        scan.screen.start(outline, 0, scan.users.corrections, &mut starts[group * count..]);
    }
    let mut blocks: [&[Line]; GROUPS] = [&[]; GROUPS];
    for group in 0..GROUPS {
        blocks[group] = scan.items.block(first + group);
    }
    let whole = count / USERS * USERS;
    let ahead = scan.items.lines_of(first + GROUPS, GROUPS);
    let ahead_each = ahead.len().div_ceil((count / USERS).max(1)).max(1);
    for user in (0..whole).step_by(USERS) {
        for line in ahead.chunks(ahead_each).nth(user / USERS).unwrap_or_default() {
            prefetch(line);
        }
        tile::<L, USERS, GROUPS>(lanes, scan, blocks, starts, user, first);
    }
    for user in whole..count {
        tile::<L, 1, GROUPS>(lanes, scan, blocks, starts, user, first);
    }
}

#[inline(always)]
fn tile<L: CodeLanes, const USERS: usize, const GROUPS: usize>(
    lanes: L,
    scan: &mut Scan<'_>,
    blocks: [&[Line]; GROUPS],
    starts: &[i32],
    first_user: usize,
    first_group: usize,
) {
    let Scan { users, items, .. } = *scan;
    let mut sums = [[lanes.start(0); GROUPS]; USERS];
    let mut rows: [&[[i8; 4]]; USERS] = [&[]; USERS];
    for user in 0..USERS {
        rows[user] = users.row(first_user + user);
    }
    for group in 0..GROUPS {
        let starts = &starts[group * users.count() + first_user..][..USERS];
        for user in 0..USERS {
            sums[user][group] = lanes.start(starts[user]);
        }
    }
    if USERS > 1 {
        scan.barred.ask_for(first_user..first_user + USERS, first_group);
    }
    multiply(lanes, rows, blocks, items.lines_per_block, &mut sums);

    // Kept small, so that it unrolls and the sums stay in registers.
    let mut all = sums[0][0];
    for user in 0..USERS {
        for group in 0..GROUPS {
            all = lanes.and(all, sums[user][group]);
        }
    }
    if lanes.passing(all) != 0 {
        lanes.take_hits(Hits::new(sums, starts, (first_user, first_group), scan));
    }
}

/// The tile's dot products.
#[inline(always)]
fn multiply<L: CodeLanes, const USERS: usize, const GROUPS: usize>(
    lanes: L,
    mut users: [&[[i8; 4]]; USERS],
    mut items: [&[Line]; GROUPS],
    steps: usize,
    sums: &mut [[L::Sums; GROUPS]; USERS],
) {
    // Cut to one length, which spares every step the checks.
    for user in 0..USERS {
        users[user] = &users[user][..steps];
    }
    for group in 0..GROUPS {
        items[group] = &items[group][..steps];
    }
    if USERS == 1 {
        for group in 0..GROUPS {
            sums[0][group] = one_by_one(lanes, users[0], items[group], sums[0][group]);
        }
        return;
    }
    for step in 0..steps {
        let mut codes = [lanes.user([0; 4]); USERS];
        for user in 0..USERS {
            codes[user] = lanes.user(users[user][step]);
        }
        for group in 0..GROUPS {
            let line = lanes.items(&items[group][step]);
            for user in 0..USERS {
                sums[user][group] = lanes.multiply_add(line, codes[user], sums[user][group]);
            }
        }
    }
}

/// One user with one group. There is nothing to share, so the lines are read as they lie in memory:
/// groups side by side took a tenth longer. Four sums, so that none waits for another.
#[inline(always)]
fn one_by_one<L: CodeLanes>(lanes: L, user: &[[i8; 4]], items: &[Line], sum: L::Sums) -> L::Sums {
    let (fours, rest) = items.as_chunks::<4>();
    let (user_fours, user_rest) = user.as_chunks::<4>();
    let mut sums = [sum, lanes.start(0), lanes.start(0), lanes.start(0)];
    for (lines, codes) in fours.iter().zip(user_fours) {
        for place in 0..4 {
            let codes = lanes.user(codes[place]);
            sums[place] = lanes.multiply_add(lanes.items(&lines[place]), codes, sums[place]);
        }
    }
    for (line, codes) in rest.iter().zip(user_rest) {
        sums[0] = lanes.multiply_add(lanes.items(line), lanes.user(*codes), sums[0]);
    }
    lanes.add(lanes.add(sums[0], sums[1]), lanes.add(sums[2], sums[3]))
}
