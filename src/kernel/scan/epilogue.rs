//! The epilogue of every scan: sums that have passed the [screen](super::screen) become bounds, which
//! are compared with the user's threshold, and the candidates among them are appended to the user's.

// Loops over registers go by index: they unroll, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::barred::Barred;
use super::candidates::{Candidates, ROOM};
use super::codes::ItemBlocks;
use super::screen::Screen;
use super::users::UserRows;
use super::{CodeLanes, GROUP, Sink};

/// A scan under way.
pub(super) struct Scan<'a> {
    pub(super) users: UserRows<'a>,
    pub(super) items: ItemBlocks<'a>,
    pub(super) barred: Barred<'a>,
    pub(super) screen: Screen,
    candidates: &'a mut [Candidates],
    sink: &'a mut dyn Sink,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        users: UserRows<'a>,
        items: ItemBlocks<'a>,
        barred: Barred<'a>,
        candidates: &'a mut [Candidates],
        sink: &'a mut dyn Sink,
    ) -> Self {
        let screen = Screen::new(candidates);
        Self { users, items, barred, screen, candidates, sink }
    }

    /// Appends those of a group's items whose bounds reach a user's threshold.
    #[inline(always)]
    pub(super) fn append<L: CodeLanes>(
        &mut self,
        lanes: L,
        dots: L::Sums,
        user: usize,
        group: usize,
    ) {
        let [barred] = self.barred.words(user, group);
        let candidates = &mut self.candidates[user];
        let (scales, errors) = self.items.bounds(group);
        let bounds = lanes.bounds(dots, scales, errors, candidates.weight);
        let mask = lanes.reaching(bounds, candidates.threshold) & !barred;
        if mask != 0 {
            let first = self.items.first + group * GROUP;
            let first = u32::try_from(first).expect("checked when the items were coded");
            lanes.append(bounds, mask, first, candidates);
        }
    }

    /// Has the sink make room in a user's buffer when it is time.
    #[inline(always)]
    pub(super) fn make_room_if_full(&mut self, user: usize) {
        let candidates = &mut self.candidates[user];
        if candidates.is_full() {
            self.sink.make_room(user, candidates);
            self.screen.follow(user, candidates);
        }
    }
}

/// A tile of sums, some of which have passed the screen.
pub(crate) struct Hits<'a, 's, L: CodeLanes, const USERS: usize, const GROUPS: usize> {
    sums: [[L::Sums; GROUPS]; USERS],
    /// As all users' have.
    starts: &'a [i32],
    first_user: usize,
    first_group: usize,
    scan: &'a mut Scan<'s>,
}

impl<'a, 's, L: CodeLanes, const USERS: usize, const GROUPS: usize> Hits<'a, 's, L, USERS, GROUPS> {
    #[inline(always)]
    pub(super) fn new(
        sums: [[L::Sums; GROUPS]; USERS],
        starts: &'a [i32],
        (first_user, first_group): (usize, usize),
        scan: &'a mut Scan<'s>,
    ) -> Self {
        Self { sums, starts, first_user, first_group, scan }
    }

    /// Appends those that reach their user's threshold to the user's candidates.
    ///
    /// Which of the tile's groups have any is told first, as bits, and then one after the other is
    /// looked at: a branch for each group is one that no CPU can predict.
    #[inline(always)]
    pub(crate) fn append(self, lanes: L) {
        let Self { sums, starts, first_user, first_group, scan } = self;
        const { assert!(USERS * GROUPS <= u32::BITS as usize && GROUPS * GROUP <= ROOM) };
        let mut passing = 0_u32;
        for user in 0..USERS {
            let barred = scan.barred.words::<GROUPS>(first_user + user, first_group);
            for group in 0..GROUPS {
                let passes = lanes.passing(sums[user][group]) & !barred[group] != 0;
                passing |= u32::from(passes) << (user * GROUPS + group);
            }
        }
        while passing != 0 {
            let place = passing.trailing_zeros() as usize;
            passing &= passing - 1;
            let (user, group) = (place / GROUPS, place % GROUPS);
            let sums = sums[user][group];
            let start = starts[group * scan.users.count() + first_user + user];
            let correction = scan.users.corrections[first_user + user];
            let dots = lanes.add(sums, lanes.start(correction - start));
            scan.append(lanes, dots, first_user + user, first_group + group);
        }
        for user in first_user..first_user + USERS {
            scan.make_room_if_full(user);
        }
    }
}
