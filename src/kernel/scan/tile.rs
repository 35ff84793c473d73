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
    let mut blocks: [&[Line]; GROUPS] = [&[]; GROUPS];
    for group in 0..GROUPS {
        blocks[group] = items.block(first_group + group);
    }
    multiply(lanes, rows, blocks, items.lines_per_block, &mut sums);

    // Kept small, so that the loop over the users unrolls and the sums stay in registers.
    let mut hit = 0_u32;
    for user in 0..USERS {
        let candidates = &candidates[first_user + user];
        hit |= u32::from(reaches(lanes, sums[user], items, first_group, candidates)) << user;
    }
    if hit != 0 {
        let candidates = &mut candidates[first_user..first_user + USERS];
        lanes.take_hits(Hits { sums, hit, first_user, items, first_group, candidates, sink });
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

/// Whether any of a user's bounds reaches their threshold; nearly always none does.
#[inline(always)]
pub(super) fn reaches<L: CodeLanes, const GROUPS: usize>(
    lanes: L,
    sums: [L::Sums; GROUPS],
    items: ItemBlocks<'_>,
    first_group: usize,
    candidates: &Candidates,
) -> bool {
    let (scales, errors) = items.bounds(first_group);
    let mut most = lanes.bounds(sums[0], scales, errors, candidates.weight);
    for group in 1..GROUPS {
        let (scales, errors) = items.bounds(first_group + group);
        most = lanes.larger(most, lanes.bounds(sums[group], scales, errors, candidates.weight));
    }
    lanes.reaching(most, candidates.threshold) != 0
}

/// A tile of sums, of which some reach a user's threshold.
pub(crate) struct Hits<'a, L: CodeLanes, const USERS: usize, const GROUPS: usize> {
    pub(super) sums: [[L::Sums; GROUPS]; USERS],
    /// A bit for each user who has one.
    pub(super) hit: u32,
    pub(super) first_user: usize,
    pub(super) items: ItemBlocks<'a>,
    pub(super) first_group: usize,
    /// The users', from the first one's on.
    pub(super) candidates: &'a mut [Candidates],
    pub(super) sink: &'a mut dyn Sink,
}

impl<L: CodeLanes, const USERS: usize, const GROUPS: usize> Hits<'_, L, USERS, GROUPS> {
    /// Appends those that reach them to the users' candidates.
    #[inline(always)]
    pub(crate) fn append(self, lanes: L) {
        for user in (0..USERS).filter(|user| self.hit >> user & 1 != 0) {
            let candidates = &mut self.candidates[user];
            for group in 0..GROUPS {
                let (scales, errors) = self.items.bounds(self.first_group + group);
                let bounds =
                    lanes.bounds(self.sums[user][group], scales, errors, candidates.weight);
                let mask = lanes.reaching(bounds, candidates.threshold);
                if mask != 0 {
                    let first = self.items.first + (self.first_group + group) * GROUP;
                    let first = u32::try_from(first).expect("checked when the items were coded");
                    lanes.append(bounds, mask, first, candidates);
                }
            }
            if candidates.is_full() {
                self.sink.make_room(self.first_user + user, candidates);
            }
        }
    }
}
