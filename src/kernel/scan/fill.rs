//! Blocks of items while they are filled: codes of rows, laid out as [`codes`](super::codes) has them.

use super::GROUP;
use super::codes::{LINE, Line};
use super::screen::Outline;
use crate::kernel::lanes::{LANES, Load};

/// Blocks of items to be filled.
pub(crate) struct BlocksToFill<'a> {
    /// The first item.
    pub(crate) first: usize,
    pub(crate) lines_per_block: usize,
    pub(crate) lines: &'a mut [Line],
    pub(crate) scales: &'a mut [f32],
    pub(crate) errors: &'a mut [f32],
    pub(super) outlines: &'a mut [Outline],
}

impl BlocksToFill<'_> {
    /// Takes note of the scales and errors, when they are all there.
    pub(crate) fn outline(&mut self) {
        outline(self.scales, self.errors, self.outlines);
    }

    /// The lines of a block.
    pub(crate) fn block(&mut self, block: usize) -> &mut [Line] {
        &mut self.lines[block * self.lines_per_block..][..self.lines_per_block]
    }
}

/// Outlines blocks of these scales and errors.
pub(super) fn outline(scales: &[f32], errors: &[f32], outlines: &mut [Outline]) {
    let blocks = scales.as_chunks().0.iter().zip(errors.as_chunks().0);
    for (outline, (scales, errors)) in outlines.iter_mut().zip(blocks) {
        *outline = Outline::new(scales, errors);
    }
}

/// Lays out sixteen rows of codes, filled up to whole multiples of 64, as a block's lines.
///
/// Sixteen words of four codes of each row at a time, as the columns of the matrix whose rows they are.
#[inline(always)]
pub(crate) fn interleave<L: Load<f32, f32>>(lanes: L, rows: &[Line], block: &mut [Line]) {
    let pieces = rows.len() / GROUP;
    for (piece, block) in block.chunks_mut(LANES).enumerate() {
        let mut words = [lanes.zero(); LANES];
        for row in 0..LANES {
            words[row] = lanes.load(&as_words(rows[row * pieces + piece]));
        }
        for (line, words) in block.iter_mut().zip(lanes.turned(words)) {
            *line = as_codes(lanes.store(words));
        }
    }
}

/// Four codes to a word each, whatever number that is: nothing is computed of it.
#[inline(always)]
fn as_words(codes: Line) -> [f32; LANES] {
    let mut words = [0.0; LANES];
    for (word, codes) in words.iter_mut().zip(codes.as_chunks().0) {
        *word = f32::from_le_bytes(*codes);
    }
    words
}

#[inline(always)]
fn as_codes(words: [f32; LANES]) -> Line {
    let mut line = [0; LINE];
    for (codes, word) in line.as_chunks_mut().0.iter_mut().zip(words) {
        *codes = word.to_le_bytes();
    }
    line
}
