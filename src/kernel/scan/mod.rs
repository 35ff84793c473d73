//! The scan: every user's codes against every item's, in 8-bit integers.
//!
//! It looks for candidates, items whose score may reach what a user still asks for, and must not
//! miss one; which ones they are, and why none is missed, is said in [`crate::search`]'s bound. To
//! the scan that is one comparison in 32-bit floats for each user and item, in the user's own unit:
//!
//! ```text
//! bound = dot · scale(item) + weight(user) · error(item)        dot = Σ code(user) · code(item)
//! the item is a candidate if bound >= threshold(user)
//! ```
//!
//! One layout of the codes serves every kernel (see [`codes`]): a line is four bytes of each of
//! sixteen items, so multiplying a line by four bytes of a user, and adding up each four, is one
//! step of sixteen dot products. [`tile`] does that in register tiles on the [`CodeLanes`] of an
//! instruction set; `amx` has tiles of its own. All of them end in the same [`epilogue`]: compare in
//! registers, and append the few that pass to the user's [`Candidates`] there and then.
#![allow(unsafe_code)] // the intrinsics, and calls into functions that only some CPUs can run

#[cfg(any(test, target_arch = "x86_64"))]
pub(crate) mod amx;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod barred;
pub(crate) mod candidates;
pub(crate) mod codes;
mod epilogue;
pub(crate) mod fill;
pub(crate) mod portable;
mod screen;
pub(crate) mod shared;
pub(crate) mod store;
pub(crate) mod tables;
mod tile;
pub(crate) mod users;
#[cfg(target_arch = "x86_64")]
pub(crate) mod vnni;

use barred::Barred;
use candidates::Candidates;
use codes::{ItemBlocks, Line};
use epilogue::Hits;
use users::UserRows;

/// Items whose bounds are compared at once: one in each lane.
pub(crate) const GROUP: usize = 16;

/// Whoever asked for a scan, when it has found more than its buffers hold.
pub(crate) trait Sink {
    /// Makes room in the full buffer of a user.
    fn make_room(&mut self, user: usize, candidates: &mut Candidates);
}

/// The scan on one instruction set. As for [`super::Kernels`], [`super::level`] only hands out one
/// that this CPU can run.
pub(crate) struct ScanKernel {
    /// The largest magnitude of a user's codes that its sums have room for, 63 at the least.
    pub(crate) most_code: i8,
    scan: unsafe fn(UserRows<'_>, ItemBlocks<'_>, Barred<'_>, &mut [Candidates], &mut dyn Sink),
}

impl ScanKernel {
    /// Each of `users` against all of `items` that are not barred; `candidates` has a buffer a user.
    pub(crate) fn scan(
        &self,
        users: UserRows<'_>,
        items: ItemBlocks<'_>,
        barred: Barred<'_>,
        candidates: &mut [Candidates],
        sink: &mut dyn Sink,
    ) {
        assert_eq!(users.count(), candidates.len());
        // SAFETY: this CPU has the kernel's instructions.
        unsafe { (self.scan)(users, items, barred, candidates, sink) }
    }
}

/// What an instruction set has to offer to the scan: sixteen sums, one an item, and their bounds.
///
/// As with [`super::lanes::Lanes`], a value proves that this CPU has the instructions, and all
/// methods must be inlined.
pub(crate) trait CodeLanes: Copy {
    /// A line of items as it is multiplied.
    type Items: Copy;
    /// Four bytes of a user as they are multiplied.
    type User: Copy;
    /// Sixteen 32-bit integers.
    type Sums: Copy;
    /// Sixteen 32-bit floats.
    type Bounds: Copy;

    fn items(self, line: &Line) -> Self::Items;
    fn user(self, codes: [i8; 4]) -> Self::User;
    /// All sums at one number.
    fn start(self, sum: i32) -> Self::Sums;
    /// Adds each item's four products. The items' offset is in them; what sums start at makes up for it.
    fn multiply_add(self, items: Self::Items, user: Self::User, sums: Self::Sums) -> Self::Sums;

    fn add(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;
    /// Of each two sums the bits that both have: negative if both are.
    fn and(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;
    /// A bit for each sum that is not negative.
    fn passing(self, sums: Self::Sums) -> u16;

    /// `sums * scales + weight * errors`, the latter product rounded first.
    fn bounds(
        self,
        sums: Self::Sums,
        scales: &[f32; GROUP],
        errors: &[f32; GROUP],
        weight: f32,
    ) -> Self::Bounds;
    /// A bit for each bound of at least `threshold`.
    fn reaching(self, bounds: Self::Bounds, threshold: f32) -> u16;
    /// [`Hits::append`], in a function of its own that is compiled for this instruction set.
    fn take_hits<const USERS: usize, const GROUPS: usize>(
        self,
        hits: Hits<'_, '_, Self, USERS, GROUPS>,
    );
    /// Appends the bounds with a bit in `mask`, and their items, of which the first is `first`.
    fn append(self, bounds: Self::Bounds, mask: u16, first: u32, candidates: &mut Candidates);
}

#[cfg(test)]
mod tests;
