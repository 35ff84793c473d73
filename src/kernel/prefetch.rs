//! Rows asked for before they are needed.
//!
//! Rows in the order of memory come by themselves, and asking for them only gets in the way. Rows here
//! and there do not: asked for sixteen rows ahead, a quarter of a group at a time, lists of 1,000 of
//! 100,000 × 64 and of 5,000 of 1,000,000 × 128 took 0.72 to 0.86 of the time on one thread. A row's first
//! line alone gained some 5% at best, and sixteen rows asked for at once less than four by four.
//!
//! Nor do rows come by themselves while so much is computed between them as for codes. Those are asked
//! for into the second-level cache: on the way to the first, a line holds one of the few places there
//! are for such, and the loads of today wait for those of tomorrow.

/// Of a longer row the rest comes by itself.
const MOST_BYTES: usize = 1024;
/// Of the first level: x86's hint T0.
const NEAREST: i32 = 3;
/// Of the second: T1.
const SECOND: i32 = 2;

/// Asks for a row's first lines.
#[inline(always)]
pub(crate) fn prefetch<E>(row: &[E]) {
    ask_for::<NEAREST, E>(row);
}

/// Asks for a row's first lines, to be near when their time comes.
#[inline(always)]
pub(crate) fn prefetch_early<E>(row: &[E]) {
    ask_for::<SECOND, E>(row);
}

#[inline(always)]
fn ask_for<const LEVEL: i32, E>(row: &[E]) {
    const LINE: usize = 64;
    for offset in (0..size_of_val(row).min(MOST_BYTES)).step_by(LINE) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every CPU of this architecture has the instruction, which only hints.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<LEVEL>(
                row.as_ptr().cast::<i8>().wrapping_add(offset),
            );
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = offset;
    }
}
