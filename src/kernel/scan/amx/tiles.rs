//! The tile registers as the scan uses them, whoever plays them: the CPU, or a test.

use crate::kernel::scan::GROUP;
use crate::kernel::scan::codes::{Line, TILE_LINES};

/// Users of a tile.
pub(in crate::kernel::scan) const TILE_USERS: usize = 16;
/// Codes of each of them.
pub(super) const TILE_BYTES: usize = 64;
/// Users whose sums the tiles hold.
pub(super) const USERS: usize = 2 * TILE_USERS;
/// Groups of items whose sums the tiles hold.
pub(super) const GROUPS: usize = 2;

/// Eight tiles, each of sixteen rows of 64 bytes.
///
/// What is multiplied and added is as Intel's manual has it for `TDPBSUD`: with A the tile of users,
/// B that of items and C that of sums,
///
/// ```text
/// C.row[m].dword[n] += Σ A.row[m].byte[4k + i] · B.row[k].byte[4n + i]      k < 16, i < 4
/// ```
///
/// where the bytes of A are signed, those of B are not, and nothing saturates. So a row of A is a
/// user, a row of B is a line of sixteen items, and column n of C is item n.
pub(in crate::kernel::scan) trait Tiles {
    /// Fills a tile with zeros.
    fn zero<const TILE: usize>(&mut self);
    /// Loads 64 bytes of each of sixteen rows, which are all of `rows`: the first 64 in step 0.
    fn load_users<const TILE: usize>(&mut self, rows: &[i8], step: usize);
    /// Loads sixteen lines.
    fn load_items<const TILE: usize>(&mut self, lines: &[Line; TILE_LINES]);
    /// Adds to each sum the product of its user and its item; all three are different tiles.
    fn multiply_add<const SUMS: usize, const USERS: usize, const ITEMS: usize>(&mut self);
    /// Stores sixteen users' sums of one of the groups.
    fn store<const TILE: usize>(&mut self, sums: &mut [UserSums; TILE_USERS], group: usize);
}

/// A user's sums.
pub(in crate::kernel::scan) type UserSums = [[i32; GROUP]; GROUPS];

/// The sums of all four tiles; a group's of one user are a cache line.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct Sums(pub(super) [UserSums; USERS]);

impl Sums {
    /// Those of either tile of users.
    #[inline(always)]
    pub(super) fn halves(&mut self) -> [&mut [UserSums; TILE_USERS]; 2] {
        let ([low, high], _) = self.0.as_chunks_mut() else { unreachable!() };
        [low, high]
    }
}

/// The shapes of the tiles as `LDTILECFG` takes them: the palette at 0, the bytes of a row of each
/// tile, in two bytes, from 16 on, and its rows from 48 on. All else is zero.
pub(super) const CONFIGURATION: [u8; 64] = {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let mut tile = 0;
    while tile < 8 {
        bytes[16 + 2 * tile] = 64;
        bytes[48 + tile] = 16;
        tile += 1;
    }
    bytes
};
