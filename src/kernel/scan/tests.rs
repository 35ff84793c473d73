//! Every scan kernel that this CPU can run finds what plain sums say, bit for bit: with scales,
//! errors and weights that are powers of two, no bound is rounded.

use super::barred::Barred;
use super::candidates::Candidates;
use super::codes::{ItemCodes, LINE, Line, NOT_FOUND};
use super::users::UserCodes;
use super::{GROUP, Sink};
use crate::kernel::level::{Level, available};
use crate::kernel::quantise::{MOST_CODE, MOST_CODES};

/// Numbers in no order.
fn numbers() -> impl FnMut() -> u32 {
    let mut state = 0x9e37_79b9_u32;
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    }
}

/// A code within ±`most`.
fn code(number: u32, most: i8) -> i8 {
    let most = i64::from(most);
    i8::try_from(i64::from(number) % (2 * most + 1) - most).expect("a code")
}

/// Codes of some users and items, plain and as the kernels take them, and what users must not get.
struct Case {
    level: Level,
    barred: Vec<Vec<u16>>,
    users: Vec<Vec<i8>>,
    items: Vec<Vec<i8>>,
    scales: Vec<f32>,
    errors: Vec<f32>,
    user_codes: UserCodes,
    item_codes: ItemCodes,
}

/// The users' codes go as far as the level's scan has room for.
fn case(level: Level, users: usize, items: usize, dim: usize) -> Case {
    let mut next = numbers();
    let mut rows = |count: usize, most: i8| -> Vec<Vec<i8>> {
        (0..count).map(|_| (0..dim).map(|_| code(next(), most)).collect()).collect()
    };
    let (users, items) = (rows(users, level.scan().most_code), rows(items, MOST_CODE));
    let scales: Vec<_> = (0..items.len()).map(|item| [1.0, 0.5, 2.0][item % 3]).collect();
    let error = |item: usize| if item % 11 == 3 { NOT_FOUND } else { [0.0, 64.0, 0.25][item % 3] };
    let errors: Vec<_> = (0..items.len()).map(error).collect();

    let mut user_codes = UserCodes::new(users.len(), dim);
    for user in &users {
        user_codes.push(&stored(user, dim));
    }
    let mut item_codes = ItemCodes::new(items.len(), dim);
    for mut part in item_codes.parts_to_fill(items.len().next_multiple_of(GROUP)) {
        part.errors.fill(NOT_FOUND);
        part.scales[..items.len()].copy_from_slice(&scales);
        part.errors[..items.len()].copy_from_slice(&errors);
        part.outline();
        for (block, items) in items.chunks(GROUP).enumerate() {
            lay_out(items, part.block(block));
        }
    }
    Case { level, barred: Vec::new(), users, items, scales, errors, user_codes, item_codes }
}

/// Items as the lines of a block, by definition.
fn lay_out(items: &[Vec<i8>], lines: &mut [Line]) {
    for (item, codes) in items.iter().enumerate() {
        for (place, code) in stored(codes, 4 * lines.len()).into_iter().enumerate() {
            lines[place / 4][4 * item + place % 4] = code;
        }
    }
}

#[test]
fn every_kernel_lays_out_blocks_as_defined() {
    let mut next = numbers();
    for lines in [1, 3, 16, 17, 40] {
        let (words, length) = (lines * 4, 64 * usize::div_ceil(lines, 16));
        let items: Vec<Vec<i8>> =
            (0..GROUP).map(|_| (0..words).map(|_| code(next(), 127)).collect()).collect();
        let mut expected = vec![[0; LINE]; lines];
        lay_out(&items, &mut expected);
        let mut rows = vec![[0; LINE]; GROUP * length / LINE];
        for (row, item) in rows.as_flattened_mut().chunks_mut(length).zip(&items) {
            row[..words].copy_from_slice(&stored(item, words));
        }
        for level in available() {
            let mut block = vec![[0; LINE]; lines];
            level.kernels_f32().interleave(&rows, &mut block);
            assert_eq!(block, expected, "{level:?}, {lines} lines");
            block.fill([0; LINE]);
            level.kernels_f64().interleave(&rows, &mut block);
            assert_eq!(block, expected, "{level:?}, {lines} lines");
        }
    }
}

/// A row with 128 added; whatever fills it up is multiplied by zero.
fn stored(row: &[i8], length: usize) -> Vec<u8> {
    let codes = row.iter().map(|code| code.cast_unsigned() ^ 128);
    codes.chain([77; 3]).take(length).collect()
}

const WEIGHT: f32 = 4.0;

impl Case {
    /// The items from `first` on that reach the threshold, and their bounds.
    fn expected(&self, user: usize, first: usize, threshold: f32) -> Vec<(u32, f32)> {
        let bound = |item: usize| {
            let pairs = self.users[user].iter().zip(&self.items[item]);
            let dot: i32 = pairs.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
            #[allow(clippy::cast_precision_loss)] // less than 2²⁴
            let dot = dot as f32;
            dot * self.scales[item] + WEIGHT * self.errors[item]
        };
        let bounds =
            (first..self.items.len()).map(|item| (u32::try_from(item).unwrap(), bound(item)));
        let is_barred = |item: usize| {
            self.barred
                .get(user)
                .is_some_and(|words| words[item / GROUP] >> (item % GROUP) & 1 != 0)
        };
        bounds.filter(|&(item, bound)| bound >= threshold && !is_barred(item as usize)).collect()
    }
}

/// Empties full buffers into lists.
struct Emptied(Vec<Vec<(u32, f32)>>);

impl Sink for Emptied {
    fn make_room(&mut self, user: usize, candidates: &mut Candidates) {
        self.0[user].extend(candidates.found());
        candidates.begin(candidates.threshold, candidates.weight);
    }
}

fn assert_found(case: &Case, first: usize, threshold: f32) {
    let mut sink = Emptied(vec![Vec::new(); case.users.len()]);
    let mut candidates: Vec<_> = case.users.iter().map(|_| Candidates::new(10)).collect();
    for candidates in &mut candidates {
        candidates.begin(threshold, WEIGHT);
    }
    let users = case.user_codes.rows(0..case.users.len());
    let items = case.item_codes.blocks(first..case.items.len());
    let barred: Vec<_> = case.barred.iter().map(|words| &words[first / GROUP..]).collect();
    case.level.scan().scan(users, items, Barred::new(&barred), &mut candidates, &mut sink);
    for (user, candidates) in candidates.iter().enumerate() {
        sink.0[user].extend(candidates.found());
        let expected = case.expected(user, first, threshold);
        let shape = (case.users.len(), case.items.len(), case.users[user].len());
        assert_eq!(sink.0[user], expected, "{user} of {shape:?}, {:?}", case.level);
    }
}

#[test]
fn every_shape_of_tile_is_found() {
    for level in available() {
        for users in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 70] {
            for items in [1, 15, 16, 17, 64, 65, 80, 145] {
                for dim in [1, 3, 4, 5, 64, 65, 100, 128] {
                    assert_found(&case(level, users, items, dim), 0, 5000.0);
                }
            }
        }
    }
}

#[test]
fn every_length_is_found() {
    for level in available() {
        for dim in (1..=300).chain([1000]) {
            assert_found(&case(level, 3, 40, dim), 0, -300.0);
        }
    }
}

#[test]
fn what_is_barred_is_not_found() {
    let mut next = numbers();
    for level in available() {
        for (users, items) in [(1, 15), (4, 64), (7, 145), (35, 80)] {
            let mut case = case(level, users, items, 20);
            // Of some users all, none or nothing at all, and of others some.
            let words = items.div_ceil(GROUP);
            case.barred = (0..users)
                .map(|user| match user % 5 {
                    0 => (0..words).map(|_| u16::try_from(next() & 0xffff).unwrap()).collect(),
                    1 => vec![u16::MAX; words],
                    2 => vec![0; words],
                    _ => (0..words)
                        .map(|_| u16::try_from(next() & next() & 0xffff).unwrap())
                        .collect(),
                })
                .collect();
            for threshold in [f32::MIN, 0.0, 3000.0] {
                assert_found(&case, 0, threshold);
                assert_found(&case, (words - 1) * GROUP, threshold);
            }
        }
    }
}

#[test]
fn ties_with_the_threshold_are_found() {
    for level in available() {
        let case = case(level, 5, 100, 20);
        for user in 0..5 {
            for (_, bound) in case.expected(user, 0, f32::MIN) {
                assert_found(&case, 0, bound);
            }
        }
    }
}

#[test]
fn full_buffers_are_emptied() {
    for level in available() {
        let case = case(level, 6, 2000, 9);
        assert_found(&case, 0, f32::MIN);
        assert_found(&case, 1600, f32::MIN);
    }
}

/// The largest codes do not overflow what they are added up in; nor does -128, which is no code but
/// may come in a file. (Of the longest rows the dot products are multiples of 2¹³, which floats hold.)
#[test]
fn extreme_codes_are_exact() {
    for level in available() {
        for dim in [1000, MOST_CODES] {
            let most = level.scan().most_code;
            for (user, item) in [(most, 127), (-most, 127), (most, -127), (-most, -127)]
                .into_iter()
                .chain([(most, i8::MIN), (-most, i8::MIN)])
            {
                let mut case = case(level, 2, 17, dim);
                let mut user_codes = UserCodes::new(2, dim);
                case.users = vec![vec![user; dim]; 2];
                case.users.iter().for_each(|user| user_codes.push(&stored(user, dim)));
                case.user_codes = user_codes;
                case.items = vec![vec![item; dim]; 17];
                for mut part in case.item_codes.parts_to_fill(32) {
                    lay_out(&case.items[..16], part.block(0));
                    lay_out(&case.items[16..], part.block(1));
                }
                assert_found(&case, 0, f32::MIN);
            }
        }
    }
}
