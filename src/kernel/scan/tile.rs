//! The scan in register tiles: some users by some groups of items.
//!
//! A tile keeps the sums of `USERS` × `GROUPS` × 16 pairs in registers. A step loads a line of each
//! group and four bytes of each user, and uses each for all the others. Users pass by while the
//! lines of a few groups stay in the nearest cache, so the items' codes are read from memory once.

// Loops over registers go by index: they unroll, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::candidates::Candidates;
use super::codes::{ItemBlocks, Line, UserRows};
use super::{CodeLanes, GROUP, Sink};

/// Each user against all items, in tiles of this shape and smaller ones at the edges.
#[inline(always)]
pub(crate) fn scan<L: CodeLanes, const USERS: usize, const GROUPS: usize>(
    lanes: L,
    users: UserRows<'_>,
    items: ItemBlocks<'_>,
    candidates: &mut [Candidates],
    sink: &mut dyn Sink,
) {
    let whole = items.count() / GROUPS * GROUPS;
    for first in (0..whole).step_by(GROUPS) {
        strip::<L, USERS, GROUPS>(lanes, users, items, first, candidates, sink);
    }
    for first in whole..items.count() {
        strip::<L, USERS, 1>(lanes, users, items, first, candidates, sink);
    }
}

/// Each user against the `GROUPS` groups from `first` on.
#[inline(always)]
fn strip<L: CodeLanes, const USERS: usize, const GROUPS: usize>(
    lanes: L,
    users: UserRows<'_>,
    items: ItemBlocks<'_>,
    first: usize,
    candidates: &mut [Candidates],
    sink: &mut dyn Sink,
) {
    let whole = users.count() / USERS * USERS;
    for user in (0..whole).step_by(USERS) {
        tile::<L, USERS, GROUPS>(lanes, users, user, items, first, candidates, sink);
    }
    for user in whole..users.count() {
        tile::<L, 1, GROUPS>(lanes, users, user, items, first, candidates, sink);
    }
}

#[inline(always)]
fn tile<L: CodeLanes, const USERS: usize, const GROUPS: usize>(
    lanes: L,
    users: UserRows<'_>,
    first_user: usize,
    items: ItemBlocks<'_>,
    first_group: usize,
    candidates: &mut [Candidates],
    sink: &mut dyn Sink,
) {
    let mut sums = [[lanes.start(0); GROUPS]; USERS];
    let mut rows: [&[[i8; 4]]; USERS] = [&[]; USERS];
    for user in 0..USERS {
        rows[user] = users.row(first_user + user);
        sums[user] = [lanes.start(users.corrections[first_user + user]); GROUPS];
    }
    let mut lines: [&[Line]; GROUPS] = [&[]; GROUPS];
    for group in 0..GROUPS {
        lines[group] = items.block(first_group + group);
    }
    multiply(lanes, rows, lines, items.lines_per_block, &mut sums);
    for user in 0..USERS {
        let owner = (first_user + user, &mut candidates[first_user + user]);
        take::<L, GROUPS>(lanes, sums[user], items, first_group, owner, sink);
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

/// The epilogue: takes those of a user's sums that may matter.
#[inline(always)]
pub(crate) fn take<L: CodeLanes, const GROUPS: usize>(
    lanes: L,
    sums: [L::Sums; GROUPS],
    items: ItemBlocks<'_>,
    first_group: usize,
    (user, candidates): (usize, &mut Candidates),
    sink: &mut dyn Sink,
) {
    let (threshold, weight) = (candidates.threshold, candidates.weight);
    let mut masks = [0; GROUPS];
    let mut any = 0;
    for group in 0..GROUPS {
        let (scales, errors) = items.bounds(first_group + group);
        let bounds = lanes.bounds(sums[group], scales, errors, weight);
        masks[group] = lanes.reaching(bounds, threshold);
        any |= masks[group];
    }
    if any == 0 {
        return; // nearly always
    }
    for group in 0..GROUPS {
        let first = items.first + (first_group + group) * GROUP;
        let mask = if masks[group] == 0 { 0 } else { sink.admit(user, first, masks[group]) };
        if mask != 0 {
            let (scales, errors) = items.bounds(first_group + group);
            let bounds = lanes.bounds(sums[group], scales, errors, weight);
            let first = u32::try_from(first).expect("checked when the items were coded");
            lanes.append(bounds, mask, first, candidates);
        }
    }
    if candidates.is_full() {
        sink.make_room(user, candidates);
    }
}
