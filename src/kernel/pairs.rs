//! Two rows at a time, each pair its own: the kernel of paired scores.
//!
//! As [`super::rows`], with the square of the left side computed along with the other two sums.

// As in `tile`: loops over registers go by index.
#![allow(clippy::needless_range_loop)]

use super::lanes::{LANES, Load};
use super::range::{Floor, out_of_range, places, prepare, square_lanes};
use super::real::Real;
use super::source::Source;
use super::user::{InMemory, User};
use crate::view::{Rows, ScoreRow};

/// Scores row `i` of `x` against row `i` of `y`, which come as their `source` too. Those of `x` are
/// widened before, one by one.
#[inline(always)]
pub(crate) fn score_pairs<'a, E: Real, L, S: Copy + 'a, T: Source<'a, S>>(
    lanes: L,
    x: Rows<'_, E>,
    (y, source): (Rows<'_, E>, T),
    floor: Floor<E>,
    mut scores: ScoreRow<'_, E>,
) where
    L: Load<E, E> + Load<E, S>,
{
    let mut source_scratch = Vec::new();
    let (mut x_scratch, mut y_scratch) = (Vec::new(), Vec::new());
    let (mut x_scaled, mut y_scaled) = (Vec::new(), Vec::new());
    for first in (0..x.count()).step_by(LANES) {
        let count = LANES.min(x.count() - first);
        let mut quarters = [[lanes.zero(); 4]; 3];
        for quarter in 0..4 {
            let mut sums = [[lanes.zero(); 4]; 3];
            for place in 0..count.saturating_sub(4 * quarter).min(4) {
                let index = first + 4 * quarter + place;
                let left = x.row(index, &mut x_scratch);
                let right = source.row(index, &mut source_scratch);
                (sums[0][place], sums[2][place]) = InMemory(left).dot_and_square(lanes, right);
                sums[1][place] = square_lanes(lanes, left);
            }
            for (quarters, sums) in quarters.iter_mut().zip(sums) {
                quarters[quarter] = lanes.fold_rows(sums);
            }
        }
        let floor_squares = lanes.splat(floor.square);
        let mut dots = lanes.fold_quarters(quarters[0]);
        let mut x_squares = lanes.at_least(lanes.fold_quarters(quarters[1]), floor_squares);
        let mut y_squares = lanes.at_least(lanes.fold_quarters(quarters[2]), floor_squares);

        let outside = out_of_range(lanes, x_squares, count) | out_of_range(lanes, y_squares, count);
        if outside != 0 {
            let mut rescued = [dots, x_squares, y_squares].map(|sums| lanes.store(sums));
            for place in places(outside) {
                let index = first + place;
                let left = prepare(lanes, x.row(index, &mut x_scratch), floor, &mut x_scaled);
                let right = prepare(lanes, y.row(index, &mut y_scratch), floor, &mut y_scaled);
                let (dot, _) = InMemory(left.elements).dot_and_square(lanes, right.elements);
                rescued[0][place] = lanes.sum(dot);
                rescued[1][place] = left.square;
                rescued[2][place] = right.square;
            }
            [dots, x_squares, y_squares] = rescued.map(|sums| lanes.load(&sums));
        }
        let group_scores = lanes.store(lanes.cosine(dots, x_squares, y_squares));
        scores.write(first, &group_scores, count);
    }
}
