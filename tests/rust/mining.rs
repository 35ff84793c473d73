//! Mining and range search find what the full matrix of scores holds, in the order of a stable sort.

use crate::number::{Number, matrix};
use cosim_rs::Rows;
use cosim_rs::score::{Options, cosine_similarity};
use cosim_rs::search::{Filter, Mining, Pairs, Segment, mine_pairs, range_search};
use ndarray::Array2;
use std::cell::RefCell;

/// Rows of few different elements: masses of ties, zero rows among them; one row is NaN.
fn rows<E: Number>(count: usize, dim: usize, seed: u64) -> Array2<E> {
    let mut rows = matrix::<E>(count, dim, seed).mapv(|x| E::from_f64((x.to_f64() * 1.5).round()));
    rows.row_mut(count / 2).fill(E::from_f64(f64::NAN));
    rows
}

fn scores<E: Number>(x: &Array2<E>, y: &Array2<E>) -> Array2<E> {
    let mut scores = Array2::from_elem((x.nrows(), y.nrows()), E::ZERO);
    cosine_similarity(x.view(), y.view(), scores.view_mut(), &Options::default()).unwrap();
    scores
}

/// All pairs of a matrix that are wanted, best first.
fn sorted<E: Number>(
    scores: &Array2<E>,
    least: E,
    wanted: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize, E)> {
    let mut pairs: Vec<_> = scores
        .indexed_iter()
        .filter(|&((i, j), &score)| score >= least && wanted(i, j))
        .map(|((i, j), &score)| (i, j, score))
        .collect();
    pairs.sort_by(|a, b| b.2.partial_cmp(&a.2).unwrap()); // stable
    pairs
}

fn listed<E: Number>(pairs: &Pairs<E>) -> Vec<(usize, usize, E)> {
    let row = |&row: &i64| usize::try_from(row).unwrap();
    let rows = pairs.first.iter().map(row).zip(pairs.second.iter().map(row));
    rows.zip(&pairs.scores).map(|((i, j), &score)| (i, j, score)).collect()
}

fn assert_mined<E: Number>(dim: usize) {
    let (x, y) = (rows::<E>(150, dim, 5), rows::<E>(600, dim, 6));
    let options = Options::default();
    for min_score in [-1.0, 0.0, 0.6, 0.95, 1.0] {
        let least = E::from_f64(min_score);
        let (one, two) = (
            sorted(&scores(&x, &x), least, |i, j| i < j),
            sorted(&scores(&x, &y), least, |_, _| true),
        );
        for max_pairs in [None, Some(1), Some(100), Some(9000)] {
            let mining = Mining { min_score, max_pairs };
            let most = max_pairs.unwrap_or(usize::MAX);
            let what = format!("at least {min_score}, {max_pairs:?} of {dim} elements");
            let told = RefCell::new(Vec::new());
            let progress = |rows: usize| {
                told.borrow_mut().push(rows);
                Ok(())
            };
            let found =
                mine_pairs(x.view(), None::<Rows<'_, E>>, mining, &options, &progress).unwrap();
            assert!(listed(&found) == one[..most.min(one.len())], "one set, {what}");
            let found =
                mine_pairs(x.view(), Some(y.view().into()), mining, &options, &progress).unwrap();
            assert!(listed(&found) == two[..most.min(two.len())], "two sets, {what}");
            assert_eq!(told.into_inner(), [150, 150]);
        }
    }
}

#[test]
fn pairs_are_those_of_the_sorted_matrix() {
    for dim in [3, 40] {
        assert_mined::<f32>(dim);
        assert_mined::<f64>(dim);
    }
}

#[test]
fn progress_is_told_batch_by_batch_and_batches_change_nothing() {
    let x = rows::<f32>(4500, 3, 7);
    let told = RefCell::new(Vec::new());
    let mining = Mining { min_score: 0.9, max_pairs: Some(5000) };
    let progress = |rows: usize| {
        told.borrow_mut().push(rows);
        Ok(())
    };
    let found = mine_pairs(x.view(), None::<Rows<'_, f32>>, mining, &Options::default(), &progress)
        .unwrap();
    assert_eq!(told.into_inner(), [4096, 4500]);
    let wanted = sorted(&scores(&x, &x), 0.9, |i, j| i < j);
    assert!(listed(&found) == wanted[..5000]);
}

#[test]
fn a_range_is_the_rows_of_the_matrix_that_reach_it() {
    for (users, dim) in [(1, 3), (50, 3), (50, 40)] {
        let (x, y) = (rows::<f32>(users, dim, 8), rows::<f32>(700, dim, 9));
        for least in [-1.0_f32, 0.0, 0.5, 1.0, 2.0] {
            let filter = Filter { min_score: Some(least.into()), ..Filter::default() };
            let segments = [Segment::new(y.view())];
            let found = range_search(x.view(), &segments, &filter, &Options::default()).unwrap();
            let scores = scores(&x, &y);
            let mut rows = found.starts.windows(2);
            for user in 0..users {
                let wanted = sorted(&scores, least, |i, _| i == user);
                let row = rows.next().unwrap();
                let row = usize::try_from(row[0]).unwrap()..usize::try_from(row[1]).unwrap();
                let got = found.indices[row.clone()].iter().zip(&found.scores[row]);
                let got: Vec<_> = got
                    .map(|(&item, &score)| (user, usize::try_from(item).unwrap(), score))
                    .collect();
                assert_eq!(got, wanted, "user {user}, at least {least}, {dim} elements");
            }
        }
    }
}
