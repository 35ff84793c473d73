//! Rows asked for before they are needed.
//!
//! Rows in the order of memory come by themselves, and asking for them only gets in the way. Rows here
//! and there do not: asked for sixteen rows ahead, a quarter of a group at a time, lists of 1,000 of
//! 100,000 × 64 and of 5,000 of 1,000,000 × 128 took 0.72 to 0.86 of the time on one thread. A row's first
//! line alone gained some 5% at best, and sixteen rows asked for at once less than four by four.
//!
//! Nor do rows come by themselves while as much is computed between them as for codes.
//!
//! What is asked for into the first-level cache takes one of its few places for lines on their way, and
//! other loads wait for those. Into the second level, preparing a catalogue took 0.84 of the time on one
//! thread, and lists of rows of 512 bytes and more 0.82 to 0.94 where they came from memory, though 1.06
//! to 1.12 from the third level. Rows of 256 bytes took 1.1 to 1.2, so those go to the first.

/// Of a longer row the rest comes by itself.
const MOST_BYTES: usize = 1024;
/// Sixteen rows of so many bytes leave the first-level cache little room.
const LONG: usize = 512;
/// Into the first level: x86's hint T0.
const FIRST: i32 = 3;
/// Into the second: T1.
const SECOND: i32 = 2;

/// Asks for what is needed soon.
#[inline(always)]
pub(crate) fn prefetch<E>(memory: &[E]) {
    ask_for::<FIRST, E>(memory);
}

/// Asks for what is needed after much else.
#[inline(always)]
pub(crate) fn prefetch_early<E>(memory: &[E]) {
    ask_for::<SECOND, E>(memory);
}

/// Asks for the first lines of a row that is sixteen rows away.
#[inline(always)]
pub(crate) fn prefetch_row<E>(row: &[E]) {
    if size_of_val(row) < LONG { prefetch(row) } else { prefetch_early(row) }
}

#[inline(always)]
fn ask_for<const LEVEL: i32, E>(memory: &[E]) {
    const LINE: usize = 64;
    for offset in (0..size_of_val(memory).min(MOST_BYTES)).step_by(LINE) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every CPU of this architecture has the instruction, which only hints.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<LEVEL>(
                memory.as_ptr().cast::<i8>().wrapping_add(offset),
            );
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = offset;
    }
}
