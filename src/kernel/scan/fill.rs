//! Codes of rows laid out as the scan reads them, see [`codes`](super::codes), part by part.

use super::GROUP;
use super::lines::{LINE, RawLine};
use super::screen::Outline;
use std::mem::MaybeUninit;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Blocks of items to be filled, one after the other; see
/// [`ItemCodes::parts_to_fill`](super::codes::ItemCodes::parts_to_fill).
pub(crate) struct BlocksToFill<'a> {
    /// The first item.
    pub(crate) first: usize,
    pub(super) lines_per_block: usize,
    /// How many lines there are.
    count: usize,
    /// Those that are not written yet.
    lines: slice::IterMut<'a, RawLine>,
    /// Where to count them.
    written: &'a AtomicUsize,
    pub(crate) scales: &'a mut [f32],
    pub(crate) errors: &'a mut [f32],
    outlines: &'a mut [Outline],
}

impl<'a> BlocksToFill<'a> {
    pub(super) fn new(
        first: usize,
        lines_per_block: usize,
        (lines, written): (&'a mut [RawLine], &'a AtomicUsize),
        (scales, errors): (&'a mut [f32], &'a mut [f32]),
        outlines: &'a mut [Outline],
    ) -> Self {
        let count = lines.len();
        let lines = lines.iter_mut();
        Self { first, lines_per_block, count, lines, written, scales, errors, outlines }
    }

    /// Lays out sixteen rows of codes, filled up to whole lines, as the next block. Only the last block
    /// may have fewer.
    pub(crate) fn interleave(&mut self, rows: &[u8]) {
        let bytes_per_row = 4 * self.lines_per_block;
        let is_whole = rows.len() == GROUP * bytes_per_row;
        let fours = if is_whole { self.lines_per_block / 4 } else { 0 };
        for at in 0..fours {
            let row = |row: usize| as_fours(&rows[row * bytes_per_row + 16 * at..][..16]);
            let mut lines: [_; 4] = std::array::from_fn(|_| self.next());
            for quarter in 0..4 {
                let row = |place: usize| row(4 * quarter + place);
                let turned = turned([row(0), row(1), row(2), row(3)]);
                for (line, codes) in lines.iter_mut().zip(&turned) {
                    write(&mut line[16 * quarter..][..16], codes.as_flattened());
                }
            }
        }
        for at in 4 * fours..self.lines_per_block {
            let mut line = [0; LINE];
            for (codes, row) in line.as_chunks_mut().0.iter_mut().zip(rows.chunks(bytes_per_row)) {
                *codes = row.as_chunks::<4>().0[at];
            }
            write(self.next(), &line);
        }
    }

    /// The next line that is not written yet.
    fn next(&mut self) -> &'a mut RawLine {
        self.lines.next().expect("a block that is not written yet")
    }

    /// Ends it, when the scales and errors are all there. The lines of blocks that are left over mean
    /// nothing, but are written as well.
    pub(crate) fn finish(mut self) {
        while self.lines.len() > 0 {
            write(self.next(), &[0; LINE]);
        }
        outline(self.scales, self.errors, self.outlines);
        self.written.fetch_add(self.count, Ordering::Relaxed);
    }
}

fn write(room: &mut [MaybeUninit<u8>], codes: &[u8]) {
    assert_eq!(room.len(), codes.len());
    // SAFETY: there is room for as many, which nobody else has.
    unsafe { room.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(codes.as_ptr(), codes.len()) };
}

/// Outlines blocks of these scales and errors.
pub(super) fn outline(scales: &[f32], errors: &[f32], outlines: &mut [Outline]) {
    let blocks = scales.as_chunks().0.iter().zip(errors.as_chunks().0);
    for (outline, (scales, errors)) in outlines.iter_mut().zip(blocks) {
        *outline = Outline::new(scales, errors);
    }
}

/// Four times four codes of a row.
fn as_fours(codes: &[u8]) -> [[u8; 4]; 4] {
    std::array::from_fn(|at| codes.as_chunks().0[at])
}

/// Columns for rows. By value, as the compiler makes shuffles of registers of this only then.
fn turned(rows: [[[u8; 4]; 4]; 4]) -> [[[u8; 4]; 4]; 4] {
    std::array::from_fn(|column| rows.map(|row| row[column]))
}
