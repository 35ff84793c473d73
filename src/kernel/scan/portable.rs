//! The scan in plain Rust, on any machine.

// Loops over lanes go by index: they become vectors, where iterators over arrays may not.
#![allow(clippy::needless_range_loop)]

use super::candidates::Candidates;
use super::codes::Line;
use super::epilogue::Hits;
use super::{CodeLanes, GROUP};
use crate::kernel::range::places;

/// Sums as an array; every CPU has them.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl CodeLanes for Portable {
    type Items = Line;
    type User = [i8; 4];
    type Sums = [i32; GROUP];
    type Bounds = [f32; GROUP];

    #[inline(always)]
    fn items(self, line: &Line) -> Line {
        *line
    }
    #[inline(always)]
    fn user(self, codes: [i8; 4]) -> [i8; 4] {
        codes
    }
    #[inline(always)]
    fn start(self, sum: i32) -> [i32; GROUP] {
        [sum; GROUP]
    }
    #[inline(always)]
    fn multiply_add(self, items: Line, user: [i8; 4], mut sums: [i32; GROUP]) -> [i32; GROUP] {
        for item in 0..GROUP {
            for byte in 0..4 {
                sums[item] += i32::from(items[4 * item + byte]) * i32::from(user[byte]);
            }
        }
        sums
    }
    #[inline(always)]
    fn add(self, a: [i32; GROUP], b: [i32; GROUP]) -> [i32; GROUP] {
        let mut sums = a;
        for item in 0..GROUP {
            sums[item] += b[item];
        }
        sums
    }
    #[inline(always)]
    fn and(self, a: [i32; GROUP], b: [i32; GROUP]) -> [i32; GROUP] {
        let mut both = a;
        for item in 0..GROUP {
            both[item] &= b[item];
        }
        both
    }
    #[inline(always)]
    fn passing(self, sums: [i32; GROUP]) -> u16 {
        let mut mask = 0;
        for item in 0..GROUP {
            mask |= u16::from(sums[item] >= 0) << item;
        }
        mask
    }
    #[inline(always)]
    #[allow(clippy::cast_precision_loss)] // the rounding is in the bound
    fn bounds(
        self,
        sums: [i32; GROUP],
        scales: &[f32; GROUP],
        errors: &[f32; GROUP],
        weight: f32,
    ) -> [f32; GROUP] {
        let mut bounds = [0.0; GROUP];
        for item in 0..GROUP {
            bounds[item] = sums[item] as f32 * scales[item] + weight * errors[item];
        }
        bounds
    }
    #[inline(never)]
    fn take_hits<const USERS: usize, const GROUPS: usize>(
        self,
        hits: Hits<'_, '_, Self, USERS, GROUPS>,
    ) {
        hits.append(self);
    }
    #[inline(always)]
    fn reaching(self, bounds: [f32; GROUP], threshold: f32) -> u16 {
        let mut mask = 0;
        for item in 0..GROUP {
            mask |= u16::from(bounds[item] >= threshold) << item;
        }
        mask
    }
    #[inline(always)]
    fn append(self, bounds: [f32; GROUP], mask: u16, first: u32, candidates: &mut Candidates) {
        append_each(&bounds, mask, first, candidates);
    }
}

#[cfg(test)]
impl super::amx::StoredSums for Portable {
    fn stored(self, sums: &[i32; GROUP], start: i32) -> [i32; GROUP] {
        sums.map(|sum| sum + start)
    }
}

/// Appends the bounds with a bit in `mask`, one by one.
#[inline(always)]
pub(super) fn append_each(
    bounds: &[f32; GROUP],
    mask: u16,
    first: u32,
    candidates: &mut Candidates,
) {
    let (to, items) = candidates.next();
    let mut count = 0;
    for place in places(mask) {
        to[count] = bounds[place];
        items[count] = first + u32::from(place.to_le_bytes()[0]);
        count += 1;
    }
    candidates.advance(count);
}
