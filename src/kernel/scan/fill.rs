//! Blocks of items while they are filled: codes of rows, laid out as [`codes`](super::codes) has them.

use super::codes::Line;
use super::screen::Outline;

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

    /// Lays out sixteen rows of codes, filled up to whole lines, as one block.
    pub(crate) fn interleave(&mut self, block: usize, rows: &[u8]) {
        let lines = &mut self.lines[block * self.lines_per_block..][..self.lines_per_block];
        let bytes_per_row = 4 * self.lines_per_block;
        for (four, rows) in rows.chunks(4 * bytes_per_row).enumerate() {
            let whole =
                if rows.len() == 4 * bytes_per_row { self.lines_per_block / 4 * 4 } else { 0 };
            let (in_fours, others) = lines.split_at_mut(whole);
            for (at, lines) in in_fours.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let row = |row: usize| &rows[row * bytes_per_row + 16 * at..][..16];
                let turned = turned([row(0), row(1), row(2), row(3)].map(as_fours));
                for (line, codes) in lines.iter_mut().zip(&turned) {
                    line[16 * four..][..16].copy_from_slice(codes.as_flattened());
                }
            }
            for (item, row) in rows.chunks_exact(bytes_per_row).enumerate() {
                for (line, codes) in others.iter_mut().zip(&row.as_chunks::<4>().0[whole..]) {
                    line[16 * four + 4 * item..][..4].copy_from_slice(codes);
                }
            }
        }
    }
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
