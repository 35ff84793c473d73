//! The tiles in plain Rust, for tests on any machine, as Intel's manual describes them.
//!
//! What would be an invalid instruction, or a fault, is a panic; and so is reading where a slice
//! has ended.

#![allow(clippy::needless_range_loop)] // indices are the manual's

use super::tiles::{TILE_USERS, Tiles, UserSums};
use crate::kernel::scan::codes::{Line, TILE_LINES};

/// `TILECFG` and `TILEDATA`.
pub(super) struct Emulated {
    tiles: [Tile; 8],
}

/// What is not within the rows and their bytes is zero.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    bytes_per_row: usize,
    data: [[u8; 64]; 16],
}

impl Emulated {
    /// `LDTILECFG`.
    pub(super) fn configure(configuration: &[u8; 64]) -> Self {
        assert_eq!(configuration[..2], [1, 0], "palette 1, from row 0 on");
        let reserved = [2..16, 32..48, 56..64];
        assert!(reserved.into_iter().flatten().all(|byte| configuration[byte] == 0));
        let mut tiles = [Tile { rows: 0, bytes_per_row: 0, data: [[0; 64]; 16] }; 8];
        for (index, tile) in tiles.iter_mut().enumerate() {
            tile.rows = configuration[48 + index].into();
            let bytes = [configuration[16 + 2 * index], configuration[17 + 2 * index]];
            tile.bytes_per_row = u16::from_le_bytes(bytes).into();
            assert!(tile.rows <= 16 && tile.bytes_per_row <= 64);
            assert_eq!(tile.rows == 0, tile.bytes_per_row == 0);
        }
        Self { tiles }
    }

    /// A tile that is configured.
    fn tile(&mut self, tile: usize) -> &mut Tile {
        assert_ne!(self.tiles[tile].rows, 0, "configured");
        &mut self.tiles[tile]
    }

    /// `TILELOADD`, of rows that begin every `stride` bytes.
    fn load<B: Copy>(&mut self, tile: usize, bytes: &[B], stride: usize, byte: fn(B) -> u8) {
        let tile = self.tile(tile);
        tile.data = [[0; 64]; 16];
        for row in 0..tile.rows {
            let from = &bytes[row * stride..][..tile.bytes_per_row];
            for (to, &from) in tile.data[row].iter_mut().zip(from) {
                *to = byte(from);
            }
        }
    }
}

impl Tiles for Emulated {
    /// `TILEZERO`.
    fn zero<const TILE: usize>(&mut self) {
        self.tile(TILE).data = [[0; 64]; 16];
    }

    fn load_users<const TILE: usize>(&mut self, rows: &[i8], step: usize) {
        let stride = rows.len() / TILE_USERS;
        assert!(64 * step + 64 <= stride, "within the row");
        self.load(TILE, &rows[64 * step..], stride, i8::cast_unsigned);
    }

    fn load_items<const TILE: usize>(&mut self, lines: &[Line; TILE_LINES]) {
        self.load(TILE, lines.as_flattened(), 64, u8::from);
    }

    /// `TDPBSUD`.
    fn multiply_add<const SUMS: usize, const USERS: usize, const ITEMS: usize>(&mut self) {
        assert!(SUMS != USERS && SUMS != ITEMS && USERS != ITEMS);
        let (users, items, sums) = (*self.tile(USERS), *self.tile(ITEMS), self.tile(SUMS));
        assert_eq!((sums.rows, sums.bytes_per_row), (users.rows, items.bytes_per_row));
        assert_eq!(users.bytes_per_row / 4, items.rows);
        let items = items.data.map(|row| row.map(i32::from));
        for m in 0..sums.rows {
            let (row, _) = sums.data[m].as_chunks_mut::<4>();
            let user = users.data[m].map(|code| i32::from(code.cast_signed()));
            for k in 0..users.bytes_per_row / 4 {
                let (a, b) = (&user[4 * k..][..4], &items[k]);
                for n in 0..row.len() {
                    let products = a[0] * b[4 * n]
                        + a[1] * b[4 * n + 1]
                        + a[2] * b[4 * n + 2]
                        + a[3] * b[4 * n + 3];
                    row[n] = i32::from_le_bytes(row[n]).wrapping_add(products).to_le_bytes();
                }
            }
        }
    }

    /// `TILESTORED`.
    fn store<const TILE: usize>(&mut self, sums: &mut [UserSums; TILE_USERS], group: usize) {
        let tile = self.tile(TILE);
        for row in 0..tile.rows {
            for n in 0..tile.bytes_per_row / 4 {
                let sum = tile.data[row][4 * n..].first_chunk().unwrap();
                sums[row][group][n] = i32::from_le_bytes(*sum);
            }
        }
    }
}
