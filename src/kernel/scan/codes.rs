//! Items as 8-bit codes, laid out as the scan reads them.
//!
//! Items are laid out in blocks of sixteen, interleaved by four bytes: line `s` of a block holds the
//! elements `4s` to `4s + 3` of each of its items, item after item. That is what one multiplication
//! of AVX-512 VNNI takes, what AVX2 takes in two halves, and, sixteen lines at a time, a tile of
//! AMX. Item codes are stored with 128 added, since VNNI multiplies unsigned by signed bytes; what
//! that adds to a dot product, 128 times the sum of the user's codes, is the same for all items,
//! and each user carries it as a correction.
//!
//! ```text
//! block 0, line 0   a0 a1 a2 a3  b0 b1 b2 b3  c0 …        sixteen items a, b, c, …
//!          line 1   a4 a5 a6 a7  b4 b5 b6 b7  c4 …
//!          …
//! block 1, line 0   the next sixteen items
//! ```
//!
//! What an item's line holds behind its own elements is multiplied by zeros; see
//! [`users`](super::users).

use super::GROUP;
use super::fill::{BlocksToFill, outline};
use super::screen::Outline;
use super::shared::SharedCodes;
use super::store::Store;
use crate::error::Error;
use crate::huge_pages;
use std::ops::Range;

/// Four codes of each of sixteen items.
pub(crate) type Line = [u8; LINE];
pub(crate) const LINE: usize = 64;
/// Lines of a tile of AMX, and so behind the last block as well: a tile may be read over its end.
pub(crate) const TILE_LINES: usize = 16;

/// The error of an item without scores, and of those that fill up the last block: their bounds are
/// below every threshold.
pub(crate) const NOT_FOUND: f32 = f32::NEG_INFINITY;

/// How many lines hold `dim` elements; at least one.
pub(crate) fn lines_for(dim: usize) -> usize {
    dim.div_ceil(4).max(1)
}

/// Lines that begin at a cache line each, so that no load crosses one.
///
/// They are zero at first, and memory that the system gives out zeroed is not touched for that: the
/// threads that fill it take its page faults. Those that are shared begin where they do: files are
/// laid out so that it is at a cache line.
pub(crate) struct Lines {
    bytes: Store<u8>,
    first: usize,
    count: usize,
}

impl Lines {
    pub(crate) fn new(count: usize) -> Self {
        let bytes = vec![0; (count + TILE_LINES + 1) * LINE];
        let first = bytes.as_ptr().align_offset(LINE).min(LINE);
        huge_pages::ask_for(bytes.as_ptr(), bytes.len());
        Self { bytes: Store::Own(bytes), first, count }
    }

    /// The lines, and those of a tile behind them.
    fn padded(&self) -> &[Line] {
        self.bytes[self.first..][..(self.count + TILE_LINES) * LINE].as_chunks().0
    }

    fn as_mut(&mut self) -> &mut [Line] {
        self.bytes.own()[self.first..][..self.count * LINE].as_chunks_mut().0
    }
}

/// Items as codes; a block is sixteen of them.
pub(crate) struct ItemCodes {
    count: usize,
    lines_per_block: usize,
    lines: Lines,
    /// What a code of 1 stands for, an item; zeros fill up the last block.
    scales: Store<f32>,
    /// The norm of what the codes leave out of an item, rounded up, or [`NOT_FOUND`].
    errors: Store<f32>,
    /// What there is of these in each block.
    outlines: Vec<Outline>,
}

impl ItemCodes {
    /// Room for so many items of so many elements, to be filled before it is scanned.
    pub(crate) fn new(count: usize, dim: usize) -> Self {
        let (blocks, lines_per_block) = (count.div_ceil(GROUP), lines_for(dim));
        Self {
            count,
            lines_per_block,
            lines: Lines::new(blocks * lines_per_block),
            scales: Store::Own(vec![0.0; blocks * GROUP]),
            errors: Store::Own(vec![0.0; blocks * GROUP]),
            outlines: vec![Outline::default(); blocks],
        }
    }

    /// Codes that were made before, if they can be codes of so many items of so many elements.
    pub(crate) fn shared(count: usize, dim: usize, codes: SharedCodes) -> Result<Self, Error> {
        codes.check(count, dim)?;
        let lines_per_block = lines_for(dim);
        let lines = count.div_ceil(GROUP) * lines_per_block;
        let mut outlines = vec![Outline::default(); count.div_ceil(GROUP)];
        outline((*codes.scales).as_ref(), (*codes.residuals).as_ref(), &mut outlines);
        Ok(Self {
            count,
            lines_per_block,
            lines: Lines { bytes: Store::Shared(codes.lines), first: 0, count: lines },
            scales: Store::Shared(codes.scales),
            errors: Store::Shared(codes.residuals),
            outlines,
        })
    }

    /// The lines with those of a tile behind them, the scales and the errors.
    pub(crate) fn parts(&self) -> (&[u8], &[f32], &[f32]) {
        (self.lines.padded().as_flattened(), &self.scales, &self.errors)
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The bytes that this takes, beside what is shared.
    pub(crate) fn bytes(&self) -> usize {
        let outlines = self.outlines.len() * size_of::<Outline>();
        self.lines.bytes.bytes() + self.scales.bytes() + self.errors.bytes() + outlines
    }

    /// Parts of so many items, a multiple of sixteen, to be filled.
    pub(crate) fn parts_to_fill(&mut self, items: usize) -> impl Iterator<Item = BlocksToFill<'_>> {
        let lines_per_part = (items / GROUP * self.lines_per_block).max(1);
        let lines_per_block = self.lines_per_block;
        let mut lines = self.lines.as_mut().chunks_mut(lines_per_part);
        let scales = self.scales.own().chunks_mut(items);
        let errors = self.errors.own().chunks_mut(items);
        let mut outlines = self.outlines.chunks_mut(items / GROUP);
        scales.zip(errors).enumerate().map(move |(part, (scales, errors))| BlocksToFill {
            first: part * items,
            lines_per_block,
            lines: lines.next().unwrap_or_default(),
            scales,
            errors,
            outlines: outlines.next().unwrap_or_default(),
        })
    }

    /// The blocks of some items, of which the first begins a block.
    pub(crate) fn blocks(&self, items: Range<usize>) -> ItemBlocks<'_> {
        assert!(items.start.is_multiple_of(GROUP) && items.end <= self.count);
        let (first, end) = (items.start / GROUP, items.end.div_ceil(GROUP));
        let lines = &self.lines.padded()[first * self.lines_per_block..];
        ItemBlocks {
            first: items.start,
            lines_per_block: self.lines_per_block,
            lines: &lines[..(end - first) * self.lines_per_block + TILE_LINES],
            scales: &self.scales[first * GROUP..end * GROUP],
            errors: &self.errors[first * GROUP..end * GROUP],
            outlines: &self.outlines[first..end],
        }
    }
}

/// Some blocks of items; see [`ItemCodes`].
#[derive(Clone, Copy)]
pub(crate) struct ItemBlocks<'a> {
    /// The first item.
    pub(crate) first: usize,
    pub(crate) lines_per_block: usize,
    /// The blocks', and those of a tile behind them, whatever they hold.
    pub(crate) lines: &'a [Line],
    pub(crate) scales: &'a [f32],
    pub(crate) errors: &'a [f32],
    pub(super) outlines: &'a [Outline],
}

impl<'a> ItemBlocks<'a> {
    pub(crate) fn count(&self) -> usize {
        self.scales.len() / GROUP
    }

    /// The same blocks, of items that are counted from another one on.
    pub(crate) fn from(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// The error of one of the items.
    pub(crate) fn error(&self, item: u32) -> f32 {
        self.errors[item as usize - self.first]
    }

    /// The lines of so many blocks from one on, or none if there are fewer.
    #[inline(always)]
    pub(super) fn lines_of(&self, first: usize, blocks: usize) -> &'a [Line] {
        let lines = first * self.lines_per_block..(first + blocks) * self.lines_per_block;
        self.lines.get(lines).unwrap_or_default()
    }

    /// The lines of a block.
    #[inline(always)]
    pub(crate) fn block(&self, block: usize) -> &'a [Line] {
        &self.lines[block * self.lines_per_block..][..self.lines_per_block]
    }

    /// The scales and the errors of a block's items.
    #[inline(always)]
    pub(crate) fn bounds(&self, block: usize) -> (&'a [f32; GROUP], &'a [f32; GROUP]) {
        let (scales, _) = self.scales.as_chunks();
        let (errors, _) = self.errors.as_chunks();
        (&scales[block], &errors[block])
    }
}
