//! The kernel for AMX, on tiles that are emulated, finds what the other scans find.

use super::emulated::Emulated;
use super::tiles::{CONFIGURATION, TILE_BYTES, Tiles};
use super::{GROUPS, StoredSums, USERS, groups_per_strip, scan};
use crate::kernel::scan::barred::Barred;
use crate::kernel::scan::candidates::Candidates;
use crate::kernel::scan::codes::{ItemBlocks, ItemCodes, NOT_FOUND, lines_for};
use crate::kernel::scan::portable::Portable;
use crate::kernel::scan::users::{UserCodes, UserRows};
use crate::kernel::scan::{GROUP, ScanKernel, Sink, tables};
use std::ops::Range;

/// What each user found: items, and the bits of their bounds.
type Found = Vec<Vec<(u32, u32)>>;

/// Takes all that is found.
struct Collector(Found);

impl Sink for Collector {
    fn make_room(&mut self, user: usize, candidates: &mut Candidates) {
        self.0[user].extend(candidates.found().map(|(item, bound)| (item, bound.to_bits())));
        candidates.begin(candidates.threshold, candidates.weight);
    }
}

/// Users, items, and what the users look for.
struct Case {
    users: UserCodes,
    items: ItemCodes,
    /// Thresholds and weights.
    wanted: Vec<(f32, f32)>,
    /// What every third user must not get, a quarter of the items.
    barred: Vec<Vec<u16>>,
}

/// Numbers in no order.
struct Numbers(u64);

impl Numbers {
    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[5]
    }

    /// From 1 to 2.
    fn float(&mut self) -> f32 {
        1.0 + f32::from(self.byte()) / 256.0 + f32::from(self.byte()) / 65536.0
    }
}

impl Case {
    fn new(users: usize, items: usize, dim: usize) -> Self {
        let mut numbers = Numbers((users * 1000 + items * 100 + dim) as u64 | 1 << 40);
        let mut case = Self {
            users: UserCodes::new(users, dim),
            items: ItemCodes::new(items, dim),
            wanted: Vec::new(),
            barred: Vec::new(),
        };
        for _ in 0..users {
            // Codes of ±127, as 1 to 255.
            let row: Vec<_> = (0..dim).map(|_| numbers.byte().max(1)).collect();
            case.users.push(&row);
            case.wanted.push((0.0, numbers.float()));
        }
        for mut blocks in case.items.parts_to_fill(2 * GROUP) {
            for block in 0..blocks.scales.len() / GROUP {
                // Behind the elements of an item as well there is whatever there may be.
                let lines = blocks.block(block).as_flattened_mut();
                lines.fill_with(|| numbers.byte().max(1));
            }
            for (scale, error) in blocks.scales.iter_mut().zip(&mut *blocks.errors) {
                *scale = numbers.float();
                *error = if numbers.byte() < 20 { NOT_FOUND } else { 100.0 * numbers.float() };
            }
            blocks.outline();
        }
        for user in 0..users {
            let mut word = || numbers.byte() & numbers.byte();
            let mut word = || u16::from_le_bytes([word(), word()]);
            let words = items.div_ceil(GROUP);
            case.barred.push((0..words).map(|_| if user % 3 == 0 { word() } else { 0 }).collect());
        }
        // Dot products are about as large as a user's and an item's lengths, 74 a root of an element.
        #[allow(clippy::cast_precision_loss)]
        let usual = 74.0 * 74.0 * (dim as f32).sqrt();
        for user in 0..users {
            case.wanted[user].0 = match user % 7 {
                1 => f32::INFINITY,
                2 if users < 40 => f32::NEG_INFINITY,
                3 => 3.0 * usual,
                _ => 1.5 * usual,
            };
        }
        case
    }

    /// What some of the users find among some of the items.
    fn found(
        &self,
        users: Range<usize>,
        items: Range<usize>,
        scan: impl Fn(UserRows<'_>, ItemBlocks<'_>, Barred<'_>, &mut [Candidates], &mut dyn Sink),
    ) -> Found {
        let mut candidates = Vec::new();
        for &(threshold, weight) in &self.wanted[users.clone()] {
            candidates.push(Candidates::new(10));
            candidates.last_mut().unwrap().begin(threshold, weight);
        }
        let mut found = Collector(vec![Vec::new(); users.len()]);
        let first = items.start / GROUP;
        let barred: Vec<_> =
            self.barred[users.clone()].iter().map(|words| &words[first..]).collect();
        let (users, items) = (self.users.rows(users), self.items.blocks(items));
        scan(users, items, Barred::new(&barred), &mut candidates, &mut found);
        for (user, candidates) in candidates.iter_mut().enumerate() {
            found.make_room(user, candidates);
        }
        found.0
    }

    fn found_by(&self, kernel: &ScanKernel, users: Range<usize>, items: Range<usize>) -> Found {
        self.found(users, items, |users, items, barred, candidates, sink| {
            kernel.scan(users, items, barred, candidates, sink);
        })
    }

    /// What is found on emulated tiles with the epilogue of these lanes.
    fn found_on_tiles<L: StoredSums>(
        &self,
        lanes: L,
        users: Range<usize>,
        items: Range<usize>,
    ) -> Found {
        self.found(users, items, |users, items, barred, candidates, sink| {
            let tiles = Emulated::configure(&CONFIGURATION);
            scan(tiles, lanes, users, items, barred, candidates, sink);
        })
    }

    /// Fails unless the kernel finds what the portable one finds.
    fn check_part(&self, users: Range<usize>, items: Range<usize>) {
        let expected = self.found_by(&tables::PORTABLE, users.clone(), items.clone());
        let found = self.found_on_tiles(Portable, users.clone(), items.clone());
        assert!(found == expected, "users {users:?}, items {items:?}");
        #[cfg(target_arch = "x86_64")]
        self.check_part_on_avx512(users, items);
    }

    /// Fails unless the kernel finds what that of VNNI finds, which rounds in its own way; and so
    /// on the tiles of the CPU, if it has any.
    #[cfg(target_arch = "x86_64")]
    fn check_part_on_avx512(&self, users: Range<usize>, items: Range<usize>) {
        use crate::kernel::level::{Level, available};
        use crate::kernel::scan::vnni::Vnni;
        let levels = available();
        if levels.contains(&Level::Avx512Vnni) {
            // SAFETY: this CPU has AVX-512 VNNI.
            let lanes = unsafe { Vnni::new() };
            let expected = self.found_by(&tables::VNNI, users.clone(), items.clone());
            let found = self.found_on_tiles(lanes, users.clone(), items.clone());
            assert!(found == expected, "VNNI: users {users:?}, items {items:?}");
            if levels.contains(&Level::Amx) {
                let found = self.found_by(&tables::AMX, users.clone(), items.clone());
                assert!(found == expected, "AMX: users {users:?}, items {items:?}");
            }
        }
    }
}

#[track_caller]
fn check(users: usize, blocks: usize, dim: usize) {
    let items = blocks * GROUP;
    let case = Case::new(users, items, dim);
    case.check_part(0..users, 0..items);
}

#[test]
fn every_number_of_users_and_blocks() {
    for users in 0..=70 {
        for blocks in 0..=9 {
            check(users, blocks, [5, 63, 64, 65, 130][(users + blocks) % 5]);
        }
    }
}

#[test]
fn every_dimension() {
    for dim in (1..=300).chain([384]) {
        for (users, blocks) in [(16, 1), (33, 3)] {
            check(users, blocks, dim);
        }
    }
}

#[test]
fn the_longest_vectors() {
    check(18, 3, 8192);
}

/// More groups than stay in the nearest cache at a time, and an odd one.
#[test]
fn several_strips() {
    for dim in [100, 128, 256, 1000] {
        let strip = groups_per_strip(lines_for(dim));
        assert!(strip >= GROUPS && strip.is_multiple_of(GROUPS));
        check(USERS + 1, 2 * strip + 3, dim);
    }
}

/// Users who find more than their buffers hold.
#[test]
fn many_candidates() {
    check(5, 100, 8);
    check(37, 40, 12);
}

/// Some of the users, some of the blocks, and a last block that is not whole.
#[test]
fn parts() {
    let case = Case::new(50, 100, 70);
    for users in [0..50, 7..50, 16..48, 20..21] {
        for items in [0..100, 16..100, 32..80, 96..97, 48..48] {
            case.check_part(users.clone(), items);
        }
    }
}

#[test]
fn no_row_of_a_tile_of_users_crosses_a_cache_line() {
    for (users, dim) in [(1, 1), (16, 64), (33, 65), (500, 300)] {
        let case = Case::new(users, 0, dim);
        let rows = case.users.rows(users / 2..users);
        assert_eq!(rows.codes.as_ptr().align_offset(TILE_BYTES), 0);
        assert_eq!(rows.bytes_per_row % TILE_BYTES, 0);
    }
}

/// That the tests above see anything: some pairs are found, and not all.
#[test]
fn cases_have_some_candidates() {
    let case = Case::new(40, 160, 128);
    let found = case.found_by(&tables::PORTABLE, 0..40, 0..160);
    let count: usize = found.iter().map(Vec::len).sum();
    assert!((200..3000).contains(&count), "{count}");
}

#[test]
fn emulated_tiles_multiply_signed_users_by_unsigned_items_four_by_four() {
    let mut tiles = Emulated::configure(&CONFIGURATION);
    let (mut users, mut items, mut sums) = ([0; 16 * 128], [[0; 64]; 16], [[[7; 16]; 2]; 16]);
    users[3 * 128 + 64 + 4 * 5..][..4].copy_from_slice(&[-127, 1, 2, -1]); // user 3, line 16 + 5
    items[5][4 * 9..][..4].copy_from_slice(&[255, 200, 128, 1]); // line 16 + 5, item 9
    tiles.zero::<0>();
    tiles.load_users::<4>(&users, 1);
    tiles.load_items::<6>(&items);
    tiles.multiply_add::<0, 4, 6>();
    tiles.multiply_add::<0, 4, 6>();
    tiles.store::<0>(&mut sums, 1);
    let mut expected = [[[7; 16], [0; 16]]; 16];
    expected[3][1][9] = 2 * (-127 * 255 + 200 + 2 * 128 - 1);
    assert_eq!(sums, expected);
}
