//! The memory of codes: lines that begin at a cache line each, so that no load crosses one.
//!
//! Room for them is not zeroed before the threads that fill it write it whole: memory that was used
//! before would be zeroed by one thread alone, which took a tenth of the time that preparing took.
//! Those that are shared begin where they do: files are laid out so that it is at a cache line.

use super::store::{Shared, Store};
use crate::huge_pages;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Four codes of each of sixteen items.
pub(crate) type Line = [u8; LINE];
pub(super) const LINE: usize = 64;
/// Lines of a tile of AMX, and so behind the last block as well: a tile may be read over its end.
pub(crate) const TILE_LINES: usize = 16;

/// Lines, or room for them; see the module's prose.
pub(crate) struct Lines {
    bytes: Store<u8>,
    first: usize,
    count: usize,
    /// How many have been written by now.
    written: AtomicUsize,
}

impl Lines {
    pub(crate) fn new(count: usize) -> Self {
        let bytes = Vec::<u8>::with_capacity((count + TILE_LINES + 1) * LINE);
        let first = bytes.as_ptr().align_offset(LINE).min(LINE);
        huge_pages::ask_for(bytes.as_ptr(), bytes.capacity());
        Self { bytes: Store::Own(bytes), first, count, written: AtomicUsize::new(UNBEGUN) }
    }

    pub(super) fn shared(bytes: Shared<u8>, count: usize) -> Self {
        Self { bytes: Store::Shared(bytes), first: 0, count, written: AtomicUsize::new(count) }
    }

    /// The lines, and those of a tile behind them.
    pub(super) fn padded(&self) -> &[Line] {
        self.bytes[self.first..][..(self.count + TILE_LINES) * LINE].as_chunks().0
    }

    /// The bytes of those that are our own.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.bytes()
    }

    /// All lines to be written anew, and where to count those that are; [`Self::settle`] ends that.
    pub(super) fn begin(&mut self) -> (&mut [RawLine], &AtomicUsize) {
        self.written = AtomicUsize::new(0);
        let bytes = self.bytes.own();
        bytes.clear();
        let (before, bytes) = bytes.spare_capacity_mut().split_at_mut(self.first);
        let (lines, behind) = bytes.split_at_mut(self.count * LINE);
        for byte in before.iter_mut().chain(&mut behind[..TILE_LINES * LINE]) {
            byte.write(0);
        }
        (lines.as_chunks_mut().0, &self.written)
    }

    /// To be called when all lines are written.
    pub(super) fn settle(&mut self) {
        assert_eq!(self.written.load(Ordering::Relaxed), self.count, "all lines are written");
        let length = self.first + (self.count + TILE_LINES) * LINE;
        // SAFETY: there is so much room. What is before and behind the lines was written by `begin`,
        // which is also what reset the count. Only parts that do not overlap are counted, each when its
        // last line is written: so each line is.
        unsafe { self.bytes.own().set_len(length) };
    }
}

/// As many have been written while nobody has begun.
const UNBEGUN: usize = usize::MAX;

/// A line, before it is written.
pub(super) type RawLine = [MaybeUninit<u8>; LINE];
