//! Users as 8-bit codes: rows, filled up with zeros to whole tiles of AMX, so that whatever an item's
//! line holds behind its own elements, it is multiplied by zero.

use super::codes::{LINE, lines_for};
use std::ops::Range;

/// Users as codes, row after row.
pub(crate) struct UserCodes {
    bytes_per_row: usize,
    /// The rows, and before them what makes them begin at a cache line: so does every 64 bytes of
    /// a row, then, and no load of a tile's row crosses one.
    codes: Vec<i8>,
    first: usize,
    /// -128 times the sum of each row.
    corrections: Vec<i32>,
}

impl UserCodes {
    /// Room for so many users of so many elements.
    pub(crate) fn new(count: usize, dim: usize) -> Self {
        let bytes_per_row = (4 * lines_for(dim)).next_multiple_of(LINE);
        let mut codes = Vec::<i8>::with_capacity(count * bytes_per_row + LINE);
        let first = codes.as_ptr().align_offset(LINE).min(LINE);
        codes.resize(first, 0);
        Self { bytes_per_row, codes, first, corrections: Vec::with_capacity(count) }
    }

    /// Appends a user whose codes come as an item's do, with 128 added.
    pub(crate) fn push(&mut self, row: &[u8]) {
        let codes = row.iter().map(|code| (code ^ 128).cast_signed());
        self.corrections.push(-128 * codes.clone().map(i32::from).sum::<i32>());
        self.codes.extend(codes);
        self.codes.resize(self.first + self.corrections.len() * self.bytes_per_row, 0);
    }

    /// Some of the rows.
    pub(crate) fn rows(&self, users: Range<usize>) -> UserRows<'_> {
        let codes = &self.codes[self.first..];
        UserRows {
            bytes_per_row: self.bytes_per_row,
            codes: &codes[users.start * self.bytes_per_row..users.end * self.bytes_per_row],
            corrections: &self.corrections[users],
        }
    }
}

/// Some users; see [`UserCodes`].
#[derive(Clone, Copy)]
pub(crate) struct UserRows<'a> {
    pub(crate) bytes_per_row: usize,
    pub(crate) codes: &'a [i8],
    pub(crate) corrections: &'a [i32],
}

impl<'a> UserRows<'a> {
    pub(crate) fn count(&self) -> usize {
        self.corrections.len()
    }

    /// A user's codes, four by four.
    #[inline(always)]
    pub(crate) fn row(&self, user: usize) -> &'a [[i8; 4]] {
        self.codes[user * self.bytes_per_row..][..self.bytes_per_row].as_chunks().0
    }
}
