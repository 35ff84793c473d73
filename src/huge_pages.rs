//! Huge pages for large memory that is about to be filled: without them, page faults on fresh memory
//! cost as much as what is computed. (Of preparing 100,000 items of 384 elements they took half; of 65 MB
//! of gradients they took 70 ms, and take 26 with huge pages.)
#![allow(unsafe_code)] // one call of the system's

/// Asks the system to back memory that is not touched yet by huge pages, as NumPy does, if it is large.
#[cfg(target_os = "linux")]
pub(crate) fn ask_for(memory: *const u8, len: usize) {
    const LARGE: usize = 4 << 20;
    const PAGE: usize = 4 << 10;
    if len >= LARGE {
        let skipped = memory.align_offset(PAGE).min(len);
        let pages = memory.wrapping_add(skipped).cast_mut().cast();
        // SAFETY: the advice changes nothing of what is in the pages, whosever they are, and not more
        // than the last may be another's. It is no more than advice, so whether it was taken does
        // not matter.
        unsafe { libc::madvise(pages, len - skipped, libc::MADV_HUGEPAGE) };
    }
}

/// Only of Linux do we know how to ask.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ask_for(_: *const u8, _: usize) {}
